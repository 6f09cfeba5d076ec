"""GEPA (Agrawal et al. 2025) on prompts: its optimiser proposes texts, and saywhy's evaluator says what they do, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.prompts.optimizers.judge import Judged, PromptJudge

TEMPLATE = "template"
"""The component that holds templates for all classes, one a line."""


class Batch(NamedTuple):
    """As `gepa.core.adapter.EvaluationBatch`, whose fields GEPA reads by name; so `gepa` itself is not needed here."""

    outputs: list[str]
    scores: list[float]
    trajectories: list[_Trace] | None = None
    objective_scores: list[dict[str, float]] | None = None
    num_metric_calls: int | None = None


@dataclass(frozen=True, eq=False)
class _Trace:
    """One image in one evaluation; or, with `fault`, a candidate that can't be judged."""

    judged: Judged | None
    place: int
    fault: str = ""


class GEPAAdapter:
    """The `GEPAAdapter` of the `gepa` package for prompts of an image-text encoder.

    A candidate maps names of components to texts. The component "template" holds templates, one a line, each with {} in the
    place of the class name. Every other component has the name of a class, and holds its prompts or descriptions, one a line;
    a class without a component has the templates, and without these the judge's own template. A data instance is the position
    of an image among the judge's (`range(n)`).

    The score of an image is 1 where it is recognised and 0 otherwise, or with `score="probability"` the probability of its
    class. A candidate that can't be judged, such as a template without {}, has the score 0 for every image and says why, as
    GEPA asks for; a failure of the encoder is raised, because it says nothing about the candidate.

        judge = PromptJudge(encoder, names, embeddings, labels)
        gepa.optimize({"template": "a photo of a {}."}, list(train), list(validation), adapter=GEPAAdapter(judge),
                      reflection_lm=..., max_metric_calls=500)

    Args:
        judge: judges the prompts.
        score: what is to grow.
        scale: with "probability", logits are `scale` times cosines; CLIP's own is 100.

    Raises:
        UsageError: the score is none of the two, the scale is not positive, or a class is called "template".
    """

    propose_new_texts = None  # GEPA's own proposals are used

    def __init__(
        self, judge: PromptJudge, *, score: Literal["recognised", "probability"] = "recognised", scale: float = 100.0
    ) -> None:
        if score not in ("recognised", "probability"):
            raise UsageError(f"score must be 'recognised' or 'probability', not {score!r}")
        if not 0 < scale < float("inf"):
            raise UsageError(f"scale must be a positive number, not {scale!r}")
        if TEMPLATE in judge.class_names:
            raise UsageError(f"a class is called {TEMPLATE!r}, as the component that holds templates is; rename the class")
        self.judge, self._score, self._scale = judge, score, scale

    def prompts(self, candidate: Mapping[str, str]) -> dict[str, list[str]]:
        """The prompts of every class that a candidate stands for.

        Raises:
            UsageError: a template has no {}, or a component has the name of no class.
        """
        lines = {name: [line.strip() for line in text.splitlines() if line.strip()] for name, text in candidate.items()}
        templates = lines.pop(TEMPLATE, []) or [self.judge.template]
        if bad := [text for text in templates if "{}" not in text]:
            raise UsageError(f"the template {bad[0]!r:.200} has no {{}} to put the class name into")
        own = self.judge.prompts(lines)
        return {
            name: own[name] if lines.get(name) else [text.replace("{}", name) for text in templates]
            for name in self.judge.class_names
        }

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Batch:
        """Judge a candidate on the images at the positions of a batch."""
        try:
            prompts = self.prompts(candidate)
        except UsageError as error:
            traces = [_Trace(None, place, str(error)) for place in range(len(batch))]
            return Batch(
                ["(not judged)"] * len(batch), [0.0] * len(batch), traces if capture_traces else None, None, len(batch)
            )
        judged = self.judge.judge(prompts, np.asarray(batch, dtype=np.int64))
        outputs = [self.judge.class_names[index] for index in judged.decided]
        traces = [_Trace(judged, place) for place in range(len(batch))]
        return Batch(outputs, self._scores(judged), traces if capture_traces else None, None, len(batch))

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Batch, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What a model reads before it writes a component anew: first a summary, then every image, in words.

        For the component of a class these are the images of the class and those that are taken for it; where a batch has none,
        all of its images.
        """
        del candidate
        traces = eval_batch.trajectories or []
        return {name: self._records(name, traces) for name in components_to_update}

    def _records(self, component: str, traces: Sequence[_Trace]) -> list[dict[str, Any]]:
        if not traces:
            return []
        judged = traces[0].judged
        if judged is None:
            return [{"Inputs": self._task(component), "Generated Outputs": "(not judged)", "Feedback": traces[0].fault}]
        about = np.arange(len(traces))
        if component in self.judge.class_names:
            own = np.flatnonzero(judged.of_class(self.judge.class_names.index(component)))
            about = own if own.size else about
        records = [{"Inputs": self._task(component), "Generated Outputs": "(all images)", "Feedback": judged.summary}]
        for place in about:
            true, decided = (self.judge.class_names[int(one[place])] for one in (judged.truth, judged.decided))
            records.append(
                {"Inputs": f"an image of {true}", "Generated Outputs": decided, "Feedback": f"{judged.about(int(place))}."}
            )
        return records

    def _task(self, component: str) -> str:
        if component == TEMPLATE:
            return (
                "templates for all classes, one a line, each with {} in the place of the class name; an image gets the class "
                "whose texts are most similar to it"
            )
        return (
            f"prompts for the class {component}, one a line, each saying what can be seen in a photo of it; an image gets the "
            f"class whose texts are most similar to it"
        )

    def _scores(self, judged: Judged) -> list[float]:
        if self._score == "recognised":
            return [float(one) for one in judged.right]
        logits = self._scale * judged.cosines.astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        true = shares[np.arange(len(shares)), judged.truth] / shares.sum(axis=1)
        return [float(one) for one in true]
