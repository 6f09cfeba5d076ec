"""Programs of torch.export in files: what is proved about one is what is proved about the module that it was made of."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adversarial import FeatureGuidedAttack, fewest_pixels
from adversarial.audit import AuditImage, audit_images
from saywhy_core.classifiers import load_classifier


def small(torch):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(2 * 16, 3)
    ).eval()  # fmt: skip


@pytest.mark.parametrize("form", ["logits", "probabilities", "prepared"])
def test_a_saved_program_is_proved_like_its_module(tmp_path, form):
    torch = pytest.importorskip("torch")
    module = small(torch)
    saved = torch.nn.Sequential(module, torch.nn.Softmax(1)).eval() if form == "probabilities" else module
    program = torch.export.export(saved, (torch.zeros(2, 1, 6, 6),), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(program, tmp_path / "small.pt2")
    options = {"scores": "probabilities" if form == "probabilities" else "logits"}
    if form == "prepared":
        options |= {"mean": 0.4, "std": 0.5}

        class Whole(torch.nn.Module):
            def forward(self, images):
                return module((images - 0.4) / 0.5)

        saved = Whole().eval()
    classifier = load_classifier(f"torch:{tmp_path / 'small.pt2'}", device="cpu", **options)
    image = np.random.default_rng(0).random((6, 6, 1)).astype(np.float32)
    label = int(classifier(image[None])[0].argmax())
    outcome = audit_images(
        classifier, [AuditImage("one", image, label)], tmp_path / "out", FeatureGuidedAttack(budget=60, levels=None),
        prove=5.0, prove_pixels=1,
    )  # fmt: skip
    assert not outcome.problems
    proof = json.loads((tmp_path / "out" / "one" / "result.json").read_text(encoding="utf-8"))["proof"]
    with np.load(tmp_path / "out" / "one" / "images.npz") as pictures:
        found = pictures["adversarial"]
    bound = fewest_pixels(saved, image, label, at_most=1, seconds=5.0, adversarial=found)
    assert (proof["lower"], proof["upper"]) == (bound.lower, bound.upper)
    assert proof["proof"]["finished"]
    assert bound.proof.finished
