"""What the tests of kills share: the modules beside this file, and processes that start at once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent


def _load(path):
    name = f"saywhy_tests_kills_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def kills():
    """The modules `forge`, `scenarios` and `ledger`."""
    return SimpleNamespace(**{name: _load(HERE / f"{name}.py") for name in ("forge", "scenarios", "ledger")})


@pytest.fixture(scope="session")
def light_forge(kills):
    """Starts commands without torch in a tenth of a second."""
    with kills.forge.Forge((*kills.forge.TALKING, *kills.forge.SEEING)) as forge:
        yield forge


@pytest.fixture(scope="session")
def forge(kills):
    """Starts any command in a tenth of a second."""
    with kills.forge.Forge() as forge:
        yield forge
