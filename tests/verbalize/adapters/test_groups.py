"""What is salient in groups of inputs."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.adapters import mean_map, salient_in_all, shared_map

QUERY = Query("beach")
TOP = np.zeros((8, 8), dtype=bool)
TOP[:4] = True


def picture(sky, sea, names=("sky", "sea"), query=QUERY):
    scores = np.where(TOP, sky, sea).astype(float)
    return PixelSaliency(scores, query, masks=np.stack([TOP, ~TOP]), mask_names=names)


def test_regions_are_counted_by_name():
    maps = [picture(2, 1), picture(3, -1), picture(1, 2), picture(1, 0.5, names=("sky", "sand"))]
    found = salient_in_all(maps, top=1)
    assert [(part.name, part.salient, part.present, part.members) for part in found.counts] == [
        ("sky", 3, 4, (0, 1, 3)),
        ("sea", 1, 3, (2,)),
    ]
    assert found.in_words() == (
        "The region 'sky' is the most important region for 'beach' in 3 of 4 pictures. "
        "The region 'sea' is the most important region for 'beach' in 1 of 4 pictures (1 has no such region)."
    )
    assert found.everywhere() == ()
    assert salient_in_all(maps[:2], top=1).everywhere() == ("sky",)


def test_words_are_counted_whatever_their_case_and_ties_count():
    maps = [
        TokenSaliency(("Great", "fun", "great"), (1.0, 0.5, 3.0), Query("good")),
        TokenSaliency(("dull", "but", "great"), (-1.0, 0.5, 0.5), Query("bad")),
    ]
    found = salient_in_all(maps, top=1)
    assert found.everywhere() == ("great",)
    assert {part.name: part.salient for part in found.counts} == {"great": 2, "but": 1}
    assert found.in_words(most=1) == "'great' is the most important word for their labels in 2 of 2 texts."


def test_nothing_counts_that_speaks_against():
    found = salient_in_all([picture(-1, -2)])
    assert found.counts == ()
    assert found.in_words() == "No region stands out for its label in the picture."


def test_words_that_tie_are_all_salient():
    tied = TokenSaliency(list("abcd"), np.ones(4), Query("good"))
    found = salient_in_all([tied, tied], top=1)
    assert found.everywhere() == tuple("abcd")
    assert salient_in_all([TokenSaliency(list("ab"), (2.0, 1.0), Query("good"))]).in_words() == (
        "'a' is among the 2 most important words for 'good' in the text. 'b' is among the 2 most important words for 'good' in the text."
    )


def test_the_mean_weighs_all_maps_alike():
    made = mean_map([picture(1, 0), picture(0, 100)])
    assert np.allclose(made.scores, 1 / 64)
    assert made.signed
    again = mean_map(picture(scale, 0) for scale in (1e308, 1.0))
    assert np.allclose(again.scores[:4], 1 / 32)


def test_the_share_of_maps_in_which_a_pixel_is_salient():
    maps = [picture(2, 1), picture(3, 1), picture(1, 2)]
    made = shared_map(maps, share=0.5)
    assert np.allclose(made.scores[:4], 2 / 3)
    assert np.allclose(made.scores[4:], 1 / 3)
    assert not made.signed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: salient_in_all([]), "no maps"),
        (lambda: salient_in_all([picture(1, 2)], top=0), "1 or more"),
        (lambda: salient_in_all([picture(1, 2), TokenSaliency(("a",), (1.0,), QUERY)]), "one kind"),
        (lambda: mean_map([TokenSaliency(("a",), (1.0,), QUERY)]), "no pixels in common"),
        (lambda: mean_map([picture(1, 2), picture(1, 2, query=Query("city"))]), "same size"),
        (lambda: shared_map([picture(1, 2)], share=0), "share"),
    ],
)
def test_wrong_input_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()
