"""One metric measured in two audits of the same images: both values, the paired difference, and what chance explains."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.audit.comparing import intervals
from adversarial.audit.comparing.intervals import BOOTSTRAP, LEVEL, NEWCOMBE, SIGN_TEST, Interval
from adversarial.audit.comparing.metrics import (
    OF_THE_PROOFS,
    Metric,
    UndecidedError,
    distance_within,
    doubt_of,
    is_right,
    is_robust,
    right_in_weather,
)
from adversarial.audit.comparing.pairing import JUDGED, names_in_words, pair_proofs, unknown_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from adversarial.audit.comparing.metrics import Cell
    from adversarial.audit.comparing.pairing import AuditRows, Pair, PairedProof


@dataclass(frozen=True)
class Measurement:
    """A metric in two audits.

    Attributes:
        metric: what was measured, as a rule names it.
        unit: "share", "distance" or "count".
        images: how many images were compared for it.
        before: its value in the first audit, with the 95 % interval.
        after: its value in the second audit, with the 95 % interval.
        difference: the second minus the first, image by image, with the 95 % interval.
        rises: how many images have a higher value in the second audit.
        falls: how many have a lower one.
        p: of the exact test that a rise is as likely as a fall.
        methods: the intervals and the test, by name.
        note: what a reader must know; empty where there is nothing.
        doubt: why the change may be that of the search or the proofs and not of the model; empty where nothing speaks for that.
    """

    metric: str
    unit: str
    images: int
    before: Interval
    after: Interval
    difference: Interval
    rises: int
    falls: int
    p: float
    methods: tuple[str, ...]
    note: str = ""
    doubt: str = ""

    @property
    def significant(self) -> bool:
        """Whether neither chance alone, at the 5 % level, nor another search explains the change."""
        return self.p < LEVEL and not self.doubt

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "metric": self.metric, "unit": self.unit, "images": self.images, "before": self.before.to_list(),
            "after": self.after.to_list(), "difference": self.difference.to_list(), "rises": self.rises, "falls": self.falls,
            "p": self.p, "methods": list(self.methods), "note": self.note, "doubt": self.doubt,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class PairedAudits:
    """Two audits whose images were paired.

    Attributes:
        before: the first audit.
        after: the second audit.
        pairs: the images of both.
        limit: the queries of each search that count, where the budgets differ; None for all.
        seed: of the bootstraps.
    """

    before: AuditRows
    after: AuditRows
    pairs: tuple[Pair, ...]
    limit: int | None
    seed: int

    @cached_property
    def judged(self) -> list[Pair]:
        """The pairs about which both audits know something."""
        return [pair for pair in self.pairs if pair[0].status in JUDGED and pair[1].status in JUDGED]

    def measure(self, metric: Metric) -> Measurement:
        """Measure a metric.

        Raises:
            UndecidedError: the audits don't hold what it needs.
        """
        judged = self.judged
        if metric.name == "failed":
            failed = [tuple(one.status == "failed" for one in pair) for pair in self.pairs]
            return self._counted(metric, failed, self.before.number("failed"), self.after.number("failed"))
        if metric.name == "compared":
            return self._counted(metric, [(True, True)] * len(judged), len(judged), len(judged))
        if not judged:
            raise UndecidedError(f"{metric} can't be compared: no image was judged in both audits")
        if metric.name == "weather":
            return self._weather(metric, judged)
        queries = self._queries(metric)
        if metric.name in OF_THE_PROOFS:
            return self._proved_measure(metric)
        if metric.name == "accuracy":
            return self._accuracy(metric, judged)
        if metric.name == "found":
            found = [tuple(is_right(one) and not is_robust(one, None, queries) for one in pair) for pair in judged]
            return self._counted(metric, found, sum(one for one, _ in found), sum(two for _, two in found))
        if metric.name == "robust_accuracy":
            self._check_distance(metric)
            return self._shares(metric, [tuple(is_robust(one, metric.at, queries) for one in pair) for pair in judged])
        return self._distances(metric, [pair for pair in judged if all(map(is_right, pair))], queries)

    @cached_property
    def proofs(self) -> list[PairedProof]:
        """What both audits prove about each image of the first one."""
        return pair_proofs(self.before, self.after, self.pairs)

    @cached_property
    def proofs_in_doubt(self) -> str:
        """Why the images with a proof don't show whether more is proved, in a clause; "" where they do."""
        return unknown_in_words([one for one in self.proofs if one.judged and not one.was_wrong and not one.is_wrong])

    def go_on(self, *audits: AuditRows) -> str:
        """What to do for proofs that are missing or differ, as a clause."""
        without = [one.directory for one in audits or (self.before, self.after) if one.settings.get("prove") is None]
        if without:
            return f"give `saywhy audit run` --prove for {' and '.join(without)}"
        return "go on by `saywhy audit run` where proofs are missing or interrupted, with the same --prove and --prove-pixels"

    def measure_after(self, metric: Metric) -> tuple[Measurement, str]:
        """What the proofs of the second audit alone show, and which are missing or interrupted, in a clause.

        Raises:
            UndecidedError: it has no proofs.
        """
        records = [two for _, two in self.pairs if two.status in ("found", "held")]
        proofs = [self.after.proofs[one.id] for one in records if one.id in self.after.proofs]
        if not proofs:
            raise UndecidedError(
                f"{metric} is not known of {self.after.directory}, as no image has a proof; {self.go_on(self.after)}"
            )
        missing = [one.name for one in records if one.id not in self.after.proofs]
        stopped = {one.image for one in proofs if not (one.ended or one.exact)}
        said = [f"no proof about {names_in_words(missing)}"] if missing else []
        said += [f"interrupted: {names_in_words([one.name for one in records if one.id in stopped])}"] if stopped else []
        if metric.name == "exact_bounds":
            value = intervals.wilson(sum(one.exact for one in proofs), len(proofs))
        else:
            value = intervals.mean(np.array([one.lower for one in proofs], dtype=np.float64), self.seed)
        measured = Measurement(
            metric=str(metric), unit=metric.unit, images=len(proofs), before=Interval(None), after=value,
            difference=Interval(None), rises=0, falls=0, p=1.0, methods=(),
        )  # fmt: skip
        return measured, "; ".join(said)

    def _proved_measure(self, metric: Metric) -> Measurement:
        proved = [(one.old, one.new) for one in self.proofs if one.old is not None and one.new is not None]
        if not proved:
            raise UndecidedError(f"{metric} can't be compared: no image has a proof in both audits; {self.go_on()}")
        if metric.name == "exact_bounds":
            return self._shares(metric, [(old.exact, new.exact) for old, new in proved])
        before, after = np.array([[old.lower, new.lower] for old, new in proved], dtype=np.float64).T
        return self._measured(
            metric, before, after, intervals.mean(before, self.seed), intervals.mean(after, self.seed),
            intervals.mean_difference(before, after, self.seed), (BOOTSTRAP, SIGN_TEST),
        )  # fmt: skip

    def _queries(self, metric: Metric) -> int | None:
        for audit in (self.before, self.after):
            budget = audit.settings.get("budget")
            if metric.queries is not None and isinstance(budget, int) and metric.queries > budget:
                raise UndecidedError(
                    f"{metric} can't be compared: the audit {audit.directory} made at most {budget:,} queries per image"
                )
        known = [one for one in (metric.queries, self.limit) if one is not None]
        return min(known, default=None)

    def _check_distance(self, metric: Metric) -> None:
        searched = self.before.settings.get("distance")
        if metric.norm is not None and searched is not None and metric.norm != searched:
            raise UndecidedError(
                f"{metric} can't be compared: the audits searched in {searched}, and what they would have found in "
                f"{metric.norm} is unknown; write {metric.name}@{searched}={metric.at:g}"
            )

    def _accuracy(self, metric: Metric, judged: list[Pair]) -> Measurement:
        other = sum(one.label != two.label and one.label_name != two.label_name for one, two in judged)
        if other:
            raise UndecidedError(
                f"{metric} can't be compared: {other:,} images have another label in {self.after.directory}; audit both with "
                "the same labels (--labels)"
            )
        return self._shares(metric, [(is_right(one), is_right(two)) for one, two in judged])

    def _shares(self, metric: Metric, values: Iterable[tuple[bool, ...]]) -> Measurement:
        before, after = np.array(list(values), dtype=bool).T
        total = len(before)
        return self._measured(
            metric, before, after, intervals.wilson(int(before.sum()), total), intervals.wilson(int(after.sum()), total),
            intervals.share_difference(before, after), ("Wilson's score interval", NEWCOMBE, SIGN_TEST),
        )  # fmt: skip

    def _counted(self, metric: Metric, values: list[Any], old: int, new: int) -> Measurement:
        before, after = np.array(values, dtype=bool).reshape(-1, 2).T
        return self._measured(
            metric, before, after, Interval(old, old, old), Interval(new, new, new), Interval(new - old), (SIGN_TEST,)
        )

    def _distances(self, metric: Metric, pairs: list[Pair], queries: int | None) -> Measurement:
        if not pairs:
            raise UndecidedError(f"{metric} can't be compared: no image was attacked in both audits")
        before, after = np.array([[distance_within(one, queries) for one in pair] for pair in pairs], dtype=np.float64).T
        held = [int(np.isinf(values).sum()) for values in (before, after)]
        note = f"no adversarial example is known for {held[0]:,} images before and {held[1]:,} after; they count as farther"
        if metric.name == "median_distance":
            old, new = intervals.median(before, self.seed), intervals.median(after, self.seed)
            difference = intervals.median_difference(before, after, self.seed)
        else:
            known = np.concatenate([values[np.isfinite(values)] for values in (before, after)])
            if not len(known):
                raise UndecidedError(f"{metric} can't be compared: neither audit found an adversarial example")
            top = float(known.max())
            note += f", and as {top:.4g}, the largest distance found, in the mean"
            cut_before, cut_after = np.minimum(before, top), np.minimum(after, top)
            old, new = intervals.mean(cut_before, self.seed), intervals.mean(cut_after, self.seed)
            difference = intervals.mean_difference(cut_before, cut_after, self.seed)
        return self._measured(metric, before, after, old, new, difference, (BOOTSTRAP, SIGN_TEST), note if sum(held) else "")

    def _weather(self, metric: Metric, judged: list[Pair]) -> Measurement:
        old_cells, new_cells = ({cell for found in side.values() for cell in found} for side in self._in_weather)
        wanted = {
            cell for cell in old_cells & new_cells if metric.kind in (None, cell[0]) and metric.severity in (None, cell[1])
        }
        if not wanted:
            raise UndecidedError(f"{metric} can't be compared: the two audits have no such weather in common")
        values = []
        for one, two in judged:
            old, new = (side.get(record.id, {}) for side, record in zip(self._in_weather, (one, two), strict=True))
            if one.status == "wrong" and not old:
                old = dict.fromkeys(new or wanted, False)
            if two.status == "wrong" and not new:
                new = dict.fromkeys(old or wanted, False)
            both = [cell for cell in wanted if cell in old and cell in new]
            if both:
                values.append([sum(had[cell] for cell in both) / len(both) for had in (old, new)])
        if not values:
            raise UndecidedError(f"{metric} can't be compared: no image was put into the same weather in both audits")
        before, after = np.array(values, dtype=np.float64).T
        if np.isin(values, (0.0, 1.0)).all():  # then the shares are of images, and small numbers of them have intervals, too
            return self._shares(metric, [(old > 0, new > 0) for old, new in values])
        return self._measured(
            metric, before, after, intervals.mean(before, self.seed), intervals.mean(after, self.seed),
            intervals.mean_difference(before, after, self.seed), (BOOTSTRAP, SIGN_TEST),
        )  # fmt: skip

    @cached_property
    def _in_weather(self) -> tuple[dict[int, dict[Cell, bool]], ...]:
        """For each audit, by the `id` of the image: whether the decision is right in each weather."""
        return tuple(
            {
                record.id: right_in_weather(record, audit.weather[record.id])
                for record in audit.records
                if record.id in audit.weather
            }
            for audit in (self.before, self.after)
        )

    def _measured(
        self, metric: Metric, before: NDArray[Any], after: NDArray[Any], old: Interval, new: Interval, difference: Interval,
        methods: tuple[str, ...], note: str = "",
    ) -> Measurement:  # fmt: skip
        return Measurement(
            metric=str(metric), unit=metric.unit, images=len(before), before=old, after=new, difference=difference,
            rises=int((after > before).sum()), falls=int((after < before).sum()), p=intervals.sign_test(before, after),
            methods=methods, note=note,
            doubt=self.proofs_in_doubt
            if metric.name in OF_THE_PROOFS
            else doubt_of(metric, self.before.settings, self.after.settings),
        )  # fmt: skip
