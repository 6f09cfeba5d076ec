"""Asking again never makes a bound worse: more pixels, less time, damaged or missing journals and databases."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest

from adversarial import FeatureGuidedAttack
from adversarial.audit import Audit, AuditImage, AuditStore, audit_images
from saywhy_core.classifiers import TorchClassifier

ONES = np.ones((2, 3, 1), np.float32)
NO_TIME = 1e-6


@pytest.fixture(scope="module")
def classifier():
    """The sum of six pixels, against 2: of an image of ones, five pixels must be lost."""
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[1.0] * 6, [0.0] * 6]))
        module[1].bias.copy_(torch.tensor([0.0, 1.5]))
        module[3].weight.copy_(torch.eye(2))
        module[3].bias.zero_()
    return TorchClassifier(module.eval(), identity="sum", device="cpu")


@pytest.fixture
def attack(classifier, tmp_path):
    """`attack(seconds, pixels)`: both bounds as the folder of the image holds them, and what was said."""

    def run(seconds, pixels):
        told = []
        outcome = audit_images(
            classifier, [AuditImage("one", ONES, 0)], tmp_path, FeatureGuidedAttack(budget=60, levels=None), prove=seconds,
            prove_pixels=pixels, on_proof=lambda _, said: told.append(said),
        )  # fmt: skip
        assert not outcome.problems
        proof = json.loads((tmp_path / "one" / "result.json").read_text(encoding="utf-8"))["proof"]
        with AuditStore(tmp_path) as store:
            (row,) = store.proofs()
        assert (row.lower, row.upper) == (proof["lower"], proof["upper"])
        return row.lower, row.upper, told[0]

    return run


def change(folder, sql):
    with sqlite3.connect(folder / "audit.sqlite") as database:
        database.execute(sql)


def test_more_pixels_with_little_time_keep_what_was_proved(attack):
    assert attack(20.0, 2)[:2] == (3, 5)
    assert attack(NO_TIME, 3)[:2] == (3, 5)
    assert attack(20.0, 1)[:2] == (3, 5)
    assert attack(20.0, 6)[:2] == (5, 5)


def test_a_damaged_journal_and_a_lost_database_cost_no_bound(attack, tmp_path):
    attack(20.0, 2)
    for lost in (False, True):
        (tmp_path / "one" / "proof.journal").write_text("garbage", encoding="utf-8")
        if lost:
            (tmp_path / "audit.sqlite").unlink()
        lower, upper, said = attack(NO_TIME * (1 + lost), 4)
        assert (lower, upper) == (3, 5)
        assert "went on from the bounds" in said


def test_a_row_that_was_changed_by_hand_proves_nothing(attack, tmp_path):
    attack(20.0, 2)
    change(tmp_path, "UPDATE proofs SET lower = 4, ended = 0")
    (tmp_path / "one" / "proof.journal").unlink(missing_ok=True)
    lower, upper, said = attack(NO_TIME, 4)
    assert (lower, upper) == (1, 5)
    assert "began anew" in said
    file = tmp_path / "one" / "result.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    for wrong in (
        {**record["proof"], "lower": 5},
        {"lower": 5},
        [5],
        "5",
        {**record["proof"], "changed": [[0, 0]], "proof": None},
    ):
        file.write_text(json.dumps({**record, "proof": wrong}, indent=1), encoding="utf-8")
        (tmp_path / "one" / "proof.journal").unlink(missing_ok=True)
        (tmp_path / "audit.sqlite").unlink()
        assert attack(NO_TIME, 4)[:2] == (1, 5)


def test_an_audit_keeps_its_bounds_also_one_of_before_digests(classifier, tmp_path):
    np.savez(tmp_path / "one.npz", images=ONES[None], labels=np.array([0]))
    folder = tmp_path / "audit"

    def run(seconds, pixels, *images):
        Audit(folder).run(
            *images, target=classifier, budget=60, weather=(), survival=False, prove=seconds, prove_pixels=pixels
        )  # fmt: skip
        with AuditStore(folder) as store:
            return [(row.lower, row.upper) for row in store.proofs()]

    assert run(20.0, 2, [tmp_path / "one.npz"]) == [(3, 5)]
    assert run(NO_TIME, 3) == [(3, 5)]
    (folder / "proofs").mkdir(exist_ok=True)
    (folder / "proofs" / "000001.journal").write_text("garbage", encoding="utf-8")
    assert run(NO_TIME, 4) == [(3, 5)]
    change(folder, "ALTER TABLE proofs DROP COLUMN digest")
    with AuditStore(folder) as store:
        assert [row.digest for row in store.proofs()] == [""]
    assert run(20.0, 6) == [(5, 5)]
    with AuditStore(folder) as store:
        assert all(row.digest for row in store.proofs())
