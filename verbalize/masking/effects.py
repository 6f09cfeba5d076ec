"""What a model says of an input, and of changed ones: without a part, with the part alone, with something in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.query import Prediction
    from verbalize.saliency import Part

How = Literal["without", "alone", "replaced"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an input.

    Args:
        how: "without" hides the part, "alone" hides all the rest, "replaced" puts something in the place of the part.
        part: indices of the words, or of the regions.
        replacement: for "replaced", what stands in the place of the part.
    """

    how: How
    part: Part
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one input.

    Args:
        labels: the class with the highest score; several where the scores tie, up to rounding.
        probability: the probability of that class.
        way: how the hidden part was filled, in words ("covered with grey"); "" for texts, whose words are cut out.
    """

    labels: tuple[str, ...]
    probability: float
    way: str = ""


Answers: TypeAlias = "tuple[Answer, ...] | str"  # one per way of filling what is hidden; a string says why there are none


@dataclass(frozen=True)
class Effects:
    """What a model says of an input and of changed ones.

    Args:
        decision: what it says of the input as it is.
        changed: what it says of each change that it was asked about.
        prediction: what it says of the input as it is, with the probability of every class; `None` if the highest scores tie.
    """

    decision: Answer
    changed: Mapping[Change, Answers] = field(default_factory=dict)
    prediction: Prediction | None = None
