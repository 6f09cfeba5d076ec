"""The proofs themselves, end to end on a small network: what they say holds for every single pixel that is tried."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adversarial import FeatureGuidedAttack
from adversarial.audit import Audit, AuditImage, audit_images
from saywhy_core.classifiers import TorchClassifier
from saywhy_core.errors import UsageError


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
    assert shares[-1] == (3, 3)
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


def plain(torch, *first):
    torch.manual_seed(3)
    module = torch.nn.Sequential(*first, torch.nn.Flatten(), torch.nn.Linear(16, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    return TorchClassifier(module.eval(), identity="plain", device="cpu")


@pytest.mark.parametrize("kind", ["damaged", "foreign"])
def test_a_journal_that_does_not_fit_costs_one_image_its_start_alone(tmp_path, kind):
    torch = pytest.importorskip("torch")
    classifier = plain(torch)
    pictures = np.random.default_rng(0).random((2, 4, 4, 1)).astype(np.float32)
    labels = classifier(pictures).argmax(axis=1)
    images = [AuditImage(f"i{place}", pictures[place], int(labels[place])) for place in range(2)]
    attack = FeatureGuidedAttack(budget=40, levels=None)
    audit_images(classifier, images, tmp_path, attack)
    journal = tmp_path / "i0" / "proof.journal"
    if kind == "damaged":
        journal.write_bytes(b"x" * 300)
    else:
        from adversarial import fewest_pixels

        other = 1 - pictures[0]
        fewest_pixels(classifier.network.network, other, int(classifier(other[None]).argmax()), seconds=1, journal=journal)
    told = {}
    outcome = audit_images(
        classifier, images, tmp_path, attack, prove=5.0, prove_pixels=1, on_proof=lambda name, said: told.update({name: said})
    )
    assert not outcome.problems
    assert outcome.proofs == 2
    assert "began anew" in told["i0"]
    assert "began anew" not in told["i1"]
    again = audit_images(
        classifier, images, tmp_path, attack, prove=5.0, prove_pixels=1, on_proof=lambda name, said: told.update({name: said})
    )
    assert again.proofs == 0
    for name in ("i0", "i1"):
        record = json.loads((tmp_path / name / "result.json").read_text(encoding="utf-8"))
        assert told[name] == record["proof"]["statement"]  # what was proved before is told again


def test_a_network_with_another_operation_is_refused_before_anything_is_asked(tmp_path):
    torch = pytest.importorskip("torch")
    classifier = plain(torch, torch.nn.Sigmoid())
    image = AuditImage("one", np.full((4, 4, 1), 0.5, np.float32))
    with pytest.raises(UsageError, match=r"prove.*sigmoid"):
        audit_images(classifier, [image], tmp_path / "out", FeatureGuidedAttack(budget=40), prove=5.0)
    assert not (tmp_path / "out").exists()
    np.save(tmp_path / "one.npy", image.pixels)
    with pytest.raises(UsageError, match=r"prove.*sigmoid"):
        Audit(tmp_path / "audit").run([tmp_path / "one.npy"], target=classifier, budget=40, prove=5.0)
    assert not (tmp_path / "audit").exists()
    assert classifier.queries == 0
