"""All metrics of some maps, from one run of the model on their masked inputs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.answers import Answers
from evals.faithfulness.costs import Passes, counted
from evals.faithfulness.evaluation import Evaluation
from evals.faithfulness.hiding.asks import WHOLE
from evals.faithfulness.hiding.inputs import checked_maps, input_key
from evals.faithfulness.hiding.masked_runs import MaskedRuns
from evals.faithfulness.intervals import mean_interval
from evals.faithfulness.metric import METRICS
from evals.faithfulness.plans import Needed, plans_of
from saywhy_core.errors import UsageError
from verbalize.models import as_model
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from evals.faithfulness.hiding.ordering import Order
    from evals.faithfulness.metric import Metric
    from verbalize.saliency import Query, Saliency


def evaluate(
    model: Any,
    maps: Sequence[Saliency],
    *,
    metrics: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    order: Order = "scores",
    explain: Callable[[list[Any], list[Query]], Sequence[Saliency]] | None = None,
    truth: Sequence[ArrayLike] | None = None,
    class_names: Sequence[str] | None = None,
    batch_size: int = 64,
    memory: float = 512,
    level: float = 0.95,
    **settings: Any,
) -> Evaluation:
    """Measure how faithful maps are to their model. All metrics share the masked inputs.

    Each distinct masked text and each distinct mask of an image is run once; where the maps don't fit in memory together, once
    per block of them.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        maps: N maps over words, or over pixels with their images. They may have different queries, inputs and sizes.
        metrics: names in `METRICS`; by default all that fit the maps and need nothing that is not given.
        by: what stands in the place of hidden parts: of pixels "zero", "grey", "white", "mean", "blur" or "noise"; of words
            "removal", "mask", "pad" or "unk"; or several, each measured. By default "zero" and "removal".
        order: "scores" puts the part with the highest score first, "magnitude" that with the highest absolute one.
        explain: a function (inputs, queries) -> maps, which explains changed inputs in the way that made the maps. Metrics of
            robustness need it.
        truth: for each map (M, H, W) or (M, words) masks: one or several plausible places of the decisive parts.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most masked inputs in one call of the model.
        memory: about how many megabytes masks, masked inputs and logits may take, besides what the model takes.
        level: how often the intervals of the means should cover the mean over all inputs.
        settings: settings of the metrics, such as `steps=50`. Each metric that has it takes it.

    Raises:
        UsageError: a map does not fit the model, there is no such metric, a metric lacks what it needs, or a setting has no
            effect on any metric.
    """
    return evaluate_together(
        model, [checked_maps(maps)], metrics=metrics, by=by, order=order, explain=explain, truth=truth, class_names=class_names,
        batch_size=batch_size, memory=memory, level=level, **settings,
    )[0]  # fmt: skip


def evaluate_together(
    model: Any,
    groups: Sequence[Sequence[Saliency]],
    /,
    *,
    metrics: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    order: Order = "scores",
    explain: Callable[[list[Any], list[Query]], Sequence[Saliency]] | None = None,
    truth: Sequence[ArrayLike] | None = None,
    class_names: Sequence[str] | None = None,
    batch_size: int = 64,
    memory: float = 512,
    level: float = 0.95,
    **settings: Any,
) -> list[Evaluation]:
    """Evaluate several groups of maps, such as those of several methods, which share the masked inputs of equal inputs.

    All arguments but `groups` are those of `evaluate`. Of several groups, each evaluation counts the masked inputs that it
    needs by itself, and has its share of the seconds; a masked input that two of them need is run once.
    """
    began = time.perf_counter()
    maps = tuple(one for group in groups for one in group)
    opened = as_model(model, class_names)
    masks = _truth(truth, maps)
    chosen, left_out = _chosen(metrics, maps, opened, {"explain": explain, "truth": masks})
    if explain is not None and not any("explain" in one.needs for one in chosen.values()):
        raise UsageError("explain has no effect on these metrics; leave it out")
    if masks is not None and not any("truth" in one.needs for one in chosen.values()):
        raise UsageError("truth has no effect on these metrics; leave it out")
    mean_interval(np.empty(0), (), level)  # a level that can't be used is told before the model runs
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    plans = plans_of(chosen, by, settings, group_of)
    runs = MaskedRuns(opened, maps, order, None, batch_size, memory)
    needed = Needed(group_of)
    sweeps, passes = 0, Passes()
    for block in runs.blocks([ask for plan in plans for ask in plan.asks.values()]):
        sweeps += block.forwards
        needed.add(block, list(block.asked))
        rows = block.rows
        answers = Answers(
            [maps[row] for row in rows], block.class_names, {WHOLE: block.original}, model=opened, explain=explain,
            truth=None if masks is None else [masks[row] for row in rows], order=order,
        )  # fmt: skip
        answers.original()  # a query about a class that the model has not is told
        with counted(opened) as own:
            for plan in plans:
                plan.measure(answers, block)
        passes.forwards += own.forwards
        passes.backwards += own.backwards
    seconds = time.perf_counter() - began
    inputs = [input_key(one) for one in maps]
    found = []
    for index in range(len(groups)):
        rows = np.flatnonzero(group_of == index).tolist()
        swept = sweeps if len(groups) == 1 else needed.forwards[index]
        outcomes = tuple(one for plan in plans for one in plan.outcomes(index, rows, maps, inputs, level, order))
        found.append(
            Evaluation(
                tuple(maps[row] for row in rows), outcomes, left_out, level, swept + passes.forwards, swept, passes.backwards,
                seconds * len(rows) / len(maps),
            )
        )  # fmt: skip
    return found


def _chosen(
    names: Sequence[str] | None, maps: Sequence[Saliency], model: Any, given: Mapping[str, Any]
) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics to measure, and why the others are left out."""
    kinds = {"pixels" if isinstance(one, PixelSaliency) else "tokens" for one in maps}
    wanted = [(name, METRICS.get(name)) for name in dict.fromkeys(names)] if names is not None else list(METRICS.usable())
    if names is not None and not wanted:
        raise UsageError("metrics names none; leave it out to measure all that fit")
    chosen: dict[str, Metric] = {}
    left_out: dict[str, str] = {}
    for name, metric in wanted:
        why = _lacks(metric, kinds, model, given)
        if why and names is not None:
            raise UsageError(f"the metric {name!r} {why}")
        if why:
            left_out[name] = why
        else:
            chosen[name] = metric
    return chosen, left_out


