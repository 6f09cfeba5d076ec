"""The proofs themselves, end to end on a small network: what they say holds for every single pixel that is tried."""

from __future__ import annotations

import json

import numpy as np

from adversarial import FeatureGuidedAttack
from adversarial.audit import AuditImage, audit_images
from saywhy_core.classifiers import TorchClassifier


def test_a_small_network_is_proved_beside_its_attack(tmp_path):
    import torch

    torch.manual_seed(3)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3 * 9, 3)
    ).eval()  # fmt: skip
    with torch.no_grad():
        module[-1].weight *= 2
    classifier = TorchClassifier(module, mean=0.5, std=0.5, identity="small", device="cpu")
    images = np.random.default_rng(0).random((3, 5, 5, 1)).astype(np.float32)
    labels = classifier(images).argmax(axis=1)
    told, shares = {}, []
    outcome = audit_images(
        classifier, [AuditImage(f"i{place}", images[place], int(labels[place])) for place in range(3)], tmp_path,
        FeatureGuidedAttack(budget=60, levels=None), prove=5.0, prove_pixels=1, on_proof=told.__setitem__,
        on_proving=lambda done, total: shares.append((done, total)),
    )  # fmt: skip
    assert not outcome.problems
    assert set(told) == {"i0", "i1", "i2"}
    assert shares[-1] == (3_000, 3_000)
    grid = np.linspace(0, 1, 21, dtype=np.float32)
    for place in range(3):
        record = json.loads((tmp_path / f"i{place}" / "result.json").read_text(encoding="utf-8"))
        tried = np.repeat(images[place][None], 25 * 21, axis=0)
        spots = np.arange(25 * 21)
        tried[spots, (spots // 21) // 5, (spots // 21) % 5, 0] = grid[spots % 21]
        flips = bool((classifier(tried).argmax(axis=1) != labels[place]).any())
        proof = record["proof"]
        assert proof["statement"] == told[f"i{place}"]
        assert proof["lower"] == (1 if flips else 2)
        assert proof["upper"] is None or proof["lower"] <= proof["upper"] <= record["changed_pixels"]
        if flips:
            assert proof["exact"]
