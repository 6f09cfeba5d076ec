"""`results.tex`: the tables with booktabs, and the results in words. It compiles alone, and inside a paper that takes it in."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Name
from evals.study.analysis.reporting.layout import overview, shown
from evals.study.analysis.reporting.markdown import SIMULATED, TABLES

if TYPE_CHECKING:
    from evals.study.analysis.nouns import Analysis, Sentence
    from evals.study.analysis.reporting.layout import Shown

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "[": "{[}",
    "]": "{]}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\leq}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\geq}",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
}
"""The marks above and below letters that plain fonts of TeX have."""
# In a paper, \@nodocument has become \relax: then only the tables are taken.
_HEAD = r"""\makeatletter
\ifx\@nodocument\relax
  \def\saywhyend{}
\else
  \documentclass{article}
  \usepackage{booktabs}
  \usepackage[margin=2.5cm]{geometry}
  \def\saywhyend{\end{document}}
  \begin{document}
\fi
\makeatother
"""
_WIDEST = 90  # characters of a line of a table in small type on a page of 16 cm
_MOST_ROWS = 40  # of a table on one page


def to_latex(analysis: Analysis) -> str:
    """The whole file."""
    parts = ["% Made by saywhy study analyze. A paper that takes it with \\input needs \\usepackage{booktabs}.\n"]
    parts.append(_HEAD)
    if not analysis.people:
        parts.append(f"\\textbf{{{escaped(SIMULATED)}}}\n")
    for paragraph in analysis.paragraphs:
        words = " ".join(_said(sentence) for sentence in paragraph.sentences)
        parts.append(f"\\paragraph{{{escaped(paragraph.heading)}}} {words}\n")
    main = overview(analysis)
    tables = [*((main,) if main else ()), *(one for name in TABLES for one in shown(analysis, name))]
    parts += [_table(one, analysis) for one in tables]
    parts.append("\\saywhyend\n")
    return "\n".join(parts)


def _said(sentence: Sentence) -> str:
    return "".join(
        rf"\emph{{{escaped(part.text)}}}"
        if isinstance(part, Name) and part.set_off
        else "".join(_sign(one) for one in (part if isinstance(part, str) else part.text))
        for part in sentence.parts
    )


def escaped(text: str) -> str:
    """A text in LaTeX as it is. Letters that plain TeX lacks are told by their names in brackets."""
    return "".join(_sign(one) for one in " ".join(text.split()))


def _sign(one: str) -> str:
    if one in _SIGNS:
        return _SIGNS[one]
    if one.isascii():
        return one
    base, *marks = list(unicodedata.normalize("NFD", one))
    if marks and base.isascii() and all(mark in _ACCENTS for mark in marks):
        letter = {"i": r"\i", "j": r"\j"}.get(base, base)
        for mark in marks:
            letter = rf"\{_ACCENTS[mark]}{{{letter}}}"
        return letter
    plain = unicodedata.normalize("NFKD", one)
    if plain.isascii():
        return "".join(_sign(letter) for letter in plain)
    return "{[}" + unicodedata.name(one, f"U+{ord(one):04X}").lower() + "{]}"


def _table(one: Shown, analysis: Analysis) -> str:
    columns = "l" * one.texts + "r" * (len(one.columns) - one.texts)
    caption = f"{one.title}. {one.note}" if one.note else one.title
    if not analysis.people:
        caption += f" {SIMULATED}"
    rows = [" & ".join(escaped(str(cell)) for cell in row) + r" \\" for row in one.rows[:_MOST_ROWS]]
    if len(one.rows) > _MOST_ROWS:
        rows.append(
            rf"\multicolumn{{{len(one.columns)}}}{{l}}{{\ldots{{}} {len(one.rows) - _MOST_ROWS} more rows in the CSV file}} \\"
        )
    wide = sum(max(len(str(row[n])) for row in (one.columns, *one.rows)) for n in range(len(one.columns)))
    size = "small" if wide <= _WIDEST else r"scriptsize\setlength{\tabcolsep}{3pt}"
    label = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in one.name)
    return "\n".join(
        [
            r"\begin{table}[ht]",
            rf"\centering\{size}",
            rf"\caption{{{escaped(caption)}}}",
            rf"\label{{tab:{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(escaped(column) for column in one.columns) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
