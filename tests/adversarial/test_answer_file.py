"""Answers in a file: whole after any cut, about one thing only, and never in the place of something else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial import AnswerFile, CallableClassifier, FeatureGuidedAttack
from saywhy_core.arrays import former_image_key, image_key, image_keys, keyed
from saywhy_core.classifiers import ClassifierError
from saywhy_core.disk.files import UnusableFileError

IMAGES = np.random.default_rng(0).random((6, 4, 4, 3)).astype(np.float32)
SCORES = np.random.default_rng(1).normal(size=(6, 3))
ABOUT = {"digest": "one"}


def told(answers):
    """How many of the images are known; the scores of those that are must be the ones kept."""
    found = answers.recall(IMAGES)
    for row, scores in zip(SCORES, found, strict=True):
        if scores is not None:
            np.testing.assert_array_equal(scores, row)
    return sum(scores is not None for scores in found)


def filled(path, count=6):
    answers = AnswerFile(path, ABOUT)
    for start in range(0, count, 2):
        answers.keep(IMAGES[start : start + 2], SCORES[start : start + 2])
    answers.close()
    return path.read_bytes()


def test_what_is_kept_is_recalled_by_the_next(tmp_path):
    content = filled(tmp_path / "a" / "answers.bin")
    again = AnswerFile(tmp_path / "a" / "answers.bin", ABOUT)
    assert len(again) == 6
    assert told(again) == 6
    assert again.recall(IMAGES[:1, :2]) == [None]  # the same numbers, and another image
    assert again.recall(IMAGES[:1].reshape(1, 2, 8, 3)) == [None]
    # 16 bytes for the image, 3 numbers, a checksum
    assert len(content) - len(content.split(b"\n", 1)[0]) - 1 == 6 * (16 + 3 * 8 + 4)
    again.keep(IMAGES, SCORES)
    assert (tmp_path / "a" / "answers.bin").read_bytes() == content  # known already
    again.forget()
    assert not (tmp_path / "a" / "answers.bin").exists()
    assert told(again) == 0
    again.keep(IMAGES[:1], SCORES[:1, :2])  # forgotten answers leave the number of classes open


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_cut_or_damaged_file_gives_whole_answers_and_takes_new_ones(tmp_path_factory, data):
    """Cut anywhere, filled up with zeros, or with one byte changed: what is recalled is true, and the file heals."""
    folder = tmp_path_factory.mktemp("answers")
    content = filled(folder / "answers.bin")
    place = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["cut", "zeros", "flip"]))
    damaged = bytearray(content)
    if how == "flip":
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        damaged[place:] = b"" if how == "cut" else bytes(len(content) - place)
    (folder / "answers.bin").write_bytes(damaged)
    header = content.index(b"\n") + 1
    try:
        answers = AnswerFile(folder / "answers.bin", ABOUT)
    except UnusableFileError:
        assert place < header  # what begins otherwise was not written by us, for all that can be known
        return
    known = told(answers)
    assert known == (max(0, (place - header) // 44) if place >= header else known)
    answers.keep(IMAGES, SCORES)
    answers.close()
    assert told(AnswerFile(folder / "answers.bin", ABOUT)) == 6


def test_answers_about_something_else_are_not_taken(tmp_path):
    filled(tmp_path / "answers.bin")
    other = AnswerFile(tmp_path / "answers.bin", {"digest": "two"}, {"place": "here"})
    assert told(other) == 0
    other.keep(IMAGES[:1], SCORES[:1])
    other.close()
    assert told(AnswerFile(tmp_path / "answers.bin", {"digest": "two"})) == 1
    assert told(AnswerFile(tmp_path / "answers.bin", ABOUT)) == 0
    assert b'"place": "here"' in (tmp_path / "answers.bin").read_bytes()


@pytest.mark.parametrize("content", [b"notes of mine", b'{"answers": ', b"[" * 4000, b'{"other": 1}\n'])
def test_something_else_is_never_overwritten(tmp_path, content):
    (tmp_path / "answers.bin").write_bytes(content)
    if content.startswith(b'{"answers"'):
        AnswerFile(tmp_path / "answers.bin", ABOUT)  # the beginning of our own
        return
    with pytest.raises(UnusableFileError, match=r"answers\.bin is not what it should be"):
        AnswerFile(tmp_path / "answers.bin", ABOUT)
    assert (tmp_path / "answers.bin").read_bytes() == content


@pytest.mark.parametrize(
    "header", [b"[" * 3000, b"9" * 3000 + b"}", b'"classes": 99999999999}', b'"classes": -1}', b'"classes": 0}']
)
def test_a_hostile_header_is_no_header(tmp_path, header):
    (tmp_path / "answers.bin").write_bytes(b'{"answers": 1, ' + header + b"\n" + b"x" * 1000)
    answers = AnswerFile(tmp_path / "answers.bin", ABOUT)
    assert len(answers) == 0
    answers.keep(IMAGES, SCORES)
    answers.close()
    assert told(AnswerFile(tmp_path / "answers.bin", ABOUT)) == 6


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_or_a_folder_in_its_place_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, what in (("pipe", "a pipe"), ("folder", "a folder")):
        with pytest.raises(UnusableFileError, match=f"{name}: it is {what}, not a file"):
            AnswerFile(tmp_path / name, ABOUT)


def test_another_number_of_classes_is_another_classifier(tmp_path):
    filled(tmp_path / "answers.bin")
    answers = AnswerFile(tmp_path / "answers.bin", ABOUT)
    with pytest.raises(ClassifierError, match="returned 2 scores per image and 3 before; what it answered then is forgotten"):
        answers.keep(IMAGES + 1, SCORES[:, :2])
    assert not (tmp_path / "answers.bin").exists()


def test_the_file_stops_growing(tmp_path, monkeypatch):
    monkeypatch.setattr("adversarial.answer_file.MOST", 1_000)
    answers = AnswerFile(tmp_path / "answers.bin", ABOUT)
    images = np.random.default_rng(2).random((100, 2, 2, 1)).astype(np.float32)
    answers.keep(images, np.zeros((100, 3)))
    assert 20 < len(answers) < 25  # of 44 bytes each
    assert (tmp_path / "answers.bin").stat().st_size < 1_100
    answers.close()


FULL_DISK = """
import resource, sys
import numpy as np
from adversarial import AnswerFile, CallableClassifier, FeatureGuidedAttack
from saywhy_core.arrays import image_key, image_keys, keyed
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
answers = AnswerFile(sys.argv[1], {"digest": "one"})
try:
    for row in range(6):
        answers.keep(np.full((1, 2, 2, 1), row, np.float32), np.full((1, 3), row, float))
