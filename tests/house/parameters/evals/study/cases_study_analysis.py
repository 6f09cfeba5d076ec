"""What the answers of a study say."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from parameters.harness import case, later, record

from evals.study import Answer, Answers, Participant, Study
from evals.study.analysis import Exclusion, Flow, Paragraph, Sentence, Stage, Table, analyze
from evals.study.design.file import ExclusionsPart, StudyFile

STAGE, SENTENCE = Stage("joined", 3, kept=True), Sentence(("Few.",))
FLOW, TABLE = Flow((STAGE,), ()), Table("accuracy", "Right", ("mean",), ({"mean": 0.5},))
record(
    "evals.study.analysis.Exclusion",
    {"participant": "p", "rule": "withdrawn", "detail": "a"},
    participant="q",
    rule="r",
    detail="b",
)
record(
    "evals.study.analysis.Stage", {"name": "joined", "participants": 1, "kept": True}, name="left", participants=2, kept=False
)
record(
    "evals.study.analysis.Flow",
    {"stages": (STAGE,), "exclusions": ()},
    stages=(),
    exclusions=(Exclusion("p", "withdrawn", ""),),
    dropped=1,
    noun="simulated participants",
)
record(
    "evals.study.analysis.Table",
    {"name": "a", "title": "b", "columns": ("c",), "rows": ()},
    name="x",
    title="x",
    columns=("x",),
    rows=({"c": 1},),
    note="x",
)
record(
    "evals.study.analysis.Figure", {"text": "1", "table": "a", "row": 0, "column": "b"}, text="2", table="c", row=1, column="d"
)
record("evals.study.analysis.Name", {"text": "a"}, text="b", set_off=False)
record("evals.study.analysis.Sentence", {"parts": ("a",)}, parts=("b",))
record("evals.study.analysis.Paragraph", {"heading": "a", "sentences": ()}, heading="b", sentences=(SENTENCE,))
ANALYSIS = {
    "title": "a",
    "people": True,
    "settings": {},
    "flow": FLOW,
    "tables": {},
    "paragraphs": (),
    "limits": (),
    "tidy": "",
    "script": "",
}
record(
    "evals.study.analysis.Analysis",
    ANALYSIS,
    title="b",
    people=False,
    settings={"alpha": 0.1},
    flow=Flow((), ()),
    tables={"accuracy": TABLE},
    paragraphs=(Paragraph("a", (SENTENCE,)),),
    limits=("b",),
    tidy="b",
    script="b",
)
record(
    "evals.study.analysis.tables.Found",
    {"value": 0.5},
    value=0.6,
    low=0.1,
    high=0.9,
    p=0.1,
    effects={"d": 1.0},
    participants=2,
    items=2,
    note="few",
)
case(
    "evals.study.analysis.tables.Found.with_p", {"self": later(lambda _: _found()), "p": 0.1}, lambda found, *_: found.p, p=0.2
)


def _found():
    from evals.study.analysis.tables import Found

    return Found(0.5)


def _answers(*, often=True):
    """Four people, six items, two conditions."""
    people = [f"p{n}" for n in range(4)]
    rows = [
        Answer(
            participant=code, phase="trial", task="simulation", kind="simulation", response="a" if (p * i) % 3 else "b",
            expected="a", correct=bool((p * i) % 3) == often, item=f"i{i}", condition=("x", "y")[(p + i) % 2], trial=i,
        )
        for p, code in enumerate(people)
        for i in range(6)
    ]  # fmt: skip
    facts = {f"i{i}": {"label": "ab"[i % 2], "size": str(i % 3)} for i in range(6)}
    return Answers(tuple(rows), {code: Participant(code=code) for code in people}, facts)


@cache
def _made(often):
    return analyze(_answers(often=often), bootstrap=200)


def _analysis(_tools, *, often=True):
    return _made(often)


def _study(tools):
    condition, task = {"name": "x", "kind": "none"}, {"name": "simulation", "kind": "simulation"}
    return Study(tools.folder, StudyFile(title="Another", conditions=[condition], tasks=[task]), {})


def _rated(tools):
    condition, task = {"name": "x", "kind": "none"}, {"name": "ease", "kind": "rating"}
    return Study(tools.folder, StudyFile(title="Rated", conditions=[condition], tasks=[task]), {})


def _said(result, *_):
    return json.dumps(result.to_record())


case(
    "evals.study.analysis.apply_exclusions",
    {"answers": _answers(), "rules": ExclusionsPart()},
    lambda found, *_: found[1].to_text() + found[0].to_csv(),
    answers=_answers(often=False),
    rules=ExclusionsPart(accuracy_below=1),
)
case(
    "evals.study.analysis.analyze",
    {"answers": _answers(), "bootstrap": 200},
    _said,
    answers=_answers(often=False),
    study=later(lambda tools: _study(tools)),
    alpha=0.1,
    bootstrap=201,
    reference="x",
    subgroups=["size"],
    rules={"accuracy_below": 0.5},
    seed=1,
)
case(
    "evals.study.analysis.analyze",
    {
        "answers": replace(
            _answers(),
            rows=tuple(replace(row, task="ease", kind="rating", value=9.0 - i) for i, row in enumerate(_answers().rows)),
        ),
        "study": later(lambda tools: _rated(tools)),
        "bootstrap": 200,
        "problems": later(lambda _: []),
    },
    lambda result, tools, given: (_said(result), given.get("problems")),
    problems=None,
)
case(
    "evals.study.analysis.reporting.files_of",
    {"analysis": later(_analysis)},
    analysis=later(lambda _: _analysis(_, often=False)),
)
case(
    "evals.study.analysis.reporting.write_analysis",
    {"analysis": later(_analysis), "folder": later(lambda tools: tools.folder / "a")},
    lambda paths, *_: ([path.parent.name for path in paths], [path.read_bytes() for path in paths]),
    analysis=later(lambda _: _analysis(_, often=False)),
    folder=later(lambda tools: tools.folder / "b"),
)
