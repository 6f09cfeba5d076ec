"""`report.html`: one page that needs no other file. Each number in its words leads to the cell that it comes from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Figure, Name
from evals.study.analysis.reporting.flow_chart import flow_chart
from evals.study.analysis.reporting.layout import shown
from evals.study.analysis.reporting.markdown import SIMULATED
from evals.study.analysis.reporting.pictures import plots_of
from evals.styles import page_style

if TYPE_CHECKING:
    from evals.study.analysis.nouns import Analysis, Sentence
    from evals.study.analysis.reporting.layout import Shown

_SECTIONS = (
    ("hypotheses", "Hypotheses"),
    ("accuracy", "Accuracy"),
    ("ratings", "Ratings"),
    ("preferences", "Preferences"),
    ("trust", "Trust"),
    ("times", "Times"),
    ("differences", "Differences"),
    ("equivalence", "Equivalence"),
    ("agreement", "Agreement"),
    ("models", "Mixed models"),
    ("subgroups", "Subgroups"),
)
_FOLDED = 24  # rows of a table that is shown without a click


def to_page(analysis: Analysis) -> str:
    """The whole page."""
    title = f"{analysis.title}: results"
    sections = [_words(analysis), _who(analysis)]
    plots = plots_of(analysis)
    links = [("results", "Results in words"), ("flow", "Who was analysed")]
    for name, heading in _SECTIONS:
        tables = shown(analysis, name)
        if tables:
            links.append((name, heading))
            inside = "".join(_pair(one, plots.get(one.name, ""), analysis) for one in tables)
            note = f'<p class="note">{escape(tables[0].note)}</p>' if tables[0].note else ""
            sections.append(f'<section id="{name}"><h2>{heading}</h2>{note}{inside}</section>')
    links.append(("how", "How it was computed"))
    sections.append(_how(analysis))
    style = page_style("evals.study.analysis.reporting")
    nav = "".join(f'<li><a href="#{name}">{heading}</a></li>' for name, heading in links)
    warning = "" if analysis.people else f'<p class="warn">{escape(SIMULATED)}</p>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f'<header><h1>{escape(title)}</h1>{warning}<nav aria-label="Sections"><ul>{nav}</ul></nav></header>'
        f"<main>{''.join(sections)}</main></body></html>\n"
    )


def _words(analysis: Analysis) -> str:
    paragraphs = "".join(
        f"<h3>{escape(one.heading)}</h3><p>{' '.join(_linked(sentence, analysis) for sentence in one.sentences)}</p>"
        for one in analysis.paragraphs
    )
    return (
        '<section id="results"><h2>Results in words</h2>'
        f'<p class="note">Each number leads to the cell of the table that it comes from.</p>{paragraphs}</section>'
    )


def _who(analysis: Analysis) -> str:
    left_out = analysis.flow.exclusions
    rows = "".join(
        f'<tr><td class="t">{escape(one.participant)}</td><td class="t">{escape(one.rule)}</td>'
        f'<td class="t">{escape(one.detail)}</td></tr>'
        for one in left_out
    )
    reasons = (
        f'<details><summary>{len(left_out)} left out, one by one</summary><div class="scroll" tabindex="0" role="region" '
        'aria-label="Participants left out"><table><thead><tr><th class="t">participant</th><th class="t">rule</th>'
        f'<th class="t">what was found</th></tr></thead><tbody>{rows}</tbody></table></div></details>'
        if left_out
        else ""
    )
    counts = "".join(_table(one, analysis) for one in shown(analysis, "flow"))
    return (
        f'<section id="flow"><h2>Who was analysed</h2><div class="pair"><figure>{flow_chart(analysis.flow)}</figure>'
        f"<div>{counts}{reasons}</div></div></section>"
    )


def _how(analysis: Analysis) -> str:
    limits = "".join(f"<li>{escape(one)}</li>" for one in analysis.limits)
    listed = f"<h3>What this can't say</h3><ul>{limits}</ul>" if limits else ""
    settings = "".join(_table(one, analysis) for one in shown(analysis, "settings"))
    return f'<section id="how"><h2>How it was computed</h2>{listed}{settings}</section>'


def _pair(one: Shown, plot: str, analysis: Analysis) -> str:
    inside = _table(one, analysis)
    if len(one.rows) > _FOLDED:
        inside = f"<details><summary>{escape(one.title)}: {len(one.rows)} rows</summary>{inside}</details>"
    return f'<div class="pair">{f"<figure>{plot}</figure>" if plot else ""}<div>{inside}</div></div>'


def _table(one: Shown, analysis: Analysis) -> str:
    head = "".join(
        f'<th scope="col"{" class=t" if number < one.texts else ""}>{escape(column)}</th>'
        for number, column in enumerate(one.columns)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{"t" if number < one.texts else "r"}">{_anchored(cell, analysis)}</td>'
            for number, cell in enumerate(row)
        )
        + "</tr>"
        for row in one.rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(one.title)}"><table><caption>{escape(one.title)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _linked(sentence: Sentence, analysis: Analysis) -> str:
    return "".join(
        f'<a class="n" href="#{_id(part)}" title="{_origin(part, analysis)}">{escape(part.text)}</a>'
        if isinstance(part, Figure)
        else _set(part)
        for part in sentence.parts
    )


def _anchored(cell: Sentence, analysis: Analysis) -> str:
    return "".join(
        f'<span id="{_id(part)}" title="{_origin(part, analysis)}">{escape(part.text)}</span>'
        if isinstance(part, Figure)
        else escape(part if isinstance(part, str) else part.text)
        for part in cell.parts
    )


def _set(part: str | Figure | Name) -> str:
    if isinstance(part, Name) and part.set_off:
        return f"<em>{escape(part.text)}</em>"
    return escape(part if isinstance(part, str) else part.text)


def _id(one: Figure) -> str:
    return escape(one.anchor)


def _origin(one: Figure, analysis: Analysis) -> str:
    value = analysis.tables[one.table].rows[one.row][one.column]
    return escape(f"{one.table}.csv, row {one.row + 1}, {one.column}: {value}")
