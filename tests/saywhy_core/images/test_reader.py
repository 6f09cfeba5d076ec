"""Several images out of files, arrays and all; other sizes."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import load_array, read_image, read_images, resize_image


def pictures(*paths, channels=None):
    return list(read_images(list(paths), channels=channels))


@pytest.mark.parametrize(
    ("shape", "count", "one"),
    [((5, 6), 1, (5, 6, 1)), ((5, 6, 3), 1, (5, 6, 3)), ((9, 5, 6), 9, (5, 6, 1)), ((2, 5, 6, 1), 2, (5, 6, 1))],
)
def test_shapes_of_arrays(tmp_path, shape, count, one):
    np.save(tmp_path / "a.npy", np.full(shape, 0.5))
    read = pictures(tmp_path / "a.npy")
    assert len(read) == count
    assert all(picture.pixels.shape == one for picture in read)
    assert len({picture.name for picture in read}) == count


def test_arrays_that_hold_no_images_are_told(tmp_path):
    np.save(tmp_path / "range.npy", np.full((4, 4), 3.5))
    np.save(tmp_path / "words.npy", np.array(["a"]))
    np.save(tmp_path / "deep.npy", np.zeros((1, 1, 1, 1, 1)))
    np.savez(tmp_path / "two.npz", a=np.zeros((4, 4)), b=np.zeros((4, 4)))
    np.savez(tmp_path / "labels.npz", images=np.zeros((2, 4, 4, 1)), labels=[1])
    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04 junk")
    problems = pictures(*sorted(tmp_path.iterdir()))
    assert len(problems) == 6
    assert all(isinstance(problem, Problem) for problem in problems)


def test_resizing_keeps_the_range():
    image = np.random.default_rng(0).integers(0, 2, (9, 9, 1)).astype(np.float32)
    for size in ((30, 20), (4, 4)):
        made = resize_image(image, size)
        assert made.shape == (*size, 1)
        assert made.min() >= 0
        assert made.max() <= 1


def test_labels_come_with_their_images(tmp_path):
    np.savez(tmp_path / "set.npz", images=np.full((11, 4, 5, 3), 255, np.uint8), labels=np.arange(11)[::-1])
    read = pictures(tmp_path / "set.npz", channels=1)
    assert [(image.name, image.label) for image in read][:2] == [("set-00", 10), ("set-01", 9)]
    assert all(image.pixels.shape == (4, 5, 1) and (image.pixels == 1).all() for image in read)
    with pytest.raises(UsageError, match="holds 11 images where one is wanted"):
        read_image(tmp_path / "set.npz")


def test_a_bad_file_is_a_problem_in_its_place(tmp_path):
    np.save(tmp_path / "good.npy", np.zeros((4, 4)))
    read = pictures(tmp_path / "none.png", tmp_path / "good.npy", tmp_path / "none.npy")
    assert [str(item) for item in read if isinstance(item, Problem)] == [
        f"{tmp_path / 'none.png'}: there is no such file",
        f"{tmp_path / 'none.npy'}: there is no such file",
    ]
    assert read[1].name == "good"


def damaged(content, chance):
    """The content with some bytes changed, or cut, or both."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 3, 20])):
        changed[chance.randrange(min(len(changed), chance.choice([128, len(changed)])))] = chance.randrange(256)
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.2 else changed)


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed npz"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_array_files_are_problems_whatever_numpy_raises(tmp_path, kind):
    stream = io.BytesIO()
    {"npy": np.save, "npz": np.savez, "compressed npz": np.savez_compressed}[kind](stream, np.full((5, 7, 3), 0.5))
    path = tmp_path / f"a.{kind[-3:]}"
    chance = random.Random(4)
    problems = 0
    for _ in range(100):
        path.write_bytes(damaged(stream.getvalue(), chance))
        problems += isinstance(pictures(path)[0], Problem)
    assert problems > 30


@pytest.mark.parametrize(
    "header", [b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2", b"(" * 60, b"\0" * 60, b"1+" * 29]
)
def test_a_damaged_header_names_the_file(tmp_path, header):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    for read in (read_image, load_array):
        with pytest.raises(UsageError, match=r"a\.npy can't be read as an array file"):
            read(tmp_path / "a.npy")


def test_one_array_is_loaded_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[-3, 4]], ">i2"))
    np.testing.assert_array_equal(load_array(tmp_path / "a.npy"), [[-3, 4]])
    np.savez(tmp_path / "b.npz", np.zeros(2))
    with pytest.raises(UsageError, match="archive"):
        load_array(tmp_path / "b.npz")
