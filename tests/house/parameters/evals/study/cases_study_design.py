"""Studies: nouns, the file, designs, pages, tasks and power."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

from parameters.harness import case, later, record

from evals.study import Answer, Answers, Item, Judgement, Participant, Question, Step, Stimulus, Study
from evals.study.design import Finding, Stratum, Trial, cells_of, parse_study_file
from evals.study.design.file import TaskPart
from evals.study.flow import steps_for
from evals.study.power import AnswerSpread, PowerCurve, PowerPoint
from evals.study.tasks import TASKS, Asked, Option, Task

YAML = """\
title: t
labels: [a, b]
conditions: [{name: one, kind: heatmap}, {name: two, kind: none}, {name: three, kind: none}]
design: {kind: latin, items: 6, participants: 12}
tasks: [{name: simulation, kind: simulation}, {name: helpfulness, kind: rating}]
practice: {items: 0}
"""
OTHER_YAML = YAML.replace("latin", "between").replace("seed: 1", "seed: 2").replace("items: 6", "items: 5")
FILE, OTHER_FILE = parse_study_file(YAML), parse_study_file(OTHER_YAML)
SHOWN = {name: Stimulus(f"<p>{name}</p>", name) for name in ("one", "two", "three")}
ITEMS = tuple(
    Item(id=f"i{n}", form="text", input=Stimulus("x", "x"), predicted="a", labels=("a", "b"), stimuli=SHOWN) for n in range(6)
)
STIMULUS = Stimulus("<p>x</p>", "x")


def folder(tools, text=YAML, items=ITEMS):
    place = tools.folder / "study"
    place.mkdir(exist_ok=True)
    (place / "study.yaml").write_text(text)
    (place / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in items))
    return place


def opened(text=YAML):
    def made(tools):
        place = folder(tools, text)
        return Study(place, parse_study_file(text), {item.id: item for item in ITEMS})

    return later(made)


record("evals.study.Stimulus", {"html": "a", "text": "a"}, html="b", text="b", top="b")
record(
    "evals.study.Item", {"id": "a", "form": "text", "input": STIMULUS, "predicted": "a"},
    id="b", form="image", input=Stimulus("b", "b"), predicted="b", true="a", labels=("a",), stimuli=SHOWN, practice=True,
    facts={"a": "b"}, answers={"a": 1},
)  # fmt: skip
ROW = {"participant": "a", "phase": "trial", "task": "a", "kind": "simulation", "response": "a"}
record(
    "evals.study.Answer", ROW,
    participant="b", phase="practice", task="b", kind="rating", response="b", step=1, trial=1, item="a", condition="a",
    expected="a", correct=True, value=1.0, seconds=1.0, tries=2, submitted="a",
)  # fmt: skip
record(
    "evals.study.Participant", {"code": "a"},
    code="b", cell="a", source="simulated:a", status="left", started="a", finished="a", attributes={"a": "b"},
)  # fmt: skip
PEOPLE = {"a": Participant(code="a"), "b": Participant(code="b")}
ROWS = (Answer(**ROW), Answer(**{**ROW, "participant": "b", "phase": "practice"}))
record("evals.study.Answers", {"rows": (), "participants": PEOPLE}, rows=ROWS, participants={}, items={"a": {}})
case("evals.study.Answers.of_phase", {"self": Answers(ROWS, PEOPLE), "phases": ("trial",)}, phases=("practice",))
case("evals.study.Answers.only", {"self": Answers(ROWS, PEOPLE), "codes": ["a"]}, codes=["b"])
record("evals.study.Judgement", {}, expected="a", correct=True, value=1.0, recorded="a")
record(
    "evals.study.Question", {"name": "a", "kind": "choice", "prompt": "a"},
    name="b", kind="text", prompt="b", options=(("a", "b"),), points=5, ends=("a", "b"), required=False,
)  # fmt: skip
ASKED = Question(name="a", kind="rating", prompt="a")
case("evals.study.Question.problem", {"self": ASKED, "response": 1}, response=8)
PARTS = Question(name="a", kind="parts", prompt="a", options=(("1", "one"), ("none", "None")))
case("evals.study.Question.contradiction", {"self": PARTS, "response": ["1"]}, response=["1", "none"])
record(
    "evals.study.Step", {"number": 1, "phase": "trial", "name": "a"},
    number=2, phase="break", name="b", heading="a", html="a", text="a", questions=(ASKED,), item="a", conditions=("a",), trial=1,
    tries=2, feedback=True, tasks={"a": ("a", "rating")}, answers={"a": "b"},
)  # fmt: skip
record("evals.study.Study", {"folder": "a", "file": FILE, "items": {}}, folder="b", file=OTHER_FILE, items={"a": ITEMS[0]})
case(
    "evals.study.open_study",
    {"folder": later(folder)},
    lambda result, *_: result.file,
    folder=later(lambda t: folder(t, OTHER_YAML)),
)
case("evals.study.item_problems", {"study": FILE, "items": ITEMS}, study=FILE.model_copy(
    update={"design": FILE.design.model_copy(update={"items": 9})}), items=ITEMS[:2])  # fmt: skip
case(
    "evals.study.read_whole_file", {"path": later(lambda tools: folder(tools) / "study.yaml")},
    path=later(lambda tools: folder(tools, OTHER_YAML) / "study.yaml"),
)  # fmt: skip
POINTS = (PowerPoint(8, 0.5, 0.4, 0.6, 0.1), PowerPoint(16, 0.9, 0.8, 0.95, 0.1))
CURVE = PowerCurve(
    task="simulation", condition="two", reference="one", effect=0.1, margin=None, base=0.75, alpha=0.05, simulations=10,
    points=POINTS, deviations={"items": 1.0},
)  # fmt: skip
case("evals.study.preregistration", {"study": opened()}, study=opened(OTHER_YAML), curves=(CURVE,))
FILM = replace(ITEMS[1], input=Stimulus("film", "film"))
TOPPED = replace(ITEMS[0], stimuli={"one": Stimulus("x", "x", "film")}, input=Stimulus("film", "film"))
case("evals.study.shortcut_labels", {"items": [TOPPED, FILM]}, items=[TOPPED, replace(FILM, predicted="b")])


TRIALS = (Trial("i0", ("one",)), Trial("i1", ("two",)), Trial("i2", ("one",)), Trial("i3", ("two",)))
record("evals.study.design.Trial", {"item": "a", "conditions": ("a",)}, item="b", conditions=("b",))
record("evals.study.design.Cell", {"name": "a", "trials": ()}, name="b", trials=TRIALS)
record("evals.study.design.Finding", {"place": (), "what": "a"}, place=("a",), what="b")
KIND = {"kind": {"label": "a"}, "available": 1, "wanted": 1, "taken": 1}
record("evals.study.design.Stratum", KIND, kind={"label": "b"}, available=2, wanted=2, taken=0)
record("evals.study.design.Sample", {"ids": (), "strata": ()}, ids=("a",), strata=(Stratum(**KIND),))
CONTENT = FILE.model_dump()
record(
    "evals.study.design.StudyFile", CONTENT,
    version=2, title="u", language="de", seed=1, labels=["c", "d"], mask_labels=False, conditions=CONTENT["conditions"][:2],
    design={"kind": "within"}, tasks=CONTENT["tasks"][:1], consent={"text": "a"}, instructions=["a"],
    comprehension={"questions": [{"name": "q", "question": "q", "options": ["a", "b"], "answer": "a"}]}, practice={"items": 3},
    attention=[{"name": "q", "after": 1, "question": "q", "options": ["a", "b"], "answer": "a"}],
    demographics=[{"name": "q", "question": "q", "kind": "number"}], debriefing="a", contact="a", completion={"code": "a"},
    server={"break_after": 1}, exclusions={"incomplete": False}, analysis={"alpha": 0.1},
)  # fmt: skip
record(
    "evals.study.design.StudyFileError", {"where": "a", "problems": ((1, "a"),)}, where="b", problems=((1, "a"), (2, "b"))
)  # fmt: skip
case("evals.study.design.blocks", {"conditions": 7, "size": 3}, conditions=6, size=4)
case("evals.study.design.williams", {"size": 3}, size=4)
IDS = [item.id for item in ITEMS]
case(
    "evals.study.design.cells_of", {"study": FILE, "items": IDS},
    study=OTHER_FILE, items=IDS[::-1], strata={name: str(n % 2) for n, name in enumerate(IDS)},
)  # fmt: skip
case(
    "evals.study.design.check_study_file", {"study": FILE},
    study=FILE.model_copy(update={"design": FILE.design.model_copy(update={"kind": "blocks"})}),
)  # fmt: skip
case(
    "evals.study.design.in_order", {"trials": TRIALS, "rng": later(lambda _: Random(0))},
    trials=TRIALS[:2], rng=later(lambda _: Random(3)),
)  # fmt: skip


def finding(study):
    return [Finding(("title",), "it is dull")]


def blamed(where):
    """What an error says where the file has that name."""
    try:
        parse_study_file("title: 1", where)
    except ValueError as error:
        return str(error)


case("evals.study.design.parse_study_file", {"text": YAML}, text=OTHER_YAML, also=finding)
case(
    "evals.study.design.parse_study_file", {"text": YAML, "where": "a.yaml"},
    lambda result, tools, arguments: blamed(arguments["where"]), where="b.yaml",
)  # fmt: skip
case(
    "evals.study.design.read_study_file", {"path": later(lambda tools: folder(tools) / "study.yaml")},
    path=later(lambda tools: folder(tools, OTHER_YAML) / "study.yaml"), also=finding,
)  # fmt: skip
FACTS = {f"i{n}": {"label": str(n // 10), "model_right": "yes", "length": str(n)} for n in range(12)}
case(
    "evals.study.design.stratified", {"facts": FACTS, "n": 5},
    facts={name: {**one, "label": str(int(one["length"]) // 3)} for name, one in FACTS.items()}, n=6, by=("length",), seed=3,
    allocation="equal",
)  # fmt: skip
case("evals.study.design.study_file_text", {"study": FILE}, study=OTHER_FILE)
case(
    "evals.study.design.write_study_file", {"study": FILE, "path": later(lambda tools: tools.folder / "a.yaml")},
    lambda _, tools, arguments: sorted((one.name, one.read_text()) for one in tools.folder.glob("*.yaml")),
    study=OTHER_FILE, path=later(lambda tools: tools.folder / "b.yaml"),
)  # fmt: skip

STUDY = Study("nowhere", FILE, {item.id: item for item in ITEMS})
CELLS = cells_of(FILE, IDS)
STEPS = steps_for(STUDY, CELLS[0], 1)
OTHER_STUDY = Study("nowhere", FILE, {item.id: replace(item, predicted="b") for item in ITEMS})
record(
    "evals.study.flow.Outcome", {"accepted": True},
    accepted=False, problems={"a": "b"}, rows=ROWS, feedback=({"a": 1},), screened_out=True, refused=True,
)  # fmt: skip
case("evals.study.flow.steps_for", {"study": STUDY, "cell": CELLS[0], "seed": 1}, study=Study("nowhere", FILE.model_copy(
    update={"instructions": ["a"]}), STUDY.items), cell=CELLS[1], seed=2)  # fmt: skip
RESPONSES = {"simulation": "a", "helpfulness": 3}
case(
    "evals.study.flow.judge",
    {"study": STUDY, "step": STEPS[0], "responses": RESPONSES, "participant": "p", "seed": 1},
    study=OTHER_STUDY, step=STEPS[1], responses={"simulation": "b", "helpfulness": 3}, participant="q", tries=2, seconds=1.0,
    submitted="now",
)  # fmt: skip


def drawing(tools):
    """A study with a task whose right answer is drawn by lot, as a plug-in's may be."""
    TASKS.register("lottery", LOTTERY)
    return Study("nowhere", FILE.model_copy(update={"tasks": [TaskPart(name="simulation", kind="lottery")]}), STUDY.items)


