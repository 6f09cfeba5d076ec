"""Sentences that somebody might have written, checked against the maps and the model of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize import check, read_claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy.demo.sentences import SentenceCard
    from verbalize.claims import ClaimError

# (index of the text on the page, index of its question, what somebody says)
SAYINGS = (
    (0, 1, "'investment' and 'billion' speak for 'business' rather than 'sports'."),
    (0, 1, "'football club' speaks for 'business' rather than 'sports'."),
    (0, 1, "'takeover' is the most important word for 'business' rather than 'sports'."),
    (1, 1, "'shot' is more important than 'beautifully' for 'positive' rather than 'negative'."),
    (1, 0, "'boring' speaks for 'negative'."),
    (1, 0, "'beautifully' is not in the text."),
    (2, 0, "'banks' is the most important word for 'business', with 90% of the evidence for it."),
    (0, 0, "Without 'football club', the model still says 'business'."),
    (1, 0, "Without 'boring', the model says 'negative' instead of 'positive'."),
)


@dataclass(frozen=True)
class CheckedSaying:
    """A sentence, the text that it is about, and its false claims."""

    said: str
    about: str
    errors: tuple[ClaimError, ...]


def checked_sayings(cards: Sequence[SentenceCard]) -> tuple[CheckedSaying, ...]:
    """Read each of `SAYINGS` back into claims, and check these against the map, or on the model where only it can tell."""
    rows = []
    for card, question, said in SAYINGS:
        saliency = cards[card].answers[question].saliency
        report = check(read_claims(said, saliency), saliency, cards[card].model)
        rows.append(CheckedSaying(said, cards[card].sentence.text, report.errors))
    return tuple(rows)
