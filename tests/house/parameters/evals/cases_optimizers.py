"""The evaluator for those who bring their own optimiser."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from parameters.harness import case, later, record
from parameters.space import EMBEDDED, LABELS, LIBRARY, NAMES, SPACE, TURNED

from evals.prompts.optimizers import GEPAAdapter, PromptJudge

ARGUMENTS = {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED, "labels": LABELS}
OTHER_TEXTS = {name: [f"{name}!"] for name in NAMES}


def judged(judge, tools, arguments):
    found = judge.judge({"cat": ["a grey cat"]})
    return found.summary, found.start, found.decided, found.cosines


case(
    "evals.prompts.optimizers.PromptJudge",
    ARGUMENTS,
    judged,
    encoder=TURNED,
    class_names=(*NAMES[1:], "cat"),
    embeddings=-EMBEDDED,
    labels=LABELS[::-1],
    start=LIBRARY,
    template="{}",
)
JUDGE = later(lambda tools: PromptJudge(**ARGUMENTS))
OTHER = later(lambda tools: PromptJudge(**{**ARGUMENTS, "embeddings": -EMBEDDED}))
case("evals.prompts.optimizers.PromptJudge.cosines", {"self": JUDGE, "prompts": LIBRARY}, prompts=OTHER_TEXTS)
case("evals.prompts.optimizers.PromptJudge.prompts", {"self": JUDGE, "texts": LIBRARY}, texts=OTHER_TEXTS)
case(
    "evals.prompts.optimizers.PromptJudge.judge",
    {"self": JUDGE, "texts": LIBRARY},
    lambda found, tools, arguments: (found.decided, found.cosines),
    texts=OTHER_TEXTS,
    positions=[1, 2],
)
FIELDS = {
    "class_names": NAMES,
    "positions": np.arange(3),
    "truth": np.array([0, 1, 2]),
    "start": np.array([0, 0, 0]),
    "decided": np.array([0, 1, 0]),
    "cosines": np.eye(3, 4),
}
record(
    "evals.prompts.optimizers.Judged",
    FIELDS,
    class_names=NAMES[::-1],
    positions=np.arange(3) + 1,
    truth=np.array([1, 1, 2]),
    start=np.array([0, 1, 0]),
    decided=np.array([0, 1, 2]),
    cosines=-np.eye(3, 4),
)
FOUND = later(lambda tools: PromptJudge(**ARGUMENTS).judge(LIBRARY))
case("evals.prompts.optimizers.Judged.about", {"self": FOUND, "place": 0}, place=1)
case("evals.prompts.optimizers.Judged.of_class", {"self": FOUND, "index": 0}, index=1)

CANDIDATE = {"template": "a {}", "cat": "a grey cat"}
case(
    "evals.prompts.optimizers.GEPAAdapter",
    {"judge": JUDGE},
    lambda adapter, tools, arguments: adapter.evaluate([0, 1, 2, 3], CANDIDATE).scores,
    judge=OTHER,
    score="probability",
)
case(
    "evals.prompts.optimizers.GEPAAdapter",
    {"judge": JUDGE, "score": "probability"},
    lambda adapter, tools, arguments: adapter.evaluate([0, 1, 2, 3], CANDIDATE).scores,
    scale=1.0,
)
ADAPTER = later(lambda tools: GEPAAdapter(PromptJudge(**ARGUMENTS)))
case("evals.prompts.optimizers.GEPAAdapter.prompts", {"self": ADAPTER, "candidate": CANDIDATE}, candidate={"template": "{}!"})
case(
    "evals.prompts.optimizers.GEPAAdapter.evaluate",
    {"self": ADAPTER, "batch": [0, 1, 2, 3], "candidate": CANDIDATE},
    lambda found, tools, arguments: (found.scores, found.trajectories is None),
    batch=[0],
    candidate={"template": "nothing"},
    capture_traces=True,
)


def batch_of(*positions):
    return GEPAAdapter(PromptJudge(**ARGUMENTS)).evaluate(list(positions), CANDIDATE, capture_traces=True)


case(
    "evals.prompts.optimizers.GEPAAdapter.make_reflective_dataset",
    {
        "self": ADAPTER,
        "candidate": CANDIDATE,
        "eval_batch": later(lambda tools: batch_of(0, 1)),
        "components_to_update": ["template"],
    },
    eval_batch=later(lambda tools: batch_of(2)),
    components_to_update=["cat"],
)


def measured(metric, tools, arguments):
    example = SimpleNamespace(class_name="cat", name="dog")
    prediction = SimpleNamespace(prompts=["a cat, grey"], lines=["a dog, spotted", "a cat"])
    return metric(example, prediction)


case(
    "evals.prompts.optimizers.dspy_metric",
    {"judge": JUDGE},
    measured,
    judge=OTHER,
    class_field="name",
    prompts_field="lines",
)
