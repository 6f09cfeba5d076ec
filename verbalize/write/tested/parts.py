"""Which parts of a map are worth a test on the model, and which changes of the input test them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from verbalize.claims.model.names import same_name
from verbalize.masking.effects import Change
from verbalize.parts.places import WHOLE
from verbalize.write.naming import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from verbalize.claims.claim import Claim
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft

_LEADS = 2  # parts that share the first place; of more, a text would be a list
_OTHERS = 3  # further parts of a paragraph
_PLACES = 3  # places of the same words at which they are replaced, one at a time


@dataclass(frozen=True)
class Tested:
    """The parts that are tested.

    Args:
        leads: the most important parts, which are hidden, and left alone.
        others: further parts that the text names, which are hidden.
        first: whether there is one lead, and the text says that it is the most important of all.
        swaps: parts, each with the words that are put in its place.
    """

    leads: tuple[Part, ...]
    others: tuple[Part, ...]
    first: bool
    swaps: tuple[tuple[Part, str], ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the input."""
        return (
            *(Change("without", part) for part in (*self.leads, *self.others)),
            *(Change("alone", part) for part in self.leads),
            *(Change("replaced", part, words) for part, words in self.swaps),
        )


def checked_replacements(replacements: Mapping[str, str], *, model: object) -> dict[str, str]:
    """Words with the words that take their place.

    Raises:
        UsageError: there are none, one is empty, is the same as what it replaces, or can't be quoted; or no model is given.
    """
    if model is None:
        raise UsageError("only the model tells what it says of other words: give replacements together with model")
    found = {str(words): str(to) for words, to in replacements.items()}
    if not found:
        raise UsageError("no replacements are named; give words with the words for their place, such as {'great': 'dull'}")
    for words, to in found.items():
        if quoted(words) is None or quoted(to) is None:
            raise UsageError(f"{words!r:.80} can't be replaced by {to!r:.80}: a sentence could not quote both")
        if words.split() == to.split():
            raise UsageError(f"{words!r:.80} is replaced by itself; name other words")
    return found


def most_changes(*, paragraph: bool, replacements: int = 0) -> int:
    """The most changes of one input that are tested: each lead hidden and alone, each other part hidden, words replaced."""
    return 2 * _LEADS + (_OTHERS if paragraph else 0) + _PLACES * replacements


def tested_parts(draft: Draft, *, paragraph: bool, replacements: Mapping[str, str] | None) -> Tested:
    """The parts to test: the most important ones and, in a paragraph, others that the text names; and words to be replaced.

    A part that is all of the text or of the picture is not tested: nothing would be left of the input. Words are replaced at
    the first three of their places in the text, one at a time.
    """
    swaps = [(part, to) for words, to in (replacements or {}).items() for part in draft.places(words)[:_PLACES]]
    claims = [claim for claim in draft.claims if not _is_all(claim.part, draft)]
    tops = [claim for claim in claims if claim.kind == "most_important"]
    fors = [claim for claim in tops if claim.direction != "opposes"]
    other_decision = _is_of_another_class(draft)
    leads = _distinct([claim for claim in tops if claim not in fors] or fors if other_decision else fors or tops)
    if not leads:
        leads = _distinct(claim for claim in claims if claim.kind in ("supports", "opposes", "matters"))[:1]
    named = _distinct(claim for claim in claims if claim.kind in ("supports", "opposes", "matters"))
    inside = {index for part in leads for index in part}
    others = [part for part in named if not inside & set(part)] if paragraph else []
    first = len(leads) == 1 and bool(fors) and not fors[0].shared
    return Tested(tuple(leads[:_LEADS]), tuple(others[:_OTHERS]), first, tuple(swaps))


def _is_of_another_class(draft: Draft) -> bool:
    """Whether the map is about a class that the model did not predict. Then what speaks against it speaks for the decision."""
    query, prediction = draft.evidence.query, draft.evidence.prediction
    return prediction is not None and not any(same_name(name, prediction.label) for name in (query.label, *query.members))


def _distinct(claims: Iterable[Claim]) -> list[Part]:
    return list(dict.fromkeys(claim.part for claim in claims if claim.part))


def _is_all(part: Part | None, draft: Draft) -> bool:
    evidence = draft.evidence
    if evidence.pixels:
        return any(evidence.names[index] == WHOLE for index in part or ())
    return len(part or ()) == len(evidence)
