"""Audits of a folder of images, their plans and their databases."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.networks import IMAGES, NAMES, OTHER_IMAGES, classifier, network, other_network

from adversarial.audit import (
    Audit,
    AuditSettings,
    AuditStore,
    ImageArrays,
    ImageRecord,
    ProofRecord,
    ProofTotals,
    WeatherRecord,
)
from saywhy_core.errors import Problem

QUICK = {"budget": 12, "weather": (), "survival": False}
record(
    "adversarial.audit.AuditPlan",
    {"images": 1, "waiting": 1, "queries_per_image": 1, "queries": 1, "seconds": None, "cost": None, "problems": ()},
    images=2, waiting=2, queries_per_image=2, queries=2, seconds=1.0, cost=1.0, timing=64, problems=(Problem("a", "b"),),
    proving=2.0, proofs=3, provers=2,
)  # fmt: skip
record(
    "adversarial.audit.AuditStatus",
    {"counts": {"waiting": 1}, "begun": 0, "queries": 1, "settings": {}, "problems": ()},
    counts={"waiting": 2}, begun=1, queries=2, settings={"seed": 1}, problems=(Problem("a", "b"),),
    proofs=ProofTotals(1, 1, 0, 0, 0), unproved=(Problem("a", "b"),), remarks=(Problem("a", "b"),),
)  # fmt: skip
NO_PROOFS = {"made": 0, "exact": 0, "stopped": 0, "timed_out": 0, "missing": 0}
record("adversarial.audit.ProofTotals", NO_PROOFS, made=1, exact=1, stopped=1, timed_out=1, missing=1)
record(
    "adversarial.audit.AuditSettings",
    {},
    options={"threads": 1}, distance="l2", budget=7, seed=1, goal=1, player_two="random", manipulation="corners",
    attack="waves", density="uniform", tree="mcts", batch_size=3, levels=256, tolerate_noise=True, weather=("blur",),
    severities=(2,), survival=False, resize="8x8", prove=1.0,
)  # fmt: skip
record("adversarial.audit.AuditSettings", {"prove": 1.0}, prove_pixels=2)
ROW = ImageRecord(id=1, name="a", path="a.png")
record(
    "adversarial.audit.ImageRecord",
    {"id": 1, "name": "a", "path": "a.png"},
    id=2, name="b", path="b.png", part=1, status="found", label=1, label_name="x", predicted=1, predicted_name="x",
    adversarial_label=1, adversarial_name="x", confidence=0.5, norm="l0", distance=1.0, distances={"l0": 1.0}, queries=1,
    search_queries=1, found_after=1, trace=((1, 1.0),), changed_pixels=1, place="in the centre", sentence="a", touched="a",
    survives={"png": True}, height=1, width=1, channels=1, pixels="a", digest="a", note="a", error="a", file="a",
)  # fmt: skip
WET = {"image": 1, "kind": "blur", "severity": 1, "value": 1.0, "predicted": 1, "confidence": None, "flipped": False}
record(
    "adversarial.audit.WeatherRecord", WET,
    image=2, kind="noise", severity=2, value=2.0, predicted=2, confidence=0.5, flipped=True,
)  # fmt: skip
MAP = np.ones((12, 12), dtype=np.float32)
record(
    "adversarial.audit.ImageArrays", {"original": IMAGES[0]},
    original=IMAGES[1], adversarial=IMAGES[1], density=MAP, touched=MAP,
)  # fmt: skip


def arrays(number, images=IMAGES, labels=(0, 0)):
    """A file with a few images."""

    def made(tools):
        np.savez(tools.folder / f"set{number}.npz", images=images, labels=np.array(labels))
        return [tools.folder / f"set{number}.npz"]

    return later(made)


def audited(tools):
    """The rows of the audit that was made in the folder."""
    if not (tools.folder / "audit" / "audit.sqlite").exists():
        return None
    with AuditStore(tools.folder / "audit") as store:
        return list(store.images()), list(store.weather()), store.about


def seen(result, tools, arguments):
    """What an audit returns and leaves behind."""
    return result, audited(tools)


def table(tools):
    (tools.folder / "labels.txt").write_text("1\n1\n")
    return tools.folder / "labels.txt"


def long_table(tools):
    (tools.folder / "labels.txt").write_text("1\n1\n1\n")
    return tools.folder / "labels.txt"


SELF = later(lambda tools: Audit(tools.folder / "audit"))
RUN = {"self": SELF, "images": arrays(0), "target": later(classifier), **QUICK}
OTHER = {
    "images": arrays(1, OTHER_IMAGES), "target": later(lambda tools: classifier(tools, other_network)),
    "labels": later(table), "label": 2, "class_names": NAMES, "trust": True, "budget": 13,
}  # fmt: skip
case(
    "adversarial.audit.Audit.plan", RUN, lambda plan, tools, arguments: (plan.images, plan.queries, plan.cost), price=0.5,
    engine="none", engine_options={"workers": 2},
)  # fmt: skip
case(
    "adversarial.audit.Audit.plan",
    {**RUN, "target": "demo:signs"},
    **{**OTHER, "images": arrays(1, IMAGES[:1], (0,)), "label": "none", "labels": later(long_table)},
)
case(
    "adversarial.audit.Audit.run", RUN, seen,
    **OTHER, engine="none", engine_options={"workers": 2}, max_queries=5,
    on_plan=later(lambda tools: lambda plan: tools.record(plan.images)),
    on_finding=later(lambda tools: lambda outcome: tools.record(outcome.record.name)),
    on_progress=later(lambda tools: tools.record),
)  # fmt: skip


def priced(tools):
    return lambda plan: tools.record(plan.cost)


case("adversarial.audit.Audit.run", {**RUN, "on_plan": later(priced)}, seen, price=0.5)


def failed(tools):
    """An audit in which the only image failed, because its file was no picture; now it is one."""
    file = tools.folder / "a.npy"
    file.write_bytes(b"nothing")
    Audit(tools.folder / "audit").run([file], target=classifier(tools), **QUICK)
    np.save(file, IMAGES[0])
    tools.recorded.clear()
    return Audit(tools.folder / "audit")


case("adversarial.audit.Audit.run", {"self": later(failed), "target": later(classifier)}, seen, retry_failed=True)
case("adversarial.audit.Audit", {"directory": "a"}, lambda audit, tools, arguments: audit.directory, directory="b")


def store(tools):
    """A database with one image."""
    made = AuditStore(tools.folder, write=True)
    made.add([ROW])
    return made


def rows(result, tools, arguments):
    """What a database holds."""
    held = arguments["self"]
    return list(held.images()), list(held.weather()), held.about


def two(tools):
    """A database with two images."""
    made = store(tools)
    made.add([ImageRecord(id=2, name="b", path="b")])
    return made


STORE = {"self": later(store)}
case(
    "adversarial.audit.AuditStore", {"directory": later(lambda tools: store(tools).directory), "write": True},
    lambda store, tools, arguments: (store.tell(a=1), store.counts()),
    directory=later(lambda tools: tools.folder / "none"), write=False,
)  # fmt: skip
case("adversarial.audit.AuditStore.tell", {**STORE, "a": 1}, rows, b=2)
case("adversarial.audit.AuditStore.images", STORE, lambda found, tools, arguments: list(found), statuses=("found",))
case(
    "adversarial.audit.AuditStore.image",
    {"self": later(two), "number": 1},
    lambda found, tools, arguments: found.name,
    number=2,
)
PROVED = {
    "image": 1, "lower": 2, "upper": 5, "sentence": "a", "condition": "b", "network": "c", "asked": 3, "allowed": 9.0,
    "ended": True, "finished": False, "share": 0.5, "blocks": 7, "seconds": 9.0, "rounding": 1e-5,
}  # fmt: skip
record(
    "adversarial.audit.ProofRecord", PROVED, image=2, lower=3, upper=4, sentence="b", condition="c", network="d", asked=4,
    digest="0a1b", allowed=8.0, ended=False, finished=True, share=0.75, blocks=8, seconds=8.0, rounding=1e-4, adversarial_label=1,
    adversarial_name="yield", changed="[]",
)  # fmt: skip
case(
    "adversarial.audit.AuditStore.write_proof", {**STORE, "record": ProofRecord(**PROVED)},
    lambda found, tools, arguments: list(arguments["self"].proofs()), record=ProofRecord(**{**PROVED, "lower": 3}),
)  # fmt: skip
case("adversarial.audit.AuditStore.add", {**STORE, "records": []}, rows, records=[ImageRecord(id=2, name="b", path="b")])
case(
    "adversarial.audit.AuditStore.write", {**STORE, "record": ROW}, rows,
    record=ImageRecord(id=1, name="a", path="a.png", status="held"), weather=[WeatherRecord(**WET)],
    arrays=ImageArrays(IMAGES[0]),
)  # fmt: skip
case(
    "adversarial.audit.AuditStore.answers_file", {**STORE, "record": ROW},
    lambda found, tools, arguments: found.name, record=ImageRecord(id=2, name="b", path="b"),
)  # fmt: skip


case(
    "adversarial.audit.AuditStore.move", {"self": later(two), "record": ROW, "path": "x.png", "part": None}, rows,
    record=ImageRecord(id=2, name="b", path="b"), path="y.png", part=1,
)  # fmt: skip
case("adversarial.audit.AuditStore.stamp", {"self": later(two), "stamps": {1: (2, 3)}},
     lambda result, tools, arguments: arguments["self"].stamps(), stamps={1: (2, 4)})  # fmt: skip


def kept(tools):
    """The row of an image whose arrays are kept."""
    with AuditStore(tools.folder, write=True) as made:
        return made.write(ROW, arrays=ImageArrays(IMAGES[0]))


case(
    "adversarial.audit.AuditStore.arrays", {"self": later(store), "record": ROW},
    lambda found, tools, arguments: None if found is None else found.original, record=later(kept),
)  # fmt: skip
case(
    "adversarial.audit.AuditSettings.search", {"self": AuditSettings(levels=None), "classifier": later(classifier)},
    lambda attack, tools, arguments: attack.budget, classifier=later(lambda tools: Coarse(network)),
)  # fmt: skip
case(
    "adversarial.audit.AuditSettings.goal_index", {"self": AuditSettings(goal="yield"), "class_names": NAMES}, class_names=None
)
case(
    "adversarial.audit.AuditSettings.size", {"self": AuditSettings(resize="auto"), "classifier": later(lambda tools: sized(tools))},
    classifier=later(classifier),
)  # fmt: skip


class Coarse:
    """A classifier with a level count that no attack takes."""

    levels, scores = 1, "logits"

    def __init__(self, predict):
        self.predict = predict


def sized(tools):
    made = classifier(tools)
    made.image_shape = (12, 12, 3)
    return made
