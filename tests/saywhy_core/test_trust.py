"""Code of an input's author runs where the user allows it, and is told once."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from saywhy_core.classifiers import TARGETS, CallableClassifier, load_classifier
from saywhy_core.errors import UsageError
from saywhy_core.trust import TrustError, telling_trust

MODULE = """
from pathlib import Path

Path("canary").write_text("ran")


def predict(images):
    return images.reshape(len(images), -1)[:, :2]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "module_of_a_stranger.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("module_of_a_stranger", None)


@pytest.mark.parametrize("spec", ["python:module_of_a_stranger:predict", "module_of_a_stranger:predict"])
def test_a_module_is_not_imported_without_trust_and_is_with_it(here, spec):
    with pytest.raises(TrustError, match=r"runs the Python module module_of_a_stranger; .* allow that with --trust"):
        load_classifier(spec, scores="logits")
    assert not (here / "canary").exists()
    assert load_classifier(spec, scores="logits", trust=True)(np.zeros((1, 2, 2, 3), np.float32)).shape == (1, 2)
    assert (here / "canary").exists()


def test_a_name_of_a_target_can_not_allow_itself_to_run(here):
    for given in ("trust=true", "trust=1", "scores=logits&trust=yes"):
        with pytest.raises(UsageError, match="trust can't be given in the name of a target"):
            load_classifier(f"python:module_of_a_stranger:predict?{given}")
    assert not (here / "canary").exists()


def test_trust_where_no_code_can_run_is_an_error():
    with pytest.raises(UsageError, match="demo: targets run no code of the model's author, so trust has no effect"):
        load_classifier("demo:signs", trust=True)


def test_what_runs_is_told_once(here):
    told = []
    with telling_trust(told.append):
        load_classifier("python:module_of_a_stranger:predict", scores="logits", trust=True)
        load_classifier("python:module_of_a_stranger:predict", scores="logits", trust=True)
    assert told == ["python:module_of_a_stranger:predict runs the Python module module_of_a_stranger, as --trust allows"]


def test_torchscript_needs_trust(tmp_path):
    torch.jit.script(torch.nn.Flatten()).save(str(tmp_path / "m.pt"))
    with pytest.raises(TrustError, match=r"runs the program in a TorchScript file; .*torch\.export\.save"):
        load_classifier(f"torch:{tmp_path / 'm.pt'}", scores="logits")


def test_python_files_of_a_transformers_folder_need_trust(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps(
            {"model_type": "stranger", "auto_map": {"AutoConfig": "code.C", "AutoModelForImageClassification": "code.M"}}
        )
    )
    (folder / "code.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\n")
    with pytest.raises(TrustError, match=r"runs Python files that come with the model \(code\.C, code\.M\)"):
        load_classifier(f"transformers:{folder}")
    assert not (tmp_path / "canary").exists()


def test_a_kind_of_ones_own_says_that_it_runs_code_by_taking_trust(monkeypatch):
    from saywhy_core.trust import require_trust

    def load(where, *, trust=False):
        require_trust(f"mine:{where} runs a script", trust=trust)
        return CallableClassifier(lambda images: np.zeros((len(images), 2)))

    monkeypatch.setattr(TARGETS, "_loaded", {**TARGETS._loaded, "mine": load})
    with pytest.raises(TrustError, match="mine:x runs a script"):
        load_classifier("mine:x")
    assert load_classifier("mine:x", trust=True).queries == 0


@pytest.mark.long
def test_the_command_refuses_runs_and_tells(here):
    np.save("image.npy", np.random.default_rng(0).random((8, 8, 3)).astype(np.float32))
    words = [sys.executable, "-m", "saywhy", "attack", "image.npy", "--target", "python:module_of_a_stranger:predict",
             "--scores", "logits", "--budget", "20", "--out", "out"]  # fmt: skip
    refused = subprocess.run(words, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--trust" in refused.stderr
    assert not (here / "canary").exists()
    done = subprocess.run([*words, "--trust"], capture_output=True, text=True, check=False)
    assert done.stderr.count("runs the Python module module_of_a_stranger, as --trust allows") == 1
    assert (here / "canary").exists()