def _lacks(metric: Metric, kinds: set[str], model: Any, given: Mapping[str, Any]) -> str:
    if not kinds <= set(metric.inputs):
        return f"measures maps over {' and '.join(metric.inputs)} only"
    for need in metric.needs:
        if need == "explain" and given["explain"] is None:
            return "needs explain=, a function that explains changed inputs"
        if need == "truth" and given["truth"] is None:
            return "needs truth=, masks of the decisive parts"
        if need == "gradients" and not (hasattr(model, "module") or hasattr(model, "embedding")):
            return "needs the gradients of the model, and only the scores of this one are known"
    return ""


def _truth(truth: Sequence[ArrayLike] | None, maps: Sequence[Saliency]) -> list[NDArray[np.bool_]] | None:
    if truth is None:
        return None
    if len(truth) != len(maps):
        raise UsageError(f"there are {len(maps)} maps but masks for {len(truth)}; give one or several masks for each")
    found = []
    for one, given in zip(maps, truth, strict=True):
        masks = np.asarray(given, dtype=bool)
        if masks.shape == one.scores.shape:
            masks = masks[None]
        if masks.shape[1:] != one.scores.shape or not len(masks):
            raise UsageError(
                f"the masks of a map must have shape (M, {', '.join(map(str, one.scores.shape))}), not {masks.shape}"
            )
        found.append(masks.reshape(len(masks), -1))
    return found
