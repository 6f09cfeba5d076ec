"""The trials of one participant in order: random, and yet what the design promises."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from evals.study.design.latin import williams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

    from evals.study.design.plans import Trial

TRIES = 200
"""Orders that are drawn until one keeps two trials of an item apart; only with two or three items it takes more than a few."""


def in_order(trials: Sequence[Trial], rng: Random) -> tuple[Trial, ...]:
    """The trials of a cell in a random order.

    Single trials come first and comparisons behind them, since a comparison shows what a single trial asks about. Conditions
    alternate as in the rows of a Williams square, so that each follows each other one about equally often and none comes more
    than twice in a row while others are left. Where items come again (in the design within), each comes once in every round,
    and never twice in a row where there is another one.

    Args:
        trials: the trials, in rounds where items come again.
        rng: the participant's.
    """
    single = [trial for trial in trials if len(trial.conditions) == 1]
    compared = [trial for trial in trials if len(trial.conditions) > 1]
    rounds = list(_rounds(single))
    found: list[Trial] = []
    for _ in range(TRIES):
        found = [trial for one in rounds for trial in _one_round(one, rng)]
        if all(a.item != b.item for a, b in pairwise(found)):
            break
    return (*found, *_apart(compared, found[-1:], rng))


def _rounds(trials: Iterable[Trial]) -> Iterator[list[Trial]]:
    """The trials in rounds in which no item comes twice."""
    mine: list[Trial] = []
    seen: set[str] = set()
    for trial in trials:
        if trial.item in seen:
            yield mine
            mine, seen = [], set()
        mine.append(trial)
        seen.add(trial.item)
    if mine:
        yield mine


def _one_round(trials: Sequence[Trial], rng: Random) -> list[Trial]:
    """Each item once, the conditions by the rows of a Williams square in a random order."""
    left: dict[tuple[str, ...], list[Trial]] = defaultdict(list)
    for trial in trials:
        left[trial.conditions].append(trial)
    for same in left.values():
        rng.shuffle(same)
    names = list(left)
    rng.shuffle(names)
    square = list(williams(len(names)))
    found: list[Trial] = []
    while len(found) < len(trials):
        rng.shuffle(square)
        for row in square:
            found += [left[names[one]].pop() for one in row if left[names[one]]]
    return found


def _apart(trials: Sequence[Trial], before: Sequence[Trial], rng: Random) -> list[Trial]:
    """Comparisons in a random order: no item right behind itself, and no pair three times in a row, where it can be helped."""
    found = list(trials)
    for _ in range(TRIES):
        rng.shuffle(found)
        line = [*before, *found]
        again = any(a.item == b.item for a, b in pairwise(line))
        pairs = [frozenset(trial.conditions) for trial in found]
        thrice = len(set(pairs)) > 1 and any(len(set(pairs[n : n + 3])) == 1 for n in range(len(pairs) - 2))
        if not again and not thrice:
            break
    return found
