"""TorchScript files and exported programs as targets."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import safetensors.torch

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError
from saywhy_core.trust import TrustError, telling_trust


def test_torchscript_with_normalisation(tmp_path, images, means_by_channel, weights):
    torch = pytest.importorskip("torch")

    class Means(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.Parameter(torch.from_numpy(weights))
            self.drop = torch.nn.Dropout(0.9)

        def forward(self, x):
            return self.drop(x.mean((2, 3)) @ self.weights)

    path = tmp_path / "m.pt"
    torch.jit.script(Means()).save(str(path))
    classifier = load_classifier(f"torch:{path}", scores="logits", mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1], trust=True)
    normalised = (images - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.2, 0.1])
    np.testing.assert_allclose(classifier(images), means_by_channel(normalised), rtol=1e-4, atol=1e-4)
    with pytest.raises(UsageError, match="doesn't say what its scores are"):
        load_classifier(f"torch:{path}")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "state.pt")
    with pytest.raises(UsageError, match="state dictionary"):
        load_classifier(f"torch:{tmp_path / 'state.pt'}", scores="logits", trust=True)


class Own:
    pass


def files_of_other_kinds(folder):
    """Name, what is said, for each file that torch: does not take."""
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "weights.pt")
    torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "weights.pt2")
    torch.save(torch.nn.Linear(2, 3), folder / "module.pt")
    torch.save({"weights": torch.zeros(2), "own": Own()}, folder / "own.pt")
    torch.save(torch.nn.Linear(2, 3), folder / "old.pt", _use_new_zipfile_serialization=False)
    (folder / "plain.pt").write_bytes(pickle.dumps({"a": 1}))
    torch.jit.script(torch.nn.Linear(2, 3)).save(folder / "script.pt2")
    safetensors.torch.save_file({"a": torch.zeros(2)}, folder / "weights.pth")
    (folder / "network.pt").write_bytes(b"\x08\x08\x12\x07pytorch\x1a\x062.13.0:" + bytes(30))
    return {
        "weights.pt": "weights alone (a state dictionary)", "weights.pt2": "weights alone (a state dictionary)",
        "module.pt": "a pickled module", "own.pt": "is a pickle", "old.pt": "is a pickle", "plain.pt": "is a pickle",
        "script.pt2": "is TorchScript, and .pt2 is the suffix of programs of torch.export; rename it to .pt",
        "weights.pth": "weights alone (safetensors)", "network.pt": "is an ONNX file; write onnx:",
    }  # fmt: skip


@pytest.mark.parametrize("trust", [False, True])
def test_files_of_other_kinds_are_named_before_anything_is_said_of_trust(tmp_path, trust):
    for name, said in files_of_other_kinds(tmp_path).items():
        told = []
        with telling_trust(told.append), pytest.raises(UsageError) as error:
            load_classifier(f"torch:{tmp_path / name}?scores=logits", trust=trust)
        assert f"{name} " in str(error.value)
        assert said in str(error.value)
        assert not told
        assert not isinstance(error.value, TrustError)
