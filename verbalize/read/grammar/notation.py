"""Rules are regular expressions over word classes. This module turns them into regular expressions over characters.

Each token of a sentence has a set of word classes; each distinct set is one character. A sentence is thus a short string, and a
pattern such as `part=PARTS BE? MOST IMPORTANT` becomes one compiled expression. Names in capitals are word classes of the
lexicon or phrases; `name=NAME` and `name=( ... )` capture. White space has no meaning. A name may be captured in several
branches of a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TOKEN = re.compile(
    r"(?P<capture>[a-z][a-z_]*)=(?:(?P<open>\()|(?P<one>[A-Z][A-Z0-9_]*))|(?P<name>[A-Z][A-Z0-9_]*)|(?P<group>\((?!\?))|(?P<space>\s+)|(?P<other>.)"
)
FIRST = 0x4E00  # classes are written as characters from here on, so that no pattern needs an escape


@dataclass
class Notation:
    """Word classes as characters, and patterns over them.

    Args:
        phrases: named patterns that other patterns use by name. They may use each other, without circles.
    """

    phrases: Mapping[str, str]
    _codes: dict[frozenset[str], str] = field(default_factory=dict)
    _expanded: dict[str, str] = field(default_factory=dict)
    _required: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    _members: dict[str, str] = field(default_factory=dict)

    def code(self, names: frozenset[str]) -> str:
        """The character for a set of word classes."""
        if names not in self._codes:
            self._codes[names] = chr(FIRST + len(self._codes))
            self._members.clear()
        return self._codes[names]

    def register(self, sets: Iterable[frozenset[str]]) -> None:
        """Give each set of classes its character, before patterns are compiled."""
        for names in sets:
            self.code(names)

    def expand(self, pattern: str, prefix: str = "") -> str:
        """A pattern in the notation as a regular expression over class characters; names of captures get the prefix."""
        counts: dict[str, int] = {}
        return _INNERMOST.sub(_merged, self._expand(pattern, prefix, counts))

    def required(self, pattern: str) -> list[frozenset[str]]:
        """Sets of class characters of each of which a string that matches the pattern has at least one.

        Not all such sets are found; those that are found let most patterns be passed over without being tried.
        """
        if pattern not in self._required:
            self._required[pattern] = self._required_of(pattern)
        return self._required[pattern]

    def _required_of(self, pattern: str) -> list[frozenset[str]]:
        branches = _branches(pattern)
        if len(branches) > 1:
            first = [self.required(branch) for branch in branches]
            return [frozenset().union(*(sets[0] for sets in first))] if all(first) else []
        found: list[frozenset[str]] = []
        for atom in _ATOM.finditer(_flattened(pattern)):
            inner, optional = atom["atom"], atom["times"] in ("?", "*") or (atom["times"] or "").startswith("{0")
            if optional:
                continue
            if inner.startswith("\x00"):
                found += self.required(_GROUPS[inner])
            elif inner in self.phrases:
                found += self.required(self.phrases[inner])
            else:
                found.append(frozenset(self._members_of(inner)))
        return found

    def _expand(self, pattern: str, prefix: str, counts: dict[str, int]) -> str:
        out: list[str] = []
        for match in _TOKEN.finditer(pattern):
            if match["capture"]:
                name = match["capture"]
                counts[name] = counts.get(name, 0) + 1
                opened = f"(?P<{prefix}{name}_{counts[name]}>"
                out.append(opened if match["open"] else f"{opened}{self._named(match['one'], prefix, counts)})")
            elif match["name"]:
                out.append(self._named(match["name"], prefix, counts))
            elif match["group"]:
                out.append("(?:")
            elif match["other"]:
                out.append(match["other"])
        return "".join(out)

    def _named(self, name: str, prefix: str, counts: dict[str, int]) -> str:
        if name in self.phrases:
            if name in self._expanded:
                return self._expanded[name]
            before = sum(counts.values())
            made = f"(?:{self._expand(self.phrases[name], prefix, counts)})"
            if sum(counts.values()) == before:  # captures are counted anew at each place, so such a phrase can't be kept
                self._expanded[name] = made
            return made
        characters = self._members_of(name)
        if not characters:
            raise KeyError(f"no word has the class {name}")
        return characters if len(characters) == 1 else f"[{characters}]"

    def _members_of(self, name: str) -> str:
        if name not in self._members:
            self._members[name] = "".join(code for names, code in self._codes.items() if name in names)
        return self._members[name]


_INNERMOST = re.compile(r"\(\?:([^()]*\|[^()]*)\)")


def _merged(group: re.Match[str]) -> str:
    """A group with its single characters as one class: "(?:[ab]|[bc])*" would try each b in two ways, at each place anew."""
    single: set[str] = set()
    longer: list[str] = []
    for branch in group[1].split("|"):
        bare = branch[1:-1] if branch.startswith("[") and branch.find("]") == len(branch) - 1 else branch
        if (bare != branch or len(branch) == 1) and all(ord(character) >= FIRST for character in bare):
            single |= set(bare)
        else:
            longer.append(branch)
    if not single:
        return group[0]
    return "(?:" + "|".join([f"[{''.join(sorted(single))}]", *dict.fromkeys(longer)]) + ")"


_GROUPS: dict[str, str] = {}  # groups by the stand-in that `_flattened` writes for them
_ATOM = re.compile(r"(?:[a-z][a-z_]*=)?(?P<atom>\x00\d+\x00|[A-Z][A-Z0-9_]*)(?P<times>[?*+]|\{\d+,\d*\})?")


def _branches(pattern: str) -> list[str]:
    """The alternatives of a pattern at its top level."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(pattern):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            parts.append(pattern[start:index])
            start = index + 1
    return [*parts, pattern[start:]]


def _flattened(pattern: str) -> str:
    """The pattern with a stand-in for each group at its top level."""
    out: list[str] = []
    depth = start = 0
    for index, character in enumerate(pattern):
        if character == "(":
            if depth == 0:
                start = index + 1
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                key = f"\x00{len(_GROUPS)}\x00"
                _GROUPS[key] = pattern[start:index]
                out.append(key)
        elif depth == 0:
            out.append(character)
    return "".join(out)
