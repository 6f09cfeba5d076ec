"""Embeddings on disk: by content, never computed twice."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from PIL import Image

from agents import UsageError
from agents.encoders import CachedEncoder


class Counting:
    """Encodes by simple sums, and writes down what it was asked."""

    def __init__(self, identity="one"):
        self.identity = identity
        self.scale = 7.0
        self.texts = []
        self.images = 0

    def encode_texts(self, texts):
        self.texts.extend(texts)
        return np.array([[len(text), sum(map(ord, text))] for text in texts], dtype=np.float32).reshape(-1, 2)

    def encode_texts_counting(self, texts):
        return self.encode_texts(texts), np.array([len(text) > 3 for text in texts])

    def encode_images(self, images):
        from saywhy_core.images import read_image

        self.images += len(images)
        return np.array([[read_image(image).sum(), 1] for image in images], dtype=np.float32).reshape(-1, 2)


def test_texts_are_encoded_once_across_objects_and_order_is_kept(tmp_path):
    first = CachedEncoder(Counting(), tmp_path, batch=2)
    rows = first.encode_texts(["b", "a", "b", "long text", "c"])
    assert sorted(first.inner.texts) == ["a", "b", "c", "long text"]
    np.testing.assert_array_equal(rows[:, 1], [98, 97, 98, sum(map(ord, "long text")), 99])
    again = CachedEncoder(Counting(), tmp_path)
    np.testing.assert_array_equal(again.encode_texts(["c", "b", "long text"]), rows[[4, 0, 3]])
    assert again.inner.texts == []
    assert (again.computed, again.truncated, again.scale) == (0, 1, 7.0)


def test_images_are_known_by_content_not_by_name(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, size=(6, 5, 3), dtype=np.uint8)
    for name in ("one.png", "two.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    cached = CachedEncoder(Counting(), tmp_path / "cache")
    rows = cached.encode_images([tmp_path / "one.png", tmp_path / "two.png"])
    assert cached.inner.images == 1
    np.testing.assert_array_equal(rows[0], rows[1])
    Image.fromarray(255 - pixels).save(tmp_path / "one.png")
    changed = cached.encode_images([tmp_path / "one.png"])
    assert cached.inner.images == 2
    assert changed[0, 0] != rows[0, 0]
    arrays = np.random.default_rng(1).random((3, 4, 4, 3), dtype=np.float32)
    np.testing.assert_array_equal(cached.encode_images(arrays), cached.encode_images(arrays))
    assert cached.inner.images == 5


def test_encoders_do_not_share_embeddings_but_files(tmp_path):
    CachedEncoder(Counting("one"), tmp_path).encode_texts(["a"])
    other = CachedEncoder(Counting("two"), tmp_path)
    other.encode_texts(["a"])
    assert other.inner.texts == ["a"]


def test_empty_requests_keep_the_width(tmp_path):
    cached = CachedEncoder(Counting(), tmp_path)
    assert cached.encode_texts([]).shape == (0, 2)
    assert cached.encode_images([]).shape == (0, 2)


def test_an_interrupted_run_keeps_what_it_computed(tmp_path):
    class Breaks(Counting):
        def encode_texts_counting(self, texts):
            if "stop" in texts:
                raise KeyboardInterrupt
            return super().encode_texts_counting(texts)

    with pytest.raises(KeyboardInterrupt):
        CachedEncoder(Breaks(), tmp_path, batch=2).encode_texts(["a", "b", "stop"])
    later = CachedEncoder(Counting(), tmp_path)
    later.encode_texts(["a", "b", "stop"])
    assert later.inner.texts == ["stop"]


def test_what_is_no_cache_is_refused(tmp_path):
    (tmp_path / "embeddings.sqlite").write_bytes(b"something else entirely, and long enough to look at" * 20)
    with pytest.raises(UsageError, match="delete it"):
        CachedEncoder(Counting(), tmp_path)
    newer = tmp_path / "newer"
    newer.mkdir()
    with sqlite3.connect(newer / "embeddings.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="version 99"):
        CachedEncoder(Counting(), newer)
    with pytest.raises(UsageError, match="identity"):
        CachedEncoder(Counting(""), tmp_path / "third")


@pytest.mark.parametrize(
    "change",
    [
        "vector = x'00'",
        "vector = ''",
        "vector = 'words that are no vector, and long enough for one'",
        "vector = CAST(x'fffe' AS TEXT)",
        "vector = x'000080ff0000c07f'",
        "vector = zeroblob(12)",
        "vector = 5",
        "cut = 'x'",
        "cut = 7",
        "cut = x'ff'",
    ],
)
def test_a_damaged_vector_is_computed_again_and_stops_no_other(tmp_path, change):
    texts = ["aa", "bb", "cc"]
    rows = CachedEncoder(Counting(), tmp_path).encode_texts(texts)
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as database:
        database.execute(f"UPDATE embeddings SET {change} WHERE key = (SELECT key FROM embeddings LIMIT 1 OFFSET 1)")
    database.close()
    mended = CachedEncoder(Counting(), tmp_path)
    with pytest.warns(UserWarning, match=r"embeddings\.sqlite holds damaged vectors, which are computed again") as told:
        np.testing.assert_array_equal(mended.encode_texts(texts), rows)
    assert (mended.computed, [one.category for one in told].count(UserWarning)) == (1, 1)
    again = CachedEncoder(Counting(), tmp_path)
    np.testing.assert_array_equal(again.encode_texts(texts), rows)
    assert again.computed == 0


@pytest.mark.filterwarnings("ignore:.*holds damaged vectors")
def test_vectors_of_another_length_in_all_of_a_batch_are_one_sentence(tmp_path):
    CachedEncoder(Counting(), tmp_path).encode_texts(["aa", "bb"])
    with sqlite3.connect(tmp_path / "embeddings.sqlite") as database:
        database.execute("UPDATE embeddings SET vector = zeroblob(12)")
    database.close()
    for batch in (1, 4):
        with pytest.raises(UsageError, match="its vectors have several lengths; delete it"):
            CachedEncoder(Counting(), tmp_path, batch=batch).encode_texts(["aa", "bb", "cc"])
