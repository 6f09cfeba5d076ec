"""Images whose decision the noise of a classifier leaves open count neither as held nor as turned."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier
from adversarial.attack import FeatureGuidedAttack
from adversarial.audit import Audit, AuditStore
from adversarial.audit.comparing.pairing import JUDGED
from adversarial.audit.gathering import AuditImage
from adversarial.audit.image_folders.runner import audit_images
from adversarial.audit.summary import summarize_audit
from tests.adversarial.audit.test_auditing import pictures

NOISY = {"budget": 100, "tolerate_noise": True, "weather": ["blur"], "severities": [3]}


def undecided(kind):
    """A classifier that decides nothing: each answer names one of three classes by chance."""
    rng = np.random.default_rng(0)
    return CallableClassifier(
        (lambda batch: rng.normal(size=(len(batch), 3)))
        if kind == "logits"
        else (lambda batch: rng.integers(0, 3, len(batch))),
        kind, classes=3,
    )  # fmt: skip


def restless(share):
    """The original is class 0 for sure; of the answers about any other image, a share names class 1."""
    rng = np.random.default_rng(1)

    def predict(batch):
        moved = np.ptp(batch.reshape(len(batch), -1), axis=1) > 0
        return np.where(moved & (rng.random(len(batch)) < share), 1, 0)

    return CallableClassifier(predict, "label", classes=2)


@pytest.mark.parametrize("kind", ["logits", "label"])
@pytest.mark.parametrize("distance", ["l0", "linf"])
def test_an_image_that_the_classifier_does_not_decide_is_not_held(tmp_path, kind, distance):
    source = pictures(tmp_path / "set", 2)
    target = undecided(kind)
    status = Audit(tmp_path / "a").run([source], target=target, labels="classifier", distance=distance, **NOISY)
    assert dict(status.counts) == {"waiting": 0, "found": 0, "held": 0, "wrong": 0, "failed": 2}
    assert all("does not decide the unchanged image" in problem.what for problem in status.problems)
    with AuditStore(tmp_path / "a") as store:
        assert {record.queries for record in store.images()} == {10}
        assert not list(store.weather())
        summary = summarize_audit(store)
    assert summary.attacked == 0
    assert summary.counts["failed"] == 2
    assert "failed" not in JUDGED


@pytest.mark.parametrize(("share", "open_"), [(0.0, False), (0.7, True), (1.0, False)])
def test_a_change_that_flips_some_answers_leaves_the_image_open(share, open_):
    image = np.full((1, 8, 8, 3), 0.5, dtype=np.float32)
    attack = FeatureGuidedAttack(distance="l2", budget=150, tolerate_noise=True)
    (result,) = attack.run(restless(share), image)
    assert bool(result.undecided) == open_
    assert result.success == (share == 1.0)


def test_the_command_for_single_images_calls_it_a_problem_and_asks_once(tmp_path):
    target = undecided("label")
    image = AuditImage("one", np.full((12, 12, 3), 0.5, dtype=np.float32), None)
    attack = FeatureGuidedAttack(budget=100, tolerate_noise=True)
    for _ in range(2):
        outcome = audit_images(target, [image], tmp_path / "out", attack)
        assert outcome.written == 0
        assert "does not decide" in outcome.problems[0].what
    assert target.queries == 10
    with AuditStore(tmp_path / "out") as store:
        assert [record.status for record in store.images()] == ["failed"]
