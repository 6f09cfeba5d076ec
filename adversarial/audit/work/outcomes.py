"""What became of an image, as the rows and arrays that an audit keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from adversarial.audit.records import ImageArrays, ImageRecord, WeatherRecord
from adversarial.findings.words import changed_mask, finding_in_words, touched_in_words
from verbalize.parts import place_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adversarial.audit.records import Status
    from adversarial.audit.work.job import Aftermath
    from adversarial.result import AttackResult


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one image.

    Attributes:
        record: its row.
        weather: its rows of the weather.
        arrays: its pictures; None where it could not be attacked.
        clean: (K,) what the classifier answered about the original; None where it could not be attacked.
    """

    record: ImageRecord
    weather: tuple[WeatherRecord, ...] = ()
    arrays: ImageArrays | None = None
    clean: NDArray[np.float64] | None = None


def make_outcome(
    record: ImageRecord,
    result: AttackResult,
    after: Aftermath,
    class_names: Sequence[str] | None,
    *,
    budget: int,
) -> Outcome:
    """The rows and arrays of an attacked image; one whose decision noise leaves open counts as not attacked.

    Args:
        record: its row so far.
        result: of its attack.
        after: what was asked after it.
        class_names: one name per class, or None.
        budget: the queries that its search was allowed.
    """

    def name(index: int | None) -> str | None:
        return class_names[index] if class_names is not None and index is not None and index < len(class_names) else None

    if result.undecided:
        seen = replace(
            record, label=result.label, label_name=name(result.label), predicted=after.predicted,
            predicted_name=name(after.predicted), norm=result.norm, queries=result.queries + after.queries,
            search_queries=result.queries, note=result.note or None,
        )  # fmt: skip
        return failed_outcome(seen, result.undecided)
    mask = changed_mask(result)
    trace = tuple(
        (int(queries), float(distance) if math.isfinite(distance) else None)
        for queries, distance in np.asarray(result.trace).reshape(-1, 2)
    )
    found = [queries for queries, distance in trace if result.success and distance == result.distance]
    made = replace(
        record,
        status=_status(result),
        label=result.label,
        label_name=name(result.label),
        predicted=after.predicted,
        predicted_name=name(after.predicted),
        adversarial_label=result.adversarial_label if result.success else None,
        adversarial_name=name(result.adversarial_label) if result.success else None,
        confidence=after.confidence,
        norm=result.norm,
        distance=float(result.distance) if result.success else None,
        distances={key: float(value) for key, value in result.distances.items()} if result.success else {},
        queries=result.queries + after.queries,
        search_queries=result.queries,
        found_after=found[0] if found else None,
        trace=trace,
        changed_pixels=int(mask.sum()) if result.success else None,
        place=place_in_words(mask, mask.shape) if mask.any() else None,
        sentence=finding_in_words(result, class_names, budget=budget),
        touched=touched_in_words(result),
        survives=dict(after.survives),
        note=result.note or None,
        error=None,
    )
    weather = tuple(
        WeatherRecord(
            image=record.id, kind=one.kind, severity=one.severity, value=one.value, predicted=one.predicted,
            confidence=None if one.confidence is None else round(one.confidence, 4), flipped=one.flipped,
        )
        for one in after.weather
    )  # fmt: skip
    arrays = ImageArrays(
        original=result.original,
        adversarial=result.adversarial if result.success and result.distance > 0 else None,
        density=None if result.density is None else result.density.density.astype(np.float32),
        touched=np.asarray(result.touched.scores, dtype=np.float32),
    )
    return Outcome(made, weather, arrays, after.clean)


def failed_outcome(record: ImageRecord, why: str) -> Outcome:
    """The row of an image that could not be attacked, or not read."""
    return Outcome(replace(record, status="failed", error=why))


def _status(result: AttackResult) -> Status:
    if not result.success:
        return "held"
    return "wrong" if result.distance == 0 else "found"
