"""The parts that a clause mentions, with their ordinals and the numbers beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.read.marking.numbers import Number
from verbalize.read.marking.tokens import PartMark
from verbalize.read.resolver import Mention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.read.marking.tokens import Token

_QUOTED = frozenset({"QP", "QPL", "QX"})


class Unclear(Exception):  # noqa: N818 - not an error: the clause is not read
    """A clause has the form of a rule but can't be read."""


def mentions_in(tokens: Sequence[Token], start: int, stop: int) -> tuple[Mention, ...]:
    """The parts that tokens mention, with their ordinals and the numbers beside them."""
    found: list[Mention] = []
    ordinal: int | None = None
    times = 1
    inside = False
    counted: int | None = None
    tokens = [token for folded in tokens[start:stop] for token in folded.flat()]
    stop = len(tokens)
    for index, token in enumerate(tokens):
        names = token.names
        if names & _QUOTED and isinstance(token.value, PartMark):
            mark = token.value
            if inside and found:
                outer = [set(place) for place in mark.places]
                kept = tuple(place for place in found[-1].places if any(set(place) < whole for whole in outer))
                found[-1] = replace(found[-1], mark=replace(found[-1].mark, places=kept))
            else:
                if ordinal in (1, -1) and len(mark.places) == 1:  # "the last word 'great'" of a text that has it once
                    raise Unclear
                found.append(Mention(mark, ordinal, max(1, len(mark.places)) if times < 0 else times))
            ordinal, times, inside = None, 1, False
        elif "ORDINAL" in names and isinstance(token.value, int) and token.value > 0:
            ordinal = token.value
        elif "LASTOCC" in names:
            ordinal = -1
        elif (names & {"ALL", "NO", "EACH"} and token.text != "both") or _both_occurrences(tokens, index):
            times = -1
        elif "INT" in names and index + 1 < stop and "OCCUR" in tokens[index + 1].names and isinstance(token.value, Number):
            times = int(token.value.value)
        elif "INT" in names and isinstance(token.value, Number) and not found and "ONE" not in names:
            counted = int(token.value.value)
        elif "INSIDE" in names and found and names & {"INSIDE"}:
            inside = True
        elif isinstance(token.value, Number) and found and found[-1].number is None:
            found[-1] = replace(found[-1], number=token.value)
        elif names & {"COMMA", "AND", "OR", "SEMI"}:
            inside = False
    if counted is not None and counted != sum(mention.times for mention in found):
        raise Unclear
    return tuple(found)


def _both_occurrences(tokens: Sequence[Token], index: int) -> bool:
    """Reads "both occurrences of 'great'"."""
    return "BOTH" in tokens[index].names and index + 1 < len(tokens) and "OCCUR" in tokens[index + 1].names
