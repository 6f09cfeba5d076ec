"""Which image of one audit is which image of another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.audit.store import AuditStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from adversarial.audit.records import ImageRecord, ProofRecord, WeatherRecord

    Pair: TypeAlias = tuple[ImageRecord, ImageRecord]

JUDGED = ("found", "held", "wrong")
"""The statuses of an image about which the audit knows something."""


@dataclass(frozen=True, eq=False)
class AuditRows:
    """All rows of one audit.

    Attributes:
        directory: its folder, as it was given.
        settings: what its results depend on.
        about: the rest of what holds for the whole audit.
        records: its images.
        weather: what the weather did, by the `id` of the image.
        proofs: what is proved about the fewest pixels, by the `id` of the image.
    """

    directory: str
    settings: Mapping[str, Any]
    about: Mapping[str, Any]
    records: tuple[ImageRecord, ...]
    weather: Mapping[int, tuple[WeatherRecord, ...]]
    proofs: Mapping[int, ProofRecord] = field(default_factory=dict)

    def number(self, *statuses: str) -> int:
        """How many images have one of these statuses."""
        return sum(record.status in statuses for record in self.records)


def read_audit(directory: str | os.PathLike[str]) -> AuditRows:
    """All rows of the audit in a folder.

    Raises:
        UsageError: there is none, or it can't be read.
    """
    weather: dict[int, list[WeatherRecord]] = defaultdict(list)
    with AuditStore(directory) as store:
        about = store.about
        records = tuple(store.images())
        for one in store.weather():
            weather[one.image].append(one)
        proofs = {one.image: one for one in store.proofs()}
    settings = about.get("settings")
    return AuditRows(
        str(directory),
        settings if isinstance(settings, dict) else {},
        about,
        records,
        {number: tuple(found) for number, found in weather.items()},
        proofs,
    )


@dataclass(frozen=True, eq=False)
class Pairs:
    """The images of two audits, paired.

    Attributes:
        pairs: (image of the first audit, the same image of the second one), in the order of the first.
        only_before: images of the first audit alone.
        only_after: images of the second audit alone.
        other_pixels: how many pairs were made by their path, with other pixels in the second audit.
    """

    pairs: tuple[Pair, ...]
    only_before: tuple[ImageRecord, ...]
    only_after: tuple[ImageRecord, ...]
    other_pixels: int


def pair_images(before: Sequence[ImageRecord], after: Sequence[ImageRecord]) -> Pairs:
    """Pair images by their pixels, and those that are left by their path.

    Of several images with the same pixels, those of the same path go together, then those of the same name, then as they come.
    """
    found: dict[int, ImageRecord] = {}
    taken: set[int] = set()
    ways: tuple[Callable[[ImageRecord], Any], ...] = (
        lambda one: (one.pixels, one.path, one.part) if one.pixels else None,
        lambda one: (one.pixels, one.name) if one.pixels else None,
        lambda one: one.pixels,
        lambda one: (one.path, one.part),
    )
    other_pixels = 0
    for key in ways:
        waiting: dict[Any, list[ImageRecord]] = defaultdict(list)
        for one in reversed(after):
            if one.id not in taken and key(one) is not None:
                waiting[key(one)].append(one)
        for one in before:
            if one.id in found or not waiting.get(key(one)):
                continue
            match = waiting[key(one)].pop()
            found[one.id] = match
            taken.add(match.id)
            other_pixels += one.pixels is not None and match.pixels is not None and one.pixels != match.pixels
    return Pairs(
        tuple((one, found[one.id]) for one in before if one.id in found),
        tuple(one for one in before if one.id not in found),
        tuple(one for one in after if one.id not in taken),
        other_pixels,
    )
