"""What the commands about prompts are made of: image files as vectors, needed pairs, pair files, classification by prompts."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel
from PIL import Image

from agents import UsageError, read_pairs
from agents.encoders import CachedEncoder, encode_image_files
from agents.prompting import DifferentialDescriber, classify_by_prompts, describe_to_file, every_pair, needed_pairs, prompts_of
from saywhy_core.images import read_image
from saywhy_core.reading.ceilings import ceilings

NAMES = ["cat", "dog", "owl", "fish"]


class Axes:
    """A text's vector is given by a table; an image's vector is its mean colour."""

    def __init__(self, table):
        self.table = table

    def encode_texts(self, texts):
        return np.array([self.table[text] for text in texts], dtype=np.float32)

    def encode_images(self, images):
        return np.array([np.asarray(Image.open(path)).mean(axis=(0, 1)) for path in images], dtype=np.float32)


def encoder(table):
    return Axes(table)


def test_images_are_encoded_in_chunks_and_what_is_no_image_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("agents.encoders.image_files.CHUNK", 2)
    for index in range(5):
        (tmp_path / "cat").mkdir(exist_ok=True)
        Image.new("RGB", (2, 2), (10 * index, 0, 1)).save(tmp_path / "cat" / f"{index}.png")
    (tmp_path / "cat" / "9.png").write_bytes(b"no image")
    seen = []
    found = encode_image_files(encoder({}), tmp_path, on_progress=lambda *now: seen.append(now))
    np.testing.assert_array_equal(found.rows[:, 0], [0, 10, 20, 30, 40])
    assert found.images.labels == ("cat",) * 5
    assert [path.name for path in found.images.paths] == [f"{i}.png" for i in range(5)]
    assert len(found.problems) == 1
    assert "9.png" in str(found.problems[0])
    assert seen == [(0, 6), (2, 6), (4, 6), (6, 6)]
    for path in (tmp_path / "cat").glob("[0-8].png"):
        path.unlink()
    with pytest.raises(UsageError, match="none of the 1 files"):
        encode_image_files(encoder({}), tmp_path)


def test_images_of_other_classes_are_left_out_and_told(tmp_path):
    for label, red in (("cat", 1), ("dog", 2), ("owl", 3), ("owl", 4)):
        (tmp_path / label).mkdir(exist_ok=True)
        Image.new("RGB", (2, 2), (red, 0, 0)).save(tmp_path / label / f"{red}.png")
    found = encode_image_files(encoder({}), tmp_path)
    kept = found.of_classes(["dog", "cat", "fish"])
    np.testing.assert_array_equal(kept.rows[:, 0], [1, 2])
    assert kept.images.labels == ("cat", "dog")
    (problem,) = kept.problems
    assert str(problem).endswith(
        "3.png: its class 'owl' is not in the class list, as 1 more of it; rename it, or add it to the list"
    )
    assert found.of_classes(["cat", "dog", "owl"]).problems == ()
    with pytest.raises(UsageError, match=r"3 class.*'cat' first"):
        found.of_classes(["Bird"])
    assert found.of_classes(["CAT", "Dog"]).images.labels == ("CAT", "Dog")
    with pytest.raises(UsageError, match="name no classes"):
        encode_image_files(encoder({}), tmp_path / "cat").of_classes(["cat"])


class Means:
    """An encoder that reads files as this package's own do, and counts the calls."""

    def __init__(self):
        self.calls = []

    def encode_images(self, images):
        self.calls.append(len(images))
        return np.array([read_image(image, channels=3).mean(axis=(0, 1)) for image in images], dtype=np.float32)


