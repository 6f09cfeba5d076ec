"""Audits: two small images, a small network, a folder of findings."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
from parameters.harness import case, later, record
from parameters.networks import CORNER, IMAGES, LABELS, NAMES, OTHER_IMAGES, classifier, network, other_network

from adversarial import AttackStopped, FeatureGuidedAttack
from adversarial.audit import AuditImage, ResultFolder, audit_images
from saywhy_core.errors import Problem

ATTACK = FeatureGuidedAttack(budget=30)
record("adversarial.audit.AuditImage", {"name": "a", "pixels": IMAGES[0]}, name="b", pixels=IMAGES[1], label=1, source="a.png")
record(
    "adversarial.audit.AuditOutcome",
    {"written": 0, "kept": 0, "problems": ()},
    written=1,
    kept=1,
    problems=(Problem("a", "b"),),
    resumed=1,
    proofs=1,
    unproved=(Problem("a", "b"),),
)
case(
    "adversarial.audit.MapDensity",
    {"values": CORNER},
    lambda density, tools, arguments: (density(IMAGES[0]).density, density(IMAGES[0]).sample(3), density.digest),
    values=CORNER[::-1],
    seed=1,
)


def finished(tools):
    """A folder with a finished finding of the digest "d"."""
    (tools.folder / "a").mkdir()
    (tools.folder / "a" / "result.json").write_text(json.dumps({"settings": {"digest": "d", "finished": True}}))
    return tools.folder / "a"


case(
    "adversarial.audit.ResultFolder",
    {"path": later(finished), "digest": "d"},
    lambda folder, tools, arguments: folder.finished,
    path=later(lambda tools: tools.folder / "b"),
    digest="e",
)


def unfinished_folder(tools):
    """A folder with an unfinished finding of the digest "d" at a distance of 2 pixels."""
    (tools.folder / "a").mkdir()
    saved = {"settings": {"digest": "d", "finished": False}, "distance": {"value": 2.0}, "queries": 10}
    (tools.folder / "a" / "result.json").write_text(json.dumps(saved))
    return ResultFolder(tools.folder / "a", "d")


FARTHER, NEARER = (SimpleNamespace(distance=distance, queries=5) for distance in (3.0, 1.0))
case("adversarial.audit.ResultFolder.keeps", {"self": later(unfinished_folder), "unfinished": FARTHER}, unfinished=NEARER)


def found(outcome, tools, arguments):
    """The outcome, and every finding with its record."""
    records = sorted(tools.folder.rglob("result.json"))
    return outcome, [(str(path.relative_to(tools.folder)), json.loads(path.read_text())) for path in records]


AUDIT = {
    "classifier": later(classifier),
    "images": [AuditImage("a", IMAGES[0], int(LABELS[0]))],
    "out": later(lambda tools: tools.folder / "out"),
    "attack": ATTACK,
}
case(
    "adversarial.audit.audit_images",
    AUDIT,
    found,
    classifier=later(lambda tools: classifier(tools, other_network)),
    images=[AuditImage("a", IMAGES[1], int(LABELS[1]))],
    out=later(lambda tools: tools.folder / "elsewhere"),
    attack=FeatureGuidedAttack(budget=40),
    goal=int(LABELS[0] + 1) % 5,
    class_names=NAMES,
    target="onnx:a",
    options={"a": 1},
    on_finding=later(lambda tools: tools.record),
    on_progress=later(lambda tools: tools.record),
    prove=1.0,
    prove_pixels=2,
)


def audited(tools):
    """A folder in which an earlier run has left its finding."""
    audit_images(classifier(tools), AUDIT["images"], tools.folder / "out", ATTACK)
    tools.recorded.clear()
    return tools.folder / "out"


case("adversarial.audit.audit_images", {**AUDIT, "out": later(audited)}, found, force=True)


def begun(tools):
    """A folder in which an earlier run has begun its image: it was interrupted in its third call of the classifier."""
    calls = []

    def stopped(images):
        calls.append(len(images))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return network(images)

    with suppress(AttackStopped):
        audit_images(classifier(tools, stopped), AUDIT["images"], tools.folder / "out", ATTACK)
    tools.recorded.clear()
    return tools.folder / "out"


case("adversarial.audit.audit_images", {**AUDIT, "out": later(begun)}, found, on_resumed=later(lambda tools: tools.record))
case(
    "adversarial.audit.audit_settings",
    {"attack": ATTACK, "classifier": later(classifier)},
    attack=FeatureGuidedAttack(budget=40),
    classifier=later(lambda tools: type("Named", (), {"scores": "probabilities", "class_names": NAMES, "identity": "mine"})()),
    goal=1,
    target="onnx:a",
    options={"a": 1},
)
case(
    "adversarial.audit.audit_settings",
    {"attack": FeatureGuidedAttack(learn=True), "classifier": later(classifier)},
    images=[AuditImage("a", IMAGES[0])],
)


def arrays(tools, images=IMAGES, name="a.npy"):
    np.save(tools.folder / name, images)
    return tools.folder / name


def labels(tools):
    (tools.folder / "labels.txt").write_text("1\n2\n")
    return tools.folder / "labels.txt"


case(
    "adversarial.audit.gather_images",
    {"paths": later(lambda tools: [arrays(tools)])},
    paths=later(lambda tools: [arrays(tools, OTHER_IMAGES)]),
    shape=(8, 8, 3),
    size=(6, 6),
    label=1,
    labels=later(labels),
)
case(
    "adversarial.audit.gather_images",
    {"paths": later(lambda tools: [arrays(tools)]), "label": "3", "class_names": NAMES},
    class_names=NAMES[:2],
)
case(
    "adversarial.audit.read_prior",
    {"path": later(lambda tools: arrays(tools, CORNER))},
    path=later(lambda tools: arrays(tools, CORNER[::-1])),
    seed=1,
)
