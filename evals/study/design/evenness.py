"""Can the items be spread evenly over the conditions that one participant has?"""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.design.file import DesignPart


def uneven_hints(design: DesignPart, conditions: Sequence[str], items: int) -> list[str]:
    """A sentence where participants see some conditions one time more than others, with the numbers of items that avoid it.

    Args:
        design: who sees what.
        conditions: the names of the conditions.
        items: items per participant.
    """
    match design.kind:
        case "latin":
            sizes, where = [len(conditions)], ""
        case "blocks":
            sizes, where = [design.block_size or 2], " of a block"
        case "mixed":
            sizes, where = sorted({len(group) for group in design.groups or ()}), " of a group"
        case _:
            return []
    odd = [size for size in sizes if items % size]
    if not odd:
        return []
    step = lcm(*sizes)
    fewer, more = items // step * step, -(-items // step) * step
    take = f"{fewer} or {more}" if fewer else f"{more}"
    over = " and ".join(str(size) for size in odd)
    said = (
        f"{items} items can't be spread evenly over the {over} conditions{where}, so that participants see some of them one "
        f"time more than others; take {take} items to have all equal"
    )
    return [said]
