"""Maps, claims, texts, pictures, formats, parts."""

from __future__ import annotations

import json

import numpy as np
from parameters.harness import case, later, record

from agents.prompting import Contrast, PairDescriptions, Provenance
from verbalize import (
    Background,
    Claim,
    ClaimError,
    Narrator,
    PixelSaliency,
    Prediction,
    Query,
    SpecialToken,
    TemplateVerbalizer,
    TokenSaliency,
)

GOOD, BAD = Query("good"), Query("bad")
WORDS = ("the", "acting", "is", "great", "and", "the", "plot", "is", "great", "but", "slow", "and", "awful")
SCORES = (0.0, 0.5, 0.1, 0.9, -0.1, 0.0, 0.2, 0.1, 1.0, -0.2, -0.6, -0.1, -0.9)
TEXT = TokenSaliency(WORDS, SCORES, GOOD, text=" ".join(WORDS))
OTHER = TokenSaliency(("a", "dull", "film"), (0.1, -2.0, 0.3), BAD)
PICTURE = np.random.default_rng(0).random((12, 16, 3)).astype(np.float32)
SPOTS = np.zeros((12, 16))
SPOTS[1:5, 1:5], SPOTS[7:11, 9:15], SPOTS[8:10, 1:4] = 3.0, 1.0, -2.0
PIXELS = PixelSaliency(SPOTS, GOOD, image=PICTURE)
OTHER_PIXELS = PixelSaliency(SPOTS[::-1], BAD, image=PICTURE)
MASKS = np.stack([SPOTS > 0, SPOTS < 0])
PAIRS = PairDescriptions(
    {(0, 1): [Contrast(name, (f"a good one with {name}", f"a bad one without {name}")) for name in ("ears", "fur", "tail")]},
    {0: "good", 1: "bad"},
)
VERSUS = TokenSaliency(WORDS, SCORES, Query("good", ("bad",)))

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
    id="x",
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

CLAIM = Claim("supports", (3,))
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
record("verbalize.CheckReport", {"claims": (CLAIM,), "errors": ()}, claims=(), errors=(ClaimError("wrong sign", CLAIM, "m"),))
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
    problem="p",
    background=("b",),
)


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
case("verbalize.TemplateVerbalizer.verbalize_all", {"self": TemplateVerbalizer(), "saliencies": [TEXT]}, saliencies=[OTHER])

record("verbalize.Background", {"pairs": PAIRS, "numbers": {"good": 0}}, pairs=None, numbers={"bad": 1}, limit=1)
case(
    "verbalize.Background.of",
    {"source": PAIRS},
    lambda background, tools, arguments: background.sentences(VERSUS.query),
    source=PairDescriptions({}, PAIRS.names),
    class_names=["fine", "bad"],
    limit=1,
)
case("verbalize.Background.sentences", {"self": Background.of(PAIRS), "query": VERSUS.query}, query=GOOD)


def chat(tools, text="'great' supports 'good'. 'awful' supports 'good'."):
    from agents import chat_model

    tools.asked = tools.server(default=json.dumps({"text": text, "claims": []}))
    return chat_model(f"{tools.asked.url}#m")


def narrated(narrator, tools, arguments):
    made = narrator.narrate_all([TEXT, VERSUS, PIXELS] if narrator.style == "narrate" else [TEXT, VERSUS])
    return made, [request.body["messages"] for request in tools.asked.requests]


case(
    "verbalize.Narrator",
    {"model": later(chat)},
    narrated,
    model=later(lambda tools: chat(tools, "'awful' opposes 'good'.")),
    audience="expert",
    max_words=20,
    repairs=0,
    mask_labels=True,
    language="French",
    style="smv-gpt",
    pictures=True,
    background=PAIRS,
)
case("verbalize.Narrator.narrate", {"self": later(lambda tools: Narrator(chat(tools))), "saliency": TEXT}, saliency=OTHER)
case(
    "verbalize.Narrator.narrate_all",
    {"self": later(lambda tools: Narrator(chat(tools))), "saliencies": [TEXT]},
    saliencies=[OTHER],
)
case("verbalize.narrate.zero_shot_request", {"saliency": TEXT}, saliency=OTHER)

RISING = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, -0.1]
SIX = [1.0, -0.5, 2.0, 0.0, 1.5, -3.0]
for spans, base in (("best_spans", {}), ("best_spans_holding", {"holding": 4})):
    case(
        f"verbalize.{spans}",
        {"scores": SIX, "max_words": 3, "max_spans": 2, **base},
        scores=SIX[::-1],
        max_words=1,
        max_spans=1,
        **({"holding": 5} if base else {}),
    )
    joined = {"holding": 2} if base else {}
    case(f"verbalize.{spans}", {"scores": SIX[:3], "max_words": 3, "max_spans": 1, **joined}, bridge=0.5)
record("verbalize.Span", {"start": 0, "stop": 1, "score": 1.0}, start=-1, stop=2, score=2.0)
for search in ("convolution_search", "span_search"):
    case(
        f"verbalize.parts.{search}", {"scores": RISING, "share": 1.0}, scores=RISING[::-1], filter_length=4, share=0.2, sgn="-"
    )
