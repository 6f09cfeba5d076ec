"""One way to say a form of statement, and for whom it is meant.

A wording is a clause without a capital letter and without a full stop. It has slots:

    {P}      the parts that the statement is about: 'great'  |  'great' and 'fine'  |  'great' (46%) and 'fine' (20%)
    {Q} {R}  other parts: those that {P} is compared with, or that come after it
    {F}      the query: 'positive'  |  'positive' rather than 'negative'  |  it
    {for}    for or against, by the direction of the statement;  {other}: the other one of the two
    {n} {nn} word, words  |  part of the text, parts of the text  |  region, regions
    {whole}  text  |  picture
    {L} {M}  names of labels
    {share} {count} {count2} {rank} {rank2} {times} {score}   numbers, in digits or in words

    {one} {ones}  word, words  |  region, regions

[speaks|speak] is the first for one part in {P} and the second for several; [Q:speaks|speak] goes by {Q}.
<word speaks|words speak> goes by {count} in the same way, and <2:speaks|speak> by {count2}.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

AUDIENCES: tuple[str, ...] = ("lay", "developer", "expert", "child")
EVERYBODY = frozenset(AUDIENCES)
GROWN = frozenset({"lay", "developer", "expert"})
TECHNICAL = frozenset({"developer", "expert"})
CHILD = frozenset({"child"})

_CHOICE = re.compile(r"\[(Q:)?([^\[\]|]*)\|([^\[\]|]*)\]|<(2:)?([^<>|]*)\|([^<>|]*)>")


@dataclass(frozen=True, slots=True)
class Wording:
    """A way to say something.

    Args:
        text: the clause with its slots, as the module describes them.
        audiences: the audiences that it suits.
    """

    text: str
    audiences: frozenset[str] = EVERYBODY

    def filled(
        self, slots: Mapping[str, str], *, single: tuple[bool, bool] = (True, True), counts: tuple[int, int] = (1, 1)
    ) -> str:
        """The clause with its slots filled.

        Args:
            slots: the text of each slot.
            single: whether {P}, and whether {Q}, is one part.
            counts: the numbers in the slots {count} and {count2}.
        """

        def choose(match: re.Match[str]) -> str:
            if match[2] is not None:
                return match[2 if single[match[1] is not None] else 3]
            return match[5 if counts[match[4] is not None] == 1 else 6]

        return _CHOICE.sub(choose, self.text).format_map(slots)


def wordings(
    *texts: str, grown: tuple[str, ...] = (), technical: tuple[str, ...] = (), child: tuple[str, ...] = ()
) -> tuple[Wording, ...]:
    """Wordings for everybody, for all but children, for developers and experts, and for children."""
    return (
        *(Wording(text) for text in texts),
        *(Wording(text, GROWN) for text in grown),
        *(Wording(text, TECHNICAL) for text in technical),
        *(Wording(text, CHILD) for text in child),
    )
