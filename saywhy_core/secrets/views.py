"""What a reader may see in a text: its characters without the escapes they are written as, and without what is not shown."""

from __future__ import annotations

import re
import unicodedata
from functools import reduce
from html.entities import html5
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Unit = tuple[str, int, int]
"""A character that is meant, and where it begins and ends as it is written."""

_STYLED = "\u1d2c-\u1d6a\u2070-\u209f\u2100-\u214f\u2460-\u24ff\uff01-\uff5e\U0001d400-\U0001d7ff"  # letters in other styles
_UNIT = re.compile(
    r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrtbf]))|%(?:25)*([0-9a-fA-F]{2})"
    r"|&(?:amp;)*(?:#0*(\d{1,7});?|#[xX]0*([0-9a-fA-F]{1,6});?|([a-zA-Z]{2,31}[0-9]{0,2});)"
    rf"|([{_STYLED}])"
)
_ESCAPED = re.compile(rf"[\\%&{_STYLED}]")
ALL = frozenset(range(1, 9))
KINDS = (ALL, frozenset({5, 6, 7}), frozenset({4}), frozenset({1, 2, 3}))
"""What is taken for an escape: everything, or what HTML, URLs or JSON alone write; by the groups of `_UNIT`."""
_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\x9c]{0,200}(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-Z\\-~]"
)  # what a terminal obeys
_SQUARE = re.compile(r"\[/?[a-z#@][^\[\]]{0,60}\]|\[/\]", re.IGNORECASE)
_ANGLE = re.compile(r"</?[a-z!][^<>]{0,200}>", re.IGNORECASE)
_COMMENT = re.compile(r"/\*[^*]{0,200}\*/|\{#[^#]{0,200}#\}")
MARKUP = ((_CODES,), (_CODES, _SQUARE), (_CODES, _ANGLE, _COMMENT), (_CODES, _SQUARE, _ANGLE, _COMMENT))
"""What is not shown, of terminals, of rich and of forums, and of HTML and programs; in turn: a secret may stand in brackets."""
_BEGIN_MARKUP = ("<", "[", "\x1b", "\x9b", "/*", "{#")


def forms(text: str) -> list[str]:
    """The text in lower case, as it is, without escapes and without markup."""
    lower = [text.lower()]
    if _ESCAPED.search(text):
        lower.append(decoded(text).lower())
    if any(one in lower[-1] for one in _BEGIN_MARKUP):
        shown = {len(lower[-1]): lower[-1]}
        for kinds in MARKUP:
            form = reduce(lambda said, kind: kind.sub("", said), kinds, lower[-1])
            shown.setdefault(len(form), form)
        lower += list(shown.values())[1:]
    return lower


def decoded(text: str, kinds: Collection[int] = ALL) -> str:
    """The text with what its escapes mean; `kinds` is one of `KINDS`."""
    return _UNIT.sub(lambda found: (_meaning(found) if found.lastindex in kinds else None) or found[0], text)


def is_escaped(text: str) -> bool:
    """Whether a character of the text may be written as an escape."""
    return _ESCAPED.search(text) is not None


def units(text: str, kinds: Collection[int] = ALL) -> list[Unit]:
    """The characters that are meant, in lower case, and where they stand; `kinds` is one of `KINDS`, or empty."""
    seen: list[Unit] = []
    at = 0
    for found in _UNIT.finditer(text) if kinds else ():
        meant = _meaning(found) if found.lastindex in kinds else None
        if meant:
            seen += [(text[place].lower()[:1], place, place + 1) for place in range(at, found.start())]
            seen.append((meant.lower()[:1], found.start(), found.end()))
            at = found.end()
    return seen + [(text[place].lower()[:1], place, place + 1) for place in range(at, len(text))]


def shown(seen: list[Unit]) -> Iterator[list[Unit]]:
    """The characters, and what is left of them without each kind of markup, where there is any."""
    for kinds in ((), *MARKUP):
        kept = reduce(_without, kinds, seen)
        if not kinds or kept is not seen:
            yield kept


def put(mark: str, text: str, places: list[tuple[int, int]]) -> str:
    """The text with the mark at each of the places, which may lie within each other."""
    parts, at = [], 0
    for start, end in sorted(places):
        if end > at:
            parts += [text[at : max(at, start)], mark]
            at = end
    return "".join([*parts, text[at:]])


def _meaning(found: re.Match[str]) -> str | None:
    """The one character that an escape means; None where it means none."""
    number = found[found.lastindex or 0]
    kind = found.lastindex
    if kind == 3:
        return " "
    if kind == 7:
        return html5.get(f"{number};", "")[:1] or None
    if kind == 8:
        return unicodedata.normalize("NFKC", number)[:1]
    code = int(number, 10 if kind == 5 else 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def _without(seen: list[Unit], markup: re.Pattern[str]) -> list[Unit]:
    kept, at = [], 0
    for tag in markup.finditer("".join(unit[0] for unit in seen)):
        kept += seen[at : tag.start()]
        at = tag.end()
    return kept + seen[at:] if at else seen
