"""How a text about a map is laid out for people: as plain text or Markdown, with what was not checked apart and marked."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Literal, get_args

from saywhy_core.errors import UsageError
from verbalize.verbalization import COMMENT_MARK, Verbalization

if TYPE_CHECKING:
    from collections.abc import Mapping

Layout = Literal["text", "jsonl", "markdown"]
LAYOUTS: tuple[str, ...] = get_args(Layout)
BACKGROUND_MARK = "Background, not from the map:"  # stands before general knowledge about the classes
# Overrides turn the order of what follows, so a text would show what it does not say; isolates, which end, may stay.
_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e"
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~&!$@]|(?<=www)\.|:(?=//)")  # the last two would become links
_BLOCK = re.compile(r"^(?:([-+=])|(\d+)([.)]))")  # what would begin a list or a heading


def lay_out(made: Verbalization | Mapping[str, Any], layout: str, *, named: bool = False) -> str:
    """A text as it is written to a file or a terminal, with a line break at its end.

    Args:
        made: the text, or its record (`Verbalization.to_record`).
        layout: "jsonl" for the record in one line; "text" or "markdown" for the sentences, and below them, marked, the
            background and the model's own comment. Characters that a terminal would obey are written as escapes, and marks that
            Markdown would obey are escaped.
        named: whether the id of the map stands above the text, as for one of several texts; an empty line follows it. In
            "jsonl" the id is always there.

    Raises:
        UsageError: there is no such layout.
    """
    known_layout(layout)
    record = made.to_record() if isinstance(made, Verbalization) else made
    if layout == "jsonl":
        return json.dumps(record, ensure_ascii=False) + "\n"
    marked = layout == "markdown"
    clean = _in_markdown if marked else _legible
    apart = [f"{BACKGROUND_MARK} {clean(' '.join(record['background']))}"] if record.get("background") else []
    apart += [f"{COMMENT_MARK} {clean(record['comment'])}"] if record.get("comment") else []
    blocks = [f"{'## ' if marked else ''}{clean(str(record['id']))}"] if named else []
    blocks += [clean(record["text"]), *(f"> {one}" if marked else one for one in apart)]
    if named and not marked:
        blocks[:2] = ["\n".join(blocks[:2])]  # in plain text the id is the line above
    return "\n\n".join(blocks) + ("\n\n" if named else "\n")


def known_layout(name: str) -> str:
    """The name of a layout.

    Raises:
        UsageError: there is no layout of this name.
    """
    if name not in LAYOUTS:
        raise UsageError(f"there is no layout {name!r}; use one of {', '.join(LAYOUTS)}")
    return name


def layout_of(path: str) -> Layout | None:
    """The layout that the suffix of a file name asks for (.jsonl, .txt, .md); `None` for any other name."""
    suffixes: tuple[tuple[tuple[str, ...], Layout], ...] = (
        ((".jsonl", ".ndjson"), "jsonl"),
        ((".txt", ".text"), "text"),
        ((".md", ".markdown"), "markdown"),
    )
    return next((layout for ends, layout in suffixes if path.lower().endswith(ends)), None)


def _legible(text: str) -> str:
    return "".join(_escaped(one) for one in " ".join(text.split()))


def _escaped(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _OVERRIDES:
        return character.encode("unicode_escape").decode("ascii")
    return character


def _in_markdown(text: str) -> str:
    plain = _MARKDOWN.sub(r"\\\g<0>", _legible(text))
    return _BLOCK.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", plain)