case("verbalize.parts.total_order", {"scores": SCORES}, scores=SCORES[::-1], sgn="-")
record("verbalize.parts.Snippet", {"indices": (0,), "score": 1.0}, indices=(1,), score=2.0)
case("verbalize.parts.colour_in_words", {"rgb": (1.0, 0.0, 0.0)}, rgb=(0.0, 0.0, 1.0))
case("verbalize.parts.located", {"place": "centre"}, place="whole picture")
case(
    "verbalize.parts.place_in_words",
    {"part": np.eye(9, dtype=bool)[:3], "shape": (3, 9)},
    part=np.eye(9, dtype=bool)[:3, ::-1],
    shape=(9, 3),
)
case("verbalize.find_regions", {"saliency": PixelSaliency(np.outer(np.arange(12.0), np.arange(16.0)), GOOD)}, mass=0.2)
case("verbalize.find_regions", {"saliency": PIXELS}, saliency=OTHER_PIXELS, max_regions=1, method="superpixels")
REGION = {
    "mask": np.ones((2, 2), bool),
    "positive": 1.0,
    "negative": 0.0,
    "positive_share": 0.5,
    "negative_share": 0.0,
    "area": 0.1,
    "bbox": (0, 0, 1, 1),
    "centre": (0.0, 0.0),
    "place": "left",
    "colour": None,
    "name": "a",
}
record(
    "verbalize.Region",
    REGION,
    mask=np.zeros((2, 2), bool),
    positive=2.0,
    negative=1.0,
    positive_share=1.0,
    negative_share=1.0,
    area=0.2,
    bbox=(0, 0, 2, 2),
    centre=(1.0, 0.0),
    place="right",
    colour="red",
    name="b",
)


def lines(tools, content='{"tokens": ["a", "b"], "scores": [1, 2]}\n', name="maps.jsonl"):
    path = tools.folder / name
    path.write_text(content)
    return path


def written(result, tools, arguments):
    return (
        result,
        sorted(path.name for path in tools.folder.iterdir()),
        [path.read_bytes() for path in sorted(tools.folder.iterdir()) if path.is_file()],
    )


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

record("verbalize.draw.Rationale", {"part": (0,), "text": "a", "html": "a"}, part=(1,), text="b", html="b")
case("verbalize.draw.extractive_rationale", {"saliency": TEXT}, saliency=OTHER, max_words=2)
case("verbalize.draw.heatmap_page", {"saliencies": [TEXT]}, saliencies=[OTHER], title="Others", mask_labels=True)
case("verbalize.draw.html_page", {"body": "<p>a</p>", "title": "t"}, body="<p>b</p>", title="u")
case("verbalize.draw.image_png", {"saliency": PIXELS}, saliency=PixelSaliency(SPOTS, GOOD, image=1 - PICTURE), smallest_side=40)
for drawing in ("heatmap_html", "token_heatmap_html", "heatmap_png", "token_heatmap_png"):
    case(f"verbalize.draw.{drawing}", {"saliency": TEXT, "legend": True}, saliency=OTHER, mask_labels=True, legend=False)
for drawing in ("heatmap_html", "pixel_heatmap_html", "heatmap_png", "pixel_heatmap_png"):
    case(
        f"verbalize.draw.{drawing}", {"saliency": PIXELS, "legend": True}, saliency=OTHER_PIXELS, mask_labels=True, legend=False
    )
case("verbalize.draw.token_heatmap_png", {"saliency": TEXT}, width=300, font_size=30)
case("verbalize.draw.pixel_heatmap_png", {"saliency": PIXELS}, overlay=False, regions=True, smallest_side=100)
case(
    "verbalize.draw.save_picture",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.png")},
    written,
    saliency=OTHER,
    path=later(lambda tools: tools.folder / "a.html"),
)
case(
    "verbalize.draw.save_picture",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.html")},
    written,
    mask_labels=True,
)

record(
    "agents.prompting.Provenance", {"model": "m", "prompt_version": "1", "time": "t"}, model="n", prompt_version="2", time="u"
)
record(
    "agents.prompting.Contrast",
    {"attribute": "ears", "captions": ("a", "b")},
    attribute="fur",
    captions=("a", "c"),
    provenance=Provenance("m", "1", "t"),
)

KIND = {"summary": "s", "falsehood": max, "mirrored": min}
record(
    "verbalize.claims.KindOfClaim",
    KIND,
    summary="t",
    falsehood=min,
    mirrored=max,
    needs_part=False,
    needs_other=True,
)
case("verbalize.claims.coverage_of", {"claims": [CLAIM], "saliency": TEXT}, claims=[Claim("supports", (1,))], saliency=OTHER)
case("verbalize.claims.named_parts", {"claims": [CLAIM], "count": 9}, claims=[Claim("supports", (1,))], count=2)
case("verbalize.claims.shares_of", {"saliency": TEXT}, saliency=OTHER)
