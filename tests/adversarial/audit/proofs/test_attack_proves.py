"""`saywhy attack --prove`: a proof beside each finding, kept, gone on with, and refused where nothing can be proved."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adversarial import FeatureGuidedAttack
from adversarial.audit import AuditImage, AuditStore, audit_images
from saywhy import signs
from saywhy_core.classifiers import CallableClassifier, load_classifier
from saywhy_core.errors import UsageError


@pytest.fixture(scope="module")
def classifier():
    return load_classifier("demo:signs")


@pytest.fixture(scope="module")
def images():
    pictures, labels = signs.samples()
    return [AuditImage(f"sign{place}", pictures[place], int(labels[place])) for place in (1, 2)]


def attack(classifier, images, out, **options):
    return audit_images(classifier, images, out, FeatureGuidedAttack(budget=60), **{"prove": 10.0, **options})


def record(out, name="sign1"):
    return json.loads((out / name / "result.json").read_text(encoding="utf-8"))


def rows(out):
    with AuditStore(out) as store:
        return list(store.proofs())


def test_each_image_has_its_proof_in_its_folder_and_its_row(classifier, images, tmp_path, proofs):
    told, shares = [], []
    outcome = attack(
        classifier, images, tmp_path, on_proof=lambda name, said: told.append((name, said)),
        on_proving=lambda done, total: shares.append(done / total),
    )  # fmt: skip
    assert outcome.written == 2
    assert not outcome.problems
    assert [name for name, _ in told] == ["sign1", "sign2"]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    for row, name in zip(rows(tmp_path), ("sign1", "sign2"), strict=True):
        said = record(tmp_path, name)
        assert said["proof"]["lower"] == row.lower == 2
        assert said["proof"]["upper"] == row.upper == said["changed_pixels"]
        assert said["proof"]["statement"] == row.sentence
        assert said["success"]
        assert said["version"] == 1
        assert row.ended
        assert row.finished
        assert row.changed is None
        assert row.allowed == 10.0
    assert not list(tmp_path.rglob("proof.journal"))
    assert isinstance(proofs.calls[0]["network"], type(signs.load().module()))
    assert [call["label"] for call in proofs.calls] == [images[0].label, images[1].label]


def test_proofs_can_be_added_later_and_are_not_made_again(classifier, images, tmp_path, proofs):
    attack(classifier, images, tmp_path, prove=None)
    assert not proofs.calls
    assert not rows(tmp_path)
    assert "proof" not in record(tmp_path)
    before = record(tmp_path)
    outcome = attack(classifier, images, tmp_path)
    assert (outcome.written, outcome.kept, len(proofs.calls)) == (0, 2, 2)
    after = record(tmp_path)
    assert after.pop("proof")["lower"] == 2
    assert after == before
    attack(classifier, images, tmp_path)
    attack(classifier, images, tmp_path, prove=5.0)
    assert len(proofs.calls) == 2
    attack(classifier, images, tmp_path, prove_pixels=4)
    assert [call["at_most"] for call in proofs.calls[2:]] == [4, 4]


def test_more_time_goes_on_from_what_was_proved(classifier, images, tmp_path, proofs):
    proofs.finished = False
    attack(classifier, images[:1], tmp_path)
    assert "still open when the proof stopped" in record(tmp_path)["proof"]["statement"]
    attack(classifier, images[:1], tmp_path, prove=20.0)
    assert [call["resumed"] for call in proofs.calls] == [False, True]
    assert (tmp_path / "sign1" / "proof.journal").exists()
    attack(classifier, images[:1], tmp_path, force=True)
    assert [call["resumed"] for call in proofs.calls] == [False, True, False]


def test_ctrl_c_keeps_what_was_proved(classifier, images, tmp_path, proofs):
    proofs.interrupt, proofs.finished = KeyboardInterrupt(), False
    with pytest.raises(KeyboardInterrupt):
        attack(classifier, images, tmp_path)
    (row,) = rows(tmp_path)
    assert row.lower == 2
    assert not row.ended
    assert record(tmp_path)["proof"]["lower"] == 2
    proofs.finished = True
    attack(classifier, images, tmp_path)
    assert [call["resumed"] for call in proofs.calls] == [False, True, False]
    assert all(row.ended for row in rows(tmp_path))


@pytest.mark.parametrize(
    ("options", "word"),
    [({"prove": 0}, "above 0"), ({"prove": float("nan")}, "above 0"), ({"prove": None, "prove_pixels": 2}, "without"),
     ({"prove_pixels": 0}, "at least 1"), ({"goal": 1}, "goal")],
)  # fmt: skip
def test_what_can_not_be_proved_is_refused_before_anything_is_asked(classifier, images, tmp_path, options, word):
    before = classifier.queries
    with pytest.raises(UsageError, match=word):
        attack(classifier, images, tmp_path / "out", **options)
    assert classifier.queries == before
    assert not (tmp_path / "out").exists()


def test_other_distances_and_functions_are_refused(classifier, images, tmp_path):
    with pytest.raises(UsageError, match="l0"):
        audit_images(classifier, images, tmp_path / "out", FeatureGuidedAttack(distance="l2", budget=60), prove=1.0)
    function = CallableClassifier(lambda batch: np.zeros((len(batch), 12)))
    with pytest.raises(UsageError, match="onnx:FILE"):
        attack(function, images, tmp_path / "out")
