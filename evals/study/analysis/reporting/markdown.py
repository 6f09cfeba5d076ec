"""`results.md`: the results in words, and the tables."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Name
from evals.study.analysis.reporting.layout import overview, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.analysis.nouns import Analysis, Sentence
    from evals.study.analysis.reporting.layout import Shown

TABLES = (
    "hypotheses",
    "differences",
    "equivalence",
    "preferences",
    "trust",
    "agreement",
    "models",
    "subgroups",
)
"""The tables below the overview, in their order."""
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_INTERVAL = re.compile(r"\\\[([\d\s.,%\u2212\u2013-]+|interval)\\\](?=[\s.,;)]|$)")
_COMPARED = re.compile(r"\\([<>])(?= \.\d)")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$)")


def to_markdown(analysis: Analysis) -> str:
    """The whole text."""
    parts = [f"# {escaped(analysis.title)}: results"]
    if not analysis.people:
        parts.append(f"**{escaped(SIMULATED)}**")
    for paragraph in analysis.paragraphs:
        parts.append(f"## {escaped(paragraph.heading)}")
        parts.append(" ".join(_said(sentence) for sentence in paragraph.sentences))
    main = overview(analysis)
    tables = [*((main,) if main else ()), *(one for name in TABLES for one in shown(analysis, name))]
    for one in tables:
        parts += [f"## {escaped(one.title)}", _table(one)]
        if one.note:
            parts.append(escaped(one.note))
    parts += ["## Who was analysed", "```text\n" + analysis.flow.to_text() + "\n```"]
    if analysis.limits:
        parts += ["## What this can't say", "\n".join(f"- {escaped(one)}" for one in analysis.limits)]
    return "\n\n".join(parts) + "\n"


SIMULATED = "Simulated participants gave these answers. Nothing here says anything about people."
"""Stands in every output of answers that no person gave."""


def escaped(text: str) -> str:
    """A text in Markdown as it is: its characters mean nothing, and it stays on its line."""
    flat = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    return _LINE_START.sub(lambda found: f"{found[1]}\\{found[2]}" if not found[2][0].isdigit() else found[0], flat)


def _said(sentence: Sentence) -> str:
    said = ""
    for is_name, parts in groupby(sentence.parts, lambda part: isinstance(part, Name)):
        if is_name:
            names = [part for part in parts if isinstance(part, Name)]
            said += "".join(f"*{escaped(part.text)}*" if part.set_off else _inside(part.text) for part in names)
        else:
            said += _bare(_inside("".join(part if isinstance(part, str) else part.text for part in parts)))
    return said


def _bare(text: str) -> str:
    """An escaped text of ours without the backslashes that intervals and the signs of p-values don't need."""
    return _COMPARED.sub(r"\1", _INTERVAL.sub(r"[\1]", text))


def _inside(text: str) -> str:
    """As `escaped`, with the spaces at its ends."""
    return _MARKUP.sub(r"\\\1", text.replace("\n", " "))


def _cells(row: Sequence[object], texts: int) -> list[str]:
    """The cells of a row, of which the first hold texts and the others numbers."""
    return [escaped(str(cell)) if number < texts else _bare(escaped(str(cell))) for number, cell in enumerate(row)]


def _table(one: Shown) -> str:
    lines = [
        "| " + " | ".join(_bare(escaped(column)) for column in one.columns) + " |",
        "| " + " | ".join("---" if number < one.texts else "---:" for number in range(len(one.columns))) + " |",
    ]
    lines += ["| " + " | ".join(_cells(row, one.texts)) + " |" for row in one.rows]
    return "\n".join(lines)
