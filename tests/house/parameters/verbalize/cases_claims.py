"""Maps, claims and what is read out of sentences."""

from __future__ import annotations

import json

import numpy as np
from parameters.harness import case, later, record
from parameters.maps import (
    BAD,
    CLAIM,
    GOOD,
    OTHER,
    TEXT,
    WORDS,
)

from verbalize import (
    CheckedSentence,
    Claim,
    ClaimError,
    ModelReader,
    Prediction,
    SecondReading,
    SpecialToken,
    TextRecord,
    TextReport,
    TokenSaliency,
    UndecidedClaim,
)

record("verbalize.Query", {"label": "good"}, label="bad", versus=("bad",), members=("fine",))
record("verbalize.Prediction", {"label": "good"}, label="bad", probability=0.5, scores={"good": 1.0}, true_label="bad")
record("verbalize.SpecialToken", {"token": "[CLS]", "score": 0.0, "position": 0}, token="</s>", score=1.0, position=1)
record(
    "verbalize.TokenSaliency",
    {"tokens": ["a", "b"], "scores": [1.0, 2.0], "query": GOOD},
    tokens=["a", "c"],
    scores=[2.0, 2.0],
    query=BAD,
    text="a b",
    offsets=[(0, 1), (2, 3)],
    prediction=Prediction("good"),
    special=[SpecialToken("[CLS]", 0.0, 0)],
    id="x",
    method="by hand",
    signed=False,
)
record("verbalize.TokenSaliency", {"tokens": ["a"], "scores": [1.0], "query": GOOD, "text": "a a"}, offsets=[(2, 3)])
case(
    "verbalize.TokenSaliency.from_pieces",
    {"pieces": ["un", "##able", "[CLS]", "<x>"], "scores": [1.0, 2.0, 0.5, 3.0], "query": GOOD},
    pieces=["un", "able", "[CLS]", "<x>"],
    scores=[1.0, 3.0, 0.5, 3.0],
    query=BAD,
    text="unable <x>",
    scheme="none",
    special_tokens=["<x>"],
    special=[SpecialToken("<y>", 0.5, 1)],
    id="x",
)
case(
    "verbalize.TokenSaliency.from_pieces",
    {"pieces": ["un", "##able"], "scores": [1.0, 2.0], "query": GOOD, "text": "unable unable"},
    offsets=[(7, 9), (9, 13)],
)
case("verbalize.TokenSaliency.text_of", {"self": TEXT, "part": (1, 2)}, part=(1, 3))
record(
    "verbalize.PixelSaliency",
    {"scores": np.ones((2, 2)), "query": GOOD},
    scores=np.zeros((2, 2)),
    query=BAD,
    image=np.ones((2, 2, 3)),
    signed=False,
    masks=np.ones((1, 2, 2)),
    mask_names=["sky"],
    prediction=Prediction("good"),
    id="x",
    method="by hand",
)
record("verbalize.PixelSaliency", {"scores": np.ones((2, 2)), "query": GOOD, "masks": np.ones((1, 2, 2))}, mask_names=["sky"])
record("verbalize.PixelSaliency", {"scores": np.ones((2, 2)), "query": GOOD, "signed": False}, floor=0.5)

record(
    "verbalize.Claim",
    {"kind": "supports"},
    kind="opposes",
    part=(3,),
    other=(1,),
    direction="opposes",
    value=0.5,
    tolerance=0.1,
    of="negative",
    label="good",
    versus=("bad",),
    shared=True,
    quote="great",
)
case("verbalize.Claim.from_record", {"record": {"kind": "supports", "part": [3]}}, record={"kind": "opposes", "part": [3]})
record(
    "verbalize.ClaimError",
    {"kind": "wrong sign", "claim": CLAIM, "message": "m"},
    kind="wrong rank",
    claim=Claim("opposes", (3,)),
    message="n",
)
record("verbalize.UndecidedClaim", {"claim": CLAIM, "message": "m"}, claim=Claim("opposes", (3,)), message="n")
record(
    "verbalize.CheckReport",
    {"claims": (CLAIM,), "errors": ()},
    claims=(),
    errors=(ClaimError("wrong sign", CLAIM, "m"),),
    undecided=(UndecidedClaim(CLAIM, "m"),),
    notes=("n",),
)
case(
    "verbalize.check",
    {"claims": [Claim("supports", (3, 4))], "saliency": TEXT},
    claims=[CLAIM],
    saliency=TokenSaliency(WORDS, np.ones(len(WORDS)), GOOD),
    bridge=0.2,
)
SAID = "'great' is the most important word for 'good'."
for reader in ("read_claims", "read_sentences"):
    case(f"verbalize.{reader}", {"text": SAID, "saliency": TEXT}, text="'slow' opposes 'good'.", saliency=OTHER)
record(
    "verbalize.ReadSentence",
    {"start": 0, "stop": 1, "text": "a", "claims": (), "unread": False},
    start=1,
    stop=2,
    text="b",
    claims=(CLAIM,),
    unread=True,
    rules=("r",),
    left_over=("w",),
    implied=((CLAIM,),),
)
record(
    "verbalize.Verbalization",
    {"saliency_id": "a", "text": "t", "claims": (), "coverage": 0.5},
    saliency_id="b",
    text="u",
    claims=(CLAIM,),
    coverage=0.6,
    style="smv",
    outcome="clean",
    drafts=("d",),
    falsehoods={"wrong sign": 1},
    fallback="f",
    problem="p",
    background=("b",),
    comment="c",
    left_out=("l",),
)


