"""Which of the candidates are shown: as many per label, evenly over the other facts, and at random within."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.building.candidates import Candidate

CHOICES = 8
"""The most labels that participants choose from, unless they are given: more can't be overlooked at a glance."""


def in_order_of_use(candidates: Sequence[Candidate], seed: int) -> list[Candidate]:
    """The candidates in the order in which they are taken: label by label in turn, and within a label at random."""
    random = Random(f"{seed}-items")  # noqa: S311 - no secret
    strata: dict[str, list[Candidate]] = {}
    for one in candidates:
        strata.setdefault(one.facts.get("label", ""), []).append(one)
    for held in strata.values():
        random.shuffle(held)
    turns = [held for _, held in sorted(strata.items())]
    longest = max(map(len, turns), default=0)
    return [held[number] for number in range(longest) for held in turns if number < len(held)]


def all_labels(candidates: Sequence[Candidate], given: Sequence[str]) -> tuple[str, ...]:
    """The labels of a study: those that are given, or all that the maps name, in the order of the alphabet."""
    if given:
        return tuple(dict.fromkeys(given))
    found: set[str] = set()
    for one in candidates:
        said = one.map.prediction
        found |= {one.predicted, one.map.query.label, *one.map.query.versus, *(other.query.label for other in one.others)}
        found |= {one.true} if one.true is not None else set()
        found |= set(said.scores) if said is not None else set()
    return tuple(sorted(found))


def choices_of(candidates: Sequence[Candidate], labels: Sequence[str], most: int, seed: int) -> dict[str, tuple[str, ...]]:
    """Id -> the labels that participants choose from: all, or where they are many, the likeliest and some at random.

    They stand in the order of `labels`, so that no place tells which was chosen.
    """
    found = {}
    for one in candidates:
        if len(labels) <= most:
            found[one.id] = tuple(labels)
            continue
        random = Random(f"{seed}-labels-{one.id}")  # noqa: S311 - no secret
        scores = one.map.prediction.scores if one.map.prediction is not None else {}
        rest = [label for label in labels if label not in (one.predicted, one.true)]
        random.shuffle(rest)
        rest.sort(key=lambda label: -scores.get(label, float("-inf")))
        chosen = {one.predicted, *([one.true] if one.true is not None and one.true in labels else [])}
        chosen |= set(rest[: max(0, most - len(chosen))])
        found[one.id] = tuple(label for label in labels if label in chosen)
    return found
