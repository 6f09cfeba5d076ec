"""Makers of claims that rules of several files share: chains, places in a ranking, and what is said of one more part."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import Base, direction_of, first, least, outranks, sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Direction
    from verbalize.evidence import Evidence
    from verbalize.read.clause import Clause
    from verbalize.saliency import Part


def adjacent(evidence: Evidence, chain: Sequence[Part], direction: Direction | None) -> bool:
    """Whether no word outside a chain of parts scores higher than the last of them: "followed by" names the next in rank."""
    size = evidence.toward(direction) if direction is not None else np.abs(evidence.net)
    if not chain or not chain[-1]:
        return True
    outside = np.delete(size, [index for part in chain for index in part])
    last = float(size[list(chain[-1])].max())
    return not outside.size or last >= float(outside.max()) or evidence.tied(last, float(outside.max()))


def followed(clause: Clause) -> None:
    """Reads "followed by 'fine' and 'acting'": each is more important than the next."""
    chain = [clause.memory.subject, *((mention,) for mention in clause.mentions("part"))]
    if not chain[0]:
        raise Unclear
    direction = clause.memory.direction if clause.evidence.signed else None
    reached = [one.part for one in clause.resolve(chain[0], direction or "supports") if one.part]
    expected = len(reached) + 1
    for before, second in pairwise(chain):
        named = clause.resolve(second, direction or "supports")
        sign(clause, named, direction or "important", direction or "supports")
        outranks(clause, before, second, direction)
        reached += [one.part for one in named if one.part]
        if len(reached) == expected and not adjacent(clause.evidence, reached, direction):
            raise Unclear
        expected += 1
    clause.numbers(clause.mentions("part"), direction)
    clause.memory.last = clause.mentions("part")
    clause.subject = chain[-1]


def repeated(clause: Clause) -> Base:
    """What the clause before said of its subject, to be said of another part."""
    memory = clause.memory
    if memory.direction is None or memory.kind not in ("supports", "opposes", "important") or not memory.plain:
        raise Unclear
    if memory.kind == "important" and memory.direction == "supports":
        return "important"
    return memory.direction


def ranked(clause: Clause) -> None:
    """Claim the place in the ranking that the clause gives its subject."""
    direction = direction_of(clause, "supports") if clause.evidence.signed or clause.has("side") else None
    if len(clause.subject) != 1:
        raise Unclear
    if clause.has("last"):
        least(clause, clause.subject, None)
        return
    place = next((value for value in clause.values("rank") if isinstance(value, int)), 1)
    if place == 0:
        if clause.memory.rank is None:
            raise Unclear
        place = clause.memory.rank + 1
        direction = clause.memory.direction or direction
    clause.memory.direction = direction
    aim = direction or "supports"
    named = clause.resolve(clause.subject, aim)
    if place == 1:
        sign(clause, named, "important" if direction is None else direction, aim)
        first(clause, clause.subject, direction, shared=False)
    else:
        clause.memory.rank = place
        for one in named:
            clause.claim("rank", one.part, direction=direction, value=float(place), quote=one.mark.quote or None)
    clause.numbers(clause.subject, direction)


def ranked_inverted(clause: Clause) -> None:
    """Like `ranked`, of the part that the clause names last: "second comes 'great'"."""
    clause.subject = clause.mentions("part")
    ranked(clause)
