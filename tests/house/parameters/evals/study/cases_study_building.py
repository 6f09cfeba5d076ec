"""Studies: what is built from maps, and how a kind of condition is described."""

from __future__ import annotations

import json

import numpy as np
from langchain_core.language_models import FakeListChatModel
from parameters.harness import case, later, record

from evals.study import open_study
from evals.study.building import build_study
from saywhy_core.classifiers import CallableClassifier
from verbalize import Prediction, Query, TokenSaliency


def _map(number, label, predicted, words, flip=1.0):
    tokens = (*words.split(), f"end{number}")
    scores = [flip * (0.9 - 0.3 * place) for place in range(len(tokens))]
    prediction = Prediction(predicted, true_label="good" if number % 2 else "bad", scores={"good": 0.5, "bad": 0.4, "meh": 0.1})
    return TokenSaliency(tokens, scores, Query(label), prediction=prediction, id=f"m{number}-{label}")


MAPS = tuple(
    _map(number, label, "good" if number < 6 else "bad", words)
    for number, words in enumerate(["a fine film", "so very fine", "what joy", "a long bore", "dull", "bad bad film"] * 2)
    for label in (("good" if number < 6 else "bad"),)
)
ASKED_OTHERWISE = (_map(20, "bad", "good", "it is not that dull"),)
DARK = CallableClassifier(lambda images: np.stack([[1.0, 0.0] for _ in images]), class_names=("dark", "light"))


def _texts(tools):
    path = tools.folder / "texts.jsonl"
    texts = {one.id: "A film is a film." for one in MAPS} | {MAPS[0].id: "It is good."}
    path.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items()))
    return [str(path)]


def _answers(tools, place=0):
    path = tools.folder / "answers.jsonl"
    path.write_text("".join(json.dumps({"id": one.id, "part": one.tokens[place], "label": "bad"}) + "\n" for one in MAPS))
    return path


def _built(study, tools, given):
    written = [(study.folder / name).read_text() for name in ("study.yaml", "items.jsonl")]
    return (study.folder.name, *written, len(tools.recorded), [str(one) for one in tools.recorded][:3])


BASE = {
    "maps": MAPS,
    "conditions": "heatmap,none",
    "out": later(lambda tools: tools.folder / "study"),
    "items": 4,
    "on_problem": later(lambda tools: lambda _: None),
}
case(
    "evals.study.building.build_study",
    BASE,
    _built,
    maps=MAPS[:9],
    conditions="heatmap,rationale",
    out=later(lambda tools: tools.folder / "other"),
    design="between",
    items=3,
    tasks="simulation",
    labels=("bad", "good"),
    choices=2,
    by=("length",),
    seed=1,
    practice=0,
    mask_labels=False,
    binary=True,
    title="Another title",
    target=DARK,
    chat=FakeListChatModel(responses=["none"]),
)
case(
    "evals.study.building.build_study",
    {**BASE, "maps": MAPS + ASKED_OTHERWISE},
    _built,
    on_problem=later(lambda tools: tools.record),
)
case(
    "evals.study.building.build_study",
    {**BASE, "maps": MAPS[:8], "conditions": later(_texts), "design": "between", "items": 8},
    _built,
    synonyms={"meh": ["film"]},
    replace_leaks=True,
)
case(
    "evals.study.building.build_study", {**BASE, "tasks": "counterfactual", "answers": later(_answers)}, _built,
    answers=later(lambda tools: _answers(tools, 1)),
)  # fmt: skip


case(
    "evals.study.building.build_study",
    {**BASE, "maps": MAPS[:9], "items": 5},
    _built,
    allocation="equal",
)
case("evals.study.building.build_study", {**BASE, "items": 30}, _built, on_note=later(lambda tools: tools.record))
case(
    "evals.study.building.build_study",
    {**BASE, "conditions": "narrate,none", "chat": FakeListChatModel(responses=["none"])},
    _built,
    before_asking=later(lambda tools: tools.record),
)


def _twice(tools):
    build_study(MAPS, "heatmap,none", out=tools.folder / "study", items=4)
    return tools.folder / "study"


case("evals.study.building.build_study", {**BASE, "out": later(_twice), "force": True}, _built, force=False)
case("evals.study.building.parse_conditions", {"names": "heatmap,a.csv"}, names="plain", unchecked=True)


def _study(tools):
    return open_study(_twice(tools))


case(
    "evals.study.building.write_preview",
    {"study": later(_study)},
    lambda path, tools, given: (path.parent.name, path.read_text()),
    study=later(lambda tools: build_study(MAPS, "plain,none", out=tools.folder / "study", items=4)),
    out=later(lambda tools: tools.folder / "elsewhere"),
)
KIND = {"summary": "a kind", "show": print, "options": {}}
record(
    "evals.study.stimuli.ConditionKind",
    KIND,
    summary="another",
    show=max,
    options={"a": "b"},
    control=True,
    explain=max,
    own_words=frozenset(["a"]),
)
