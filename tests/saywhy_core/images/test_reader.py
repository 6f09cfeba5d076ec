"""Several images out of files, arrays and all; other sizes."""

from __future__ import annotations

import numpy as np
import pytest

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import read_image, read_images, resize_image


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
