"""A DSPy metric: how good are the prompts that a program wrote for a class?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from evals.prompts.optimizers.judge import Judged, PromptJudge


class DSPyMetric(Protocol):
    """What DSPy's optimisers call: with a trace for demonstrations (`BootstrapFewShot`), with `pred_name` for `dspy.GEPA`."""

    def __call__(  # noqa: D102 - see the class
        self, example: Any, prediction: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None
    ) -> Any: ...


def dspy_metric(judge: PromptJudge, *, class_field: str = "class_name", prompts_field: str = "prompts") -> DSPyMetric:
    """A metric for programs that write the prompts of one class, as `class_name -> prompts`.

    The program's prompts take the place of those of its class; all other classes keep those of the judge's start. The score is
    the share of images recognised, among the images that have to do with the class: its own, and those that were or are taken
    for it. With a trace the metric answers whether the prompts lose no image and are no worse than the start. For `dspy.GEPA`
    (which passes `pred_name`) it is a prediction with `score` and `feedback`.

    A prediction without usable prompts has the score 0 and says why. A failure of the encoder is raised.

    Args:
        judge: judges the prompts.
        class_field: the example's field with the name of the class.
        prompts_field: the prediction's field with the prompts: a list of texts, or one text with a prompt a line.

    Raises:
        UsageError: by the metric, where an example names no class of the judge.
    """

    def metric(example: Any, prediction: Any, trace: Any = None, pred_name: str | None = None, pred_trace: Any = None) -> Any:
        del pred_trace
        name = getattr(example, class_field, None)
        if name not in judge.class_names:
            many = len(judge.class_names)
            raise UsageError(f"an example's {class_field} must be one of the {many} class names, not {name!r:.80}")
        texts = _texts(getattr(prediction, prompts_field, None))
        if texts:
            judged = judge.judge({**judge.start, name: texts})
            score, kept, said = _score(judged, judge.class_names.index(name))
        else:
            score, kept, said = 0.0, False, f"There are no prompts for {name}: write one a line, each about what can be seen."
        if trace is not None and pred_name is None:
            return kept
        if pred_name is None:
            return score
        return type(prediction)(score=score, feedback=said)  # DSPy's own class, without importing DSPy

    return metric


def _texts(given: Any) -> list[str]:
    lines = given.splitlines() if isinstance(given, str) else given if isinstance(given, Sequence) else ()
    return [line.strip().lstrip("-*• ") for line in lines if isinstance(line, str) and line.strip().lstrip("-*• ")]


def _score(judged: Judged, index: int) -> tuple[float, bool, str]:
    """The score, whether nothing is lost, and the feedback, over the images that have to do with a class."""
    own = np.flatnonzero(judged.of_class(index) | (judged.start == index))
    if not own.size:
        return 1.0, True, f"No image is of {judged.class_names[index]} or taken for it. {judged.summary}"
    score = float(judged.right[own].mean())
    before = float((judged.start == judged.truth)[own].mean())
    wrong = [int(place) for place in own if not judged.right[place] or judged.fixed[place]]
    said = " ".join(f"{judged.about(place)}." for place in wrong)
    return score, bool(score >= before and not judged.broken[own].any()), f"{judged.summary} {said}".strip()