KIND = {"summary": "s", "truth": "t", "falsehood": max, "mirrored": min}
record(
    "verbalize.claims.KindOfClaim",
    KIND,
    summary="t",
    truth="u",
    falsehood=min,
    mirrored=max,
    needs_part=False,
    needs_other=True,
    signed=True,
    of_model=True,
    of_absence=True,
)
case("verbalize.claims.coverage_of", {"claims": [CLAIM], "saliency": TEXT}, claims=[Claim("supports", (1,))], saliency=OTHER)
case("verbalize.claims.named_parts", {"claims": [CLAIM], "count": 9}, claims=[Claim("supports", (1,))], count=2)
case("verbalize.claims.shares_of", {"saliency": TEXT}, saliency=OTHER)

record(
    "verbalize.TextRecord",
    {"id": "a", "text": "t"},
    id="b",
    text="u",
    claims=({"kind": "supports"},),
    line=2,
    place=3,
    label="x",
)
FALSE = ClaimError("wrong sign", CLAIM, "m")
record(
    "verbalize.SecondReading",
    {"status": "true"},
    status="false",
    claims=(CLAIM,),
    errors=(FALSE,),
    undecided=(UndecidedClaim(CLAIM, "m"),),
    problem="p",
)
record(
    "verbalize.CheckedSentence",
    {"text": "t", "status": "true"},
    text="u",
    status="false",
    claims=(CLAIM,),
    errors=(FALSE,),
    undecided=(UndecidedClaim(CLAIM, "m"),),
    rules=("r",),
    left_over=("w",),
    whole=False,
    second=SecondReading("true"),
    notes=("n",),
)
record(
    "verbalize.TextReport",
    {"claims": (), "errors": (), "unread": ()},
    claims=(CLAIM,),
    errors=(FALSE,),
    unread=("s",),
    undecided=(UndecidedClaim(CLAIM, "m"),),
    sentences=(CheckedSentence("t", "true"),),
)


class Reader:
    """A second reader that reads the same in every sentence."""

    def read(self, asked):
        return [SecondReading("false", (CLAIM,), (FALSE,)) for _ in asked]


case(
    "verbalize.check_text",
    {"text": SAID, "saliency": TEXT},
    text="'slow' opposes 'good'.",
    saliency=OTHER,
    stated=[Claim("opposes", (3,))],
)
case("verbalize.check_text", {"text": "Lovely film.", "saliency": TEXT}, reader=Reader())
WRONG = TextRecord("a", SAID, ({"kind": "no such kind"},), 1)
case(
    "verbalize.check_texts",
    {"texts": [(TextRecord("a", "Lovely film."), TEXT), (WRONG, TEXT)], "on_problem": later(lambda tools: tools.record)},
    lambda found, tools, arguments: list(found),
    texts=[(TextRecord("b", SAID), TEXT)],
    reader=Reader(),
    where="texts.jsonl",
    on_problem=lambda problem: None,
)


class Silent:
    """A second reader that reads nothing."""

    def read(self, asked):
        return [SecondReading("not verified") for _ in asked]


IDLE = TextReport((), (), (), sentences=(CheckedSentence("Lovely film.", "not verified"),))
case("verbalize.open_sentences", {"report": IDLE}, report=TextReport((), (), ()))
case("verbalize.read_again", {"checked": [("", TEXT, IDLE)], "reader": Reader()}, checked=[], reader=Silent())


def answer(tools, kind="supports"):
    from agents import chat_model

    tools.asked = tools.server(default=json.dumps({"claims": [{"kind": kind, "parts": [3]}], "complete": kind != "share"}))
    return chat_model(f"{tools.asked.url}#m")


def read_again(reader, tools, arguments):
    made = reader.read([("'great' tipped it.", "", TEXT)])
    return made, len(tools.asked.requests), tools.recorded


case(
    "verbalize.ModelReader",
    {"model": later(answer)},
    read_again,
    model=later(lambda tools: answer(tools, "opposes")),
    on_progress=later(lambda tools: tools.record),
)
case("verbalize.ModelReader", {"model": later(lambda tools: answer(tools, "no such kind"))}, read_again, reasks=2)
case(
    "verbalize.ModelReader.read",
    {"self": later(lambda tools: ModelReader(answer(tools))), "asked": [("'great' tipped it.", "", TEXT)]},
    asked=[("Lovely film.", "", TEXT)],
)
case(
    "verbalize.ModelReader.foresee",
    {"self": later(lambda tools: ModelReader(answer(tools))), "asked": [("'great' tipped it.", "", TEXT)]},
    asked=[("'great' tipped it.", "", TEXT), ("Lovely film.", "", TEXT)],
)


def text_file(tools, content='{"id": "a", "text": "t"}\nno record\n'):
    (tools.folder / "texts.jsonl").write_text(content)
    return tools.folder / "texts.jsonl"


case(
    "verbalize.iter_texts",
    {"source": later(text_file), "on_problem": lambda problem: None},
    lambda found, tools, arguments: list(found),
    source=later(lambda tools: text_file(tools, '{"id": "b", "text": "t"}\n')),
    on_problem=later(lambda tools: tools.record),
)
LOST = {"texts": [TextRecord("a", "t"), TextRecord("x", "u")], "saliencies": [TokenSaliency(["w"], [1.0], GOOD, id="a")]}
case(
    "verbalize.with_maps",
    {**LOST, "on_problem": later(lambda tools: tools.record)},
    lambda found, tools, arguments: list(found),
    texts=[TextRecord("x", "u")],
    saliencies=[TokenSaliency(["w"], [1.0], GOOD, id="x")],
    where="texts.jsonl",
    on_problem=lambda problem: None,
)
