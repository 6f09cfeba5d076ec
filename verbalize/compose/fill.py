"""Fills wordings in: names of parts, pronouns, names of labels, and numbers in digits or in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.write.naming import listed, ordinal, quoted
from verbalize.write.voice import names_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim, Direction
    from verbalize.compose.clauses import Clause
    from verbalize.phrasing.wording import Wording
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TIMES = {
    1.5: "one and a half times",
    2.0: "twice",
    3.0: "three times",
    4.0: "four times",
    5.0: "five times",
    10.0: "ten times",
}
_ONE_PER_CENT = 0.01
_NAMED_LABEL = re.compile(
    r"\b(?:label is|labels the \{whole\} as|classifies the \{whole\} as|is classified as) \{L\}"
)  # no noun needed
_SIDE: dict[Direction, str] = {"supports": "for", "opposes": "against"}


class Filler:
    """Fills in one clause after another, and knows what the clauses before have named.

    Args:
        draft: names the parts of the map.
        audience: whom the text is for.
    """

    def __init__(self, draft: Draft, audience: str) -> None:
        self.draft = draft
        self.audience = audience
        self._heard = _letters("".join(draft.evidence.names))
        self.begin()

    def begin(self) -> None:
        """Forget what was named: a text begins."""
        self._label_named = False
        self._last: tuple[Part, ...] = ()

    def fill(self, clause: Clause, wording: Wording, *, plain: bool = False) -> str:
        """The clause in this wording. With `plain`, it has no pronoun, so that it can be read by itself."""
        draft = self.draft
        # "in the decision on it" says no more than nothing, and of a map that is about no label it is not true
        if (self._label_named and not plain) or not names_label(draft.saliency):
            wording = replace(wording, text=wording.text.replace(" in the decision on {F}", ""))
        query = draft.frame.full if plain or not self._label_named else draft.frame.pronoun
        direction: Direction = clause.direction or "supports"
        other: Direction = "opposes" if direction == "supports" else "supports"
        one, ones = ("region", "regions") if draft.evidence.pixels else ("word", "words")
        noun, nouns = draft.nouns(clause.parts) if clause.parts else (one, ones)
        counts = [int(claim.value or 0) for claim in clause.claims if claim.kind == "count"] or [1]
        slots = {
            "F": query, "for": _SIDE[direction], "other": _SIDE[other], "whole": draft.whole,
            "favour": "against" if direction == "opposes" else "in favour of",
            "one": one, "ones": ones, "n": noun, "nn": nouns,
            "P": self._subject(clause, wording, plain=plain),
            "Q": listed([draft.name(part) for part in clause.others]) if clause.others else "",
            "R": "",
            "L": self._label(clause.claims),
            "count": _worded(counts[0]), "count2": _worded(counts[-1]),
            **self._numbers(clause),
        }  # fmt: skip
        if clause.form == "first_second_third":
            slots["Q"], slots["R"] = (draft.name(part) for part in clause.others)
        if clause.form in ("shares", "signs_shares"):
            slots |= self._share_list(clause)
        if _NAMED_LABEL.search(wording.text):
            slots["L"] = slots["L"].removeprefix("the label ")
        text = wording.filled(slots, single=(len(clause.parts) == 1, len(clause.others) == 1), counts=(counts[0], counts[-1]))
        self._label_named |= "{F}" in wording.text
        if "{L}" in wording.text and self._of_another_label(clause.claims):
            self._label_named = False  # "it" would mean the label that this sentence named
        self._last = clause.parts if not clause.others else ()  # "that word" must have one word to mean
        return text

    def _of_another_label(self, claims: Sequence[Claim]) -> bool:
        """Whether claims about the model name a label that is not all of the query."""
        query = self.draft.saliency.query
        names = {(claim.label or query.label).casefold() for claim in claims}
        return query.contrastive or bool(query.members) or names != {query.label.casefold()}

    def _subject(self, clause: Clause, wording: Wording, *, plain: bool) -> str:
        draft = self.draft
        if not clause.parts:
            return ""
        if clause.form in ("shares",):
            return draft.name(clause.parts[0])
        again = len(clause.parts) == 1 and self._last == clause.parts and wording.text.startswith("{P}")
        if again and not plain:
            noun = "region" if draft.evidence.pixels else "word" if len(clause.parts[0]) == 1 else "phrase"
            return f"that {noun}"
        return listed([draft.name(part) for part in clause.parts])

    def _share_list(self, clause: Clause) -> dict[str, str]:
        """Several shares in a row: "'a' holds 46% of all the evidence, 'b' 20% and 'c' 10%"."""
        first, *others = [(self.draft.name(part), _share(clause.shares[part])) for part in clause.parts]
        rest = [f"{name} {share}" for name, share in others]
        joined = f" and {rest[0]}" if len(rest) == 1 else f", {listed(rest)}" if rest else ""
        whole = f"{first[0]} ({first[1]} of all the evidence)"
        return {
            "rest": joined, "share": first[1],
            "shares": listed([share for _, share in (first, *others)]),
            "P_shares": listed([whole, *(f"{name} ({share})" for name, share in others)]),
            **{
                slot: listed([f"{first[1]} {verb} {where} {first[0]}", *(f"{share} {where} {name}" for name, share in others)])
                for slot, verb, where in (("lies_in", "lies", "in"), ("is_in", "is", "in"), ("comes_from", "comes", "from"))
            },
        }  # fmt: skip

    def _numbers(self, clause: Clause) -> dict[str, str]:
        valued = next((claim for claim in clause.claims if claim.value is not None and claim.kind != "count"), None)
        if valued is None:
            return {"share": "", "score": "", "times": "", "rank": ""}
        value = valued.value or 0.0
        match valued.kind:
            case "ratio":
                return {"times": _TIMES.get(value, f"{value:g} times"), "share": "", "score": "", "rank": ""}
            case "rank":
                return {"rank": ordinal(int(value)), "share": "", "score": "", "times": ""}
            case _:
                return {"share": _share(valued), "score": f"{value:.2f}".rstrip("0").rstrip("."), "times": "", "rank": ""}

    def _label(self, claims: Sequence[Claim]) -> str:
        """The label that claims about the model name; with its noun where the input holds the same words."""
        name = next((claim.label for claim in claims if claim.label), None)
        if name is None:
            return ""
        marked = quoted(name) or name
        return f"the label {marked}" if _letters(name) in self._heard else marked


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _share(claim: Claim) -> str:
    """A share as `verbalize.write.naming.percent` writes it."""
    value = claim.value or 0.0
    if value < _ONE_PER_CENT:
        return "under 1%"
    return "over 99%" if 1 - _ONE_PER_CENT < value < 1.0 else f"{100 * value:.0f}%"


def _worded(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else str(count)
