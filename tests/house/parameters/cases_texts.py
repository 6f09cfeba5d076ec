"""Texts about maps, pictures as files, and narration into a file."""

from __future__ import annotations

import json

from parameters.harness import case, later, record
from parameters.maps import CLAIM, OTHER, PIXELS, TEXT, written
from parameters.space import chat

from saywhy_core.errors import Problem
from verbalize import Narrator, TextRecord, check

TRUE, FALSE = "'great' supports 'good'.", "'awful' supports 'good'."
LIE = check([CLAIM.__class__("supports", (12,))], TEXT).errors[0]
record("verbalize.TextRecord", {"id": "a", "text": "x"}, id="b", text="y", claims=({},), line=3)
record("verbalize.TextReport", {"claims": (), "errors": (), "unread": ()}, claims=(CLAIM,), errors=(LIE,), unread=("x",))
case(
    "verbalize.check_text",
    {"text": TRUE, "saliency": TEXT},
    text=FALSE,
    saliency=OTHER,
    stated=[{"kind": "supports", "part": [12]}],
)


def file(*lines):
    def make(tools):
        path = tools.folder / "texts.jsonl"
        path.write_text("\n".join(lines))
        return path

    return later(make)


GOOD = json.dumps({"id": "a", "text": TRUE})
case(
    "verbalize.iter_texts",
    {"source": file(GOOD, "{"), "on_problem": later(lambda tools: tools.record)},
    source=file(GOOD),
    on_problem=None,
)
TEXTS = [TextRecord(TEXT.saliency_id, TRUE), TextRecord("none", TRUE)]
case(
    "verbalize.with_maps",
    {"texts": TEXTS, "saliencies": [TEXT], "on_problem": later(lambda tools: tools.record)},
    texts=TEXTS[:1],
    saliencies=[OTHER],
    where="t.jsonl",
    on_problem=None,
)
PAGE = later(lambda tools: tools.folder / "x.html")
case(
    "verbalize.draw.draw_to_file",
    {"saliency": TEXT, "path": PAGE, "kind": "html"},
    written,
    saliency=OTHER,
    path=later(lambda tools: tools.folder / "y.html"),
    kind="rationale",
    max_words=2,
    mask_labels=True,
)
case(
    "verbalize.draw.save_rationale",
    {"saliency": TEXT, "path": PAGE},
    written,
    saliency=PIXELS,
    path=later(lambda tools: tools.folder / "y.html"),
    max_words=2,
)


def telling(text):
    return later(lambda tools: Narrator(chat(tools, json.dumps({"text": text})), repairs=0))


case(
    "verbalize.Narrator.narrate_all",
    {"self": telling(TRUE), "saliencies": [TEXT]},
    on_settled=later(lambda tools: tools.record),
)
record(
    "verbalize.narrate.NarratedFile",
    {"texts": 1},
    texts=2,
    outcomes={"clean": 1},
    falsehoods={"wrong sign": 1},
    problems=(Problem("the model", "down"),),
)


def stopped(done, total):
    """Ends the run after the first text, so that its part file stays."""
    if done:
        raise RuntimeError("enough")


def left_behind(call):
    """A part file that an earlier run left in the folder."""

    def make(tools):
        narrator = telling(TRUE).make(tools)
        try:
            call(narrator, tools.folder / "t.jsonl")
        except RuntimeError:
            return narrator
        raise AssertionError("the earlier run was not stopped")

    return later(make)


def earlier(narrator, out):
    from verbalize.narrate import narrate_to_file

    narrate_to_file(narrator, [TEXT, OTHER], out, model_name="m", on_progress=stopped)


case(
    "verbalize.narrate.narrate_to_file",
    {
        "narrator": left_behind(earlier),
        "saliencies": [TEXT, OTHER],
        "out": later(lambda tools: tools.folder / "t.jsonl"),
        "model_name": "m",
        "on_progress": later(lambda tools: tools.record),
    },
    written,
    narrator=telling(FALSE),
    saliencies=[TEXT],
    out=later(lambda tools: tools.folder / "other.jsonl"),
    model_name="another",
    on_progress=None,
)
