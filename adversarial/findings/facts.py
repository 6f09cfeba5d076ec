"""What is known of a finding, and what one statement about it comes to when it is held against that."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Verdict: TypeAlias = Literal["true", "false", "not verified"]

_LABEL = re.compile(r"'.*'|class \d+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ProofFacts:
    """What is known of the fewest pixels that flip an image, see `adversarial.fewest_pixels`.

    Attributes:
        lower: no fewer pixels flip it.
        upper: so many do; infinite where no example is known.
        condition: under what the lower bound holds, in words.
        now: the class of the example with `upper` pixels as sentences name it; None where there is none.
        still_open: of the sets of `lower` pixels, the share that was neither proved nor refuted; None where that is not known.
        image_pixels: how many pixels the image has; None where that is not known.
    """

    lower: int
    upper: float
    condition: str
    now: str | None = None
    still_open: float | None = None
    image_pixels: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class FindingFacts:
    """What is known of a finding, which its sentences are checked against.

    Attributes:
        success: whether an adversarial example was found.
        label: the class of the image as sentences name it: "'stop'" or "class 3" (`class_name` makes it).
        now: the class of the adversarial example in the same form; None where there is none.
        goal: the class that was wanted; None for any other.
        queries: those of the search.
        budget: those that were allowed; None where that is not known.
        found_after: the query with which the example was found; None where none was, or where it is not known.
        norm: the name of the distance that was made small.
        original: (H, W, C) in [0, 1]; None where the pictures were not kept.
        adversarial: the same of the adversarial example, or None.
        touched: (H, W) how much each pixel mattered to the search, or None.
        labels: all classes in the form of `label`. They tell where a name ends that holds quotation marks.
        features: in the competitive game, how many features there are, how many of them were measured, and in how many of these
            no flip was found; None where that is not known.
        exhausted: whether the search came to its end with queries left; None where that is not known.
        proof: what is known of the fewest pixels that flip the image; None where that was not asked, or is not known.
    """

    success: bool
    label: str
    now: str | None
    queries: int
    norm: str
    goal: str | None = None
    budget: int | None = None
    found_after: int | None = None
    original: NDArray[np.floating] | None = None
    adversarial: NDArray[np.floating] | None = None
    touched: NDArray[np.floating] | None = None
    labels: frozenset[str] = field(default_factory=frozenset)
    features: tuple[int, int, int] | None = None
    exhausted: bool | None = None
    proof: ProofFacts | None = None

    @property
    def changed(self) -> NDArray[np.bool_] | None:
        """(H, W) which pixels the example changes; None where that is not known."""
        if self.original is None or self.adversarial is None or self.original.shape != self.adversarial.shape:
            return None
        return np.asarray((self.original != self.adversarial).any(axis=2))


@dataclass(frozen=True)
class FindingClaim:
    """One statement of a sentence about a finding.

    Attributes:
        kind: "count", "place", "distance", "label", "now", "goal", "queries", "budget", "found after", "nothing more" (to ask),
            "fewest" (one pixel), "unchanged", "open" (one may still be found), "nearest place" or "held"; of the competitive
            game "features", "measured" or "features held"; and of a proof "pixels" (so many flip it), "proved" (so many
            don't), "between" (numbers of which nothing is known), "condition", "still open" or "unproved".
        said: what the sentence states, as it stands there.
        verdict: whether that is so.
        known: what the record or the pictures say; "" where they say nothing.
    """

    kind: str
    said: str
    verdict: Verdict
    known: str = ""


def two_labels(text: str, first: str, second: str, facts: FindingFacts, *, also: str = "") -> list[tuple[str, str, str]]:
    """(what stands before, one label, another label): the one reading that names known classes.

    Without such a reading, all readings, which are then false; with more than one, none.
    """
    found = []
    for start in (one.start() for one in re.finditer(re.escape(first), text)):
        head, rest = text[:start], text[start + len(first) :]
        for middle in (one.start() for one in re.finditer(re.escape(second), rest)):
            labels = rest[:middle], rest[middle + len(second) :]
            if all(_LABEL.fullmatch(label) or (also and label == also) for label in labels):
                found.append((head, *labels))
    reached = None if facts.proof is None else facts.proof.now
    named = facts.labels.union(one for one in (also, facts.label, facts.now, facts.goal, reached) if one)
    known = [one for one in found if named.issuperset(one[1:])]
    return known if len(known) == 1 else [] if known else found


def compared(kind: str, said: str, value: object, known: object) -> FindingClaim:
    """A claim that states a value, held against the known one, which is None where nothing is known."""
    if known is None:
        return FindingClaim(kind, said, "not verified")
    return FindingClaim(kind, said, "true" if value == known else "false", str(known))


def number_of(text: str) -> float:
    """A number as sentences write it; NaN of any other text."""
    digits = text.replace(",", "")
    plain = f"{int(digits):,}" if digits else ""
    return int(digits) if digits and text in (plain, digits) else math.nan
