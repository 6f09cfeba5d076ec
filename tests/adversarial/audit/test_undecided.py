"""Images whose decision the noise of a classifier leaves open count neither as held nor as turned."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier
from adversarial.attack import FeatureGuidedAttack
from adversarial.audit import Audit, AuditPaused, AuditStore
from adversarial.audit.comparing.pairing import JUDGED
from adversarial.audit.gathering import AuditImage
from adversarial.audit.image_folders.runner import audit_images
from adversarial.audit.summary import summarize_audit
from saywhy_core.images import read_image
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


@pytest.mark.parametrize("kind", ["raises", "not finite"])
@pytest.mark.parametrize("count", [1, 11])
def test_images_that_fail_by_themselves_fail_also_where_no_other_is_left(tmp_path, kind, count):
    """The originals are answered, and changed images are not."""

    def predict(batch):
        changed = np.array([not any(np.array_equal(image, original) for original in originals) for image in batch])
        if kind == "raises" and changed.any():
            raise RuntimeError("no such picture")
        return np.where(changed[:, None], np.nan, np.tile([2.0, 1.0], (len(batch), 1)))

    originals = []
    source = pictures(tmp_path / "set", count)
    for file in sorted(source.glob("*/*.png")):
        originals.append(read_image(file).astype(np.float32))
    target = CallableClassifier(predict)
    settings = {"budget": 30, "weather": (), "batch_size": 4}
    for again in (False, True):
        status = Audit(tmp_path / "a").run([source], target=target, labels="classifier", retry_failed=again, **settings)
        assert status.counts["failed"] == count
    assert "scores that are not finite" in status.problems[0].what or "no such picture" in status.problems[0].what


def test_a_classifier_that_is_broken_by_then_still_pauses_the_audit(tmp_path):
    asked = []

    def predict(batch):
        asked.append(len(batch))
        if sum(asked) > 40:
            raise RuntimeError("out of memory")
        return np.stack([np.full(len(batch), 0.6), batch[:, 3:5, 3:5].mean(axis=(1, 2, 3))], axis=1)

    settings = {"budget": 40, "weather": (), "batch_size": 4}
    with pytest.raises(AuditPaused, match="out of memory"):
        Audit(tmp_path / "a").run([pictures(tmp_path / "set", 4)], target=CallableClassifier(predict), **settings)
