"""Statistics of studies: estimates, differences, agreement, mixed models and the R script."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, record

from evals.study.analysis.statistics import Crossed, ScriptModel, contrast

HOME = "evals.study.analysis.statistics"
PERSON, ITEM, PLACE = (part.ravel() for part in np.indices((5, 4, 3)))
DRAWS = np.random.default_rng(0)
RATINGS = DRAWS.integers(1, 6, 60).astype(float) + PLACE * (PERSON > 1)
NAMES = {"participants": tuple("vwxyz"), "items": tuple("ijkl"), "conditions": tuple("abc")}
CODES = {"participant": PERSON, "item": ITEM, "condition": PLACE}
STUDY = Crossed(RATINGS, **CODES, **NAMES)
OTHER = STUDY.with_values(np.roll(RATINGS, 7))
UNEVEN = STUDY.where((PERSON != 1) | (ITEM < 2))


def names_of(made: Crossed) -> tuple[tuple[str, ...], ...]:
    """The names that places stand for."""
    return made.participants, made.items, made.conditions


case(
    f"{HOME}.Crossed",
    {"values": RATINGS, **CODES, **NAMES},
    lambda made, tools, given: (made.values, made.participant, made.item, made.condition, *names_of(made)),
    values=RATINGS[::-1],
    participant=PERSON[::-1],
    item=ITEM[::-1],
    condition=PLACE[::-1],
    participants=tuple("54321"),
    items=tuple("4321"),
    conditions=tuple("321"),
)
TEXTS = {"participants": list("vvww"), "items": list("ijij"), "conditions": list("abba")}
case(
    f"{HOME}.Crossed.of",
    {"values": [1, 2, 3, 4], **TEXTS},
    lambda made, tools, given: (made.values, made.participant, made.item, made.condition, *names_of(made)),
    values=[4, 3, 2, 1],
    participants=list("vwvw"),
    items=list("jjii"),
    conditions=list("aabb"),
    order=["b", "a"],
)
case(f"{HOME}.Crossed.place", {"self": STUDY, "condition": "a"}, condition="b")
case(f"{HOME}.Crossed.where", {"self": STUDY, "kept": PERSON > 1}, kept=PERSON > 2)
case(f"{HOME}.Crossed.with_values", {"self": STUDY, "values": RATINGS}, values=RATINGS + 1)
case(
    f"{HOME}.contrast",
    {"crossed": UNEVEN, "signs": ((0, 1.0),)},
    lambda made, tools, given: (made.rows, made.weights),
    crossed=STUDY,
    signs=((1, 1.0), (0, -1.0)),
    average="answers",
)
case(f"{HOME}.Contrast.spread", {"self": contrast(STUDY, ((0, 1.0),)), "values": RATINGS}, values=RATINGS[::-1])
MADE = contrast(STUDY, ((0, 1.0),))
record(
    f"{HOME}.Contrast",
    {"rows": MADE.rows, "weights": MADE.weights, **{name: None for name in vars(MADE) if name.startswith("_")}},
    rows=MADE.rows[1:],
    weights=-MADE.weights,
)
record(
    f"{HOME}.Spread",
    {"value": 1.0, "error": 1.0, "freedom": 1.0},
    value=2.0,
    error=2.0,
    freedom=2.0,
)
NUMBERS = {"mean": 0.5, "low": 0.4, "high": 0.6, "error": 0.05, "freedom": 9.0}
COUNTS = {"participants": 5, "items": 4, "answers": 20}
record(
    f"{HOME}.Estimate",
    {"condition": "a", **NUMBERS, **COUNTS},
    condition="b",
    **{name: value + 1 for name, value in (NUMBERS | COUNTS).items()},
    note="none",
)
case(
    f"{HOME}.estimate",
    {"crossed": UNEVEN, "bounds": (1, 9)},
    crossed=OTHER,
    average="answers",
    level=0.9,
    bounds=(0, 9),
    method="bootstrap",
    draws=500,  # refused: it belongs to the bootstrap
    seed=1,
)
case(f"{HOME}.estimate", {"crossed": STUDY, "method": "bootstrap", "draws": 200}, draws=300, seed=1)
PAIR = {"condition": "a", "reference": "b", "difference": 0.1, "low": 0.0, "high": 0.2, "p": 0.05, "p_holm": 0.1}
DIFFERENCE = {**PAIR, "effects": {"d": 1.0}, **COUNTS, "shared": 5, "error": 0.05, "freedom": 9.0}
MOVED = {"condition": "c", "reference": "d", "difference": 0.2, "low": 0.1, "high": 0.3, "p": 0.06, "p_holm": 0.2}
record(
    f"{HOME}.Difference",
    DIFFERENCE,
    **MOVED,
    effects={"d": 2.0},
    participants=6,
    items=5,
    answers=21,
    shared=6,
    error=0.06,
    freedom=10.0,
    note="none",
)
record(f"{HOME}.Equivalence", {**PAIR, "margin": 0.5, "equivalent": True}, **MOVED, margin=0.6, equivalent=False, note="none")
case(
    f"{HOME}.differences",
    {"crossed": UNEVEN},
    crossed=OTHER,
    reference="b",
    pairs=[("a", "b")],
    average="answers",
    level=0.9,
)
case(
    f"{HOME}.equivalence",
    {"crossed": UNEVEN, "margin": 1.0},
    crossed=OTHER,
    margin=2.0,
    reference="b",
    pairs=[("a", "b")],
    average="answers",
    alpha=0.01,
)
case(f"{HOME}.cohen_h", {"first": 0.5, "second": 0.4}, first=0.6, second=0.3)
case(f"{HOME}.cliff_delta", {"first": [1, 2], "second": [2, 3]}, first=[4], second=[1])
case(f"{HOME}.holm", {"p": [0.01, 0.04]}, p=[0.01, 0.02])
AGREED = {"condition": "a", "coefficient": "fleiss", "scale": "nominal", "value": 0.5, "low": 0.4, "high": 0.6}
record(
    f"{HOME}.Agreement",
    {**AGREED, "participants": 5, "units": 4, "answers": 20},
    condition="b",
    coefficient="krippendorff",
    scale="interval",
    value=0.6,
    low=0.5,
    high=0.7,
    participants=6,
    units=5,
    answers=21,
    note="none",
)
case(
    f"{HOME}.agreement",
    {"crossed": STUDY, "draws": 150},
    crossed=UNEVEN,
    coefficient="fleiss",
    scale="interval",
    level=0.8,
    over="items",
    draws=200,
    seed=1,
)
COEFFICIENT = {
    "name": "a", "estimate": 1.0, "error": 0.5, "low": 0.0, "high": 2.0, "statistic": 2.0, "freedom": 9.0, "p": 0.1, "p_holm": 0.2,
}  # fmt: skip
record(
    f"{HOME}.Coefficient",
    COEFFICIENT,
    **{name: "b" if name == "name" else value + 1 for name, value in COEFFICIENT.items()},
)
TABLE = {
    "kind": "linear", "reference": "a", "coefficients": (), "deviations": {}, "criterion": 1.0, "participants": 5, "items": 4,
    "answers": 20, "converged": True, "method": "m", "limits": "l",
}  # fmt: skip
record(
    f"{HOME}.ModelTable",
    TABLE,
    kind="binomial",
    reference="b",
    coefficients=(1,),
    deviations={"items": 1.0},
    criterion=2.0,
    participants=6,
    items=5,
    answers=21,
    converged=False,
    method="n",
    limits="k",
    notes=("none",),
)
case(f"{HOME}.mixed_model", {"crossed": STUDY, "kind": "linear"}, crossed=OTHER, kind="cumulative", reference="b", level=0.9)
MODEL = {"measure": "m", "kind": "linear", "column": "value", "reference": "a"}
record(
    f"{HOME}.ScriptModel",
    MODEL,
    measure="n",
    kind="cumulative",
    column="seconds",
    reference="b",
    task="t",
    conditions=("c",),
)
case(
    f"{HOME}.r_script",
    {"models": [ScriptModel(**MODEL)]},
    models=[ScriptModel(**{**MODEL, "measure": "n"})],
    answers="other.csv",
    out="out.csv",
    level=0.9,
)
