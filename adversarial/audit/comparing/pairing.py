"""Which image of one audit is which image of another, and which proofs about it can be compared."""

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
NAMED = 5
"""Images that a sentence names: more would hide what it says."""


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


@dataclass(frozen=True, eq=False)
class PairedProof:
    """What two audits prove about one image.

    Attributes:
        name: of the image, in the first audit.
        judged: whether both audits judged the image.
        old: its proof in the first audit; None where there is none.
        new: its proof in the second audit, likewise.
        lowers: the pixels that are needed at least, in both audits: 0 for an image that is classified wrongly, None where
            nothing is proved.
        unknown: why the two can't be compared, in a clause; "" where they can.
    """

    name: str
    judged: bool
    old: ProofRecord | None
    new: ProofRecord | None
    lowers: tuple[int | None, int | None]
    unknown: str

    @property
    def was_wrong(self) -> bool:
        """Whether the first audit classified it wrongly."""
        return self.old is None and self.lowers[0] == 0

    @property
    def is_wrong(self) -> bool:
        """Whether the second audit classifies it wrongly."""
        return self.new is None and self.lowers[1] == 0


def pair_proofs(before: AuditRows, after: AuditRows, pairs: Sequence[Pair]) -> list[PairedProof]:
    """What both audits prove about each image of the first one. Images that could not be attacked in either are left out.

    Args:
        before: the first audit.
        after: the second audit.
        pairs: the images of both.
    """
    partners = {one.id: two for one, two in pairs}
    found = []
    for one in before.records:
        two = partners.get(one.id)
        if one.status == "failed" and (two is None or two.status == "failed"):
            continue
        old, new = _proof(before, one), _proof(after, two)
        lowers = _least(one, old), _least(two, new)
        judged = one.status in JUDGED and two is not None and two.status in JUDGED
        missing = [audit.directory for audit, lower in zip((before, after), lowers, strict=True) if lower is None]
        unknown = f"no proof in {' and '.join(missing)}" if missing else ""
        if old is not None and new is not None:
            unknown = _apart(old, new, before.directory, after.directory)
        elif not missing:
            unknown = next(
                (f"interrupted in {audit.directory}" for audit, proof in ((before, old), (after, new)) if _is_open(proof)), ""
            )
        found.append(PairedProof(one.name, judged, old, new, lowers, unknown))
    return found


def _proof(audit: AuditRows, record: ImageRecord | None) -> ProofRecord | None:
    """The proof about an image; None where there is none, or it is of no account: the image is classified wrongly."""
    return None if record is None or record.status not in ("found", "held") else audit.proofs.get(record.id)


def _least(record: ImageRecord | None, proof: ProofRecord | None) -> int | None:
    if proof is not None:
        return proof.lower
    return 0 if record is not None and record.status == "wrong" else None


def _is_open(proof: ProofRecord | None) -> bool:
    """Whether a proof was interrupted, so that its image may need more pixels than it says."""
    return proof is not None and not (proof.ended or proof.exact)


def _apart(old: ProofRecord, new: ProofRecord, before: str, after: str) -> str:
    """Why two proofs don't show which version needs more pixels, in a clause; "" where they do.

    What counts is what each proof was given, which the audit's settings need not say: proofs that were enough are kept when
    less is asked for later. A number that is known exactly is the same with more pixels, and what is finished is the same
    with more seconds.
    """
    open_in = [name for name, proof in ((before, old), (after, new)) if _is_open(proof)]
    if open_in:
        return f"interrupted in {' and '.join(open_in)}"
    both = ((old, new), (new, old))
    said = []
    if old.asked != new.asked and not any(one.exact and one.lower <= other.asked + 1 for one, other in both):
        said.append(f"up to {old.asked:,} pixels before and {new.asked:,} after")
    if old.allowed != new.allowed and not any(
        (one.exact or one.finished) and one.seconds <= other.allowed for one, other in both
    ):
        said.append(f"{old.allowed:g} seconds before and {new.allowed:g} after")
    return " and ".join(said)


def unknown_in_words(proofs: Sequence[PairedProof]) -> str:
    """Which of these images can't be compared by their proofs, and why, in a clause; "" where all can."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for one in proofs:
        if one.unknown:
            by_reason[one.unknown].append(one.name)
    return "; ".join(f"{why}: {names_in_words(names)}" for why, names in by_reason.items())


def names_in_words(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