def test_a_cut_picture_is_left_out_and_the_others_go_on(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for name in ("a.png", "b.jpg", "c.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    whole = Means()
    assert len(encode_image_files(whole, tmp_path).rows) == 3
    assert whole.calls == [3]  # nothing is decoded twice where nothing is damaged
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.jpg").read_bytes()[:700])
    np.save(tmp_path / "d.npy", np.full((2, 4, 4, 3), 0.5))
    (tmp_path / "notes.txt").touch()
    for looker in (Means(), CachedEncoder(Named(), tmp_path / ".cache")):
        found = encode_image_files(looker, tmp_path)
        assert [path.name for path in found.images.paths] == ["a.png", "c.png"]
        np.testing.assert_allclose(found.rows[0], found.rows[1])
        assert [Path(problem.where).name for problem in found.problems] == ["b.jpg", "d.npy"]
        assert found.images.passed_over == 1


class Named(Means):
    identity = "means"


def test_an_encoder_that_fails_on_good_files_is_not_silenced(tmp_path):
    class Failing:
        def encode_images(self, images):
            raise UsageError("out of order")

    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="out of order"):
        encode_image_files(Failing(), tmp_path)


def test_the_pairs_that_most_images_need_come_first():
    rng = np.random.default_rng(4)
    table = {f"a photo of a {name}.": rng.normal(size=5) for name in NAMES}
    images = rng.normal(size=(40, 5)).astype(np.float32)
    counts = Counter()
    for image in images:
        cosine = [image @ table[text] / np.linalg.norm(table[text]) for text in table]
        best = sorted(range(4), key=lambda index: -cosine[index])[:2]
        counts[tuple(sorted(best))] += 1
    expected = sorted(counts, key=lambda pair: (-counts[pair], pair))
    assert needed_pairs(encoder(table), NAMES, 3 * images, k=2) == expected
    with pytest.raises(UsageError, match="k must be at least 1"):
        needed_pairs(encoder(table), NAMES, images, k=0)


def test_every_pair():
    assert every_pair(4) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert every_pair(1) == []
    with ceilings(pairs=6), pytest.raises(UsageError, match="a list of 5 classes has 10 pairs of classes, and at most 6"):
        every_pair(5)


def test_more_pairs_than_the_ceiling_are_refused():
    rng = np.random.default_rng(4)
    table = {f"a photo of a {name}.": rng.normal(size=5) for name in NAMES}
    images = rng.normal(size=(40, 5)).astype(np.float32)
    with ceilings(pairs=2):
        with pytest.raises(UsageError, match="an image with 3 candidate classes has 3 pairs"):
            needed_pairs(encoder(table), NAMES, images, k=3)
        with pytest.raises(UsageError, match="what the images need has"):
            needed_pairs(encoder(table), NAMES, images, k=2)
        with pytest.raises(UsageError, match="more than 2 pairs"):
            DifferentialDescriber(FakeListChatModel(responses=["{}"]), NAMES).describe(
                itertools.cycle([(0, 1), (0, 2), (0, 3)])
            )


def test_images_get_the_class_of_the_most_similar_mean_prompt():
    rng = np.random.default_rng(1)
    said = {"cat": ["whiskers", "a cat on a mat"], "owl": ["feathers"]}
    texts = ["a photo of a cat.", "a photo of a dog.", "a photo of a owl.", "a photo of a fish."]
    library = prompts_of(said, NAMES)
    assert library["dog"] == ["a photo of a dog."]
    assert "a cat on a mat" in library["cat"]
    assert all("cat" in text for text in library["cat"])
    unit = {text: (row := rng.normal(size=6)) / np.linalg.norm(row) for text in {*texts, *itertools.chain(*library.values())}}
    images = rng.normal(size=(30, 6)).astype(np.float32)
    found = classify_by_prompts(encoder(unit), NAMES, said, images, candidates=3)
    for row, image in enumerate(images / np.linalg.norm(images, axis=1, keepdims=True)):
        means = [np.mean([unit[text] for text in library[name]], axis=0) for name in NAMES]
        cosine = [image @ mean / np.linalg.norm(mean) for mean in means]
        ranking = sorted(range(4), key=lambda index: -cosine[index])
        assert found.final[row] == ranking[0]
        assert found.candidates[row].tolist() == ranking[:3]
        np.testing.assert_allclose(found.scores[row], [cosine[index] for index in ranking[:3]], atol=1e-5)
        assert found.first[row] == int(np.argmax([image @ unit[text] for text in texts]))


def reply(word):
    return json.dumps({"attributes": [{"attribute": "x", "first_caption": f"{word} one", "second_caption": f"{word} two"}]})


def test_a_pair_file_grows_and_its_journal_goes_when_all_is_done(tmp_path):
    out = tmp_path / "pairs.json"
    seen = []
    bad = FakeListChatModel(responses=[reply("a"), "no", "no", "no"])
    first = describe_to_file(bad, NAMES, [(0, 1), (0, 2)], out, on_progress=lambda *now: seen.append(now))
    assert set(read_pairs(out, NAMES)) == {(0, 1)}
    assert [pair for pair, _ in first.invalid] == [(0, 2)]
    assert seen == [(1, 2), (2, 2)]
    assert (tmp_path / "pairs.json.journal").exists()
    again = describe_to_file(FakeListChatModel(responses=["never asked"]), NAMES, [(0, 1), (0, 2)], out)
    assert again.asked == 0
    last = describe_to_file(FakeListChatModel(responses=[reply("b")]), NAMES, [(0, 1), (0, 2)], out, retry_invalid=True)
    assert last.asked == 1
    assert set(read_pairs(out, NAMES)) == {(0, 1), (0, 2)}
    assert not (tmp_path / "pairs.json.journal").exists()
