"""What can be measured in two audits of the same images: the names, what each needs, and its value for one image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adversarial.audit.records import ImageRecord, WeatherRecord

Unit: TypeAlias = Literal["share", "distance", "count"]

UNITS: Mapping[str, Unit] = {
    "robust_accuracy": "share",
    "accuracy": "share",
    "weather": "share",
    "median_distance": "distance",
    "mean_distance": "distance",
    "proved_bound": "distance",
    "exact_bounds": "share",
    "found": "count",
    "failed": "count",
    "compared": "count",
}
"""The metrics, and what each is measured in."""

ROUNDING = 1e-6  # relative; a distance of eight steps of 1/255 in 32-bit numbers is a little more than 8/255


@dataclass(frozen=True)
class Metric:
    """A metric with its points, as a rule names it.

    Attributes:
        name: such as "robust_accuracy".
        kind: of the weather; None for all kinds.
        norm: the distance of the point, such as "l0"; None without one.
        at: the value of that distance.
        queries: how many queries of each search count; None for all.
        severity: of the weather; None for all.
    """

    name: str
    kind: str | None = None
    norm: str | None = None
    at: float | None = None
    queries: int | None = None
    severity: int | None = None

    @property
    def unit(self) -> Unit:
        """What it is measured in."""
        return UNITS[self.name]

    def __str__(self) -> str:
        points = [] if self.norm is None or self.at is None else [f"{self.norm}={_shown(self.at)}"]
        points += [] if self.queries is None else [f"queries={self.queries}"]
        points += [] if self.severity is None else [f"severity={self.severity}"]
        kind = "" if self.kind is None else f":{self.kind}"
        return f"{self.name}{kind}{'@' if points else ''}{','.join(points)}"


def _shown(value: float) -> str:
    """A number that is read again as the same one, in as few digits as that takes."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


class UndecidedError(UsageError):
    """The audits don't hold what a metric needs."""


def distance_within(record: ImageRecord, queries: int | None) -> float:
    """The distance of the nearest adversarial example that the first so many queries found.

    0 for an image that was classified wrongly before anything was changed, infinite where nothing was found.
    """
    if record.status == "wrong":
        return 0.0
    if record.status != "found" or record.distance is None:
        return math.inf
    if queries is None:
        return record.distance
    return min((far for asked, far in record.trace if far is not None and asked <= queries), default=math.inf)


def is_right(record: ImageRecord) -> bool:
    """Whether the classifier saw the right class before anything was changed."""
    return record.status != "wrong"


def is_robust(record: ImageRecord, at: float | None, queries: int | None) -> bool:
    """Whether the image is classified rightly and no adversarial example within the distance was found.

    Args:
        record: an image with a status of `JUDGED`.
        at: a distance; None for any.
        queries: how many queries of the search count; None for all.
    """
    far = distance_within(record, queries)
    return is_right(record) and (math.isinf(far) if at is None else far > at * (1 + ROUNDING))


Cell: TypeAlias = tuple[str, int, float]


def right_in_weather(record: ImageRecord, weather: tuple[WeatherRecord, ...]) -> dict[Cell, bool]:
    """Whether the decision is right in each kind of weather at each severity: {(kind, severity, value): whether}.

    An image that is classified wrongly without any weather is not right in any.

    Args:
        record: the image.
        weather: what the weather did to it.
    """
    return {cell_of(one): record.status != "wrong" and one.predicted == record.label for one in weather}


def cell_of(one: WeatherRecord) -> Cell:
    """Kind, severity and strength."""
    return one.kind, one.severity, round(one.value, 9)


OF_THE_SEARCH = ("robust_accuracy", "median_distance", "mean_distance", "found")
"""Metrics that depend on how the search went."""

OTHER_SEARCH = ("budget", "attack", "manipulation", "player_two", "tree", "density", "tolerate_noise")
"""Settings of the search: where they differ, one and the same model looks better or worse."""

OTHER_CHANCE = ("seed", "levels")
"""Settings that lead a search to other examples: where they differ, no p tells the model's change from that of the search."""

OF_THE_PROOFS = ("proved_bound", "exact_bounds")
"""Metrics that depend on how far proofs came."""

FEW_ANSWERS = ("label", "top-k")
"""Kinds of answers for which another search is chosen."""


def other_search(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why the searches of two audits have no common scale, in a clause; "" where they have one.

    A search spends its queries by its budget, so that the first 60 queries of 150 are not a search with 60.
    """
    found = _differing(OTHER_SEARCH, before, after)
    return f"the searches differ ({found}), which alone makes one and the same model look better or worse" if found else ""


def other_chance(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why a p says nothing of the model alone, in a clause; "" where the searches had the same start."""
    names = [*OTHER_CHANCE]
    kinds = {before.get("scores"), after.get("scores")}
    if len(kinds) > 1 and kinds & set(FEW_ANSWERS):
        names.append("scores")
    found = _differing(names, before, after)
    return f"the searches differ ({found}), and no p accounts for what that alone changes" if found else ""


def doubt_of(metric: Metric, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why a change of a metric may be that of the search, not of the model; "" where nothing speaks for that."""
    return (other_search(before, after) or other_chance(before, after)) if metric.name in OF_THE_SEARCH else ""


def _differing(names: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    pairs = [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
    return ", ".join(f"{name} {_setting(old)} before and {_setting(new)} after" for name, old, new in pairs)


def _setting(value: object) -> str:
    return "not given" if value is None else f"{value:,}" if type(value) is int else str(value)
