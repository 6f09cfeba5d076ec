"""What an evaluation found: a value per map and metric, means with intervals, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evals.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats, Saliency


@dataclass(frozen=True, eq=False)
class Outcome:
    """The values of one metric, in one scale, with one fill.

    Args:
        metric: the name of the metric.
        scale: "logits" or "probabilities", or "none" for a metric whose value does not depend on it.
        by: what stood in the place of hidden parts; "" for a metric that hides nothing.
        higher_is_better: whether a higher value speaks for the map.
        values: (N,) one value per map; NaN where the metric is not defined.
        reasons: why it is not defined, by the index of the map.
        mean: the mean over inputs.
        low: the lower end of its interval; NaN for fewer than two inputs.
        high: the upper end.
        forwards: how many masked inputs the metric needs, if it were measured alone.
        seconds: how long its own computation took, besides the masked inputs.
    """

    metric: str
    scale: Literal["logits", "probabilities", "none"]
    by: str
    higher_is_better: bool
    values: Floats
    reasons: dict[int, str]
    mean: float
    low: float
    high: float
    forwards: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All metrics of some maps.

    Args:
        maps: the maps.
        outcomes: what each metric found.
        left_out: the metrics that were not measured, with the reason.
        level: how often the intervals should cover the mean.
        forwards: how many inputs went through the model in all: those of `sweeps`, and those that re-attribution needed.
        sweeps: how many masked inputs, shared by all metrics.
        backwards: how many inputs went backwards through the model.
        seconds: how long all took.
    """

    maps: tuple[Saliency, ...]
    outcomes: tuple[Outcome, ...]
    left_out: dict[str, str]
    level: float
    forwards: int
    sweeps: int
    backwards: int
    seconds: float

    def __getitem__(self, metric: str) -> Outcome:
        """The first outcome of a metric: in logits, with the first fill."""
        return self.of(metric)

    def of(self, metric: str, scale: str | None = None, by: str | None = None) -> Outcome:
        """The outcome of a metric.

        Args:
            metric: its name.
            scale: "logits" or "probabilities"; by default the first that there is.
            by: what stood in the place of hidden parts; by default the first that there is.

        Raises:
            KeyError: there is no such outcome.
        """
        for one in self.outcomes:
            if one.metric == metric and scale in (None, one.scale) and by in (None, one.by):
                return one
        raise KeyError(f"metric {metric!r}, scale {scale!r}, by {by!r}")

    def joined(self, other: Evaluation, metrics: Sequence[str]) -> Evaluation:
        """This evaluation with the outcomes of another one of the same maps, in the order of `metrics`; their costs add up."""
        order = list(metrics)
        outcomes = sorted((*self.outcomes, *other.outcomes), key=lambda one: order.index(one.metric))
        return Evaluation(
            self.maps, tuple(outcomes), {**self.left_out, **other.left_out}, self.level, self.forwards + other.forwards,
            self.sweeps + other.sweeps, self.backwards + other.backwards, self.seconds + other.seconds,
        )  # fmt: skip

    def summary(self) -> Table:
        """One row per metric and fill, logits and probabilities side by side: means, intervals and cost."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for one in self.outcomes:
            row = rows.setdefault(
                (one.metric, one.by),
                {
                    "metric": one.metric,
                    "better": "higher" if one.higher_is_better else "lower",
                    "by": one.by,
                    "maps": 0,
                    **{f"{scale}{end}": None for scale in ("logits", "probabilities") for end in ("", " low", " high")},
                    "forwards alone": one.forwards,
                    "seconds": 0.0,
                },
            )
            row["maps"] = max(row["maps"], len(one.values) - len(one.reasons))
            row["seconds"] += one.seconds
            for scale in ("logits", "probabilities"):
                if one.scale in (scale, "none"):
                    ends = {"": one.mean, " low": one.low, " high": one.high}
                    row |= {f"{scale}{end}": None if value != value else value for end, value in ends.items()}
        cost = {"forwards": self.forwards, "masked inputs": self.sweeps, "backwards": self.backwards, "seconds": self.seconds}
        columns = tuple(next(iter(rows.values()))) if rows else ("metric",)
        return Table(columns, tuple(rows.values()), {**cost, "level": self.level})

    def table(self) -> Table:
        """One row per map, metric and fill: its value in logits and in probabilities, or why there is none."""
        rows: dict[tuple[int, str, str], dict[str, Any]] = {}
        for one in self.outcomes:
            for index, (saliency, value) in enumerate(zip(self.maps, one.values.tolist(), strict=True)):
                row = rows.setdefault(
                    (index, one.metric, one.by),
                    {
                        "map": index, "id": saliency.saliency_id, "method": saliency.method, "metric": one.metric,
                        "by": one.by, "logits": None, "probabilities": None, "undefined": "",
                    },
                )  # fmt: skip
                for scale in ("logits", "probabilities"):
                    if one.scale in (scale, "none"):
                        row[scale] = None if value != value else value
                if index in one.reasons:
                    known = [row["undefined"]] if row["undefined"] else []
                    row["undefined"] = "; ".join(dict.fromkeys([*known, one.reasons[index]]))
        ordered = tuple(rows[key] for key in sorted(rows, key=lambda key: key[0]))
        return Table(tuple(ordered[0]) if ordered else ("map",), ordered)
