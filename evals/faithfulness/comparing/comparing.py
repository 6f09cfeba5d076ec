"""Runs attribution methods on the same inputs and measures how faithful their maps are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from evals.faithfulness.baselines import random_map
from evals.faithfulness.comparing.comparison import RANDOM, Comparison, Run
from evals.faithfulness.comparing.questions import questions_of
from evals.faithfulness.costs import counted
from evals.faithfulness.evaluating import evaluate
from saywhy_core.classifiers import split_spec
from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution import attribute
from verbalize.models import BlackBoxImages, ImageModel, as_model, text_logits
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from evals.faithfulness.comparing.questions import Kind
    from verbalize.models import Model
    from verbalize.saliency import Floats, Query, Saliency


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
    runs: list[Run] = []
    done = 0
    for kind, own in asked.items():
        shuffled: tuple[Saliency, ...] = ()
        for label, method, options in named:
            run, explain = _explained(opened, many, own, kind, (label, method, options), batch_size, seed)
            if run.maps:
                found = evaluate(
                    opened, run.maps, metrics=metrics, by=by, truth=truth, explain=_wanted(explain, metrics), level=level,
                    batch_size=max(batch_size, 1), **settings,
                )  # fmt: skip
                run = Run(label, kind, run.maps, found, "", run.forwards, run.backwards, run.seconds)
                if not shuffled:
                    shuffled = tuple(_shuffled(one, seed + index) for index, one in enumerate(run.maps))
            runs.append(run)
            done += 1
            if on_progress is not None:
                on_progress(done, f"{label}, {kind}")
        if shuffled:
            random_metrics = None if metrics is None else [one for one in metrics if "explain" not in _needs(one)]
            chance = (
                evaluate(opened, shuffled, metrics=random_metrics, by=by, truth=truth, level=level, batch_size=batch_size,
                         **{key: value for key, value in settings.items() if _takes(random_metrics, key)})
                if random_metrics is None or random_metrics
                else None
            )  # fmt: skip
            runs.append(Run(RANDOM, kind, shuffled, chance))
    if not any(run.maps for run in runs):
        raise UsageError(f"no method could explain this model: {runs[0].problem}")
    made = {
        "inputs": len(many), "methods": labels, "questions": list(asked), "metrics": list(metrics or ()), "by": by,
        "seed": seed,
    }  # fmt: skip
    return Comparison(tuple(runs), len(many), level, made)


def _explained(
    model: Model, inputs: list[Any], queries: list[Query], kind: str, named: tuple[str, str, dict[str, Any]], batch_size: int,
    seed: int,
) -> tuple[Run, Callable[[list[Any], list[Query]], Sequence[Saliency]]]:  # fmt: skip
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


def _shuffled(saliency: Saliency, seed: int) -> Saliency:
    if isinstance(saliency, PixelSaliency):
        return random_map(saliency, seed=seed)
    return random_map(saliency, seed=seed)


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


def _needs(metric: str) -> tuple[str, ...]:
    from evals.faithfulness.metric import METRICS

    return METRICS.get(metric).needs


def _takes(metrics: Sequence[str] | None, setting: str) -> bool:
    from evals.faithfulness.metric import METRICS

    return any(setting in METRICS.get(name).settings for name in (METRICS if metrics is None else metrics))


def _wanted(explain: Any, metrics: Sequence[str] | None) -> Any:
    """The explaining function, where one of the metrics needs it. Without names, such metrics are left out: they cost most."""
    return explain if metrics is not None and any("explain" in _needs(one) for one in metrics) else None


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
