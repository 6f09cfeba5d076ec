"""Small networks, and the truth about them by brute force."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(path):
    name = f"saywhy_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def programs():
    """The module `programs.py` beside this file."""
    pytest.importorskip("torch")
    return _load(Path(__file__).parent / "programs.py")
