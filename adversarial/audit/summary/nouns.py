"""What a summary of an audit holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adversarial.bounds.pixel_words import NOTHING_FLIPS, pixels_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adversarial.audit.records import ImageArrays, ImageRecord, ProofRecord, Status
    from adversarial.audit.summary.survival import Share, Step
    from adversarial.findings.facts import Verdict
    from adversarial.findings.reading import FindingSentence
    from verbalize.saliency import PixelSaliency


@dataclass(frozen=True)
class Statement:
    """A sentence about the whole audit, and what came of checking it.

    Attributes:
        about: what it is about: "images", "distance", "queries", "proofs", "classes", "flips", "places", "weather" or "saving".
        text: the sentence.
        verdict: whether its figures, read back from it, agree with the rows of the database.
    """

    about: str
    text: str
    verdict: Verdict


@dataclass(frozen=True)
class MapText:
    """A map, the sentences about it, and what came of checking them.

    Attributes:
        title: what the map shows.
        map: the map, with the id under which a report lists it.
        text: the sentences.
        verdict: whether they are true of the map.
        images: how many images it is made of.
    """

    title: str
    map: PixelSaliency
    text: str
    verdict: Verdict
    images: int


@dataclass(frozen=True)
class ImageRow:
    """One image, with those of its sentences that were checked.

    Attributes:
        record: the row of the database, without its trace.
        rank: its place among the images that were turned, the most fragile first, from 1; None for any other.
        distance: of its adversarial example, in the distance of the audit.
        sentences: what was found, sentence by sentence, with verdicts.
        weather: how many kinds of weather changed the decision; None where none were tried.
        proof: between which numbers the fewest pixels lie that flip it; None where nothing was proved.
        proved: that in words, sentence by sentence, with verdicts.
    """

    record: ImageRecord
    rank: int | None
    distance: float | None
    sentences: tuple[FindingSentence, ...]
    weather: int | None
    proof: ProofRecord | None = None
    proved: tuple[FindingSentence, ...] = ()

    @property
    def text(self) -> str:
        """The sentences that are true."""
        return " ".join(one.text for one in self.sentences if one.verdict == "true")

    @property
    def proved_text(self) -> str:
        """The sentences about the proof that are true."""
        return " ".join(one.text for one in self.proved if one.verdict == "true")

    @property
    def pixels(self) -> str:
        """How many pixels flip it, such as "2 to 5" or "exactly 3"; "" where nothing was proved, or that is not true."""
        if self.proof is None or any(one.verdict == "false" for one in self.proved):
            return ""
        if any(one.verdict == "true" and one.text.startswith(NOTHING_FLIPS) for one in self.proved):
            return pixels_in_words(self.proof.lower, math.inf, self.proof.lower - 1)
        return pixels_in_words(self.proof.lower, math.inf if self.proof.upper is None else self.proof.upper)


@dataclass(frozen=True)
class FragileImage:
    """One of the most fragile images, with its pictures.

    Attributes:
        row: the image.
        arrays: its pictures; None where they were not kept.
        touched: what mattered to the search; None where that was not kept, or nothing true could be said of it.
    """

    row: ImageRow
    arrays: ImageArrays | None
    touched: MapText | None


@dataclass(frozen=True)
class ClassRow:
    """What became of the images of one class.

    Attributes:
        name: the class as people read it.
        images: all of them, those that failed or wait included.
        wrong: those that were classified wrongly from the start.
        failed: those that could not be attacked.
        turned: the share of the attacked images that were turned.
        nearest: the smallest distance of an adversarial example; None where there is none.
        median: the median distance of the attacked images; None where fewer than half were turned.
    """

    name: str
    images: int
    wrong: int
    failed: int
    turned: Share
    nearest: float | None
    median: float | None


@dataclass(frozen=True)
class Flip:
    """How many images of one class became another class.

    Attributes:
        label: the class.
        now: the class of the adversarial examples.
        count: how many.
    """

    label: str
    now: str
    count: int


@dataclass(frozen=True)
class WeatherRow:
    """What one kind of weather at one severity did to the attacked images.

    Attributes:
        kind: such as "blur".
        severity: from 1 up.
        value: what the severity stands for.
        flipped: the share of the decisions that it changed.
    """

    kind: str
    severity: int
    value: float | None
    flipped: Share


@dataclass(frozen=True)
class ProofCounts:
    """What was proved about the images of an audit.

    Attributes:
        images: those with a proof.
        exact: those of which the fewest pixels are known exactly.
        against: (pixels, number of images that hold against any so many pixels), one after the other from 1.
        condition: under what that holds; None where it is not the same for all.
    """

    images: int
    exact: int
    against: tuple[tuple[int, int], ...]
    condition: str | None


@dataclass(frozen=True)
class Brittle:
    """How many attacked images with weather were turned by what.

    Attributes:
        search: by the search alone.
        both: by the search and by some weather.
        weather: by some weather alone.
        neither: by nothing that was tried.
    """

    search: int
    both: int
    weather: int
    neither: int


@dataclass(frozen=True, kw_only=True)
class AuditSummary:
    """All that the reports of an audit are made of.

    Attributes:
        directory: the folder of the audit.
        about: what holds for the whole audit, as `AuditStore.about` has it.
        norm: the name of the distance.
        title: the distance in words.
        counts: how many images have each status.
        right: the share of the images with a decision that were right before anything was changed.
        by_distance: the share of these images that are right and have no known adversarial example within each distance.
        by_queries: the share of the attacked images that were not turned after so many queries.
        median: the median distance of the attacked images.
        classes: one row per class, the most fragile first.
        flips: the most frequent first.
        weather: by kind and severity.
        brittle: to what; None without weather.
        survives: by "png" and "jpeg", the share of the examples that stay adversarial when they are saved.
        places: (place in words, number) of the adversarial examples, the most frequent first.
        maps: where fragility sits over the whole set.
        images: all images, the most fragile first.
        fragile: the first of them, with pictures.
        statements: sentences about the whole, with verdicts; reports show the true ones.
        command: what repeats the audit; None where no command does, and `unrepeatable` says why.
        unrepeatable: why no command repeats it; None where one does.
        proofs: what was proved; None where nothing was asked for.
    """

    directory: str
    about: Mapping[str, Any]
    norm: str
    title: str
    counts: Mapping[Status, int]
    right: Share
    by_distance: tuple[Step, ...]
    by_queries: tuple[Step, ...]
    median: float | None
    classes: tuple[ClassRow, ...]
    flips: tuple[Flip, ...]
    weather: tuple[WeatherRow, ...]
    brittle: Brittle | None
    survives: Mapping[str, Share]
    places: tuple[tuple[str, int], ...]
    maps: tuple[MapText, ...]
    images: tuple[ImageRow, ...]
    fragile: tuple[FragileImage, ...]
    statements: tuple[Statement, ...]
    command: str | None
    unrepeatable: str | None = None
    proofs: ProofCounts | None = None

    @property
    def attacked(self) -> int:
        """The images that were attacked to the end of their search."""
        return self.counts["found"] + self.counts["held"]

    def told(self, *about: str) -> tuple[str, ...]:
        """The true statements about these matters."""
        return tuple(one.text for one in self.statements if one.verdict == "true" and one.about in about)
