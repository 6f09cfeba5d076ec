"""First looks, aggregations of captions and decisions for several k at once, against plain loops."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from agents import DifferentialClassifier, UsageError, clip_templates
from agents.prompting.second_look import aggregation, differential
from agents.prompting.second_look.aggregation import AGGREGATES

TEMPLATE = "a photo of a {}."
NAMES = [f"class {index}" for index in range(9)]


class Hashed:
    """Every text has a direction of its own."""

    def encode_texts(self, texts):
        rows = [np.random.default_rng(list(text.encode())).normal(size=12) for text in texts]
        rows = np.array(rows).reshape(-1, 12)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def embed(text):
    return Hashed().encode_texts([text])[0].astype(float)


def unit(row):
    return row / np.linalg.norm(row)


def made_up(seed, share=1.0):
    """Pairs whose captions repeat within a pair, across the pairs of a class, and equal the template at times."""
    rng = np.random.default_rng(seed)
    raw = {}
    for one, two in itertools.combinations(range(len(NAMES)), 2):
        if rng.random() <= share:
            captions = [
                [
                    TEMPLATE.format(NAMES[own]) if rng.random() < 0.1 else f"{NAMES[own]} with look {rng.integers(0, 6)}"
                    for own in (one, two)
                ]
                for _ in range(int(rng.integers(1, 5)))
            ]
            items = [{"attr_type": "look", "prompt_pair": pair} for pair in captions]
            raw[f"{one}_{two}"] = {"classes": [one, two], "prompt_pairs": items}
    return raw


def captions_of(raw, own, other):
    entry = raw.get(f"{min(own, other)}_{max(own, other)}")
    if entry is None:
        return {TEMPLATE.format(NAMES[own])}
    return {item["prompt_pair"][entry["classes"].index(own)] for item in entry["prompt_pairs"]}


def scored(raw, image, candidates, aggregate):
    """The scores of one image's candidates, as the definitions say, in float64."""
    x = unit(image.astype(float))
    near = {
        (a, b): float(x @ unit(np.sum([embed(text) for text in sorted(captions_of(raw, a, b))], axis=0)))
        for a, b in itertools.permutations(candidates, 2)
    }
    scores = []
    for a in candidates:
        others = [b for b in candidates if b != a]
        texts = sorted(set().union(*(captions_of(raw, a, b) for b in others)))
        cosines = [float(x @ embed(text)) for text in texts]
        scores.append(
            {
                "embeddings": lambda texts=texts: float(x @ unit(np.sum([embed(text) for text in texts], axis=0))),
                "similarities": lambda cosines=cosines: float(np.mean(cosines)),
                "max": lambda cosines=cosines: max(cosines),
                "votes": lambda a=a, others=others: np.mean([(near[a, b] > near[b, a]) for b in others]),
                "margins": lambda a=a, others=others: np.mean([near[a, b] - near[b, a] for b in others]),
            }[aggregate]()
        )
    return scores


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_candidates_are_scored_as_defined(aggregate, share, monkeypatch):
    monkeypatch.setattr(aggregation, "CHUNK_FLOATS", 60)
    monkeypatch.setattr(differential, "IMAGES_AT_A_TIME", 7)
    raw = made_up(3, share)
    images = np.random.default_rng(4).normal(size=(16, 12)).astype(np.float32)
    for k in (2, 5, 9):
        result = DifferentialClassifier(Hashed(), NAMES, raw, k=k, aggregate=aggregate).predict_embedded(images)
        for row, image in enumerate(images):
            expected = scored(raw, image, result.candidates[row].tolist(), aggregate)
            np.testing.assert_allclose(result.scores[row], expected, atol=3e-6)
            assert result.final[row] == result.candidates[row][int(np.argmax(np.round(expected, 6)))]
        missing = {
            tuple(sorted(pair))
            for row in result.candidates.tolist()
            for pair in itertools.combinations(row, 2)
            if f"{min(pair)}_{max(pair)}" not in raw
        }
        assert result.missing == tuple(sorted(missing))


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_all_k_at_once_decide_as_one_by_one(aggregate, monkeypatch):
    raw, images = made_up(5, 0.8), np.random.default_rng(6).normal(size=(40, 12)).astype(np.float32)
    ks = [1, 2, 3, 6, 9]
    for floats in (4_000_000, 100):
        monkeypatch.setattr(aggregation, "CHUNK_FLOATS", floats)
        monkeypatch.setattr(differential, "CHUNK_FLOATS", floats)
        _, found = DifferentialClassifier(Hashed(), NAMES, raw, k=9, aggregate=aggregate).decide_by_k(images, ks)
        for column, k in enumerate(ks):
            alone = DifferentialClassifier(Hashed(), NAMES, raw, k=k, aggregate=aggregate).predict_embedded(images)
            np.testing.assert_array_equal(found[:, column], alone.final)


