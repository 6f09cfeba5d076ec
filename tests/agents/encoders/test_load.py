"""An encoder from a line of text."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from agents import UsageError, load_encoder
from agents.encoders import ENCODERS


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("clap:x", "no encoder"),
        ("clip:", "no encoder"),
        ("minilm", "no encoder"),
        ("clip:/nowhere/at/all", "could be loaded"),
        ("text:/nowhere/at/all", "could be loaded"),
        ("conse:net.onnx", "names no text encoder"),
        ("conse:/nowhere/net.onnx?names=n.json+minilm", "does not exist"),
    ],
)
def test_a_spec_that_cannot_be_used_is_explained(spec, says, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match=says):
        load_encoder(spec)


class Lengths:
    """An encoder of a kind that a program adds: how long a text is."""

    def encode_texts(self, texts):
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    def encode_images(self, images):
        raise NotImplementedError


@pytest.fixture
def lengths():
    given = []
    ENCODERS.register("lengths", lambda where, *, device, batch: given.append((where, device, batch)) or Lengths())
    yield given
    del ENCODERS._loaded["lengths"]


def test_a_kind_of_ones_own(lengths):
    encoder = load_encoder("lengths:any:where", device="cpu", batch=3)
    assert encoder.encode_texts(["a", "bcd"]).tolist() == [[1], [3]]
    assert lengths == [("any:where", "cpu", 3)]
    with pytest.raises(
        UsageError, match=r"'clap:x' is no encoder; write one of clip:\.\.\., text:\.\.\., conse:\.\.\., lengths:"
    ):
        load_encoder("clap:x")


def test_naming_the_package_loads_nothing_heavy():
    code = "import agents, sys; sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'langchain_core')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
