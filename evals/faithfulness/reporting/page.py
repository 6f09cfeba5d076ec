"""`report.html`: the comparison on one page that needs no other file."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.comparing.agreeing import agree
from evals.faithfulness.comparing.comparison import RANDOM
from evals.faithfulness.comparing.rank_methods import rank
from evals.faithfulness.reporting.plots import correlations, rank_plot, squares
from verbalize.draw import heatmap_html
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from evals.faithfulness.comparing.comparison import Comparison
    from evals.tables import Table
    from verbalize.saliency import Saliency

_SHOWN = 6  # inputs whose maps are on the page
_FOLDED = 24  # rows of a table that is shown without a click


def to_page(comparison: Comparison, title: str = "How faithful are these maps?") -> str:
    """The whole page."""
    style = (files("evals.faithfulness.reporting") / "page.css").read_text(encoding="utf-8")
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
    level = f"{comparison.level:.0%}"
    methods = [run.method for run in comparison.runs if run.method != RANDOM]
    return (
        f"{len(dict.fromkeys(methods))} methods on {comparison.inputs} inputs. Intervals cover the mean over all such inputs "
        f"{level} of the time. The row “random” holds shuffled maps: a method that does not beat it is no better than chance."
    )


def _question(comparison: Comparison, question: str) -> str:
    number = comparison.questions.index(question)
    runs = comparison.of(question)
    ranking = rank(comparison, question)
    words = " ".join(escape(one) for one in ranking.sentences())
    problems = [run for run in comparison.runs if run.question == question and run.problem]
    left_out = "".join(f"<li>{escape(run.method)}: {escape(run.problem)}</li>" for run in problems)
    inside = f"<p>{words}</p>"
    if left_out:
        inside += f"<p>Without maps for this question:</p><ul>{left_out}</ul>"
    plot = rank_plot(ranking)
    inside += (f"<figure>{plot}</figure>" if plot else "") + _table(ranking.table(), without=("question", "scale"))
    if len(ranking.metrics) > 1:
        inside += _figure(
            squares(
                "Kendall's tau between the rankings of two metrics",
                ranking.taus,
                ranking.metrics,
                ranking.metrics,
                low=-1,
                high=1,
            ),
            "Kendall's tau between the rankings of two metrics: 1 is the same order of the methods, -1 the opposite order.",
        )
    real = {run.method: run.maps for run in runs if run.method != RANDOM}
    if len(real) > 1:
        found = agree(real)
        inside += "<h3>Do the methods agree?</h3><p>" + " ".join(escape(one) for one in found.sentences()) + "</p>"
        inside += _figure(
            correlations(found),
            "Spearman's rank correlation of the maps of two methods, mean over inputs.",
        )
        inside += "".join(_input(index, real, found.inputs[index].text) for index in range(min(_SHOWN, comparison.inputs)))
    elif real:
        inside += "".join(_input(index, real, "") for index in range(min(_SHOWN, comparison.inputs)))
    return _section(f"q{number}", f"The question: {question}", inside)


def _input(index: int, maps: dict[str, tuple[Saliency, ...]], text: str) -> str:
    shown = "".join(
        f"<figure><figcaption>{escape(method)}</figcaption>{heatmap_html(found[index])}</figure>"
        for method, found in maps.items()
    )
    first = next(iter(maps.values()))[index]
    label = escape(first.query.label)
    kind = "words" if isinstance(first, TokenSaliency) else "maps"
    return (
        f"<details{' open' if index < 2 else ''}><summary>Input {index + 1}, about “{label}”</summary>"
        f'<p>{escape(text)}</p><div class="{kind}">{shown}</div></details>'
    )


def _figure(svg: str, caption: str) -> str:
    return f'<figure class="wide scroll">{svg}<figcaption>{escape(caption)}</figcaption></figure>'


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
