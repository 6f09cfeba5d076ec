"""Latin squares and blocks: which condition comes when, and which conditions stand together."""

from __future__ import annotations

from itertools import combinations
from math import comb, gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_TRIED = 20_000
"""Sets of orbits that are tried for a design with fewer blocks; with 12 conditions this takes a second."""


def williams(size: int) -> tuple[tuple[int, ...], ...]:
    """A square that is balanced for first-order carryover: each condition follows each other one equally often.

    An even number of conditions takes a square of `size` rows; an odd one takes two, the second with its rows reversed.

    Args:
        size: the number of conditions.

    Returns:
        rows of the numbers 0 to size - 1; each number stands equally often in each column.

    Source: E. J. Williams (1949), Experimental designs balanced for the estimation of residual effects of treatments.
    """
    first = [0]
    low, high = 1, size - 1
    while len(first) < size:
        first.append(low)
        low += 1
        if len(first) < size:
            first.append(high)
            high -= 1
    rows = [tuple((value + shift) % size for value in first) for shift in range(size)]
    if size % 2 and size > 1:
        rows += [row[::-1] for row in rows]
    return tuple(rows)


def blocks(conditions: int, size: int) -> tuple[tuple[int, ...], ...]:
    """A balanced incomplete block design: every two conditions stand together in equally many blocks.

    The fewest blocks are taken that are made of whole orbits of subsets, either of the cyclic group over all conditions or of
    the one over all but one condition (difference families and 1-rotational designs). All combinations are such a design, too,
    and are what is left where there is no smaller one.

    Args:
        conditions: how many conditions there are.
        size: how many of them a block holds.

    Returns:
        blocks of the numbers 0 to conditions - 1, in ascending order.

    Source: R. C. Bose (1939), On the construction of balanced incomplete block designs.
    """
    best = list(combinations(range(conditions), size))
    if size in (1, conditions - 1, conditions) or size == 2:
        return tuple(best)
    for moved in (conditions, conditions - 1):
        found = _fewest(_orbits(conditions, size, moved), conditions, size, moved, len(best))
        if found is not None and len(found) < len(best):
            best = found
    return tuple(sorted(best))


def _orbits(conditions: int, size: int, moved: int) -> list[list[tuple[int, ...]]]:
    """Subsets that turn into each other when the first `moved` numbers go round."""
    seen: set[tuple[int, ...]] = set()
    found: list[list[tuple[int, ...]]] = []
    for start in combinations(range(conditions), size):
        if start in seen:
            continue
        orbit = {tuple(sorted((one + shift) % moved if one < moved else one for one in start)) for shift in range(moved)}
        seen |= orbit
        found.append(sorted(orbit))
    return found


def _fewest(
    orbits: list[list[tuple[int, ...]]], conditions: int, size: int, moved: int, most: int
) -> list[tuple[int, ...]] | None:
    """The fewest blocks of whole orbits in which all pairs stand together equally often."""
    pairs = [(0, gap) for gap in range(1, moved // 2 + 1)] + ([(0, moved)] if moved < conditions else [])
    counts = [[sum(a in block and b in block for block in orbit) for a, b in pairs] for orbit in orbits]
    tried = [0]
    for together in range(1, comb(conditions - 2, size - 2)):
        wanted = together * conditions * (conditions - 1) / (size * (size - 1))
        each = together * (conditions - 1) / (size - 1)
        if wanted != int(wanted) or each != int(each) or wanted >= most:
            continue
        chosen = _cover(counts, [together] * len(pairs), 0, tried)
        if chosen is not None:
            return [block for number in chosen for block in orbits[number]]
        if tried[0] > MOST_TRIED:
            break
    return None


def _cover(counts: list[list[int]], left: list[int], start: int, tried: list[int]) -> list[int] | None:
    if not any(left):
        return []
    tried[0] += 1
    if tried[0] > MOST_TRIED:
        return None
    for number in range(start, len(counts)):
        rest = [have - one for have, one in zip(left, counts[number], strict=True)]
        if min(rest) >= 0 and (found := _cover(counts, rest, number + 1, tried)) is not None:
            return [number, *found]
    return None


def columns(designed: Sequence[Sequence[int]], conditions: int) -> tuple[tuple[int, ...], ...]:
    """Blocks with an order inside, so that each place of a block holds each condition equally often (a Youden square).

    Where the number of blocks is no multiple of that of conditions, all blocks are repeated until it is.

    Args:
        designed: blocks in which each condition stands equally often.
        conditions: how many conditions there are.
    """
    designed = list(designed) * (conditions // gcd(len(designed), conditions))
    times = len(designed) // conditions
    left = [set(block) for block in designed]
    ordered: list[list[int]] = [[] for _ in designed]
    for _ in range(len(designed[0])):  # each column is a perfect matching, which there is by König's theorem
        for number, condition in enumerate(_matching(left, times)):
            ordered[number].append(condition)
            left[number].remove(condition)
    return tuple(tuple(row) for row in ordered)


def _matching(left: list[set[int]], times: int) -> list[int]:
    """One condition for each block, each condition `times` times."""
    holders: dict[int, list[int]] = {}

    def place(block: int, seen: set[int]) -> bool:
        for condition in sorted(left[block]):
            if condition in seen:
                continue
            seen.add(condition)
            have = holders.setdefault(condition, [])
            if len(have) < times:
                have.append(block)
                return True
            for slot, other in enumerate(have):
                if place(other, seen):
                    have[slot] = block
                    return True
        return False

    for block in range(len(left)):
        assert place(block, set()), "each condition stands in equally many blocks"
    found = [0] * len(left)
    for condition, have in holders.items():
        for block in have:
            found[block] = condition
    return found


def tournament(size: int) -> Iterator[tuple[int, int]]:
    """Every pair once, as (left, right): each number stands on the left as often as on the right, up to one."""
    for gap in range(1, size // 2 + 1):
        last = size % 2 == 0 and gap == size // 2
        for one in range(size // 2 if last else size):
            pair = one, (one + gap) % size
            yield pair[::-1] if last and one % 2 else pair