def drawn(result, tools, arguments):
    TASKS._loaded.pop("lottery")
    return result


LOTTERY = Task(
    "a lottery", "rating", lambda part, asked: (), lambda part, asked, name, response: Judgement(value=asked.random.random())
)
LOT = Step(
    number=0, phase="trial", name="t", questions=(replace(ASKED, name="simulation"),), item="i0", conditions=("one",),
    tasks={"simulation": ("simulation", "lottery")},
)  # fmt: skip


class Steady:
    """A draw that is always the same."""

    def random(self):
        return 0.5


STEADY = Asked(ITEMS[0], ("one",), FILE, Steady())

case(
    "evals.study.flow.judge",
    {"study": later(drawing), "step": LOT, "responses": {"simulation": 1}, "participant": "p", "seed": 1},
    drawn, seed=2,
)  # fmt: skip
case(
    "evals.study.tasks.Task",
    {"summary": "a", "measure": "text", "ask": LOTTERY.ask, "judge": LOTTERY.judge},
    lambda task, *_: [task.summary, task.measure, task.ask(0, 0), task.judge(0, STEADY, "", ""), task.options, task.check(0, ()),
                      task.compared, task.tells(0), task.explained(0, "x")],
    summary="b", measure="rating", ask=lambda part, asked: (1,), judge=lambda part, asked, name, response: 2,
    options={"a": Option("a", int, 1)}, check=lambda part, items: ("a",), compared=True, tells=lambda part: True,
    explained=lambda part, expected: "a",
)  # fmt: skip
record(
    "evals.study.tasks.Asked", {"item": ITEMS[0], "conditions": ("one",), "study": FILE, "random": None},
    item=ITEMS[1], conditions=("two",), study=OTHER_FILE, random=1,
)  # fmt: skip
record(
    "evals.study.tasks.Option", {"words": "a", "kind": int, "default": 1},
    words="b", kind=str, default=2, low=1, high=2,
)  # fmt: skip
case("evals.study.tasks.Option.problem", {"self": Option("a", int, 1, 1, 3), "value": 1}, value=4)

