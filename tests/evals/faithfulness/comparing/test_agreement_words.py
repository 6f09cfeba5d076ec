"""Every sentence about agreement is true of the maps, whatever is tied, flat, without signs or repeated."""

import json
import re
from itertools import combinations

import numpy as np
import pytest

from evals.faithfulness import agree
from evals.faithfulness.comparing.agreed_words import words_told_apart
from evals.faithfulness.comparing.joint_regions import short_names
from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency

NUMBERS = ["no", "one", "two", "three", "four", "five"]
HALF = np.kron(np.array([[1.0, 0], [0, 0]]), np.ones((16, 16)))
IMAGE = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)


def words_map(scores, words=None, query=None, **fields):
    return TokenSaliency(words or [f"w{index}" for index in range(len(scores))], scores, query or Query("x"), **fields)


def picture(scores, **fields):
    return PixelSaliency(scores, Query("x"), image=IMAGE, **fields)


def square(top, left, size=7, value=1.0):
    scores = np.zeros((32, 32))
    scores[top : top + size, left : left + size] = value
    return scores


def random_maps(rng):
    methods = [f"M{index}" for index in range(rng.integers(1, 6))]
    maps = {name: [] for name in methods}
    shared = rng.random() < 0.3
    for row in range(rng.integers(1, 4)):
        length = int(rng.integers(1, 8))
        words = [f"w{index}" for index in range(length)]
        if not (shared and row):
            text = " ".join([*words, str(row)])
        else:
            words, text = list(maps[methods[0]][0].tokens), maps[methods[0]][0].text
            length = len(words)
        for name in methods:
            signed = rng.random() < 0.8
            scores = rng.integers(-3 if signed else 0, 4, length) * rng.choice([1.0, 1.0, 1e-9], length)
            if rng.random() < 0.15:
                scores[:] = rng.choice([0.0, 1.0])
            maps[name].append(words_map(scores, words, text=text if text else None, signed=bool(signed)))
    return maps


def named_words(saliency, k):
    """Which words a method names, by plain loops."""
    scores = list(saliency.scores)
    if max(scores) == min(scores):
        return set()
    weigh = [max(one, 0) for one in scores] if saliency.signed and max(scores) > 0 else [abs(one) for one in scores]
    found = set()
    for index, weight in enumerate(weigh):
        if weight > 0 and sum(other > weight * (1 + 1e-8) for other in weigh) < k:
            found.add(f"w{index}")
    return found


def sides(saliency, k):
    """Which words a map calls clearly for and against the label, by plain loops."""
    scores = list(saliency.scores)
    if not saliency.signed or max(scores) == min(scores):
        return set(), set()
    found = []
    for sign in (1, -1):
        weigh = [max(sign * one, 0) for one in scores]
        found.append({
            f"w{index}" for index, weight in enumerate(weigh)
            if weight > 0 and weight >= 0.1 * max(map(abs, scores)) and sum(other > weight * (1 + 1e-8) for other in weigh) < k
        })  # fmt: skip
    return found


def parse(text):
    """What a sentence about an input says: how many methods name which words, on which they disagree, and which are flat."""
    said = {"counts": {}, "more": {}, "disagree": None, "opposed": set(), "flat": set(), "none": False, "alone": None}
    for part in text.rstrip(".").split("; "):
        words = set(re.findall(r"w\d", part))
        more = re.search(r"and (\w+) more words?", part)
        extra = NUMBERS.index(more[1]) if more else 0
        if match := re.match(r"(?i)(both|all (\w+)|(\w+) of (\w+)) methods name ", part):
            count = 2 if match[1].lower() == "both" else NUMBERS.index((match[2] or match[3]).lower())
            said["counts"][count] = (words, extra)
        elif part.lower().startswith("no word is named by"):
            said["none"] = True
        elif part.startswith("they disagree"):
            said["disagree"] = (words, extra)
        elif part.startswith("they contradict"):
            said["opposed"] = (words, extra)
        elif "flat" in part:
            said["flat"] = set(re.findall(r"M\d", part))
        elif match := re.match(r"(M\d) names ", part):
            said["alone"] = (match[1], words, extra)
        else:
            assert part.startswith("No method names a word")
    return said


def assert_listed(told, truth):
    words, extra = told or (set(), 0)
    assert words <= truth
    assert len(words) + extra == len(truth)


