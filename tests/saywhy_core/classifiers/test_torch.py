"""TorchScript files and exported programs as targets."""

from __future__ import annotations

import numpy as np
import pytest

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError


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
    with pytest.raises(UsageError, match="neither TorchScript"):
        load_classifier(f"torch:{tmp_path / 'state.pt'}", scores="logits", trust=True)
