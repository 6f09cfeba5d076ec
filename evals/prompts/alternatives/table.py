"""The table of methods: accuracy on images that they have not seen, what they break, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.prompts.comparison import LEVEL, Share, holm

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class MethodRow:
    """How one method does.

    Attributes:
        name: of the method.
        words: what it is.
        held_out: its accuracy on shots in folds that it did not see, with a 95 % interval; None where none could be held out.
        test: its accuracy on the test images; None without them.
        better: how many judged images only this method gets right, compared with the chosen one.
        worse: how many only the chosen method gets right. Test images are judged where there are some, else held-out shots.
        p: the p value of the exact McNemar test of these counts; 1 where nothing was judged.
        ahead: how many judged images only this method gets right, compared with the optimised prompts.
        behind: how many only the optimised prompts get right.
        p_prompts: the p value of the exact McNemar test of these counts.
        broken: how many pinned images the template alone gets right and this method wrong.
        shots: how many labelled images the classifier or the search uses.
        requests: to a language model; the methods send none.
        seconds: to make it of the shots once, without encoding images and without the folds, which cost that much each.
    """

    name: str
    words: str
    held_out: Share | None
    test: Share | None
    better: int
    worse: int
    p: float
    ahead: int
    behind: int
    p_prompts: float
    broken: int
    shots: int
    requests: int
    seconds: float


def table_text(rows: Sequence[MethodRow], chosen: str, pinned: int = 0) -> str:
    """The table as text, with a mark at the chosen method."""
    tested = any(row.test is not None for row in rows)
    folded = any(row.held_out is not None for row in rows)
    head = f"  {'method':20}"
    head += f"{'unseen folds of the shots':>28}" if folded else ""
    head += f"{'test images':>26}" if tested else ""
    head += f"{'better / worse, p':>24}" if tested or folded else ""
    head += f"{'breaks':>8}" if pinned else ""
    head += f"{'seconds':>10}{'shots':>7}"
    lines = [head]
    for row in rows:
        line = f"{'*' if row.name == chosen else ' '} {row.name:20}"
        line += f"{row.held_out or ''!s:>28}" if folded else ""
        line += f"{row.test or ''!s:>26}" if tested else ""
        if tested or folded:
            line += f"{'' if row.name == chosen else f'{row.better} / {row.worse}, p = {row.p:.3g}':>24}"
        line += f"{row.broken:>8}" if pinned else ""
        line += f"{row.seconds:>10.1f}{row.shots:>7}"
        lines.append(line)
    return "\n".join(line.rstrip() for line in lines)


def verdict(rows: Sequence[MethodRow]) -> str:
    """Says in a sentence whether another method does better than the optimised prompts, as far as the test allows."""
    judged = {row.name: row for row in rows if _accuracy(row) is not None}
    own = judged.get("prompts")
    if own is None:
        return "Nothing here says which method is better: there are no images that the methods have not seen."
    where = "on the test images" if own.test is not None else "on unseen folds of the shots"
    others = [row for row in judged.values() if row is not own]
    other = max(others, key=_value)
    gap = _value(other) - _value(own)
    figures = f"{_value(other):.1%} against {_value(own):.1%}"
    if gap <= 0:
        return f"No plain alternative does better than the optimised prompts {where}; the best is {_named(other)}: {figures}."
    # the best of several is ahead by chance more often than one alone
    p = holm([row.p_prompts for row in others])[others.index(other)]
    tests = f"p = {p:.3g} with regard to {len(others)} methods"
    name = f"{_named(other)[0].upper()}{_named(other)[1:]}"
    chance = "" if p < LEVEL else "inside the noise, "
    return f"{name} does better than the optimised prompts {where}: {figures} ({chance}{tests})."


def _named(row: MethodRow) -> str:
    return {"probe": "a linear probe", "anchored-probe": "a linear probe drawn to the texts"}.get(row.name, row.words)


def _accuracy(row: MethodRow) -> Share | None:
    return row.held_out if row.test is None else row.test


def _value(row: MethodRow) -> float:
    found = _accuracy(row)
    return -1.0 if found is None else found.value
