"""Single images that one audit found more fragile than the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adversarial.audit.comparing.metrics import distance_within
from adversarial.audit.comparing.pairing import unknown_in_words
from adversarial.distances.distance import DISTANCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.audit.comparing.pairing import Pair, PairedProof
    from adversarial.audit.records import ImageRecord
    from adversarial.distances.distance import Distance

How: TypeAlias = Literal["wrong", "turned", "nearer", "right", "held", "farther"]
WORSE: tuple[How, ...] = ("wrong", "turned", "nearer")
BETTER: tuple[How, ...] = ("right", "held", "farther")

HALF = 0.5  # a search with another seed finds distances that differ by tenths; half is more than that


@dataclass(frozen=True)
class ImageChange:
    """An image that became fragile, or got better.

    Attributes:
        name: in the first audit.
        path: in the first audit.
        how: "wrong": classified wrongly only now; "turned": an adversarial example was found only now; "nearer": it is at half
            the distance or less. "right", "held" and "farther" are their opposites.
        before: the distance in the first audit; 0 for an image that was classified wrongly, None where nothing was found.
        after: the distance in the second audit, likewise.
        sentence: the change in words.
    """

    name: str
    path: str
    how: How
    before: float | None
    after: float | None
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "path": self.path, "how": self.how, "before": self.before, "after": self.after,
            "sentence": self.sentence,
        }  # fmt: skip


def image_changes(pairs: list[Pair], limit: int | None) -> tuple[tuple[ImageChange, ...], tuple[ImageChange, ...]]:
    """(images that became fragile, images that got better), the gravest changes first.

    Args:
        pairs: images that both audits judged.
        limit: the queries of each search that count; None for all.
    """
    found = [(change, pair) for pair in pairs if (change := _change(pair, limit)) is not None]
    worse = [change for change, _ in found if change.how in WORSE]
    better = [change for change, _ in found if change.how in BETTER]
    worse.sort(key=lambda one: (WORSE.index(one.how), one.after or 0.0))
    better.sort(key=lambda one: (BETTER.index(one.how), one.before or 0.0))
    return tuple(worse), tuple(better)


def _change(pair: Pair, limit: int | None) -> ImageChange | None:
    one, two = pair
    old, new = distance_within(one, limit), distance_within(two, limit)
    how = _how(old, new, one.status == "wrong", two.status == "wrong")
    if how is None:
        return None
    said = f"{one.name}{_label(one)}: before, {_state(one, old, limit)}; now, {_state(two, new, limit)}."
    return ImageChange(one.name, one.path, how, _known(old), _known(new), said)


def proof_changes(proofs: Sequence[PairedProof], signs: tuple[int, ...], least: float) -> tuple[list[str], int, str]:
    """The images about which less or more is proved: (each in words, how many were compared, which can't be and why).

    An image that is classified wrongly needs 0 pixels; one that needed 0 before can't need fewer.

    Args:
        proofs: of both audits.
        signs: -1 for fewer pixels, 1 for more.
        least: by how many.
    """
    known = [one for one in proofs if not one.unknown]
    said = []
    for one in known:
        old, new = one.lowers
        if old is None or new is None or old == new or not any(sign * (new - old) >= least for sign in signs):
            continue
        became = " (classified wrongly now)" if one.is_wrong else " (classified wrongly before)" if one.was_wrong else ""
        said.append(f"{one.name} from {old:,} to {new:,}{became}")
    zero = {-1: 0, 1: 1}.get(sum(signs))  # whose 0 rules the change out: before for a drop, after for a rise
    return said, len(known), unknown_in_words([one for one in proofs if zero is None or one.lowers[zero] != 0])


def _how(old: float, new: float, was_wrong: bool, is_wrong: bool) -> How | None:
    if was_wrong or is_wrong:
        return None if was_wrong and is_wrong else "right" if was_wrong else "wrong"
    if math.isinf(old) or math.isinf(new):
        return None if old == new else "turned" if math.isinf(old) else "held"
    if new <= HALF * old:
        return "nearer"
    return "farther" if old <= HALF * new else None


def _state(record: ImageRecord, distance: float, limit: int | None) -> str:
    if record.status == "wrong":
        return f"it was taken for {_class(record.predicted_name, record.predicted)}"
    if math.isinf(distance):
        within = f" by query {limit:,}" if limit is not None and record.status == "found" else ""
        return f"no adversarial example was found{within}"
    measure = _distance(str(record.norm))
    far = f"{distance:.4g} in {record.norm}" if measure is None else measure.in_words(distance)
    became = _class(record.adversarial_name, record.adversarial_label) if distance == record.distance else "another class"
    return f"{far} turned it into {became}"


@lru_cache
def _distance(name: str) -> Distance | None:
    """The distance of that name; None for one of a plug-in that is not installed here."""
    return DISTANCES.get(name) if name in DISTANCES else None


def _label(record: ImageRecord) -> str:
    return "" if record.label is None else f" ({_class(record.label_name, record.label)})"


def _class(name: str | None, number: int | None) -> str:
    return f"'{name}'" if name is not None else "another class" if number is None else f"class {number}"


def _known(distance: float) -> float | None:
    return distance if math.isfinite(distance) else None
