"""All metrics of some maps, from one run of the model on their masked inputs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.answers import SCALES, Answers
from evals.faithfulness.costs import Passes, counted
from evals.faithfulness.evaluation import Evaluation, Outcome
from evals.faithfulness.hiding.asks import WHOLE
from evals.faithfulness.hiding.masked_runs import MaskedRuns, input_key
from evals.faithfulness.intervals import mean_interval
from evals.faithfulness.metric import FLAT, METRICS
from saywhy_core.errors import UsageError
from verbalize.models import as_model
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.masked_runs import Block
    from evals.faithfulness.hiding.ordering import Order
    from evals.faithfulness.metric import Metric
    from verbalize.saliency import Floats, Query, Saliency


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
    """Measure how faithful maps are to their model. All metrics share the masked inputs, and each distinct one is run once.

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
    began = time.perf_counter()
    maps = tuple(maps)
    opened = as_model(model, class_names)
    masks = _truth(truth, maps)
    chosen, left_out = _chosen(metrics, maps, opened, {"explain": explain, "truth": masks})
    if explain is not None and not any("explain" in one.needs for one in chosen.values()):
        raise UsageError("explain has no effect on these metrics; leave it out")
    if masks is not None and not any("truth" in one.needs for one in chosen.values()):
        raise UsageError("truth has no effect on these metrics; leave it out")
    plans = _plans(chosen, by, settings)
    runs = MaskedRuns(opened, maps, order, None, batch_size, memory)
    sweeps, passes = 0, Passes()
    for block in runs.blocks([ask for plan in plans for ask in plan.asks.values()]):
        sweeps += block.forwards
        rows = block.rows
        answers = Answers(
            [maps[row] for row in rows], block.class_names, {}, model=opened, explain=explain,
            truth=None if masks is None else [masks[row] for row in rows], order=order,
        )  # fmt: skip
        with counted(opened) as own:
            for plan in plans:
                plan.measure(answers, block, len(maps))
        passes.forwards += own.forwards
        passes.backwards += own.backwards
    inputs = [input_key(one) for one in maps]
    return Evaluation(
        maps,
        tuple(outcome for plan in plans for outcome in plan.outcomes(maps, inputs, level)),
        left_out,
        level,
        sweeps + passes.forwards,
        sweeps,
        passes.backwards,
        time.perf_counter() - began,
    )


@dataclass(eq=False)
class _Plan:
    """A metric with one fill: what it asks for, and what it found so far."""

    name: str
    metric: Metric
    settings: Mapping[str, Any]
    by: str | None
    asks: dict[Ask, Ask]  # what the metric asks for -> the same, with the fill of the evaluation
    found: dict[str, Floats] = field(default_factory=dict)
    forwards: int = 0
    seconds: float = 0.0
    default: str = ""

    def measure(self, answers: Answers, block: Block, maps: int) -> None:
        began = time.perf_counter()
        given = {WHOLE: block.original, **{ask: block.found[filled] for ask, filled in self.asks.items()}}
        for scale in SCALES if self.metric.scaled else SCALES[:1]:
            with METRICS.blame(self.name):
                values = np.asarray(self.metric.measure(replace(answers, found=given, scale=scale), self.settings), dtype=float)
            if values.shape != (len(block.rows),):
                raise METRICS.misfit(self.name, values, f"one value for each of {len(block.rows)} maps")
            name = scale if self.metric.scaled else "none"
            self.found.setdefault(name, np.full(maps, np.nan))[block.rows] = values
        self.seconds += time.perf_counter() - began
        self.default = block.default
        if self.asks:
            asked = [block.numbers[WHOLE], *(block.numbers[filled] for filled in self.asks.values())]
            self.forwards += len(np.unique(np.concatenate(asked)))

    def outcomes(self, maps: Sequence[Saliency], inputs: Sequence[Any], level: float) -> list[Outcome]:
        flat = np.array([not one.scores.size or bool(np.ptp(one.scores) == 0) for one in maps])
        by = (self.by or self.default) if self.asks else ""
        made = []
        for scale, found in self.found.items():
            values = found if self.metric.flat else np.where(flat, np.nan, found)
            values = np.where(np.isfinite(values), values, np.nan)
            reasons = {
                int(index): FLAT if flat[index] and not self.metric.flat else self.metric.undefined
                for index in np.flatnonzero(np.isnan(values))
            }
            mean, low, high = mean_interval(values, inputs, level, self.metric.bounds)
            made.append(
                Outcome(
                    self.name, scale, by, self.metric.higher_is_better, values, reasons, mean, low, high,  # type: ignore[arg-type]
                    self.forwards, self.seconds / len(self.found),
                )
            )  # fmt: skip
        return made


def _plans(chosen: Mapping[str, Metric], by: str | Sequence[str] | None, settings: Mapping[str, Any]) -> list[_Plan]:
    fills = (by,) if by is None or isinstance(by, str) else tuple(by)
    if not fills:
        raise UsageError("by names nothing to put in the place of hidden parts; leave it out for the default")
    for name in settings:
        if not any(name in one.settings for one in chosen.values()):
            known = sorted({setting for one in chosen.values() for setting in one.settings})
            raise UsageError(f"{name} has no effect on these metrics; they use {', '.join(known) or 'no settings'}")
    plans = []
    for name, metric in chosen.items():
        own = {**metric.settings, **{key: value for key, value in settings.items() if key in metric.settings}}
        asks = metric.asks(own) if metric.asks is not None else ()
        fixed = all(ask.by is not None for ask in asks)
        for fill in fills[:1] if fixed else fills:
            filled = {ask: ask if ask.by is not None else replace(ask, by=fill) for ask in asks}
            plans.append(_Plan(name, metric, own, fill, filled))
    if by is not None and not any(plan.asks for plan in plans):
        raise UsageError("by has no effect on these metrics, which hide nothing; leave it out")
    return plans


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
