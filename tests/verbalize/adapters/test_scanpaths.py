"""Scanpaths as maps and as visits in order."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, check
from verbalize.adapters import Visit, scanpath_to_map

QUERY = Query("looking for a mug")
LEFT = np.zeros((20, 30), dtype=int)
LEFT[:, 15:] = 1
PATH = [(2, 3, 0.25), (4, 3, 0.25), (25, 10, 0.75), (5, 5, 0.125), (40, 3, 0.5)]


def test_visits_are_told_in_order():
    path = scanpath_to_map(PATH, (20, 30), QUERY, segments=LEFT, names=["shelf", "table"])
    assert path.order == ("shelf", "table")
    assert path.outside == 1
    assert path.visits == (
        Visit("shelf", 0.0, 0.5, 2), Visit("table", 0.5, 0.75, 1), Visit("shelf", 1.25, 0.125, 1)
    )  # fmt: skip
    assert path.in_words() == (
        "The gaze reached the region 'shelf' first, then the region 'table'. "
        "It was on the region 'table' longest: 0.75 of 1.38."
    )


def test_the_map_holds_all_time_that_was_seen():
    path = scanpath_to_map(PATH, (20, 30), QUERY)
    assert path.saliency.scores.sum() == pytest.approx(1.375)
    assert not path.saliency.signed
    sharp = scanpath_to_map(PATH, (20, 30), QUERY, sigma=0).saliency.scores
    assert sharp[3, 2] == 0.25
    assert np.count_nonzero(sharp) == 4


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("sigma", [None, 0, 30])
def test_sentences_name_the_region_that_was_looked_at_longest(seed, sigma):
    random = np.random.default_rng(seed)
    fixations = np.column_stack([random.uniform(0, 30, 9), random.uniform(0, 20, 9), random.uniform(0.1, 1, 9)])
    masks = [np.ones((20, 30), dtype=bool), LEFT == 1, np.zeros((20, 30), dtype=bool), np.zeros((20, 30), dtype=bool)]
    masks[2][5:15, 10:20], masks[3][:6, :8] = True, True
    path = scanpath_to_map(fixations, (20, 30), QUERY, segments=masks, names=["wall", "table", "mug", "lamp"], sigma=sigma)
    held = dict.fromkeys(path.saliency.mask_names, 0.0)
    for visit in path.visits:
        held[visit.name] += visit.duration
    sums = {
        name: path.saliency.scores[mask].sum() for name, mask in zip(path.saliency.mask_names, path.saliency.masks, strict=True)
    }
    assert sums == pytest.approx(held)
    said = TemplateVerbalizer().verbalize(path.saliency)
    best = max(held, key=held.__getitem__)
    assert f"'{best}'" in said.text.split(",")[0] or f"is the region '{best}'" in said.text
    assert f"on the region '{best}' longest" in path.in_words()
    assert check(said.claims, path.saliency)


def test_the_smallest_of_overlapping_regions_is_visited():
    mug = np.zeros((20, 30), dtype=bool)
    mug[8:12, 22:28] = True
    path = scanpath_to_map(PATH, (20, 30), QUERY, segments=[np.ones((20, 30), dtype=bool), mug], names=["kitchen", "mug"])
    assert path.order == ("kitchen", "mug")


def test_more_regions_than_are_named_and_ties():
    strips = np.repeat(np.arange(5), 6)[None].repeat(20, axis=0)
    path = scanpath_to_map([(6 * index, 1) for index in range(5)], (20, 30), QUERY, segments=strips, names=list("abcde"))
    said = path.in_words(most=2)
    assert said == "The gaze reached the region 'a' first, then the region 'b' and 3 more regions."


def test_without_fixations():
    path = scanpath_to_map([], (20, 30), QUERY)
    assert path.visits == scanpath_to_map(np.zeros((0, 3)), (20, 30), QUERY).visits == ()
    assert path.in_words() == "No fixation lies in the picture."
    off = scanpath_to_map([(99, 1)], (20, 30), QUERY, segments=[LEFT == 0], names=["shelf"])
    assert off.in_words() == "No fixation lies in the picture."
    elsewhere = scanpath_to_map([(25, 1)], (20, 30), QUERY, segments=[LEFT == 0], names=["shelf"])
    assert elsewhere.in_words() == "No fixation lies in a region."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fixations": np.zeros((3, 4))}, "x, y and duration"),
        ({"fixations": [(1, 2, np.nan)]}, "not a finite number"),
        ({"fixations": [(1, 2, -1)]}, "negative duration"),
        ({"sigma": -1}, "sigma"),
        ({"sigma": 1e6}, "from 0 to 30"),
        ({"fixations": [(1, 2, 1e308)]}, "above 1e"),
        ({"colour": "red"}, "colour is no argument"),
        ({"names": ["a"]}, "names are those of the segments"),
    ],
)
def test_wrong_input_is_told(changes, message):
    with pytest.raises(UsageError, match=message):
        scanpath_to_map(**{"fixations": PATH, "image_size": (20, 30), "query": QUERY} | changes)
