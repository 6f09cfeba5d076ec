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
