"""Faithfulness: sweeps, evaluations and metrics on tiny models."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record

from verbalize import PixelSaliency, Query, TokenSaliency

NAMES = ("good", "bad")
WORDS = ("a", "vile", "film")


def words_model(weight=1.0):
    from verbalize.models import TextFunction

    return TextFunction(lambda texts: [[weight * len(text), text.count("vile")] for text in texts], NAMES)


def words_map(scores=(1.0, 3.0, -4.0)):
    return TokenSaliency(WORDS, scores, Query("good"))


def seen_sweep(found, tools, arguments):
    return found.logits, found.fills, found.class_names


MAPS = {"model": later(lambda tools: words_model()), "maps": [words_map()]}
case(
    "evals.faithfulness.sweep",
    MAPS,
    seen_sweep,
    model=later(lambda tools: words_model(2.0)),
    maps=[words_map((1.0, 2.0, 3.0))],
    what="bottom",
    steps=2,
    shares=(0.5,),
    order="magnitude",
    class_names=("x", "y"),
)
case("evals.faithfulness.sweep", {**MAPS, "what": "token"}, seen_sweep, alone=True)


class Recording:
    """A black box of images that remembers the sizes of its batches."""

    scores, class_names = "logits", NAMES

    def __init__(self, tools):
        self.tools = tools

    def ask_again(self):
        return False

    def __call__(self, images):
        self.tools.record(len(images))
        return np.stack([images.mean(axis=(1, 2, 3)), images.max(axis=(1, 2, 3))], axis=1)


IMAGE = np.random.default_rng(0).random((4, 5, 3), dtype=np.float32)
PIXELS = PixelSaliency(np.random.default_rng(1).normal(size=(4, 5)), Query("good"), image=IMAGE)
BOXED = {"model": later(lambda tools: Recording(tools)), "maps": [PIXELS]}


def seen_calls(found, tools, arguments):
    return tuple(str(one) for one in tools.recorded)


def seen_means(found, tools, arguments):
    return [(one.metric, one.scale, one.by, one.mean, one.low) for one in found.outcomes]


case("evals.faithfulness.sweep", BOXED, seen_calls, batch_size=2, memory=0.001)
case("evals.faithfulness.sweep", BOXED, seen_sweep, by="mean")
TWO = [words_map(), TokenSaliency(("so", "vile", "a", "film"), (1.0, 2.0, 0.0, -1.0), Query("good"))]
case(
    "evals.faithfulness.evaluate",
    {**MAPS, "maps": TWO},
    seen_means,
    model=later(lambda tools: words_model(2.0)),
    maps=TWO[:1],
    metrics=["deletion"],
    order="magnitude",
    level=0.5,
)
case("evals.faithfulness.evaluate", {**MAPS, "maps": TWO}, seen_means, steps=3, class_names=("x", "y"))
case("evals.faithfulness.evaluate", BOXED, seen_calls, batch_size=2, memory=0.001)
case("evals.faithfulness.evaluate", BOXED, seen_means, by="mean")


def explain(images, queries):
    return [PixelSaliency(image.mean(axis=2), query) for image, query in zip(images, queries, strict=True)]


def explain_otherwise(images, queries):
    return [PixelSaliency(image.max(axis=2) ** 2, query) for image, query in zip(images, queries, strict=True)]


case(
    "evals.faithfulness.evaluate",
    {**BOXED, "metrics": ["max_sensitivity"], "explain": explain},
    seen_means,
    explain=explain_otherwise,
    truth=[np.eye(4, 5, dtype=bool)],  # no metric here looks at it
)


def ask(share=0.5, **options):
    from evals.faithfulness import Hide

    return Hide("top", (0.0, share), **options)


def other_masks(saliency, *arguments):
    return np.arange(saliency.scores.size)[None] > 0


record("evals.faithfulness.Hide", {"what": "top", "shares": (0.5,)}, what="bottom", shares=(0.25,), by="mean")
case("evals.faithfulness.Hide.counts", {"self": later(lambda tools: ask()), "parts": 4}, parts=8)
record("evals.faithfulness.Keep", {"make": max}, make=min, arguments=(1,), by="mean")


def keep(tools):
    from evals.faithfulness import Keep

    return Keep(other_masks)


case("evals.faithfulness.Keep.masks", {"self": later(keep), "saliency": words_map()}, saliency=PIXELS)
case("evals.faithfulness.random_map", {"saliency": PIXELS}, saliency=words_map(), seed=1)
case("evals.faithfulness.inverted_map", {"saliency": PIXELS}, saliency=words_map())

LOGITS = np.arange(6.0).reshape(1, 2, 3) ** 2
ANSWERED = {"maps": [words_map()], "class_names": ("good", "bad", "so"), "found": {}}
record(
    "evals.faithfulness.Answers",
    ANSWERED,
    maps=[PIXELS],
    class_names=NAMES,
    found={1: 2},
    scale="probabilities",
    model=max,
    explain=max,
    truth=[1],
    order="magnitude",
    kept={1: 2},
    reasons={0: "because"},
)


def answers(tools):
    from evals.faithfulness import Answers, Hide

    found = {ask(): LOGITS, ask(0.25): LOGITS[:, ::-1], Hide("top", (0.0,)): LOGITS[:, :1]}
    return Answers(**{**ANSWERED, "found": found})


ANSWERING = {"self": later(answers), "ask": later(lambda tools: ask())}
for name in ("logits", "probabilities"):
    case(f"evals.faithfulness.Answers.{name}", ANSWERING, ask=later(lambda tools: ask(0.25)))
OTHER = [Query("bad", ("so",))]
case("evals.faithfulness.Answers.scores", ANSWERING, ask=later(lambda tools: ask(0.25)), queries=OTHER)
case("evals.faithfulness.Answers.original", {"self": later(answers)}, queries=OTHER)


def two_answers(tools):
    from evals.faithfulness import Answers

    return Answers(**{**ANSWERED, "maps": TWO})


case("evals.faithfulness.Answers.importance", {"self": later(two_answers), "row": 0}, row=1)


def rivals(tools):
    from evals.faithfulness import Answers, Hide

    maps = [words_map(), TokenSaliency(WORDS, (1.0, 3.0, -4.0), Query("so"))]
    return Answers(**{**ANSWERED, "maps": maps, "found": {Hide("top", (0.0,)): np.repeat(LOGITS[:, :1], 2, axis=0)}})


case("evals.faithfulness.Answers.rival", {"self": later(rivals), "row": 0}, row=1)

SWEPT = {
    "maps": (words_map(),), "class_names": ("good", "bad", "so"), "what": "top", "fills": ("removal",) * 2, "shares": (0, 1),
    "hidden": (), "logits": LOGITS, "original": LOGITS[:, 0], "forwards": 2, "seconds": 1.0,
}  # fmt: skip
record(
    "evals.faithfulness.Sweep",
    SWEPT,
    maps=(PIXELS,),
    class_names=NAMES,
    what="bottom",
    fills=("mask",) * 2,
    shares=(0, 0.5),
    hidden=(("a",),),
    logits=-LOGITS,
    original=-LOGITS[:, 0],
    forwards=3,
    seconds=2.0,
)


def swept(tools):
    from evals.faithfulness import Sweep

    return Sweep(**SWEPT)


case("evals.faithfulness.Sweep.scores", {"self": later(swept)}, scale="probabilities", queries=OTHER)
OUTCOME = {
    "metric": "deletion", "scale": "logits", "by": "zero", "higher_is_better": False, "values": np.ones(1), "reasons": {},
    "mean": 1.0, "low": 0.0, "high": 2.0, "forwards": 3, "seconds": 1.0,
}  # fmt: skip
record(
    "evals.faithfulness.Outcome",
    OUTCOME,
    metric="insertion",
    scale="none",
    by="mean",
    higher_is_better=True,
    values=np.zeros(1),
    reasons={0: "none"},
    mean=2.0,
    low=1.0,
    high=3.0,
    forwards=4,
    seconds=2.0,
)
EVALUATED = {
    "maps": (PIXELS,), "outcomes": (), "left_out": {}, "level": 0.95, "forwards": 4, "sweeps": 3, "backwards": 2, "seconds": 1.0,
}  # fmt: skip
record(
    "evals.faithfulness.Evaluation",
    EVALUATED,
    maps=(words_map(),),
    outcomes=(1,),
    left_out={"a": "b"},
    level=0.9,
    forwards=5,
    sweeps=4,
    backwards=3,
    seconds=2.0,
)


def other_evaluation(**changed):
    from evals.faithfulness import Evaluation, Outcome

    return Evaluation(**{**EVALUATED, "outcomes": (Outcome(**{**OUTCOME, "metric": "ccs"}),), **changed})


def evaluation(tools):
    from evals.faithfulness import Evaluation, Outcome

    kinds = ({}, {"scale": "probabilities"}, {"by": "mean"}, {"metric": "insertion"})
    return Evaluation(**{**EVALUATED, "outcomes": tuple(Outcome(**{**OUTCOME, **kind}) for kind in kinds)})


case(
    "evals.faithfulness.Evaluation.joined",
    {"self": later(evaluation), "other": later(lambda tools: other_evaluation()), "metrics": ["deletion", "insertion", "ccs"]},
    lambda found, tools, arguments: ([one.metric for one in found.outcomes], found.forwards),
    other=later(lambda tools: other_evaluation(forwards=9)),
    metrics=["ccs", "insertion", "deletion"],
)
case(
    "evals.faithfulness.Evaluation.of",
    {"self": later(evaluation), "metric": "deletion"},
    lambda found, tools, arguments: (found.metric, found.scale, found.by),
    metric="insertion",
    scale="probabilities",
    by="mean",
)
record(
    "evals.faithfulness.Metric",
    {"summary": "s", "measure": max, "higher_is_better": True},
    summary="t",
    measure=min,
    higher_is_better=False,
    asks=max,
    settings={"steps": 3},
    inputs=("tokens",),
    needs=("truth",),
    scaled=False,
    flat=True,
    undefined="because",
    bounds=(0, 1),
)


def metric(tools):
    from evals.faithfulness import METRICS

    return METRICS.get("ccs")


case(
    "evals.faithfulness.Metric.bounds_in",
    {"self": later(metric), "scale": "probabilities", "contrastive": False, "settings": {"alphas": (0.1, 0.9)}},
    scale="logits",
    settings={"alphas": (0.1, 0.5)},
)
case(
    "evals.faithfulness.Metric.bounds_in",
    {
        "self": later(lambda tools: __import__("evals.faithfulness", fromlist=["METRICS"]).METRICS.get("deletion")),
        "scale": "probabilities",
        "contrastive": False,
        "settings": {},
    },
    contrastive=True,
)


def masked_words(tools):
    from verbalize.masking import mask_inputs

    return mask_inputs(words_model(), TWO)


case(
    "verbalize.masking.MaskedInputs.run",
    {"self": later(masked_words), "rows": [0], "kept": [[True, True, False, True]], "fill": "removal"},
    rows=[1],
    kept=[[False, True, False, True]],
    fill="mask",
)
case(
    "verbalize.masking.MaskedInputs.contents",
    {"self": later(masked_words), "rows": [0], "kept": [[True, True, False, True]], "fill": "removal"},
    rows=[1],
    kept=[[False, True, False, True]],
    fill="mask",
)
