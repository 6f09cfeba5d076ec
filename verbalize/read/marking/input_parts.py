"""Finds every place where a phrase occurs in the input: the words (or regions) that it names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Part

_ATOM = re.compile(r"[^\W_]+|[^\w\s]|_")
_SAME = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
                       "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-"})  # fmt: skip
_OCCURRENCES = 64  # if a word occurs more often than this, only its first occurrences are looked at, so that time stays bounded


def atoms_of(text: str) -> tuple[str, ...]:
    """Runs of letters and digits, and single punctuation marks, in lower case; equal for "couldn't" and "couldn ' t"."""
    return tuple(_ATOM.findall(_fold(text)))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_SAME).casefold()


@dataclass
class InputParts:
    """An index of the parts of the input. `find` ignores case, the kind of quotes, and spaces around punctuation."""

    names: tuple[str, ...]
    atoms: list[str] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    _found: dict[tuple[str, ...], tuple[Part, ...]] = field(default_factory=dict)
    _squeezed: str = ""
    _starts: dict[int, int] = field(default_factory=dict)
    _stops: dict[int, int] = field(default_factory=dict)
    _places: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, name in enumerate(self.names):
            pieces = atoms_of(name)
            self.atoms.extend(pieces)
            self.owner.extend([index] * len(pieces))
        position, letters = 0, []
        for index, atom in enumerate(self.atoms):
            self._places.setdefault(atom, []).append(index)
            if atom[0].isalnum():
                self._starts[position] = index
                letters.append(atom)
                position += len(atom)
                self._stops[position] = index
        self._squeezed = "".join(letters)
        # one character per distinct piece, so that a phrase of any length is found by one search in a string
        self._codes = {atom: chr(number) for number, atom in enumerate(self._places)}
        self._coded = "".join(self._codes[atom] for atom in self.atoms)

    def find(self, phrase: str) -> tuple[Part, ...]:
        """All places of a phrase, from left to right; empty if it does not occur.

        If the phrase does not occur as written, punctuation, spaces and the borders between tokens are ignored: "anti-virus"
        finds "antivirus", and "gripe" finds the tokens "grip", "e". It must still begin and end where words of the input do.
        """
        atoms = atoms_of(phrase)
        if atoms not in self._found:
            self._found[atoms] = self._places_of(atoms)
        return self._found[atoms] or self._joined("".join(atom for atom in atoms if atom[0].isalnum()))

    def has_atoms(self, atoms: Sequence[str]) -> bool:
        """Whether each piece of a phrase occurs in the input. If not, the phrase as written does not occur either."""
        return all(atom in self._places for atom in atoms)

    def holds(self, phrase: str) -> bool:
        """Whether the phrase occurs."""
        return bool(atoms_of(phrase)) and bool(self.find(phrase))

    def longest_run(self, words: Sequence[str], start: int) -> tuple[int, tuple[Part, ...]]:
        """How many of the words from `words[start]` on occur side by side in the input, and the places where they do."""
        places = self._places.get(words[start], [])[:_OCCURRENCES]
        length = 1 if places else 0
        while places and start + length < len(words):
            longer = [p for p in places if p + length < len(self.atoms) and self.atoms[p + length] == words[start + length]]
            if not longer:
                break
            places, length = longer, length + 1
        return length, tuple(dict.fromkeys(self._part(p, p + length) for p in places)) if length else ()

    def _places_of(self, atoms: tuple[str, ...]) -> tuple[Part, ...]:
        """Every place where these pieces occur side by side; places may overlap."""
        if not atoms or not self.has_atoms(atoms):
            return ()
        wanted = "".join(self._codes[atom] for atom in atoms)
        parts: list[Part] = []
        start = self._coded.find(wanted)
        while start >= 0:
            parts.append(self._part(start, start + len(atoms)))
            start = self._coded.find(wanted, start + 1)
        return tuple(dict.fromkeys(parts))

    def _part(self, start: int, stop: int) -> Part:
        return tuple(range(self.owner[start], self.owner[stop - 1] + 1))

    def _joined(self, letters: str) -> tuple[Part, ...]:
        parts: list[Part] = []
        position = self._squeezed.find(letters) if letters else -1
        while position >= 0 and len(parts) < _OCCURRENCES:
            first, last = self._starts.get(position), self._stops.get(position + len(letters))
            if first is not None and last is not None:
                parts.append(self._part(first, last + 1))
            position = self._squeezed.find(letters, position + 1)
        return tuple(dict.fromkeys(parts))
