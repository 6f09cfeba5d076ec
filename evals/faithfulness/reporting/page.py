"""`report.html`: the comparison on one page that needs no other file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.comparing.agreeing import agree
from evals.faithfulness.comparing.comparison import RANDOM
from evals.faithfulness.comparing.rank_methods import rank
from evals.faithfulness.reporting.plots import correlations, rank_plot, squares
from evals.styles import page_style
from verbalize.draw import heatmap_html
from verbalize.saliency import TokenSaliency
from verbalize.write.naming import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.faithfulness.comparing.agreement import InputAgreement
    from evals.faithfulness.comparing.comparison import Comparison
    from evals.tables import Table
    from verbalize.saliency import Saliency

_SHOWN = 6  # inputs whose maps are on the page
_COMPARED = "The regions that are compared: where maps are strong, for or against"
_OPEN = 2  # of them without a click
_FOLDED = 24  # rows of a table that is shown without a click


def to_page(comparison: Comparison, title: str = "How faithful are these maps?") -> str:
    """The whole page."""
    style = page_style("evals.faithfulness.reporting")
    sections = [_question(comparison, one) for one in comparison.questions]
    sections.append(_section("costs", "What it cost", _table(comparison.costs())))
    sections.append(_section("values", "All means with their intervals", _table(comparison.table())))
    links = [
        *((f"q{index}", one) for index, one in enumerate(comparison.questions)),
        ("costs", "cost"),
        ("values", "all means"),
    ]
    nav = "".join(f'<li><a href="#{name}">{escape(heading)}</a></li>' for name, heading in links)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body><header><h1>{escape(title)}</h1>"
        f"<p>{_intro(comparison)}</p>"
        f'<nav aria-label="Sections"><ul>{nav}</ul></nav></header><main>{"".join(sections)}</main></body></html>\n'
    )


def _intro(comparison: Comparison) -> str:
    methods = {run.method for run in comparison.runs if run.method != RANDOM}
    chance = "The row “random” holds shuffled maps: a method that does not beat it is no better than chance."
    return (
        f"{_counted(len(methods), 'method')} on {_counted(comparison.inputs, 'input')}. The intervals are t intervals of means "
        f"over inputs, corrected for skewness, at a level of {100 * comparison.level:.4g}%. With fewer than 20 inputs and "
        f"skewed values, they are too narrow. {chance if any(run.method == RANDOM for run in comparison.runs) else ''}"
    )


def _question(comparison: Comparison, question: str) -> str:
    number = comparison.questions.index(question)
    runs = comparison.of(question)
    ranking = rank(comparison, question)
    inside = _sentences(ranking.sentences())
    problems = [run for run in comparison.runs if run.question == question and run.problem]
    if problems:
        left_out = "".join(f"<li>{escape(run.method)}: {escape(run.problem)}</li>" for run in problems)
        inside += f"<p>Without maps for this question:</p><ul>{left_out}</ul>"
    plot = rank_plot(ranking)
    inside += (f"<figure>{plot}</figure>" if plot else "") + _table(ranking.table(), without=("question", "scale"))
    if np.isnan(ranking.low).any():
        why = "one input gives none" if ranking.inputs == 1 else "its mean rank is the same for each input"
        inside += f'<p class="note">Where a method has no interval, {why}.</p>'
    if len(ranking.metrics) > 1 and len(ranking.methods) > 1:
        title = "Kendall's tau between the rankings of two metrics"
        caption = f"{title}: 1 is the same order of the methods, -1 the opposite order."
        if np.isnan(ranking.taus).any():
            caption += " A dash: a metric that gives all methods the same mean rank has no order to compare."
        inside += _figure(squares(title, ranking.taus, ranking.metrics, ranking.metrics, low=-1, high=1), caption)
    real = {run.method: run.maps for run in runs if run.method != RANDOM}
    shown = range(min(_SHOWN, comparison.inputs))
    if len(real) > 1:
        found = agree(real, level=comparison.level)
        caption = "Spearman's rank correlation of the maps of two methods, mean over inputs."
        if np.isnan(found.correlation).any():
            caption += " A dash: no input has maps of both that are not flat."
        inside += "<h3>Do the methods agree?</h3>" + _sentences(found.sentences()) + _figure(correlations(found), caption)
        inside += "".join(_input(index, real, found.inputs[index]) for index in shown)
    elif real:
        inside += "".join(_input(index, real, None) for index in shown)
    if real and comparison.inputs > _SHOWN:
        more = _counted(comparison.inputs - _SHOWN, "more input")
        inside += f"<p>The maps of {more} are not on this page; agreement.csv has all sentences.</p>"
    return _section(f"q{number}", f"The question: {question}", inside)


def _input(index: int, maps: dict[str, tuple[Saliency, ...]], agreed: InputAgreement | None) -> str:
    shown = [(escape(method), heatmap_html(found[index])) for method, found in maps.items()]
    if agreed is not None and agreed.joint is not None:
        shown.insert(
            0, ("The regions that are compared: where the maps are strong, whatever their signs", heatmap_html(agreed.joint))
        )
    figures = "".join(f"<figure><figcaption>{caption}</figcaption>{drawn}</figure>" for caption, drawn in shown)
    first = next(iter(maps.values()))[index]
    asked = f"“{first.query.label}”"
    if first.query.versus:
        asked += " rather than " + listed([f"“{one}”" for one in first.query.versus], "or")
    kind = "words" if isinstance(first, TokenSaliency) else "maps"
    text = "" if agreed is None else f"<p>{escape(agreed.text)}</p>"
    return (
        f"<details{' open' if index < _OPEN else ''}><summary>Input {index + 1}, about {escape(asked)}</summary>"
        f'{text}<div class="{kind}">{figures}</div></details>'
    )


def _sentences(said: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in said) + "</ul>"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _figure(svg: str, caption: str) -> str:
    plot = f'<div class="scroll" tabindex="0" role="region" aria-label="Plot">{svg}</div>'
    return f'<figure class="wide">{plot}<figcaption>{escape(caption)}</figcaption></figure>'


def _section(name: str, heading: str, inside: str) -> str:
    return f'<section id="{name}"><h2>{escape(heading)}</h2>{inside}</section>'


def _table(table: Table, without: tuple[str, ...] = ()) -> str:
    used = [name for name in table.columns if name not in without and any(row[name] not in (None, "") for row in table)]
    texts = {name for name in used if any(isinstance(row[name], str) for row in table)}
    head = "".join(f'<th scope="col"{" class=t" if name in texts else ""}>{escape(name)}</th>' for name in used)
    body = "".join(
        "<tr>" + "".join(f"<td{' class=t' if name in texts else ''}>{_cell(row[name])}</td>" for name in used) + "</tr>"
        for row in table
    )
    made = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    return made if len(table) <= _FOLDED else f"<details><summary>{len(table)} rows</summary>{made}</details>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.3f}"
    return escape(str(value))
