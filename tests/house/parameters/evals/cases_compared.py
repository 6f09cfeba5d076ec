"""Attribution methods side by side."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.verbalize.attribution.cases_attribution import IMAGE, NAMES, network

from verbalize import Query, TokenSaliency

WORDS = ["the", "service", "is", "still", "rude"]


def words_map(scores, query="negative", end=""):
    return TokenSaliency(WORDS, scores, Query(query), text=" ".join(WORDS) + end)


AGREEMENT = {
    "methods": ("a", "b"), "k": 3, "inputs": (), "correlation": np.eye(2), "overlap": np.eye(2), "signs": np.eye(2),
    "compared": 2, "pairs": (),
}  # fmt: skip
record(
    "evals.faithfulness.Agreement", AGREEMENT, methods=("c", "d"), k=2, inputs=(1,), correlation=np.ones((2, 2)),
    overlap=np.ones((2, 2)), signs=np.ones((2, 2)), compared=3, pairs=(1,),
)  # fmt: skip
MAPS = {
    "a": [words_map([0, 3, 0, 1, 2]), words_map([1, 0, 0, 0, 2], end="!")],
    "b": [words_map([0, 1, 0, 4, 2]), words_map([0, 0, 1, 0, 2], end="!")],
}
case(
    "evals.faithfulness.agree",
    {"maps": MAPS},
    lambda found, tools, arguments: ([one.text for one in found.inputs], found.overlap.tolist(), str(found.pairs)),
    maps={"a": MAPS["a"], "b": MAPS["a"]},
    k=1,
    level=0.5,
)
record(
    "evals.faithfulness.Metric",
    {"summary": "s", "measure": max, "higher_is_better": True},
    bounds=(0, 1),
    family="f",
    fixed=max,
)
RANKING = {
    "question": "pointwise", "scale": "logits", "methods": ("a", "b"), "metrics": ("m",), "ranks": np.ones((1, 2)),
    "of_inputs": np.ones((2, 3)), "means": np.ones(2), "low": np.ones(2), "high": np.ones(2), "concordance": 1.0,
    "taus": np.ones((1, 1)), "counts": (3,),
}  # fmt: skip
record(
    "evals.faithfulness.Ranking", RANKING, question="contrastive", scale="probabilities", methods=("c", "d"), metrics=("n",),
    ranks=np.zeros((1, 2)), of_inputs=np.zeros((2, 3)), means=np.zeros(2), low=np.zeros(2), high=np.zeros(2), concordance=0.5,
    taus=np.zeros((1, 1)), counts=(2,), level=0.9, left_out={"c": "flat"},
)  # fmt: skip
record(
    "evals.faithfulness.Comparison", {"runs": (), "inputs": 2, "level": 0.95}, runs=(1,), inputs=3, level=0.9, settings={"a": 1}
)


def model(seed=0):
    from verbalize.models import ImageModel

    return ImageModel(network(seed), NAMES)


def images(count=2):
    return list(np.random.default_rng(count).random((count, *IMAGE.shape), dtype=np.float32))


def told(comparison, tools, arguments):
    rows = [{key: value for key, value in row.items() if "seconds" not in key} for row in comparison.table()]
    maps = [[(one.query, one.scores.tolist()) for one in run.maps] for run in comparison.runs]
    return rows, maps, len(comparison.runs), comparison.level, tools.recorded


def truth(count=2):
    mask = np.zeros(IMAGE.shape[:2], bool)
    mask[:4, :4] = True
    return [mask] * count


METHOD = ["input_x_gradient"]
COMPARED = {"model": later(lambda tools: model()), "inputs": images(), "methods": METHOD, "metrics": ["deletion"]}
case(
    "evals.faithfulness.compare",
    COMPARED,
    told,
    model=later(lambda tools: model(1)),
    inputs=images(3),
    methods=["saliency"],
    questions=["contrastive"],
    queries=[Query("a"), Query("b")],
    groups={"ab": ["a", "b"]},
    metrics=["insertion"],
    by="mean",
    truth=truth(),
    class_names=("x", "y", "z"),
    batch_size=0,
    level=0.5,
    seed=1,
    on_progress=later(lambda tools: tools.record),
    steps=3,
)


def compared(questions=("pointwise", "contrastive"), methods=("input_x_gradient", "saliency")):
    from evals.faithfulness import compare

    return compare(model(), images(), methods, questions=questions, metrics=["deletion", "insertion"])


def ranks(found, tools, arguments):
    return found.question, found.scale, found.methods, found.ranks.tolist(), found.means.tolist()


case(
    "evals.faithfulness.rank",
    {"comparison": later(lambda tools: compared()), "question": "pointwise"},
    ranks,
    comparison=later(lambda tools: compared(methods=("saliency", "occlusion"))),
    question="contrastive",
    scale="probabilities",
)
case(
    "evals.faithfulness.Comparison.of",
    {"self": later(lambda tools: compared()), "question": "pointwise"},
    lambda found, tools, arguments: [run.question for run in found],
    question="contrastive",
)
case(
    "evals.faithfulness.write_comparison",
    {"comparison": later(lambda tools: compared()), "folder": later(lambda tools: tools.folder / "a")},
    lambda found, tools, arguments: (
        found[0].parent.name,
        sorted(path.name for path in found),
        (found[0].parent / "means.csv").read_text().count("\n"),
    ),
    comparison=later(lambda tools: compared(questions=("pointwise",))),
    folder=later(lambda tools: tools.folder / "b" / "c"),
)
