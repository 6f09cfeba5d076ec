"""What the commands about prompts are made of: image files as vectors, needed pairs, pair files, classification by prompts."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel
from PIL import Image

from agents import UsageError, read_pairs
from agents.encoders import encode_image_files
from agents.prompting import classify_by_prompts, describe_to_file, every_pair, needed_pairs, prompts_of

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
    assert seen == [(0, 5), (2, 5), (4, 5), (5, 5)]
    for path in (tmp_path / "cat").glob("[0-8].png"):
        path.unlink()
    with pytest.raises(UsageError, match="none of the 1 files"):
        encode_image_files(encoder({}), tmp_path)


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
