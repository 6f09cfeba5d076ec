"""Which of the candidates are shown, and what participants choose from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

from evals.study.design.sampling import NUMERIC, stratified
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.building.candidates import Candidate
    from evals.study.items import Item

CHOICES = 8
"""The most labels that participants choose from, unless they are given: more can't be overlooked at a glance."""
FACTS = ("label", "model_right", "coverage", "length")
Allocation: TypeAlias = Literal["proportional", "equal"]


def strata_of(candidates: Sequence[Candidate], wanted: int) -> tuple[str, ...]:
    """The facts that items are stratified by where nobody says: as many of `FACTS` as make no more kinds than items.

    Coverage and length count for three kinds each, since they are split into thirds.
    """
    chosen: list[str] = []
    kinds = 1
    for fact in FACTS:
        values = {one.facts.get(fact, "") for one in candidates}
        kinds *= min(3, len(values)) if fact in NUMERIC else len(values)
        if kinds > wanted:
            break
        if len(values) > 1:
            chosen.append(fact)
    return tuple(chosen)


def checked_facts(candidates: Sequence[Candidate], by: Sequence[str]) -> tuple[str, ...]:
    """The facts that items are to be stratified by.

    Raises:
        UsageError: no item has one of them, or one stands there twice.
    """
    for number, fact in enumerate(by):
        if not any(one.facts.get(fact) for one in candidates):
            known = [name for name in FACTS if any(one.facts.get(name) for one in candidates)]
            raise UsageError(f"no item has the fact {fact!r:.60}; stratify by some of {', '.join(known)}")
        if fact in by[:number]:
            raise UsageError(f"items are stratified by {fact!r:.60} twice; name it once")
    return tuple(by)


def drawn(
    candidates: Sequence[Candidate], wanted: int, by: Sequence[str], allocation: Allocation, seed: int
) -> list[Candidate]:
    """So many of the candidates, or all where they are fewer, stratified by some facts."""
    if wanted >= len(candidates) or not by:
        mixed = list(candidates)
        Random(f"{seed}-items").shuffle(mixed)  # noqa: S311 - no secret
        return mixed[:wanted]
    facts = {one.id: one.facts for one in candidates}
    having = [fact for fact in by if any(one.facts.get(fact) for one in candidates)]
    sample = set(stratified(facts, wanted, by=having, seed=seed, allocation=allocation).ids)
    return [one for one in candidates if one.id in sample]


def with_practice(items: Sequence[Item], practice: Sequence[Item], seed: int) -> list[Item]:
    """The items for practice, and then the others, both at random: no place in the order tells a label."""
    mixed = list(items)
    Random(f"{seed}-order").shuffle(mixed)  # noqa: S311 - no secret
    return [replace(item, practice=True) for item in practice] + mixed


def good_for_practice(items: Sequence[Candidate], count: int, seed: int) -> list[Candidate]:
    """Candidates for practice: those on which the model is right, a label after the other."""
    mixed = list(items)
    Random(f"{seed}-practice").shuffle(mixed)  # noqa: S311 - no secret
    chosen: list[Candidate] = []
    seen: Counter[str] = Counter()
    while len(chosen) < count and mixed:
        best = min(mixed, key=lambda one: (one.facts.get("model_right") == "no", seen[one.predicted]))
        mixed.remove(best)
        seen[best.predicted] += 1
        chosen.append(best)
    return chosen


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
