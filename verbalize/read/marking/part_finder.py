"""Finding the places in the input that a quoted text may mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verbalize.read.marking.input_parts import InputParts, atoms_of

if TYPE_CHECKING:
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part
    from verbalize.write.naming import WordIndex

_LISTED = re.compile(r" ?(?:[\"'“‘»«„`]|and\b|or\b|as well\b|the (?:word|phrase))")


class PartFinder:
    """Finds the places of a quoted text: first exactly as it is written, then without regard to case and punctuation."""

    def __init__(self, evidence: Evidence, index: WordIndex | None) -> None:
        self.evidence = evidence
        self.index = index
        self.parts = InputParts(evidence.names)
        self._known: dict[str, tuple[Part, ...]] = {}

    def holds(self, inner: str) -> bool:
        """Whether a quoted text occurs in the input."""
        return bool(self._find(inner))

    def places(self, inner: str, following: str) -> tuple[Part, ...]:
        """The places of a quoted text. `following` is the text after the quotation in its sentence.

        American typesetting puts a comma or full stop of the sentence inside the quotation marks. Such a mark does not
        belong to the quoted words.
        """
        bare = inner.rstrip(",.;:!?")
        if bare and bare != inner and not bare.endswith(" "):
            typeset = (inner[-1] in ",;" and bool(_LISTED.match(following))) or (inner[-1] in ".!?" and not following.strip())
            first, second = (bare, inner) if typeset else (inner, bare)
            return self._find(first) or self._find(second)
        return self._find(inner) or self._find(inner.strip(" ,.;:!?-"))

    def _find(self, phrase: str) -> tuple[Part, ...]:
        if phrase not in self._known:
            exact: tuple[Part, ...] = ()
            if self.index is not None and phrase.strip() and (" " in phrase.strip() or self._plausible(phrase)):
                exact = self.index.places(phrase)
            elif self.evidence.pixels:
                exact = tuple((i,) for i, name in enumerate(self.evidence.names) if name == phrase)
            self._known[phrase] = exact or self.parts.find(phrase)
        return self._known[phrase]

    def _plausible(self, phrase: str) -> bool:
        atoms = atoms_of(phrase)
        return not atoms or self.parts.has_atoms(atoms)
