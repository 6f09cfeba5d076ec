"""Sizes that --resize asks for are held against the ceilings before any memory is taken for them."""

from __future__ import annotations

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from saywhy_core.images.convert import resize_image
from saywhy_core.reading.ceilings import ceilings


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ("999999x999999", "--ceiling attacked=999998000001"),
        ("1x262145", "--ceiling attacked=262145"),
        ("262145X1", "--ceiling attacked=262145"),
        ("9" * 5_000 + "x1", "at most nine digits"),
        ("1x" + "9" * 5_000, "at most nine digits"),
        ("٤x٤", "HEIGHTxWIDTH"),
    ],
)
def test_a_size_that_is_too_large(in_process, tmp_path, size, says):
    np.save(tmp_path / "a.npy", np.zeros((48, 48, 3), np.uint8))
    done = in_process.run_command("attack", "a.npy", "--target", "demo:signs", "--resize", size, "--out", "o", folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert len(line) < 900
    assert "itself failed" not in line


def test_resizing_itself_is_held_against_the_ceiling_of_pixels():
    image = np.zeros((2, 2, 3), np.float32)
    with ceilings(pixels=15), pytest.raises(UsageError, match="--ceiling pixels=16"):
        resize_image(image, (4, 4))
    with ceilings(pixels=16):
        assert resize_image(image, (4, 4)).shape == (4, 4, 3)
