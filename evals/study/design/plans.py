"""Who sees what: the cells of a design, and the trials of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import gcd, lcm
from random import Random
from typing import TYPE_CHECKING

from evals.study.design.checking import asks_compared, asks_single, compared_conditions
from evals.study.design.latin import blocks, columns, tournament, williams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.design.file import StudyFile

MOST_CELLS = 60
"""Cells up to which comparisons are balanced over items and sides exactly: enough for eight conditions. It does not depend on
the participants, so that more of them can be asked for while a study runs."""


@dataclass(frozen=True)
class Trial:
    """An item under one condition, or two conditions of it beside each other."""

    item: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """What a participant of this cell sees. Each participant is in one cell; cells are filled evenly.

    Attributes:
        name: such as "latin-2".
        trials: in the order of `items.jsonl`, comparisons last; in the design within, in rounds of all items.
    """

    name: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class _Row:
    """A cell before its items: the conditions that its participants see and, for each round, the condition of each item."""

    name: str
    conditions: tuple[str, ...]
    rounds: tuple[tuple[str, ...], ...]


def cells_of(study: StudyFile, items: Sequence[str], *, strata: Mapping[str, str] | None = None) -> tuple[Cell, ...]:
    """The cells of a study's design.

    Within a cell, and within each of its strata, the conditions have equally many items up to one. Over all cells, each item
    is shown under each condition equally often (in the design mixed: within each group), and so is each pair of conditions in
    comparisons, each condition on each side, as far as there are cells enough. Where there are more items than one participant
    sees, cells have different ones, and each item is in equally many.

    Args:
        study: the study.
        items: the ids of the items that are not for practice.
        strata: what kind of item each is, such as its label: the conditions are spread over each kind evenly. Without it,
            and where the order is fixed, over all items alike.
    """
    rng = Random(f"{study.seed}-cells")  # noqa: S311 - no secret
    size = min(study.design.items, len(items))
    starts = range(0, len(items), gcd(len(items), size)) if size else ()
    shown = list(items)
    if len(starts) > 1:
        rng.shuffle(shown)
    found: list[Cell] = []
    for number, start in enumerate(starts, 1):
        chosen = {shown[(start + n) % len(shown)] for n in range(size)}
        mine = [item for item in items if item in chosen]
        suffix = f"-items{number}" if len(starts) > 1 else ""
        found += _cells(study, mine, strata or {}, suffix, rng)
    return tuple(found)


def _cells(study: StudyFile, items: Sequence[str], strata: Mapping[str, str], suffix: str, rng: Random) -> list[Cell]:
    rows = _rows(study, items, strata, rng)
    single = asks_single(study)
    trials = [
        [Trial(item, (condition,)) for turn in row.rounds for item, condition in zip(items, turn, strict=True)]
        if single
        else []
        for row in rows
    ]
    if not asks_compared(study):
        return [Cell(row.name + suffix, tuple(mine)) for row, mine in zip(rows, trials, strict=True)]
    return _compared(study, items, rows, trials, suffix, rng)


def _rows(study: StudyFile, items: Sequence[str], strata: Mapping[str, str], rng: Random) -> list[_Row]:
    names = tuple(condition.name for condition in study.conditions)
    design = study.design
    fixed = design.order == "fixed"
    if design.kind == "between":
        return [_Row(f"between-{name}", (name,), ((name,) * len(items),)) for name in names]
    if design.kind == "latin":
        return _rotated("latin", names, items, strata, rng, fixed)
    if design.kind == "mixed":
        groups = [
            _rotated(f"mixed-{g + 1}", group, items, strata, rng, fixed) for g, group in enumerate(design.groups or [names])
        ]
        most = lcm(*map(len, groups))  # so that each group has equally many cells, and so participants
        return [
            _Row(f"mixed-{g + 1}-{number + 1}", group[number % len(group)].conditions, group[number % len(group)].rounds)
            for number in range(most)
            for g, group in enumerate(groups)
        ]
    k = len(names)
    if design.kind == "within":
        at, square = _starts(items, strata, k, rng, fixed), williams(k)
        halves = [(number // k * k, number % k) for number in range(len(square))]  # an odd number takes two squares
        return [
            _Row(
                f"within-{number + 1}",
                names,
                tuple(tuple(names[square[half + (place + row) % k][turn]] for place in at) for turn in range(k)),
            )
            for number, (half, row) in enumerate(halves)
        ]
    ordered = columns(blocks(k, design.block_size or 2), k)
    at = _starts(items, strata, len(ordered[0]), rng, fixed)
    return [
        _Row(f"blocks-{number + 1}", tuple(names[one] for one in sorted(block)), (tuple(names[block[place]] for place in at),))
        for number, block in enumerate(ordered)
    ]


def _rotated(
    prefix: str, names: Sequence[str], items: Sequence[str], strata: Mapping[str, str], rng: Random, fixed: bool
) -> list[_Row]:
    """A cell per row of a Latin square. Where the order of items is fixed, of one balanced for carryover, block by block."""
    k, n = len(names), len(items)
    if fixed:
        square = williams(k)
        rounds = [tuple(names[square[(at // k + row) % len(square)][at % k]] for at in range(n)) for row in range(len(square))]
    else:
        at = _starts(items, strata, k, rng, fixed)
        rounds = [tuple(names[(place + row) % k] for place in at) for row in range(k)]
    return [_Row(f"{prefix}-{row + 1}", tuple(names), (one,)) for row, one in enumerate(rounds)]


def _starts(items: Sequence[str], strata: Mapping[str, str], size: int, rng: Random, fixed: bool) -> list[int]:
    """For each item the place in a row where it begins: evenly many of each, in each stratum and over all."""
    if fixed:
        return [n % size for n in range(len(items))]
    drawn = {item: (strata.get(item, ""), rng.random()) for item in items}
    place = {item: n % size for n, item in enumerate(sorted(items, key=drawn.__getitem__))}
    return [place[item] for item in items]


def _compared(
    study: StudyFile, items: Sequence[str], rows: Sequence[_Row], trials: Sequence[list[Trial]], suffix: str, rng: Random
) -> list[Cell]:
    """Cells with comparisons behind their trials: the pairs of a cell's conditions go round over items and cells."""
    wanted = compared_conditions(study)
    count = min(study.design.comparisons or len(items), len(items))
    place = {item: n for n, item in enumerate(sorted(items, key=lambda _: rng.random())) if n < count}
    listed = []
    for row in rows:
        mine = [one for one in row.conditions if one in wanted]
        half = [(mine[a], mine[b]) for a, b in tournament(len(mine))]
        listed.append((*half, *(pair[::-1] for pair in half)))
    times = lcm(*(len(pairs) // gcd(len(pairs), listed.count(pairs)) for pairs in listed if pairs))
    times = times if times * len(rows) <= MOST_CELLS else 1
    turns: Counter[tuple[tuple[str, str], ...]] = Counter()
    found = []
    for again in range(times):
        for row, alone, pairs in zip(rows, trials, listed, strict=True):
            turn = turns[pairs]
            turns[pairs] += 1
            behind = [Trial(item, pairs[(place[item] + turn) % len(pairs)]) for item in items if pairs and item in place]
            name = row.name + (f"-pairs{again + 1}" if times > 1 else "") + suffix
            found.append(Cell(name, (*alone, *behind)))
    return found