def test_mixing_holds_for_all_k_too():
    raw, images = made_up(7), np.random.default_rng(8).normal(size=(30, 12)).astype(np.float32)
    _, found = DifferentialClassifier(Hashed(), NAMES, raw, k=6, mix=0.4).decide_by_k(images, [2, 6])
    for column, k in enumerate((2, 6)):
        alone = DifferentialClassifier(Hashed(), NAMES, raw, k=k, mix=0.4).predict_embedded(images)
        np.testing.assert_array_equal(found[:, column], alone.final)


def test_the_margins_are_the_least_squares_fit_of_a_bradley_terry_model():
    raw, image = made_up(9), np.random.default_rng(1).normal(size=12)
    candidates = [0, 3, 4, 7]
    x = unit(image)
    pairs = list(itertools.combinations(range(4), 2))
    design, logits = np.zeros((len(pairs), 4)), np.zeros(len(pairs))
    for row, (a, b) in enumerate(pairs):
        design[row, [a, b]] = 1, -1
        sides = [
            unit(np.sum([embed(text) for text in sorted(captions_of(raw, candidates[i], candidates[j]))], axis=0))
            for i, j in ((a, b), (b, a))
        ]
        logits[row] = x @ (sides[0] - sides[1])
    strengths = np.linalg.lstsq(design, logits, rcond=None)[0]
    expected = scored(raw, image, candidates, "margins")
    np.testing.assert_allclose(strengths * 4 / 3, expected, atol=1e-6)  # with k - 1 in the place of k


def first_by_hand(images, texts_of):
    vectors = np.stack([unit(np.mean([embed(text) for text in texts_of(name)], axis=0)) for name in NAMES])
    return (images @ vectors.T).argmax(axis=1)


def test_first_looks_by_name_and_of_files(tmp_path):
    images = np.random.default_rng(2).normal(size=(50, 12)).astype(np.float32)
    own = {"class 1": ["class 1 in red", "loud"], "Class_4": ["class 4 in blue"]}
    (tmp_path / "own.json").write_text(json.dumps(own))

    def mine(name):
        return {"class 1": ["class 1 in red", f"{TEMPLATE.format(name)[:-1]}, loud."], "class 4": ["class 4 in blue"]}.get(
            name, [TEMPLATE.format(name)]
        )

    def looked(first):
        return DifferentialClassifier(Hashed(), NAMES, made_up(1), k=3, first=first).predict_embedded(images).first.tolist()

    assert looked("template") == first_by_hand(images, lambda name: [TEMPLATE.format(name)]).tolist()
    assert looked("name") == first_by_hand(images, lambda name: [name]).tolist()
    assert looked("80") == first_by_hand(images, lambda name: [one.format(name) for one in clip_templates()]).tolist()
    assert looked(tmp_path / "own.json") == looked(own) == first_by_hand(images, mine).tolist()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"aggregate": "median"}, "aggregate must be one of embeddings, similarities, max, votes, margins, not 'median'"),
        ({"aggregate": "votes", "mix": 0.5}, "votes are no cosines"),
        ({"first": "names"}, "no first look 'names'"),
        ({"first": "nothing.json"}, "nothing.json"),
        ({"first": {"goat": ["a goat"]}}, "none of the 9 classes"),
    ],
)
def test_wrong_arguments_are_told(arguments, says):
    with pytest.raises(UsageError, match=says):
        DifferentialClassifier(Hashed(), NAMES, {}, **arguments)


@pytest.mark.parametrize("ks", [[], [0, 1], [3, 2], [2, 10]])
def test_ks_are_ascending_and_within_the_classifiers(ks):
    with pytest.raises(UsageError, match="ascending numbers from 1 to 9"):
        DifferentialClassifier(Hashed(), NAMES, {}, k=40).decide_by_k(np.ones((1, 12), dtype=np.float32), ks)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_one_class_one_image_and_none(aggregate):
    alone = DifferentialClassifier(Hashed(), ["goat"], {}, aggregate=aggregate)
    assert alone.predict_embedded(np.ones((2, 12), dtype=np.float32)).final.tolist() == [0, 0]
    several = DifferentialClassifier(Hashed(), NAMES, made_up(0), k=4, aggregate=aggregate)
    assert several.predict_embedded(np.ones((0, 12), dtype=np.float32)).final.shape == (0,)
    assert several.decide_by_k(np.ones((0, 12), dtype=np.float32), [1, 3])[1].shape == (0, 2)
