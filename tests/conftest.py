"""Fixtures that several packages' tests share."""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before transformers reads it: no test asks a model hub, or waits for one

# a busy machine is no failure: examples have no deadline of their own, and may take as long to draw as they like
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
gc.disable()  # while the tests are collected: what that makes stays until the end, and each search for garbage in it takes a second


def pytest_collection_finish():
    """From here on, garbage is looked for among what the tests make, and not among ten thousand tests and what they import."""
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)  # libraries that count what is left at the end would otherwise complain


def _load(path):
    """A helper module of the tests, by path: the tests are no package (and an installed distribution owns the name `tests`)."""
    name = f"saywhy_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def in_process():
    """The module `tests/in_process.py`: `in_process.run_command("check", "texts.jsonl", folder=tmp_path)`, `run_snippet(code, folder)`."""
    return _load(HERE / "in_process.py")


@pytest.fixture(scope="session")
def misbehaving():
    """The module `tests/agents/misbehaving_server.py`: `misbehaving.Reply(...)`, `misbehaving.MisbehavingServer(...)`."""
    return _load(HERE / "agents" / "misbehaving_server.py")


@pytest.fixture(scope="session")
def limiters():
    """The module `tests/agents/chat/limiters.py`: rate limits as functions of time, and clients that meet them, simulated."""
    return _load(HERE / "agents" / "chat" / "limiters.py")


@pytest.fixture(scope="session")
def raw():
    """The module `tests/agents/raw_server.py`: servers that send whatever bytes a test wants: `raw.RawServer(behave)`."""
    return _load(HERE / "agents" / "raw_server.py")


@pytest.fixture
def raw_server(raw):
    """`raw_server(behave)` starts a `RawServer`, stopped at the end of the test."""
    running = []

    def start(behave, **options):
        server = raw.RawServer(behave, **options)
        running.append(server)
        return server.__enter__()

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture(scope="session")
def make_tiny_model():
    """`make_tiny_model(folder)` writes a randomly initialised language model with its tokenizer."""
    return _load(HERE / "agents" / "tiny_model.py").make_tiny_model


@pytest.fixture(scope="session")
def make_tiny_clip():
    """`make_tiny_clip(folder, kind="clip")` writes a randomly initialised CLIP or SigLIP model with its tokenizer."""
    return _load(HERE / "agents" / "tiny_clip.py").make_tiny_clip


@pytest.fixture(scope="session")
def tiny_model_folder(make_tiny_model, tmp_path_factory):
    """A tiny language model on disk, one for the whole run: tests read it and never write to it."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture(scope="session")
def wait_until():
    """`wait_until(condition, timeout=60)` returns what the condition says as soon as it is true, and fails at the deadline.

    Tests wait for an event with this; a fixed sleep is too short on a busy machine and too long on a quiet one.
    """

    def wait(condition, *, timeout=60.0, pause=0.01, what="the condition"):
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what} did not come true in {timeout:g} s"
            time.sleep(pause)
        return found

    return wait


@pytest.fixture(scope="session")
def llama_server():
    """The spec of a real small model behind llama.cpp's own server; one server for the whole run."""
    with _load(HERE / "agents" / "llama_server.py").running() as spec:
        yield spec


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


PLANTED = "sk-planted-suite-9d81c2f7e6"
"""The key that every test's models send to their servers; it must not be found anywhere when the tests have run."""
TRACES = (b"sk-planted", b"planted-pass")  # also of the keys that single tests plant
LARGEST = 64 * 2**20  # bytes of a file that is searched; tests leave no larger ones but models


@pytest.fixture(autouse=True)
def _no_keys_from_outside(monkeypatch):
    """Tests neither use nor send keys that happen to be in the environment. Servers get a planted key, which is searched for."""
    official = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY", "OPENAI_CUSTOM_HEADERS")
    azure = ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_VERSION")
    for name in (*official, *azure, "SAYWHY_API_USER", "SAYWHY_API_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAYWHY_API_KEY", PLANTED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """A test that says the planted key, on a stream or in a log, has failed."""
    report = yield
    said = "".join((report.capstdout, report.capstderr, report.caplog))
    if PLANTED in said:
        report.outcome = "failed"
        report.longrepr = f"the planted key was said: {said[max(0, said.index(PLANTED) - 300) :][:300]}(here)"
    return report


@pytest.fixture(scope="session", autouse=True)
def _no_key_is_left(tmp_path_factory):
    """When all tests have run, no file that they left holds a planted key."""
    yield
    found = []
    for path in tmp_path_factory.getbasetemp().rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < LARGEST and os.access(path, os.R_OK):
            content = path.read_bytes().lower()
            found += [f"{path}: {content[max(0, content.index(one) - 80) :][:200]!r}" for one in TRACES if one in content]
    assert not found, "\n".join(found)