record(
    "evals.study.power.PowerPoint", {"participants": 8, "power": 0.5, "low": 0.4, "high": 0.6, "estimate": 0.1},
    participants=9, power=0.6, low=0.3, high=0.7, estimate=0.2,
)  # fmt: skip
record(
    "evals.study.power.PowerCurve", {name: getattr(CURVE, name) for name in PowerCurve.__dataclass_fields__},
    task="b", condition="b", reference="b", effect=0.2, margin=0.3, base=0.5, alpha=0.1, simulations=20, points=(),
    deviations={},
)  # fmt: skip
case("evals.study.power.PowerCurve.participants_needed", {"self": CURVE}, target=0.7)
case("evals.study.power.PowerCurve.advice", {"self": CURVE}, target=0.7)
SPREAD = {"participants": 1.0, "items": 1.0, "participants_by_condition": 1.0, "items_by_condition": 1.0}
record(
    "evals.study.power.AnswerSpread", SPREAD,
    participants=2.0, items=2.0, participants_by_condition=2.0, items_by_condition=2.0, remainder=2.0,
)  # fmt: skip
LARGE = parse_study_file(YAML.replace("items: 6", "items: 20"))
OTHERS = {
    "study": parse_study_file(YAML.replace("items: 6", "items: 40")),
    "task": "helpfulness",
    "condition": "three",
    "reference": "three",
    "base": 0.6,
    "spread": AnswerSpread(**SPREAD),
    "tests": 3,
    "simulations": 60,
    "seed": 1,
}
case(
    "evals.study.power.power", {"study": LARGE, "effect": 0.1, "participants": [12], "simulations": 50},
    **OTHERS, effect=0.2, participants=[18], margin=0.3,
)  # fmt: skip
case(
    "evals.study.power.detectable_effect", {"study": LARGE, "participants": 24, "simulations": 10},
    **{**OTHERS, "simulations": 12}, participants=18, target=0.7,
)  # fmt: skip
case("evals.study.power.draw_power", {"curves": [CURVE]}, curves=[CURVE, replace(CURVE, effect=0.2)], target=0.9)
