"""Optimised prompts beside plain alternatives."""

from __future__ import annotations

from parameters.harness import case, later, record
from parameters.space import EMBEDDED, LABELS, LIBRARY, NAMES, SPACE, TURNED

from evals.prompts import wilson
from evals.prompts.alternatives import Improvement, MethodRow

ROW = {
    "name": "probe", "words": "a probe", "held_out": None, "test": None, "better": 0, "worse": 0, "p": 1.0, "ahead": 0,
    "behind": 0, "p_prompts": 1.0, "broken": 0,
    "shots": 4, "requests": 0, "seconds": 1.0,
}  # fmt: skip
record(
    "evals.prompts.alternatives.MethodRow",
    ROW,
    name="prompts", words="prompts", held_out=wilson(1, 2), test=wilson(1, 2), better=1, worse=1, p=0.5, ahead=1, behind=1,
    p_prompts=0.5, broken=1, shots=5,
    requests=1, seconds=2.0,
)  # fmt: skip
case(
    "evals.prompts.alternatives.table_text",
    {"rows": [MethodRow(**ROW)], "chosen": "prompts"},
    rows=[],
    chosen="probe",
    pinned=1,
)
FOUND = {
    "method": "probe", "reason": "why", "prompts": None, "classifier": None, "rows": (), "folds": 0, "pinned": 0, "decisions": {},
}  # fmt: skip
record(
    "evals.prompts.alternatives.Improvement",
    FOUND,
    method="prompts", reason="because", prompts=1, classifier=1, rows=(MethodRow(**ROW),), folds=2, pinned=1,
    decisions={"probe": LABELS}, absent=("cat",),
)  # fmt: skip
QUICK = {"templates": ["a {}", "the {}"], "template_steps": 1, "rounds": 1, "groups": 1, "steps": 1, "children": 2}


def seen(found: Improvement, tools, arguments):
    state = arguments.get("state")
    table = [(row.name, row.held_out, row.test, row.broken) for row in found.rows]
    return found.method, found.prompts.prompts, found.prompts.candidates, table, found.pinned, bool(state and state.exists())


case(
    "evals.prompts.alternatives.improve_prompts",
    {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED, "labels": LABELS, "folds": 2, **QUICK},
    seen,
    encoder=TURNED,
    class_names=NAMES[::-1],
    embeddings=-EMBEDDED,
    labels=LABELS[::-1],
    library=LIBRARY,
    method="probe",
    folds=3,
    repeats=2,
    searches=2,
    seed=1,
    template="{}",
    must_not_break=(EMBEDDED, LABELS),
    test=(EMBEDDED, LABELS),
    state=later(lambda tools: tools.folder / "state"),
    progress=later(lambda tools: tools.record),
    beam=1,
)
case(
    "evals.prompts.alternatives.improve_prompts",
    {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED, "labels": LABELS, "folds": 0, **QUICK},
    seen,
    texts_only=True,
)