@pytest.mark.parametrize("seed", range(200))
def test_every_sentence_is_true_of_the_maps(seed):
    rng = np.random.default_rng(seed)
    maps, k = random_maps(rng), int(rng.integers(1, 5))
    found = agree(maps, k=k)
    methods = list(maps)
    for row, one in enumerate(found.inputs):
        flat = {name for name in methods if np.ptp(maps[name][row].scores) == 0}
        names = {name: named_words(maps[name][row], k) for name in methods}
        if flat == set(methods):
            assert one.text.startswith("No method names a word: all scores of ")
            continue
        said = parse(one.text)
        total = len(methods) - len(flat)
        assert said["flat"] == flat
        if total == 1:
            (alone,) = set(methods) - flat
            assert said["alone"][0] == alone
            assert_listed(said["alone"][1:], names[alone])
            continue
        counts = {word: sum(word in some for some in names.values()) for word in set().union(*names.values())}
        shared = {word for word, count in counts.items() if count > total / 2}
        assert set(said["counts"]) == {counts[word] for word in shared}
        for count, told in said["counts"].items():
            assert_listed(told, {word for word in shared if counts[word] == count})
        assert said["none"] == (not shared)
        both = [sides(maps[name][row], k) for name in methods]
        opposed = set().union(*(one for one, _ in both)) & set().union(*(other for _, other in both))
        assert_listed(said["opposed"], opposed)
        assert_listed(said["disagree"], set(counts) - shared - opposed)
    assert_summary(found, maps, k)


def assert_summary(found, maps, k):
    methods, sentences = list(maps), found.sentences()
    if len(methods) < 2:
        assert sentences[0] == "There is one method, which has nothing to agree with."
        return
    inputs = [(one.tokens, one.text) for one in maps[methods[0]]]
    shares, used = {}, set()
    for a, b in combinations(methods, 2):
        of_input = {}
        for row, key in enumerate(inputs):
            one, other = named_words(maps[a][row], k), named_words(maps[b][row], k)
            if one and other:
                of_input.setdefault(key, []).append(len(one & other) / len(one | other))
                used.add(key)
        if of_input:
            shares[a, b] = np.mean([np.mean(some) for some in of_input.values()])
    if not shares:
        assert sentences[0].startswith("No two methods can be compared")
        assert "nan" not in " ".join(sentences)
        return
    match = re.match(r"Of the words that either .* both name (\d+)% on average \(Jaccard index, (\d+) inputs?\)", sentences[0])
    assert int(match[1]) == pytest.approx(100 * np.mean(list(shares.values())), abs=0.51)
    assert int(match[2]) == len(used)
    most, least = max(shares.values()), min(shares.values())
    text = " ".join(sentences)
    if len(shares) > 1:
        assert ("same share for each pair" in text) == (most - least < 1e-9)
    for degree, share in (("most", most), ("least", least)):
        truth = {f"{a} and {b}" for (a, b), own in shares.items() if abs(own - share) < 1e-9}
        line = next((one for one in sentences if f"agree {degree}" in one), None)
        assert (line is not None) == (len(shares) > 1 and most - least >= 1e-9)
        if line:
            assert float(re.search(r"\(([\d.]+)%\)", line)[1]) == pytest.approx(100 * share, abs=0.51)
            told = {" and ".join(one) for one in re.findall(r"(M\d) (?:and|with) (M\d) ?", line)}
            assert told <= truth
            assert len(told) == min(len(truth), 3)
            assert len(truth) == 1 or (
                ("pairs" in line and f"{len(truth) - 3}" in line) or len(truth) <= 3 or "more pair" in line
            )


def test_a_flat_map_does_not_disagree():
    found = agree({"a": [words_map([1, 1, 1, 1])], "b": [words_map([4, 3, 2, 1])], "c": [words_map([4, 3, 2, 1])]})
    assert found.inputs[0].text == "Both methods name 'w0', 'w1' and 'w2'; the map of a is flat."
    assert np.isnan(found.overlap[0]).all()
    assert found.overlap[1, 2] == 1
    assert found.sentences()[-1] == "The map of a is flat and does not count."


def test_where_nothing_can_be_compared_no_number_is_told():
    for maps in ({"a": [words_map([5])], "b": [words_map([3])]}, {"a": [words_map([1, 1])], "b": [words_map([1, 2])]}):
        assert agree(maps).sentences()[0] == "No two methods can be compared: no input has two maps that are not flat."