except Exception as error:
    print(type(error).__name__, row, error)
"""


def test_a_full_disk_is_told_and_loses_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "answers.bin"], capture_output=True, text=True, check=True
    )
    kind, row, said = done.stdout.split(" ", 2)
    assert kind == "UnusableFileError"
    assert "answers.bin can't be written to: File too large; make room on the disk" in said
    answers = AnswerFile(tmp_path / "answers.bin", ABOUT)
    assert len(answers) == int(row) > 0
    for value in range(int(row)):
        (scores,) = answers.recall(np.full((1, 2, 2, 1), value, np.float32))
        np.testing.assert_array_equal(scores, [value] * 3)


def test_keys_are_xxh3_seeded_by_the_shape():
    image = np.random.default_rng(6).random((4, 5, 3)).astype(np.float32)
    seed = int.from_bytes(hashlib.sha1(b"(4, 5, 3)").digest()[:8], "little")
    assert image_key(image) == xxhash.xxh3_128(image.tobytes(), seed).digest()
    assert image_key(np.zeros((1, 1, 1), np.float32)).hex() == image_keys(np.zeros((2, 1, 1, 1), np.float32))[1].hex()
    # 20,000 images that differ in one value by one step of 8 bits
    images = np.zeros((20_000, 5, 4, 1), np.float32)
    images.reshape(len(images), -1)[np.arange(20_000), np.arange(20_000) % 20] = np.arange(20_000) // 20 / 255
    assert len(set(image_keys(images))) == 20_000 - 19  # the first of each place are the same


def test_a_file_of_an_earlier_release_is_read_and_added_to(tmp_path):
    """Made byte by byte as those were: version 2 of the form, and SHA-1 of the shape and the numbers."""
    path = tmp_path / "answers.bin"
    content = b'{"answers": 2, "classes": 3, "digest": "one"}\n'
    for image, row in zip(IMAGES[:3], SCORES[:3], strict=True):
        key = hashlib.sha1(repr(image.shape).encode() + image.tobytes()).digest()[:16]
        assert key == former_image_key(image)
        record = key + row.astype("<f8").tobytes()
        content += record + zlib.crc32(record).to_bytes(4, "little")
    path.write_bytes(content)
    answers = AnswerFile(path, {"digest": "one"})
    assert len(answers) == 3
    np.testing.assert_array_equal(answers.recall(IMAGES[:3]), SCORES[:3])
    assert answers.recall(IMAGES[3:]) == [None] * 3
    answers.keep(IMAGES[3:], SCORES[3:])
    assert path.read_bytes().startswith(content)
    again = AnswerFile(path, {"digest": "one"})
    np.testing.assert_array_equal(again.recall(IMAGES), SCORES)
    again.forget()
    again.keep(IMAGES, SCORES)
    assert path.read_bytes().startswith(b'{"answers": 3, ')
    assert again.recall(IMAGES[:1, :2]) == [None]


def test_keys_of_many_images_are_those_of_each():
    images = np.random.default_rng(2).random((5, 4, 6, 3)).astype(np.float32)
    for some in (images, images[:, ::2], images[::2], images.transpose(0, 2, 1, 3), images[:1]):
        assert image_keys(some) == [image_key(image) for image in some]


def test_keys_are_known_for_the_images_of_the_block_alone():
    images = np.random.default_rng(2).random((5, 4, 6, 3)).astype(np.float32)
    expected = [image_key(image) for image in images]
    with keyed(images[1:]) as keys:
        assert keys == image_keys(images[1:]) == expected[1:]
        assert image_keys(images) == expected
        assert image_keys(images[:4]) == expected[:4]
        assert image_keys(images[1:].copy()) == expected[1:]
    images[1:] = 0  # after it they may change
    assert image_keys(images[1:])[0] != expected[1]


@pytest.mark.parametrize("levels", [None, 256])
def test_an_attack_keeps_each_answer_under_the_key_of_its_image(tmp_path, levels):
    asked = {}
    weights = np.random.default_rng(3).normal(size=(8 * 8 * 3, 4))

    def predict(images):
        # image by image: a product of a whole batch has other last digits in a batch of another size
        scores = np.stack([image.ravel() @ weights for image in images])
        asked.update((image_key(image), row) for image, row in zip(images, scores, strict=True))
        return scores

    files = {}

    def memory(number):
        files[number] = AnswerFile(tmp_path / f"{number}.bin", ABOUT)
        return files[number]

    images = np.random.default_rng(4).random((3, 8, 8, 3)).astype(np.float32)
    for distance in ("l0", "l2"):
        FeatureGuidedAttack(distance=distance, budget=60, levels=levels).run(CallableClassifier(predict), images, memory=memory)
        kept = {key: row for file in files.values() for key, row in file.answers().items()}
        assert set(kept) == set(asked)
        for key, row in kept.items():
            np.testing.assert_array_equal(row, asked[key])
        for file in files.values():
            file.forget()
        asked.clear()
