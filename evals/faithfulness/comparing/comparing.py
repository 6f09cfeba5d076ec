"""Runs attribution methods on the same inputs and measures how faithful their maps are."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from evals.faithfulness.baselines import random_map
from evals.faithfulness.comparing.comparison import RANDOM, Comparison, Run
from evals.faithfulness.comparing.questions import questions_of
from evals.faithfulness.costs import counted
from evals.faithfulness.evaluating import evaluate_together
from evals.faithfulness.metric import METRICS
from saywhy_core.classifiers import split_spec
from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution import attribute
from verbalize.models import BlackBoxImages, ImageModel, as_model, text_logits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from evals.faithfulness.comparing.questions import Kind
    from evals.faithfulness.evaluation import Evaluation
    from verbalize.models import Model
    from verbalize.saliency import Floats, Query, Saliency

Explain: TypeAlias = "Callable[[list[Any], list[Query]], Sequence[Saliency]]"


def compare(
    model: Any,
    inputs: Sequence[Any],
    methods: Sequence[str],
    *,
    questions: Sequence[Kind] = ("pointwise",),
    queries: Sequence[Query] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    metrics: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    truth: Sequence[ArrayLike] | None = None,
    class_names: Sequence[str] | None = None,
    batch_size: int = 32,
    level: float = 0.95,
    seed: int = 0,
    on_progress: Callable[[int, str], None] | None = None,
    **settings: Any,
) -> Comparison:
    """Measure attribution methods on the same inputs: methods × metrics × questions, with intervals and cost.

    A method that can't answer a kind of question, or can't explain this model, is listed with the reason, and the others go on.
    Metrics that explain nothing again are measured for all methods together, so that a masked input that several methods
    need is run once; the cost that each run tells is that of the method alone.
    The row "random" holds the maps of the first method with their scores shuffled; a method that does not beat it is no better
    than chance.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        inputs: N texts, or N images.
        methods: names in `verbalize.attribution.METHODS`, with options in the form "occlusion?patch=4".
        questions: the kinds of question: "pointwise", "contrastive", "group", "group contrastive".
        queries: N questions in the place of those of `questions`.
        groups: the members of each group by its name, for questions and metrics about groups.
        metrics: names in `evals.faithfulness.METRICS`; by default all that fit and need nothing that is not given. Those that
            explain inputs again cost most, and are measured only where they are named.
        by: what stands in the place of hidden parts; see `evaluate`.
        truth: for each input one or several plausible masks of its decisive parts; see `evaluate`.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most inputs, changed or not, in one call of the model.
        level: how often the intervals should cover the mean over all inputs.
        seed: the seed of the random maps, and of all methods and metrics that take one and are not given one.
        on_progress: called after each method and kind of question with how many of these are done, and which was the last one.
        settings: settings of the metrics.

    Raises:
        UsageError: there are no inputs or methods, a method is named twice or unknown, or an argument can't be used.
    """
    for what, given in (("inputs", inputs), ("methods", methods), ("questions", questions)):
        if isinstance(given, str):
            raise UsageError(f"{what} is a list of one or more, not the text {given!r:.60}; put it in square brackets")
    many = list(inputs)
    if not many or not methods:
        raise UsageError("a comparison needs inputs and methods; give one or more of each")
    empty = next((row for row, one in enumerate(many) if isinstance(one, str) and not one.strip()), None)
    if empty is not None:
        raise UsageError(f"text {empty + 1} of {len(many)} has no words to explain; leave it out")
    named = [_named(one) for one in methods]
    labels = [one for one, _, _ in named]
    if len(set(labels)) < len(labels):
        raise UsageError("a method is named twice; name each once, or with other options")
    if groups and _takes(metrics, "groups"):
        settings["groups"] = groups
    if _takes(metrics, "seed"):
        settings["seed"] = seed
    if groups and not _takes(metrics, "groups") and not any(kind.startswith("group") for kind in questions):
        raise UsageError("groups has no effect on these questions and metrics; leave it out")
    opened = as_model(model, class_names)
    logits, names = _answers(opened, many, batch_size)
    if queries is not None and len(queries) != len(many):
        raise UsageError(f"there are {len(queries)} queries for {len(many)} inputs; give one for each")
    asked = {"asked": list(queries)} if queries is not None else {
        kind: questions_of(kind, logits, names, groups) for kind in dict.fromkeys(questions)
    }  # fmt: skip
    measuring = _Measuring(opened, metrics, by, truth, batch_size, level, settings)
    runs: list[Run] = []
    done = 0
    for kind, own in asked.items():
        made: list[Run] = []
        explains: list[Explain | None] = []
        for name in named:
            run, explain = _explained(opened, many, own, kind, name, batch_size, seed)
            made.append(run)
            explains.append(explain)
            done += 1
            if on_progress is not None:
                on_progress(done, f"{run.method}, {kind}")
        first = next((run.maps for run in made if run.maps), ())
        if first:
            made.append(Run(RANDOM, kind, tuple(random_map(one, seed=seed + index) for index, one in enumerate(first))))
            explains.append(None)
        runs += measuring.of(made, explains)
    if not any(run.maps for run in runs):
        raise UsageError(f"no method could explain this model: {runs[0].problem}")
    told = {
        "inputs": len(many), "methods": labels, "questions": list(asked), "metrics": list(metrics or ()), "by": by,
        "seed": seed,
    }  # fmt: skip
    return Comparison(tuple(runs), len(many), level, told)


@dataclass(frozen=True, eq=False)
class _Measuring:
    """What is measured of each method, and how.

    Args:
        model: the model.
        metrics: names in METRICS; `None` for all that fit and explain nothing again, because explaining costs most.
        by: what stands in the place of hidden parts.
        truth: for each input one or several plausible masks.
        batch_size: the most masked inputs in one call of the model.
        level: how often the intervals should cover the mean over all inputs.
        settings: settings of the metrics.
    """

    model: Model
    metrics: Sequence[str] | None
    by: str | Sequence[str] | None
    truth: Sequence[ArrayLike] | None
    batch_size: int
    level: float
    settings: Mapping[str, Any]

    def of(self, runs: Sequence[Run], explains: Sequence[Explain | None]) -> list[Run]:
        """The runs for one question with what the metrics found; those without maps as they are.

        Metrics that explain nothing again are measured for all runs together, so that a masked input that several methods
        need is run once. The others are measured run by run, where there is a function that explains.
        """
        shared = self.metrics if self.metrics is None else [name for name in self.metrics if "explain" not in _needs(name)]
        again = [name for name in self.metrics or () if "explain" in _needs(name)]
        there = [index for index, run in enumerate(runs) if run.maps]
        found: dict[int, Evaluation] = {}
        if there and (shared is None or shared):
            together = self._evaluated([runs[index].maps for index in there], shared, None)
            found = dict(zip(there, together, strict=True))
        for index in there if again else ():
            explain = explains[index]
            if explain is not None:
                (other,) = self._evaluated([runs[index].maps], again, explain)
                found[index] = found[index].joined(other, self.metrics or ()) if index in found else other
        return [replace(run, evaluation=found.get(index)) for index, run in enumerate(runs)]

    def _evaluated(
        self, maps: list[tuple[Saliency, ...]], metrics: Sequence[str] | None, explain: Explain | None
    ) -> list[Evaluation]:
        named = None if self.metrics is None else [METRICS.get(name) for name in metrics or ()]
        # what has an effect on other metrics of the comparison only is left out here; without names, `evaluate` tells it
        shown = named is None or any("truth" in one.needs for one in named) or not _takes_truth(self.metrics)
        hides = named is None or any(one.asks is not None for one in named) or not _hides_parts(self.metrics)
        return evaluate_together(
            self.model, maps, metrics=metrics, by=self.by if hides else None, explain=explain, level=self.level,
            truth=[one for _ in maps for one in self.truth] if shown and self.truth is not None else None,
            batch_size=self.batch_size,
            **{name: value for name, value in self.settings.items() if _takes(metrics, name) or not _takes(self.metrics, name)},
        )  # fmt: skip


def _needs(metric: str) -> tuple[str, ...]:
    """What a metric needs besides maps and model."""
    return METRICS.get(metric).needs


def _takes(metrics: Sequence[str] | None, setting: str) -> bool:
    """Whether one of these metrics, or of all, has a setting."""
    return any(setting in METRICS.get(name).settings for name in (METRICS if metrics is None else metrics))


def _takes_truth(metrics: Sequence[str] | None) -> bool:
    """Whether one of these metrics, or of all, needs masks of the decisive parts."""
    return any("truth" in _needs(name) for name in (METRICS if metrics is None else metrics))


def _hides_parts(metrics: Sequence[str] | None) -> bool:
    """Whether one of these metrics, or of all, hides parts of inputs."""
    return any(METRICS.get(name).asks is not None for name in (METRICS if metrics is None else metrics))


def _explained(
    model: Model, inputs: list[Any], queries: list[Query], kind: str, named: tuple[str, str, dict[str, Any]], batch_size: int,
    seed: int,
) -> tuple[Run, Explain]:  # fmt: skip
    """The maps of one method and what they cost, and the function that makes such maps of other inputs."""
    label, method, options = named

    def explain(some: list[Any], asked: Sequence[Query | None]) -> Sequence[Saliency]:
        maps: Sequence[Saliency] = attribute(
            model, list(some), list(asked), method=method, batch_size=batch_size, **_seeded(method, options, seed)
        )
        return maps

    def again(some: list[Any], asked: list[Query]) -> Sequence[Saliency]:
        # a method that looks at no class has one map for every question, also where the prediction has changed
        return explain(some, [None] * len(asked) if _looks_at_no_class(method) else asked)

    began = time.perf_counter()
    with counted(model) as passes:
        try:
            plain = not any(one.versus or one.members for one in queries)
            maps = tuple((again if plain else explain)(inputs, queries))
            problem = ""
            if [one.query for one in maps] != queries:  # the questions are about other labels than the predicted ones
                explain(inputs[:1], queries[:1])  # says why it does not answer them
        except UsageError as error:
            maps, problem = (), str(error)
    seconds = time.perf_counter() - began
    return Run(label, kind, maps, None, problem, passes.forwards, passes.backwards, seconds), again


def _looks_at_no_class(method: str) -> bool:
    from verbalize.attribution import METHODS

    found = METHODS.get(method)
    return not any(way.questions for way in (found.tokens, found.pixels) if way is not None)


def _seeded(method: str, options: dict[str, Any], seed: int) -> dict[str, Any]:
    from verbalize.attribution import METHODS

    found = METHODS.get(method)
    uses = {name for way in (found.tokens, found.pixels, found.layer) if way is not None for name in way.uses}
    return {"seed": seed, **options} if "seed" in uses else options


def _named(given: str) -> tuple[str, str, dict[str, Any]]:
    from verbalize.attribution import METHODS

    method, options = split_spec(given)
    if method not in METHODS:
        raise UsageError(f"there is no attribution method {method!r}; use one of {', '.join(METHODS)}")
    return given, method, dict(options)


def _answers(model: Model, inputs: list[Any], batch_size: int) -> tuple[Floats, tuple[str, ...]]:
    """(N, K) logits of the inputs, and the class names."""
    if not isinstance(model, ImageModel | BlackBoxImages):
        return text_logits(model, inputs, batch_size=batch_size), tuple(model.class_names)
    found = []
    for image in inputs:
        pixels = torch.from_numpy(np.array(read_image(image))).permute(2, 0, 1)[None]
        with torch.no_grad():
            found.append(model.logits(pixels.to(getattr(model, "device", "cpu"))).cpu().double().numpy())
    return np.concatenate(found), tuple(model.class_names)