def test_maps_with_opposite_signs_contradict_each_other_on_their_region():
    found = agree({"a": [picture(square(2, 2))], "b": [picture(-square(2, 2))]})
    (one,) = found.inputs
    assert one.text.startswith("Both methods name the ")
    assert "they contradict each other" in one.text
    assert found.signs[0, 1] == 0
    np.testing.assert_array_equal(one.joint.masks, [square(2, 2) > 0])
    assert f"the {one.joint.mask_names[0]}" in one.text
    assert "regions" in found.sentences()[0]


def test_sides_of_one_map_that_touch_stay_two_regions():
    scores = square(2, 2) - square(2, 9)
    one = agree({"a": [picture(scores)], "b": [picture(scores)]}).inputs[0]
    assert len(one.joint.masks) == 2
    assert "contradict" not in one.text


def test_masks_that_all_maps_share_are_the_regions():
    masks = np.stack([HALF > 0, HALF == 0])
    given = {"masks": masks, "mask_names": ("sky", "ground")}
    found = agree({"a": [picture(square(2, 2), **given)], "b": [picture(square(3, 4), **given)]})
    assert found.inputs[0].text == "Both methods name the sky."
    assert found.inputs[0].places == (1,)


def test_a_faint_score_contradicts_nothing():
    one = agree({"a": [words_map([0, 3, 5])], "b": [words_map([0, -1e-4, 5])]}, k=2).inputs[0]
    assert "contradict" not in one.text


def test_other_labels_of_the_question_are_named():
    for versus, told in ((("y",), "'x' rather than 'y'"), (("y", "z"), "'x' rather than 'y' or 'z'")):
        query = Query("x", versus)
        maps = {"a": [words_map([2, 1], query=query)], "b": [words_map([2, -1], query=query)]}
        assert f"some maps say that it speaks for {told}, some against" in agree(maps, k=2).inputs[0].text


def test_words_are_quoted_so_that_they_can_be_told_apart():
    words = ["the cat", "a", "a", "'", "\n", "it's", "x" * 100]
    assert words_told_apart(words) == ["'the cat'", "'a' (word 2)", "'a' (word 3)", '"\'"', "word 5", '"it\'s"', "word 7"]


def test_a_row_of_the_table_lists_the_parts_that_a_method_names():
    found = agree({name: [words_map([3, 2, 0], ["the cat", "it's", "x"])] for name in "ab"}, k=2)
    assert json.loads(found.table()[0]["a"]) == ["the cat", "it's"]


def test_equal_inputs_count_as_one():
    rows = [words_map([0, 1, 2], query=Query(label)) for label in "xyz"]
    other = [
        words_map(scores, query=Query(label)) for scores, label in zip(([0, 1, 2], [0, 2, 1], [2, 1, 0]), "xyz", strict=True)
    ]
    found = agree({"a": rows, "b": other}, k=1)
    assert found.overlap[0, 1] == pytest.approx(1 / 3)
    assert "(Jaccard index, 1 input)" in found.sentences()[0]
    assert found.pairs[0]["overlap low"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"k": 2.5}, "k must be 1 or more, a whole number"),
        ({"k": True}, "k must be 1 or more"),
        ({"maps": [words_map([1, 2])]}, "maps is a dictionary"),
        ({"maps": {"a": words_map([1, 2])}}, "put it in square brackets"),
        ({"maps": {"a": ["x"]}}, "map 1 of a is a str"),
        ({"maps": {"a": [picture(HALF)], "b": [PixelSaliency(HALF, Query("x"), image=1 - IMAGE)]}}, "of another input"),
    ],
)
def test_what_cant_be_compared_is_told(given, said):
    maps = given.pop("maps", {"a": [words_map([1, 2])]})
    with pytest.raises(UsageError, match=said):
        agree(maps, **given)


def test_colours_are_said_only_where_they_tell_regions_of_one_place_apart():
    long = [
        "larger red region at the right", "smaller red region at the right", "blue region at the top",
        "red region in the centre", "many-coloured region in the centre", "dog",
    ]  # fmt: skip
    assert short_names(long) == (
        "larger region at the right", "smaller region at the right", "region at the top",
        "red region in the centre", "many-coloured region in the centre", "dog",
    )  # fmt: skip
    assert short_names(["red region at the top", "region at the top"]) == (
        "red region at the top",
        "region at the top",
    )
