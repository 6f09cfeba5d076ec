"""Texts about maps: the template, the narrator, what is generally known."""

from __future__ import annotations

import contextlib
import json

from parameters.harness import case, later, record
from parameters.maps import (
    GOOD,
    OTHER,
    PAIRS,
    PIXELS,
    TEXT,
    VERSUS,
)

from agents.chat import Foreseen
from agents.prompting import PairDescriptions
from saywhy_core.errors import Problem
from verbalize import (
    Background,
    Narrator,
    TemplateVerbalizer,
    Verbalization,
)
from verbalize.models import TextFunction


def said(verbalizer, tools, arguments):
    return [verbalizer.verbalize(saliency) for saliency in (TEXT, PIXELS, VERSUS)]


case(
    "verbalize.TemplateVerbalizer",
    {},
    said,
    max_words=2,
    max_spans=1,
    style="smv",
    mask_labels=True,
    length="paragraph",
    background=PAIRS,
)
case("verbalize.TemplateVerbalizer.verbalize", {"self": TemplateVerbalizer(), "saliency": TEXT}, saliency=OTHER)
WITH_BAD = {"self": TemplateVerbalizer(), "saliencies": [TEXT, "no map"], "on_problem": later(lambda tools: tools.record)}
case(
    "verbalize.TemplateVerbalizer.verbalize_all",
    WITH_BAD,
    lambda found, tools, arguments: list(found),
    saliencies=[OTHER],
    where="maps.jsonl",
    on_problem=lambda problem: None,
)
MADE = Verbalization("a", "'a' *b*", (), 1.0, background=("b",), comment="c")
case(
    "verbalize.lay_out", {"made": MADE, "layout": "text"}, made=MADE.to_record() | {"text": "t"}, layout="markdown", named=True
)

record("verbalize.Background", {"pairs": PAIRS, "numbers": {"good": 0}}, pairs=None, numbers={"bad": 1}, limit=1)
case(
    "verbalize.Background.of",
    {"source": PAIRS},
    lambda background, tools, arguments: background.sentences(VERSUS.query),
    source=PairDescriptions({}, PAIRS.names),
    class_names=["fine", "bad"],
    limit=1,
)
case("verbalize.Background.beside", {"source": PAIRS, "mask_labels": False}, source=None, mask_labels=True)
case("verbalize.Background.sentences", {"self": Background.of(PAIRS), "query": VERSUS.query}, query=GOOD)


FREE = {"sentences": [{"text": "'great' supports 'good'.", "claims": [{"kind": "supports", "part": [1]}]}]}


def chat(tools, reply={"groups": [[1, 2, 3], [4, 5]]}):  # noqa: B006 - never changed
    from agents import chat_model

    tools.asked = tools.server(default=json.dumps(reply))
    return chat_model(f"{tools.asked.url}#m")


def narrated(narrator, tools, arguments):
    made = narrator.narrate_all([TEXT, VERSUS] if narrator.style == "smv-gpt" else [TEXT, VERSUS, PIXELS])
    return made, [request.body["messages"] for request in tools.asked.requests]


case(
    "verbalize.Narrator",
    {"model": later(chat)},
    narrated,
    model=later(lambda tools: chat(tools, {"groups": [[3]]})),
    audience="expert",
    max_words=20,
    mask_labels=True,
    style="smv-gpt",
    pictures=True,
    background=PAIRS,
    seed=1,
)
case(
    "verbalize.Narrator",
    {"model": later(lambda tools: chat(tools, FREE)), "style": "free"},
    narrated,
    repairs=0,
    language="French",
)
EXPLAINED = {"sentences": [{"text": "Without 'good', the model keeps its decision.", "claims": []}]}
case(
    "verbalize.Narrator",
    {"model": later(lambda tools: chat(tools, EXPLAINED)), "style": "free"},
    lambda narrator, tools, arguments: narrator.narrate_all([TEXT]),
    explained=TextFunction(lambda texts: [[1.0, 0.0] for _ in texts], ("good", "bad")),
)
case("verbalize.Narrator.narrate", {"self": later(lambda tools: Narrator(chat(tools))), "saliency": TEXT}, saliency=OTHER)
case(
    "verbalize.Narrator.narrate_all",
    {"self": later(lambda tools: Narrator(chat(tools))), "saliencies": [TEXT]},
    saliencies=[OTHER],
)
case("verbalize.narrate.zero_shot_request", {"saliency": TEXT}, saliency=OTHER)

case(
    "verbalize.Narrator.narrate_all",
    {"self": later(lambda tools: Narrator(chat(tools))), "saliencies": [TEXT]},
    on_settled=later(lambda tools: tools.record),
)
record(
    "verbalize.narrate.NarratedFile",
    {"texts": 1},
    texts=2,
    outcomes={"clean": 1},
    falsehoods={"wrong sign": 1},
    problems=(Problem("a", "b"),),
    fallbacks={"no JSON": 1},
)


def earlier(tools):
    """A half-done file of an earlier run by the model "m"."""
    from verbalize.narrate import narrate_to_file

    class Stopped(Exception):
        pass

    def stop(done, total):
        if done:
            raise Stopped

    with contextlib.suppress(Stopped):
        narrate_to_file(Narrator(chat(tools)), [TEXT, OTHER], tools.folder / "a.jsonl", model_name="m", on_progress=stop)
    return tools.folder / "a.jsonl"


def narrated_file(made, tools, arguments):
    return made, [(path.name, path.read_bytes()) for path in sorted(tools.folder.iterdir())], len(tools.asked.requests)


NARRATED = {
    "narrator": later(lambda tools: Narrator(chat(tools))),
    "saliencies": [TEXT],
    "out": later(lambda tools: tools.folder / "a.jsonl"),
    "model_name": "m",
}
case(
    "verbalize.narrate.narrate_to_file",
    NARRATED,
    narrated_file,
    narrator=later(lambda tools: Narrator(chat(tools), audience="expert")),
    saliencies=[OTHER],
    out=later(lambda tools: tools.folder / "b.jsonl"),
    layout="text",
    on_progress=later(lambda tools: tools.record),
)
case(
    "verbalize.narrate.narrate_to_file",
    {**NARRATED, "saliencies": [TEXT, OTHER], "out": later(earlier)},
    narrated_file,
    model_name="n",
)
case(
    "verbalize.narrate.plan_to_file",
    {**NARRATED, "saliencies": [TEXT, OTHER], "out": later(earlier)},
    narrator=later(lambda tools: Narrator(chat(tools), audience="expert")),
    saliencies=[OTHER],
    out=later(lambda tools: tools.folder / "b.jsonl"),
    model_name="n",
)
record(
    "verbalize.narrate.PlannedFile",
    {"maps": 3, "finished": 1, "foreseen": Foreseen(2)},
    maps=4,
    finished=2,
    foreseen=Foreseen(1),
)
case(
    "verbalize.Narrator.foresee",
    {"self": later(lambda tools: Narrator(chat(tools))), "saliencies": [TEXT]},
    saliencies=[TEXT, OTHER],
)

record(
    "verbalize.write.Limits", {"max_words": 12, "max_spans": 3, "length": "short"}, max_words=1, max_spans=1, length="clause"
)
record("verbalize.write.Style", {"summary": "s", "say": max}, summary="t", say=min, lengths=("short",))
