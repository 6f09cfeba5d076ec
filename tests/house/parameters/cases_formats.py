"""Files of maps."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later
from parameters.maps import (
    OTHER,
    PICTURE,
    SPOTS,
    TEXT,
    written,
)


def lines(tools, content='{"tokens": ["a", "b"], "scores": [1, 2]}\n', name="maps.jsonl"):
    path = tools.folder / name
    path.write_text(content)
    return path


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
case(
    "verbalize.write_saliency",
    {"saliencies": [TEXT], "path": later(lambda tools: tools.folder / "a.jsonl")},
    written,
    saliencies=[OTHER],
    path=later(lambda tools: tools.folder / "b.jsonl"),
)
