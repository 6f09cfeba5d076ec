"""Groups of inputs: which parts are salient in all or most of them, and their maps in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.adapters.spoken import asked, spoken
from verbalize.evidence import evidence_of
from verbalize.saliency import PixelSaliency, TokenSaliency
from verbalize.write.naming import capital

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.saliency import Floats, Saliency


@dataclass(frozen=True, slots=True)
class PartCount:
    """In how many maps a part is salient.

    Args:
        name: the region, or the word in lower case.
        salient: the number of maps in which it is salient.
        present: the number of maps that have such a part at all.
        members: the places of the maps in which it is salient, from 0.
    """

    name: str
    salient: int
    present: int
    members: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class GroupSummary:
    """What is salient in a group of maps.

    Args:
        counts: the parts, the most frequent first.
        size: the number of maps.
        top: how many parts of a map are salient; no more than the map with most parts has.
        example: the first map, from which sentences take how parts are called.
        question: what the parts are important for, as sentences end: " for 'stop'".
    """

    counts: tuple[PartCount, ...]
    size: int
    top: int
    example: Saliency
    question: str = ""

    def everywhere(self) -> tuple[str, ...]:
        """The parts that are salient in every map."""
        return tuple(part.name for part in self.counts if part.salient == self.size)

    def in_words(self, most: int = 3) -> str:
        """In how many maps the most frequent parts are salient. Every number is counted.

        Args:
            most: the most parts to name.

        Raises:
            UsageError: `most` is below 1.
        """
        if most < 1:
            raise UsageError(f"most is how many parts are named, 1 or more, not {most!r}")
        text = isinstance(self.example, TokenSaliency)
        inputs = "text" if text else "picture"
        kind = "word" if text else "region"
        place = f"the most important {kind}" if self.top == 1 else f"among the {self.top} most important {kind}s"
        said = []
        for part in self.counts[:most]:
            lacking = self.size - part.present
            note = f" ({lacking} {'has' if lacking == 1 else 'have'} no such {kind})" if lacking else ""
            name = capital(spoken(part.name, self.example))
            where = f"the {inputs}" if self.size == 1 else f"{part.salient} of {self.size} {inputs}s"
            said.append(f"{name} is {place}{self.question} in {where}{note}.")
        if not said:
            where = f"the {inputs}" if self.size == 1 else f"any of the {self.size} {inputs}s"
            return f"No {kind} stands out{' for its label' if self.example.signed else ''} in {where}."
        return " ".join(said)


def salient_in_all(maps: Iterable[Saliency], *, top: int = 3) -> GroupSummary:
    """Count in how many of the maps each part is salient.

    A part is salient in a map if its net score is above 0 and among the `top` highest ones; parts that tie with the last of
    them are salient, too. Parts are the same part if they have one name: the names of masks, else those that `find_regions`
    gives by colour and place; words are compared in lower case, and a word that occurs several times counts by its best place.

    Args:
        maps: one map per input, all over words or all over pixels.
        top: how many parts of each map are salient.

    Raises:
        UsageError: there are no maps, they are of both kinds, or `top` is below 1.
    """
    checked = _of_one_kind(maps)
    if top < 1:
        raise UsageError(f"top is how many parts of a map are salient, 1 or more, not {top!r}")
    salient: dict[str, list[int]] = {}
    parts = 1
    present: dict[str, int] = {}
    for place, one in enumerate(checked):
        evidence = evidence_of(one)
        names = [name.lower() for name in evidence.names] if isinstance(one, TokenSaliency) else list(evidence.names)
        best: dict[str, float] = {}
        for name, score in zip(names, evidence.net.tolist(), strict=True):
            best[name] = max(score, best.get(name, score))
        parts = max(parts, len(best))
        flat = evidence.flat and evidence.pixels  # regions of noise, or that differ in size alone; words may tie
        ordered = sorted(best.values(), reverse=True)
        least = ordered[min(top, len(ordered)) - 1] if ordered else 0.0
        for name, score in best.items():
            present[name] = present.get(name, 0) + 1
            chosen = score > 0 and (score >= least or evidence.tied(score, least)) and not flat
            salient.setdefault(name, []).extend([place] if chosen else [])
    counts = [PartCount(name, len(found), present[name], tuple(found)) for name, found in salient.items() if found]
    counts.sort(key=lambda part: (-part.salient, part.name))
    return GroupSummary(tuple(counts), len(checked), min(top, parts), checked[0], asked(checked))


def mean_map(maps: Iterable[PixelSaliency]) -> PixelSaliency:
    """The mean of maps over pixels, each divided by its sum of magnitudes first, so that none counts more than another.

    Raises:
        UsageError: there are no maps, or their sizes, signs or questions differ.
    """
    found = _aligned(maps)
    return _summary(found, np.mean([_relative(one) for one in found], axis=0), signed=found[0].signed, what="mean")


def shared_map(maps: Iterable[PixelSaliency], *, share: float = 0.2) -> PixelSaliency:
    """A map whose score is the share of the maps in which the pixel is salient: 1 where all maps agree.

    A pixel is salient if its score is above 0 and among the `share` of the pixels with the highest scores.

    Args:
        maps: maps of one size.
        share: the share of the pixels of each map, above 0 and at most 1.

    Raises:
        UsageError: there are no maps, their sizes, signs or questions differ, or `share` is out of range.
    """
    if not 0.0 < share <= 1.0:
        raise UsageError(f"share is the share of the pixels that are salient, above 0 and at most 1, not {share!r}")
    found = _aligned(maps)
    count = max(1, round(share * found[0].scores.size))
    flags = []
    for one in found:
        least = np.partition(one.scores, -count, axis=None)[-count]
        flags.append((one.scores >= least) & (one.scores > 0))
    return _summary(found, np.mean(flags, axis=0), signed=False, what="salient pixels")


def _relative(saliency: PixelSaliency) -> Floats:
    largest = float(np.abs(saliency.scores).max(initial=0.0))
    if not largest:
        return saliency.scores
    scaled: Floats = saliency.scores / largest  # so that no sum of huge scores overflows
    relative: Floats = scaled / np.abs(scaled).sum()
    return relative


def _summary(maps: Sequence[PixelSaliency], scores: Floats, *, signed: bool, what: str) -> PixelSaliency:
    images = [one.image for one in maps if one.image is not None]
    alike = len(images) == len(maps) and len({image.shape for image in images}) == 1
    image = np.mean(images, axis=0) if alike else None
    return PixelSaliency(scores, maps[0].query, image=image, signed=signed, method=f"{what} of {len(maps)} maps")


def _aligned(maps: Iterable[PixelSaliency]) -> list[PixelSaliency]:
    """Maps over pixels that have the same size, signs and question."""
    found: list[PixelSaliency] = []
    for one in _of_one_kind(maps):
        if not isinstance(one, PixelSaliency):
            raise UsageError("these are maps over words, which have no pixels in common; use salient_in_all")
        found.append(one)
        if one.shape != found[0].shape or one.signed != found[0].signed or one.query != found[0].query:
            raise UsageError(
                "maps can be summed up in one map only if they have the same size, signs and question; "
                f"map 0 has {found[0].shape}, {found[0].query.label!r} and another one {one.shape}, {one.query.label!r}"
            )
    return found


def _of_one_kind(maps: Iterable[Saliency]) -> list[Saliency]:
    single = isinstance(maps, PixelSaliency | TokenSaliency)
    found: list[Saliency] = [cast("Saliency", maps)] if single else list(maps)
    if not found:
        raise UsageError("there are no maps; give at least one")
    if len({isinstance(one, TokenSaliency) for one in found}) > 1:
        raise UsageError("some maps are over words and some over pixels; give maps of one kind")
    return found
