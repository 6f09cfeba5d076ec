"""The endpoint of these tests, no pauses between attempts, and no proxy."""

import importlib.util
import sys
from pathlib import Path

import pytest

from saywhy_core.classifiers.remote import client


@pytest.fixture(scope="session")
def endpoint():
    """The module `endpoint.py`: `endpoint.Endpoint()`, `endpoint.raw(...)`."""
    name = "saywhy_tests_endpoint"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "endpoint.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def _quick(monkeypatch):
    monkeypatch.setattr(client, "pause_before", lambda attempt, asked: asked if asked is not None else 0.01)
