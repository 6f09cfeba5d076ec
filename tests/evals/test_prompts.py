"""Evidence about prompts: counts and tests by hand, and controls that lose what they should lose."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from agents import PairDescriptions, UsageError
from agents.prompting.descriptions.pairs import Contrast
from evals.prompts import compare, evaluate_pairs, evaluate_prompts, mcnemar, paired_difference, wilson
from evals.prompts.controls import (
    derangement,
    random_word_pairs,
    random_words,
    shuffled_class_pairs,
    shuffled_classes,
    words_of,
)

NAMES = ["Cat", "Dog", "Owl"]
WORDS = [
    "soft",
    "loud",
    "round",
    "flat",
    "tall",
    "small",
    "grey",
    "brown",
    "long",
    "short",
    "curled",
    "striped",
    "spotted",
    "wide",
    "narrow",
    "keen",
    "slow",
    "shy",
    "bold",
    "old",
]
PROMPTS = {
    "Cat": [f"a photo of a Cat, with {word} ears." for word in WORDS[:8]],
    "Dog": [f"a photo of a Dog, with a {word} nose." for word in WORDS[8:15]],
    "Owl": [f"a photo of a Owl, with {word} wings." for word in WORDS[15:]],
}


class Bag:
    """Texts as bags of hashed words; "right" counts for the class whose name stands beside it."""

    def encode_texts(self, texts):
        rows = np.zeros((len(texts), 32), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words_of(text):
                rows[row, sum(map(ord, word.casefold())) % 32] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_fixed_and_broken_images_and_their_test_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    before = np.array([1, 1, 1, 0, 1, 1, 0, 2, 2, 0])
    after = np.array([0, 0, 0, 0, 1, 0, 1, 2, 2, 2])
    result = compare(before, after, labels, NAMES)
    assert result.fixed == (0, 1, 2, 6, 9)
    assert result.broken == (5,)
    # 6 changes, 5 of one kind: 2 · (C(6,5) + C(6,6)) / 2⁶.
    assert result.p == pytest.approx(2 * (6 + 1) / 64)
    assert (result.before.value, result.after.value) == (0.5, 0.9)
    assert result.difference.value == pytest.approx(0.4)
    assert result.difference.low < 0.4 < result.difference.high
    assert [(one.name, one.before, one.after, one.images) for one in result.classes] == [
        ("Cat", 1, 4, 4),
        ("Dog", 2, 2, 3),
        ("Owl", 2, 3, 3),
    ]
    assert result.inside_noise
    assert "inside the noise" in result.verdict


def test_a_change_beyond_the_noise_is_called_a_rise_or_a_fall():
    labels = np.zeros(40, dtype=int)
    worse, better = np.r_[np.ones(20, dtype=int), np.zeros(20, dtype=int)], labels
    assert "rises by 50.0 points" in compare(worse, better, labels, NAMES).verdict
    assert "falls by 50.0 points" in compare(better, worse, labels, NAMES).verdict
    assert "nothing changed" in compare(better, better, labels, NAMES).verdict
    assert compare(better, better, labels, NAMES).p == 1.0


def test_intervals_are_wilsons():
    share, z = wilson(7, 10), 1.959963984540054
    middle = (0.7 + z * z / 20) / (1 + z * z / 10)
    half = z * math.sqrt(0.7 * 0.3 / 10 + z * z / 400) / (1 + z * z / 10)
    assert (share.low, share.high) == (pytest.approx(middle - half), pytest.approx(middle + half))
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(6, 0) == pytest.approx(2 / 64)
    with pytest.raises(UsageError, match="at least one image"):
        wilson(0, 0)
    with pytest.raises(UsageError, match="decisions for"):
        compare(np.zeros(2), np.zeros(3), np.zeros(3), NAMES)


def test_random_words_keep_number_and_length_and_the_class_name_only():
    control = random_words(PROMPTS, seed=1)
    assert {name: len(texts) for name, texts in control.items()} == {"Cat": 8, "Dog": 7, "Owl": 5}
    pool = {word.casefold() for texts in PROMPTS.values() for text in texts for word in words_of(text)}
    for name, texts in control.items():
        for text, original in zip(texts, PROMPTS[name], strict=True):
            assert text.startswith(f"a photo of a {name}, ")
            assert len(words_of(text)) == len(words_of(original))
            assert {word.casefold() for word in words_of(text)} <= pool
    assert control == random_words(PROMPTS, seed=1)
    assert control != random_words(PROMPTS, seed=2)


def test_few_words_are_replaced_by_letters():
    control = random_words({"Cat": ["a photo of a Cat, soft fur."], "Dog": ["a photo of a Dog."]}, seed=0)
    assert len(words_of(control["Cat"][0])) == 7
    assert "fur" not in control["Cat"][0]
    assert control["Dog"] == ["a photo of a Dog."]


def test_a_shuffled_class_gets_anothers_words_under_its_own_name():
    for seed in range(5):
        control = shuffled_classes(PROMPTS, seed=seed)
        for name, texts in control.items():
            assert all(name in text for text in texts)
            assert texts != PROMPTS[name]
        assert sorted(map(len, control.values())) == [5, 7, 8]
    for count in (2, 3, 10):
        other = derangement(count, 0)
        assert sorted(other) == list(range(count))
        assert not (other == np.arange(count)).any()


PAIRS = PairDescriptions(
    {
        (0, 1): [Contrast("ears", ("a Cat with tall ears", "a Dog with flat ears"))],
        (0, 2): [Contrast("nose", ("a Cat with tall ears", "a Owl with a beak"))],
        (1, 2): [Contrast("legs", ("a Dog with four legs", "a Owl with two legs"))],
    }
)


def test_pair_controls_keep_the_shape_of_the_pairs():
    words = random_word_pairs(PAIRS, NAMES, seed=0)
    assert {pair: len(contrasts) for pair, contrasts in words.items()} == {(0, 1): 1, (0, 2): 1, (1, 2): 1}
    # A caption shared by two pairs of a class counts once, so its stand-in is shared too.
    assert words[0, 1][0].captions[0] == words[0, 2][0].captions[0]
    others = shuffled_class_pairs(PAIRS, NAMES, seed=0)
    assert set(others) == set(PAIRS)
    for (first, second), contrasts in others.items():
        assert NAMES[first] in contrasts[0].captions[0]
        assert NAMES[second] in contrasts[0].captions[1]
        assert contrasts != PAIRS[first, second]


def test_prompts_that_fit_the_images_beat_their_controls():
    encoder = Bag()
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    own = [encoder.encode_texts(PROMPTS[name]) for name in NAMES]
    nameless = [encoder.encode_texts([text.replace(name, "") for text in PROMPTS[name]]) for name in NAMES]
    assert all(len(rows) for rows in own)
    images = np.stack([nameless[label][rng.integers(len(nameless[label]))] for label in labels])
    report = evaluate_prompts(encoder, NAMES, PROMPTS, images, labels, draws=3, requests=12, tokens=345)
    assert [control.name for control in report.controls] == [
        "class name alone",
        "80 templates",
        "random words",
        "shuffled class",
        "without class names",
    ]
    assert report.comparison.after.value == 1.0
    assert report.comparison.p < 0.05
    assert report.words_matter
    assert "it matters which words stand with which class" in report.verdict
    assert "Without class names, too, the descriptions tell the classes apart" in report.verdict
    # Without names the texts are what the images were made of, so they still decide; with another class's they can't.
    assert report.controls[4].accuracies[0] > 0.6
    assert len(report.alone.accuracies) == 3
    assert max(report.alone.accuracies) < 0.5
    assert report.averaged is None
    assert len(report.controls[2].accuracies) == 3
    content = json.loads(json.dumps(report.to_dict()))
    assert (content["version"], content["requests"], content["tokens"]) == (1, 12, 345)


def test_prompts_that_say_nothing_are_not_praised():
    encoder, labels = Bag(), np.repeat(np.arange(3), 20)
    images = encoder.encode_texts([f"a photo of a {NAMES[label]}." for label in labels])
    report = evaluate_prompts(encoder, NAMES, PROMPTS, images, labels, draws=2)
    assert not report.words_matter
    assert "nothing here shows" in report.verdict
    with pytest.raises(UsageError, match="'Owl' first"):
        evaluate_prompts(encoder, NAMES, {"Cat": ["x"], "Dog": ["y"]}, images, labels)


def test_pairs_are_judged_against_the_first_look_and_missing_ones_told():
    encoder, labels = Bag(), np.array([0, 1, 2])
    images = encoder.encode_texts(["tall ears", "four legs", "a beak"])
    fewer = PairDescriptions({pair: PAIRS[pair] for pair in [(0, 1), (0, 2)]})
    report = evaluate_pairs(encoder, NAMES, fewer, images, labels, k=3, draws=1)
    assert report.missing == ((1, 2),)
    assert report.comparison.images == 3
    assert report.averaged.name == "captions averaged"
    assert evaluate_pairs(encoder, NAMES, PAIRS, images, labels, k=3, draws=0).controls == ()


def tango_by_hand(fixed, broken, total):
    """The ends of Tango's interval, by trying every difference."""
    inside = []
    for delta in np.linspace(-0.9999, 0.9999, 40_001):
        linear = -fixed - broken + (2 * total - fixed + broken) * delta
        constant = -broken * delta * (1 - delta)
        share = (math.sqrt(max(linear**2 - 8 * total * constant, 0)) - linear) / (4 * total)
        spread = max(total * (2 * share + delta * (1 - delta)), 1e-12)
        if abs(fixed - broken - total * delta) / math.sqrt(spread) <= 1.959964:
            inside.append(delta)
    return min(inside), max(inside)


@pytest.mark.parametrize(
    ("fixed", "broken", "total"), [(0, 0, 12), (7, 3, 148), (30, 2, 100), (1, 9, 40), (12, 12, 24), (20, 0, 20)]
)
def test_the_interval_of_a_difference_is_tangos(fixed, broken, total):
    found = paired_difference(fixed, broken, total)
    low, high = tango_by_hand(fixed, broken, total)
    assert found.value == (fixed - broken) / total
    assert found.low == pytest.approx(low, abs=2e-4)
    assert found.high == pytest.approx(high, abs=2e-4)


def test_the_interval_never_contradicts_the_exact_test():
    for total in (5, 12, 37, 148):
        for fixed in range(min(total, 14)):
            for broken in range(min(total - fixed, 8)):
                found = paired_difference(fixed, broken, total)
                assert found.low <= found.value <= found.high
                if mcnemar(fixed, broken) >= 0.05:
                    assert found.low <= 0 <= found.high, (fixed, broken, total)
    with pytest.raises(UsageError, match="do not fit 3 images"):
        paired_difference(3, 1, 3)
