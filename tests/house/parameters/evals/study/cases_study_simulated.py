"""Simulated participants, and what dry runs with them give."""

from __future__ import annotations

import json
from types import SimpleNamespace

from parameters.evals.study.cases_study_server import study
from parameters.harness import case, later, record

from evals.study import Answer, Answers, Participant
from evals.study.simulated import DryRun, Finding, Taken
from evals.study.steps import Question


def answers(kind="perfect"):
    row = Answer(
        participant="A",
        phase="trial",
        task="simulation",
        kind="simulation",
        response="x",
        item="a",
        condition="none",
        correct=True,
    )
    return Answers(
        (row,), {"A": Participant(code="A", source=f"simulated:{kind}"), "B": Participant(code="B", source="people")}
    )


def run(**more):
    taken, findings = (Taken("perfect", "A"),), (Finding("note", "one"),)
    return DryRun(answers(), taken, findings, {}, **more)


PAGE = {"shown": {"text": "one"}, "step": "s", "study": "t", "seed": 1, "random": 1.0, "code": "A"}

record("evals.study.simulated.Finding", {"kind": "note", "sentence": "one"}, kind="leak", sentence="two", items=("a",))
record("evals.study.simulated.Reply", {}, responses={"a": 1}, seconds=3.0, trouble="none")
record(
    "evals.study.simulated.Page", PAGE,
    shown={"text": "two"}, step="u", study="v", seed=2, random=2.0, code="B", before=("told",),
)  # fmt: skip
record("evals.study.simulated.SimulatedKind", {"summary": "one", "answer": len}, summary="two", answer=max)
record(
    "evals.study.simulated.Taken", {"kind": "perfect", "code": "A"},
    kind="random", code="B", status="left", troubles=["one"], pictures={"images/a.png"},
)  # fmt: skip
record(
    "evals.study.simulated.DryRun",
    {"answers": answers(), "taken": (), "findings": (), "flags": {}},
    answers=answers("random"), taken=(Taken("perfect", "A"),), findings=(Finding("note", "one"),), flags={"A": ("speeding",)},
    detectable=("one",),
)  # fmt: skip
case("evals.study.simulated.DryRun.kind_of", {"self": run(), "code": "A"}, code="B")
case(
    "evals.study.simulated.dry_run_text",
    {"study": later(study()), "run": run()},
    study=later(study("two")), run=run(detectable=("one",)),
)  # fmt: skip
case(
    "evals.study.simulated.requests_of",
    {"study": later(study()), "participants": 2},
    study=later(lambda tools: with_rating(study()(tools))), participants=3,
)  # fmt: skip


def with_rating(opened):
    from evals.study.design.file import QuestionPart

    asked = QuestionPart(name="age", question="How old?", kind="number")
    return SimpleNamespace(
        file=opened.file.model_copy(update={"demographics": [asked]}),
        items=opened.items,
        cells=opened.cells,
        folder=opened.folder,
    )


def asked(kind, tools, given):
    question = Question(name="q", kind="choice", prompt="?", options=(("x", "x"), ("y", "y")))
    step = SimpleNamespace(questions=(question,))
    page = SimpleNamespace(code="A", step=step, shown={"text": "t"}, before=())
    (reply,) = kind.answer([page])
    return kind.summary, dict(reply.responses)


def chat(answer):
    def made(tools):
        from langchain_core.language_models.fake_chat_models import FakeListChatModel

        return FakeListChatModel(responses=[f'{{"answer_1": "{answer}"}}'])

    return later(made)


case(
    "evals.study.simulated.foresee_study",
    {"study": later(study()), "model": chat("x"), "participants": 2},
    study=later(lambda tools: with_rating(study()(tools))),
    model=later(lambda tools: priced(tools)),
    participants=3,
)
case(
    "evals.study.simulated.foresee_study",
    {"study": later(lambda tools: uneven(tools)), "model": chat("x"), "participants": 1},
    before=1,
)


def uneven(tools):
    """A study with two cells, one of which reads more."""
    from evals.study import open_study

    folder = study()(tools).folder
    content = json.loads((folder / "study.yaml").read_text())
    content["conditions"].append({"name": "long", "kind": "rationale"})
    (folder / "study.yaml").write_text(json.dumps(content))
    item = json.loads((folder / "items.jsonl").read_text())
    item["stimuli"]["long"] = {"html": "<p>text</p>", "text": "a much longer text than the other"}
    (folder / "items.jsonl").write_text(json.dumps(item) + "\n")
    return open_study(folder)


def priced(tools):
    from agents.chat import chat_model

    return chat_model("http://127.0.0.1:9/v1#m", price=(1.0, 2.0))


case(
    "evals.study.simulated.language_model_kind",
    {"model": chat("x"), "name": "one"},
    asked,
    model=chat("y"), name="two",
)  # fmt: skip
