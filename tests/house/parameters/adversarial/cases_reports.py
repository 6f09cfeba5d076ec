"""Reports of audits, their figures, and sentences about findings that are checked."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record

from adversarial.audit import AuditStore, ImageRecord
from adversarial.audit.records import ImageArrays
from adversarial.findings import FindingFacts, ProofFacts

PIXELS = np.zeros((6, 6, 3), np.float32)
CHANGED = PIXELS.copy()
CHANGED[0, 0] = 1


def audit(tools, name="audit", **changes):
    """An audit of two images, one of them turned by a change of one pixel."""
    shared = {"path": "a.png", "label": 0, "label_name": "stop", "norm": "l0", "queries": 9, "search_queries": 9}
    turned = {
        "status": "found", "adversarial_label": 1, "adversarial_name": "yield", "distance": 1.0, "found_after": 5,
        "sentence": "Changing 1 pixel at the upper left turns 'stop' into 'yield'.", "place": "upper left", **changes,
    }  # fmt: skip
    with AuditStore(tools.folder / name, write=True) as store:
        store.tell(settings={"budget": 9, "distance": "l0"}, class_names=["stop", "yield"])
        arrays = ImageArrays(PIXELS, CHANGED, None, np.eye(6, dtype=np.float32))
        store.write(ImageRecord(id=1, name="a", **shared, **turned), (), arrays)
        store.write(ImageRecord(id=2, name="b", status="held", **shared))
    return AuditStore(tools.folder / name)


def other(tools):
    return audit(tools, "other", adversarial_name="danger")


def written(paths, tools, arguments):
    return [(path.name, path.read_bytes()) for path in paths], sorted(path.name for path in tools.folder.rglob("*"))


WRITE = {"store": later(audit), "formats": ["junit"]}
case(
    "adversarial.audit.reporters.write_reports", WRITE, written,
    store=later(other), formats=["csv"], out=later(lambda tools: tools.folder / "out"), fragile_below=2.0,
)  # fmt: skip
case("adversarial.audit.reporters.write_reports", {**WRITE, "formats": ["json"]}, written, pictures=0)
record(
    "adversarial.audit.reporters.Reporter",
    {"summary": "a", "suffix": ".a", "write": print},
    summary="b",
    suffix=".b",
    write=len,
    uses=("pictures",),
)
case(
    "adversarial.audit.summary.summarize_audit",
    {"store": later(audit)},
    lambda summary, tools, arguments: (summary.flips, len(summary.fragile)),
    store=later(other),
    pictures=0,
)
case("adversarial.audit.summary.held_by_distance", {"distances": [1.0, None]}, distances=[2.0, None], wrong=1)
case("adversarial.audit.summary.held_by_queries", {"outcomes": [(1, True), (2, False)]}, outcomes=[(1, True), (2, True)])
case("adversarial.audit.summary.median_of", {"distances": [1.0, 2.0]}, distances=[3.0, 4.0])
case("adversarial.audit.summary.wilson", {"count": 1, "of": 3}, count=2, of=4)

TEXT = "Changing 1 pixel at the upper left turns 'stop' into 'yield'."
FACTS = {
    "success": True, "label": "'stop'", "now": "'yield'", "queries": 9, "norm": "l0", "original": PIXELS, "adversarial": CHANGED,
}  # fmt: skip
case(
    "adversarial.findings.check_finding",
    {"text": TEXT, "facts": FindingFacts(**FACTS)},
    text=TEXT.replace("1", "2"),
    facts=FindingFacts(**{**FACTS, "label": "'danger'"}),
)
record(
    "adversarial.findings.FindingFacts",
    FACTS,
    success=False,
    label="'danger'",
    now="'danger'",
    queries=8,
    norm="l2",
    goal="'yield'",
    budget=9,
    found_after=3,
    original=CHANGED,
    adversarial=PIXELS,
    touched=np.eye(6),
    labels=frozenset(("'stop'",)),
    features=(3, 2, 1),
    exhausted=True,
    proof=ProofFacts(lower=2, upper=3, condition="for this ONNX file"),
)
record(
    "adversarial.findings.ProofFacts",
    {"lower": 2, "upper": 5, "condition": "for this ONNX file"},
    lower=3,
    upper=4,
    condition="for this torch module",
    now="'yield'",
    still_open=0.5,
    image_pixels=9,
)
record(
    "adversarial.findings.FindingClaim",
    {"kind": "count", "said": "1", "verdict": "true"},
    kind="place",
    said="2",
    verdict="false",
    known="1",
)
record(
    "adversarial.findings.FindingSentence",
    {"text": "a", "claims": (), "verdict": "true"},
    text="b",
    claims=(1,),
    verdict="false",
)
