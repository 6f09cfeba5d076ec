"""What the tests of keys share: the modules beside this file, and the commands that talk to a server."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).parent


def _load(path):
    name = f"saywhy_tests_{path.parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def keys():
    """The modules `planted`, `echo_server` and `leaks`, and `forge`, `scenarios` and `ledger` of the tests of kills."""
    own = {name: _load(HERE / f"{name}.py") for name in ("planted", "echo_server", "leaks")}
    return SimpleNamespace(**own, **{n: _load(HERE.parent / "kills" / f"{n}.py") for n in ("forge", "scenarios", "ledger")})


@pytest.fixture(scope="session")
def light_forge(keys):
    """Starts commands without torch in a tenth of a second."""
    with keys.forge.Forge((*keys.forge.TALKING, "verbalize.read_by_model")) as forge:
        yield forge
