"""Metrics with their fills: what they ask for, what they found, and how many masked inputs they needed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.answers import SCALES, Answers
from evals.faithfulness.evaluation import Outcome
from evals.faithfulness.hiding.asks import WHOLE, Hide
from evals.faithfulness.hiding.ordering import importance_of
from evals.faithfulness.intervals import mean_interval
from evals.faithfulness.metric import FLAT, FLAT_MAGNITUDES, METRICS
from evals.faithfulness.settings import fills_of
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.masked_runs import Block
    from evals.faithfulness.hiding.ordering import Order
    from evals.faithfulness.metric import Metric
    from verbalize.saliency import Floats, Saliency


class Needed:
    """How many distinct masked inputs some requests need of each group of maps.

    Args:
        group_of: the group of each map.
    """

    def __init__(self, group_of: NDArray[np.intp]) -> None:
        self.forwards = [0] * (int(group_of.max(initial=-1)) + 1)
        self._group_of = group_of
        self._seen: list[tuple[NDArray[np.uint64], NDArray[np.intp]]] = []

    def add(self, block: Block, asks: Sequence[Ask]) -> None:
        """Count the requests of a block. Those of one input are counted together, also over several blocks."""
        self._seen += [(block.asked[ask].numbers, self._group_of[block.asked[ask].maps]) for ask in asks]
        if block.more or not self._seen:
            return
        numbers, groups = (np.concatenate(some) for some in zip(*self._seen, strict=True))
        for group in np.unique(groups):
            self.forwards[group] += len(np.unique(numbers[groups == group]))
        self._seen.clear()


@dataclass(eq=False)
class Plan:
    """A metric with one fill: what it asks for, and what it found so far.

    Args:
        name: the name of the metric.
        metric: the metric.
        settings: its settings.
        by: what stands in the place of hidden parts; `None` for the default.
        asks: what the metric asks for -> the same, with the fill of the evaluation.
        needed: how many masked inputs it needs by itself.
        maps: how many maps there are.
    """

    name: str
    metric: Metric
    settings: Mapping[str, Any]
    by: str | None
    asks: dict[Ask, Ask]
    needed: Needed
    maps: int
    _found: dict[str, Floats] = field(default_factory=dict)
    _reasons: dict[str, dict[int, str]] = field(default_factory=dict)
    _seconds: float = 0.0
    _default: str = ""

    def measure(self, answers: Answers, block: Block) -> None:
        """Measure the maps of a block."""
        began = time.perf_counter()
        given = {WHOLE: block.original, **{ask: block.found[filled] for ask, filled in self.asks.items()}}
        for scale in SCALES if self.metric.scaled else SCALES[:1]:
            own = replace(answers, found=given, scale=scale, reasons={})
            with METRICS.blame(self.name):
                values = np.asarray(self.metric.measure(own, self.settings), dtype=float)
            if values.shape != (len(block.rows),):
                raise METRICS.misfit(self.name, values, f"one value for each of {len(block.rows)} maps")
            name = scale if self.metric.scaled else "none"
            self._found.setdefault(name, np.full(self.maps, np.nan))[block.rows] = values
            self._reasons.setdefault(name, {}).update({block.rows[row]: why for row, why in own.reasons.items()})
        self._seconds += time.perf_counter() - began
        self._default = block.default
        if self.asks:
            self.needed.add(block, [WHOLE, *self.asks.values()])

    def outcomes(
        self, group: int, rows: list[int], maps: Sequence[Saliency], inputs: Sequence[Hashable], level: float, order: Order
    ) -> list[Outcome]:
        """What was found for a group of maps, in each scale."""
        ordered = "truth" in self.metric.needs or any(isinstance(ask, Hide) for ask in self.asks)
        by_size = ordered and order == "magnitude"
        flat = [] if self.metric.flat else [_flat(maps[row], "magnitude" if by_size else "scores") for row in rows]
        made = []
        for scale, found in self._found.items():
            values = np.where(flat, np.nan, found[rows]) if flat else found[rows]
            values = np.where(np.isfinite(values), values, np.nan)
            reasons = {
                index: (FLAT if _flat(maps[rows[index]], "scores") else FLAT_MAGNITUDES)
                if flat and flat[index]
                else self._reasons[scale].get(rows[index], self.metric.undefined)
                for index in np.flatnonzero(np.isnan(values)).tolist()
            }
            contrastive = any(maps[row].query.contrastive for row in rows)
            bounds = self.metric.bounds_in(scale, contrastive=contrastive, settings=self.settings)
            mean, low, high = mean_interval(values, [inputs[row] for row in rows], level, bounds)
            made.append(
                Outcome(
                    self.name, scale, (self.by or self._default) if self.asks else "", self.metric.higher_is_better,  # type: ignore[arg-type]
                    values, reasons, mean, low, high, self.needed.forwards[group],
                    self._seconds * len(rows) / (self.maps * len(self._found)),
                )
            )  # fmt: skip
        return made


def _flat(saliency: Saliency, order: Order) -> bool:
    importance = importance_of(saliency, order)
    return not importance.size or bool(np.ptp(importance) == 0)


def plans_of(
    chosen: Mapping[str, Metric], by: str | Sequence[str] | None, settings: Mapping[str, Any], group_of: NDArray[np.intp]
) -> list[Plan]:
    """Each metric with each fill.

    Raises:
        UsageError: a setting or a fill has no effect, or is out of range.
    """
    fills = fills_of(by)
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
            plans.append(Plan(name, metric, own, fill, filled, Needed(group_of), len(group_of)))
    if by is not None and not any(plan.asks for plan in plans):
        raise UsageError("by has no effect on these metrics, which hide nothing; leave it out")
    return plans
