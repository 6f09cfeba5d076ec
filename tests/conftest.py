"""Fixtures that several packages' tests share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name):
    """A helper module of tests/agents, by path: tests are no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "agents" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def misbehaving():
    """The module `tests/agents/misbehaving_server.py`: `misbehaving.Reply(...)`, `misbehaving.MisbehavingServer(...)`."""
    return _load("misbehaving_server")


@pytest.fixture(scope="session")
def make_tiny_model():
    """`make_tiny_model(folder)` writes a randomly initialised language model with its tokenizer."""
    return _load("tiny_model").make_tiny_model


@pytest.fixture
def chat_server(misbehaving):
    """`chat_server(script, default=..., behave=...)` starts a misbehaving server, stopped at the end of the test."""
    running = []

    def start(script=(), **options):
        server = misbehaving.MisbehavingServer(script, **options)
        running.append(server)
        return server.__enter__()

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture(autouse=True)
def _no_keys_from_outside(monkeypatch):
    """Tests neither use nor send keys that happen to be in the environment."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY", "SAYWHY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
