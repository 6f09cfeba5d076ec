"""How a network wants its images."""

from __future__ import annotations

import pytest

from saywhy_core.classifiers import InputLayout
from saywhy_core.errors import UsageError


def test_layout_is_checked(images):
    with pytest.raises(UsageError, match="mean has 2 numbers"):
        InputLayout(mean=[0.1, 0.2])(images)
    with pytest.raises(UsageError, match="rising"):
        InputLayout(value_range=(1, 0))
    with pytest.raises(UsageError, match="std"):
        InputLayout(std=0.0)


@pytest.mark.parametrize(
    "wrong", ["0.5", [0.1, "0.2", 0.3], [[0.1], [0.2], [0.3]], [[1], [1, 2]], True, 1e39, [], {"a": 1}, float("nan")], ids=repr
)
@pytest.mark.parametrize("name", ["mean", "std"])
def test_what_is_no_number_is_refused_before_any_image_is_seen(wrong, name):
    with pytest.raises(UsageError, match=f"{name} must be a number or a list of numbers"):
        InputLayout(**{name: wrong})


def test_a_deviation_that_becomes_0_in_32_bits_is_refused():
    with pytest.raises(UsageError, match="std must be above 0"):
        InputLayout(std=1e-50)


def test_settings_for_another_number_of_channels_are_refused_without_an_image():
    InputLayout(mean=0.5, std=[0.1, 0.2, 0.3]).check_channels(None)
    with pytest.raises(UsageError, match="mean has 2 numbers but the images 3 channels"):
        InputLayout(mean=[0.1, 0.2]).check_channels(3)
    with pytest.raises(UsageError, match="needs images of 3 channels, not 1"):
        InputLayout(channels="bgr").check_channels(1)
