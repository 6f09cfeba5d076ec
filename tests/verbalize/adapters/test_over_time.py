"""Maps over time, and what changes between them."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, check, find_regions
from verbalize.adapters import maps_over_time

QUERY = Query("good")
WORDS = ("great", "but", "awful")
STEPS = np.array([[4.0, 1.0, 0.0], [2.0, 1.0, 2.0], [0.0, 1.0, -3.0]])


def test_every_step_is_a_map_over_the_same_words():
    over = maps_over_time(STEPS, QUERY, tokens=WORDS, id="review")
    assert over.names == ("step 1", "step 2", "step 3")
    assert [one.id for one in over.maps] == ["review, step 1", "review, step 2", "review, step 3"]
    assert np.array_equal(over.maps[2].scores, STEPS[2])


def test_changes_are_told_with_claims_that_hold():
    over = maps_over_time(STEPS, QUERY, tokens=WORDS, starts=[2])
    assert over.names == ("steps 1 to 2", "step 3")
    (change,) = over.changes()
    # means of the first two steps: 3, 1, 1 of 5; then 0, 1, -3: shares 60% 20% 20% and 0% 25% 75%
    assert change.text == (
        "The most important word for 'good' is 'great' in steps 1 to 2 and 'but' in step 3. "
        "'awful' speaks for 'good' in steps 1 to 2 and against it in step 3. "
        "The share of 'awful' in all the evidence rises from 20% to 75%. "
        "The share of 'great' in all the evidence falls from 60% to 0%."
    )
    for claims, one in zip(change.claims, over.maps, strict=True):
        assert claims
        assert check(claims, one)


def test_maps_that_stay_change_in_nothing():
    over = maps_over_time(np.ones((2, 3)), QUERY, tokens=WORDS)
    assert over.changes()[0].text == "No share changes from step 1 to step 2."


def test_parts_that_change_sides_are_told():
    (change,) = maps_over_time([[1, 2], [-1, -2]], QUERY, tokens=["x", "y"]).changes()
    assert change.text == "'x' and 'y' speak for 'good' in step 1 and against it in step 2."
    assert [[claim.kind for claim in claims] for claims in change.claims] == [["supports"] * 2, ["opposes"] * 2]


def test_words_that_occur_twice_are_told_apart():
    (change,) = maps_over_time([[1, 2, 3], [3, 2, 1]], QUERY, tokens=["a", "a", "a"]).changes()
    assert change.text == (
        "The most important word for 'good' is the third 'a' in step 1 and the first 'a' in step 2. "
        "The share of the first 'a' in all the evidence rises from 17% to 50%. "
        "The share of the third 'a' in all the evidence falls from 50% to 17%."
    )


def test_a_change_that_per_cents_hide_is_called_small():
    (change,) = maps_over_time([[1.0, 1.0], [1.0, 1.0001]], QUERY, tokens=["x", "y"]).changes()
    assert change.text == "No share changes by as much as one per cent of the whole from step 1 to step 2."


def test_frames_have_nine_parts_or_given_ones():
    frames = np.zeros((4, 30, 31))
    frames[:2, :10, :10] = 1.0
    frames[2:, 20:, 21:] = 1.0
    pictures = np.random.default_rng(0).random((4, 30, 31, 3))
    over = maps_over_time(frames, QUERY, starts=[2], frames=pictures, signed=False, times=["before", "after"])
    assert [region.name for region in find_regions(over.maps[0])][:2] == ["upper left", "upper centre"]
    assert np.allclose(over.maps[1].image, pictures[2], atol=1e-6)
    text = over.changes()[0].text
    assert text.startswith(
        "The most important region is the region 'upper left' in before and the region 'lower right' in after."
    )
    halves = np.zeros((30, 31), dtype=int)
    halves[15:] = 1
    named = maps_over_time(frames, QUERY, segments=halves, names=["sky", "road"], signed=False)
    assert named.maps[0].mask_names == ("sky", "road")
    assert "the region 'road' in step 3" in named.changes()[1].text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": np.zeros(3)}, r"\(T, N\)"),
        ({"tokens": None}, "need tokens"),
        ({"scores": np.zeros((2, 4, 4))}, "take none"),
        ({"segments": np.zeros((4, 4))}, "segments has no effect"),
        ({"frames": np.zeros((4, 4, 3))}, "frames has no effect"),
        ({"names": ["a"]}, "names are those of the segments"),
        ({"starts": [2, 1]}, "starts must rise"),
        ({"starts": [3]}, "starts must rise"),
        ({"times": ["a"]}, "1 names of times for 3 stretches"),
        ({"times": ["a", "b", "a"]}, "the same name"),
        ({"times": "abc"}, "list of names"),
        ({"colour": "red"}, "colour is no argument"),
    ],
)
def test_wrong_input_is_told(changes, message):
    with pytest.raises(UsageError, match=message):
        maps_over_time(**{"scores": STEPS, "query": QUERY, "tokens": WORDS} | changes)
