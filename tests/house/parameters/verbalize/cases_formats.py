"""Files of maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from parameters.harness import case, later, record
from parameters.maps import (
    OTHER,
    OTHER_PIXELS,
    PICTURE,
    PIXELS,
    SPOTS,
    TEXT,
    written,
)

from verbalize import Query
from verbalize.formats import ReadOptions, to_record


def lines(tools, content='{"tokens": ["a", "b"], "scores": [1, 2]}\n', name="maps.jsonl"):
    path = tools.folder / name
    path.write_text(content)
    return path


NOTED = "token,score,label,remark\ngreat,1,good,x\n"
NAMED = '{"tokens": ["a"], "scores": [1], "query": {"label": "good"}}\n'
case(
    "verbalize.read_saliency",
    {"source": later(lambda tools: lines(tools, '[["a", 1.0], ["b", 2.0]]', "pairs.json")), "label": "good"},
    source=later(lambda tools: lines(tools, '[["a", 1.0], ["c", 2.0]]', "pairs.json")),
    format="shap",
    label="bad",
    versus=["bad"],
)
case(
    "verbalize.read_saliency",
    {"source": later(lambda tools: lines(tools, NAMED + "{}\n")), "on_problem": lambda problem: None},
    on_problem=later(lambda tools: tools.record),
)
case(
    "verbalize.read_saliency",
    {"source": later(lambda tools: lines(tools, NAMED + "{}\n")), "on_problem": lambda problem: None},
    on_problem=None,
)
THERMOSTAT = {"attributions": [0.0, 1.0, 0.0], "idx": 7, "input_ids": [2, 5, 3], "label": 0, "predictions": [-1.0, 2.0]}


case(
    "verbalize.read_saliency",
    {"source": [["a", 1.0], ["b", 2.0]], "label": "good"},
    signed=False,
    input_text="a b",
)
case(
    "verbalize.read_saliency",
    {"source": later(lambda tools: lines(tools, NOTED, "maps.csv")), "on_note": lambda text: None},
    lambda found, tools, arguments: tools.recorded,
    on_note=later(lambda tools: tools.record),
)
case(
    "verbalize.formats.iter_saliency",
    {"source": later(lambda tools: lines(tools, NOTED, "maps.csv")), "on_note": lambda text: None},
    lambda found, tools, arguments: (list(found), tools.recorded),
    on_note=later(lambda tools: tools.record),
)


class Tokenizer:
    """Names ids; the two brackets are special."""

    all_special_tokens = ("[CLS]", "[SEP]", "[PAD]")

    def __init__(self, word):
        self.names = {2: "[CLS]", 3: "[SEP]", 5: word}

    def convert_ids_to_tokens(self, ids):
        return [self.names[int(number)] for number in ids]


case(
    "verbalize.read_saliency",
    {"source": THERMOSTAT, "tokenizer": Tokenizer("fine"), "class_names": ["good", "bad"]},
    class_names=["a", "b"],
    tokenizer=Tokenizer("poor"),
)


def array(tools):
    np.save(tools.folder / "map.npy", SPOTS)
    return tools.folder / "map.npy"


case("verbalize.read_saliency", {"source": later(array), "label": "good"}, image=PICTURE)
PLANES = np.arange(60.0).reshape(3, 4, 5)
case(
    "verbalize.read_saliency",
    {"source": PLANES, "label": "good", "axes": "chw", "on_note": lambda note: None},
    lambda found, tools, arguments: [one.scores for one in found],
    axes="nhw",
)
case(
    "verbalize.write_saliency",
    {"saliencies": [TEXT], "path": later(lambda tools: tools.folder / "a.jsonl")},
    written,
    saliencies=[OTHER],
    path=later(lambda tools: tools.folder / "b.jsonl"),
)

READ = {"self": ReadOptions(class_names=("good", "bad"))}
record(
    "verbalize.formats.ReadOptions",
    {},
    label="good",
    versus=("bad",),
    class_names=("a",),
    tokenizer="t",
    image="i",
    axes="hw",
    signed=False,
    input_text="a",
    folder=Path(),
)
case("verbalize.formats.ReadOptions", {"label": "x"}, lambda found, tools, arguments: found.unused(), used={"label"})
case(
    "verbalize.formats.ReadOptions", {}, lambda found, tools, arguments: (found.notes, found.unsaid), notes=["a"], unsaid={True}
)
case(
    "verbalize.formats.ReadOptions.note",
    {"self": later(lambda tools: ReadOptions()), "text": "a"},
    lambda found, tools, arguments: arguments["self"].notes,
    text="b",
)
case("verbalize.formats.ReadOptions.is_signed", {"self": ReadOptions()}, known=False, default=False)
case("verbalize.formats.ReadOptions.copy", {"self": ReadOptions()}, label="good")
case("verbalize.formats.ReadOptions.agreed", {"self": ReadOptions("good"), "query": Query("good")}, query=Query("bad"))
case("verbalize.formats.ReadOptions.query", READ | {"found": 0}, versus=1)
case("verbalize.formats.ReadOptions.chosen", {"self": ReadOptions("good"), "outputs": ["good", "bad"]}, outputs=["bad", "good"])
case("verbalize.formats.ReadOptions.class_name", {**READ, "value": 0}, value=1)
case("verbalize.formats.ReadOptions.query", {**READ, "found": 0}, found=1)
FORMAT = {"name": "own", "summary": "s", "matches": max, "read": max, "suffixes": (".own",), "read_file": max}
record(
    "verbalize.formats.Format", FORMAT, name="other", summary="t", matches=min, read=min, suffixes=(".other",), read_file=min
)
record(
    "verbalize.formats.BadRecord",
    {"source": "a", "line": 1, "id": "i", "message": "m"},
    source="b",
    line=2,
    id="j",
    message="n",
)
case(
    "verbalize.formats.iter_saliency",
    {"source": [["a", 1.0], ["b", 2.0]], "options": ReadOptions("good")},
    lambda found, tools, arguments: list(found),
    source=[["a", 1.0], ["c", 2.0]],
    options=ReadOptions("bad"),
    format="shap",
)
case(
    "verbalize.formats.iter_saliency",
    {"source": later(lambda tools: lines(tools, NAMED + "{}\n")), "on_problem": lambda problem: None},
    lambda found, tools, arguments: list(found),
    on_problem=later(lambda tools: tools.record),
)
RECORD = to_record(TEXT)
case("verbalize.formats.from_record", {"record": RECORD}, record={**RECORD, "tokens": RECORD["tokens"][::-1], "text": None})


def kept(tools):
    np.save(tools.folder / "scores.npy", SPOTS)
    return tools.folder


FILED = {"version": 1, "query": {"label": "good"}, "pixels": "scores.npy"}
case("verbalize.formats.from_record", {"record": FILED, "folder": later(kept)}, folder=None)
case(
    "verbalize.formats.to_record",
    {"saliency": PIXELS, "save_array": lambda name, array: name},
    saliency=OTHER_PIXELS,
    save_array=lambda name, array: f"{name}.npy",
)
