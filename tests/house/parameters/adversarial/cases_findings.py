"""Findings in words and files."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later
from parameters.networks import (
    CORNER,
    IMAGES,
    NAMES,
    RESULT,
)

from adversarial import AttackResult
from verbalize import PixelSaliency, Query


def finding(label=0, pixels=((3, 3), (3, 4))):
    changed = IMAGES[0].copy()
    for y, x in pixels:
        changed[y, x] = 1 - np.round(changed[y, x])
    from adversarial.distances import all_distances

    distances = all_distances(IMAGES[0], changed)
    kept = {"label": label, "adversarial": changed, "distance": distances["l0"], "distances": distances}
    return AttackResult(**{**RESULT, **kept})


FOUND, OTHER = finding(), finding(2, ((9, 9),))
case("adversarial.findings.changed_mask", {"result": FOUND}, result=OTHER)
case("adversarial.findings.class_name", {"index": 0, "class_names": NAMES}, index=1, class_names=NAMES[::-1])
case("adversarial.findings.finding_in_words", {"result": FOUND}, result=OTHER, class_names=NAMES, budget=99)
case(
    "adversarial.findings.finding_record",
    {"result": FOUND},
    result=OTHER,
    class_names=NAMES,
    budget=99,
    settings={"seed": 1},
    survives={"png": True},
)
case(
    "adversarial.findings.touched_in_words",
    {"result": FOUND},
    result=AttackResult(**{**RESULT, "touched": PixelSaliency(CORNER[::-1], Query("x", ("y",)), signed=False)}),
)
case(
    "adversarial.findings.write_finding",
    {"result": FOUND, "directory": later(lambda tools: tools.folder / "a")},
    lambda made, tools, arguments: (
        made,
        [(path.name, path.read_bytes()) for path in sorted(tools.folder.rglob("*.*"))],
        sorted(path.name for path in tools.folder.iterdir()),
    ),
    result=OTHER,
    directory=later(lambda tools: tools.folder / "b"),
    class_names=NAMES,
    budget=99,
    settings={"seed": 1},
    survives={"png": True},
)
