"""The numbers in the heatmaps of the page are those that the sentences speak of."""

import re

import numpy as np
import pytest

from adversarial.audit.reporters.pictures import regions_in_words
from verbalize.saliency import PixelSaliency, Query
from verbalize.write import TemplateVerbalizer


@pytest.mark.parametrize("strengths", [(1.0, 0.5, 0.8), (0.5, 0.8, 1.0), (0.8, 1.0, 0.5)])
def test_regions_of_one_name_are_numbered_from_top_to_bottom(strengths):
    values = np.zeros((48, 48))
    for place, strength in enumerate(strengths):
        values[18 + 5 * place : 21 + 5 * place, 22:25] = strength
    map_ = PixelSaliency(values, Query("another class"), signed=False)
    said = regions_in_words(map_)
    assert [word for _, word in re.findall(r"(\d) the (\w+) region", said)] == ["first", "second", "third"]
    assert said.startswith("1 the first")
    strongest = ("first", "second", "third")[int(np.argmax(strengths))]
    assert TemplateVerbalizer().verbalize(map_).text.startswith(f"The {strongest} region")


def test_every_number_has_its_words():
    values = np.zeros((48, 48))
    values[4:9, 4:9], values[30:40, 30:40] = 1.0, 0.7
    assert re.fullmatch(
        r"1 the region [^,]+, 2 the region [^,]+", regions_in_words(PixelSaliency(values, Query("x"), signed=False))
    )
    assert regions_in_words(PixelSaliency(np.zeros((8, 8)), Query("x"), signed=False)) == ""
