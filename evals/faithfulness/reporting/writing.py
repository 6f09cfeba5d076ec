"""All files of a comparison in one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evals.faithfulness.comparing.agreeing import agree
from evals.faithfulness.comparing.comparison import RANDOM, Comparison
from evals.faithfulness.comparing.rank_methods import rank
from evals.faithfulness.reporting.page import to_page
from evals.faithfulness.reporting.plots import correlations, rank_plot
from evals.tables import Table
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os

VERSION = 1
SCALES = ("logits", "probabilities")


def write_comparison(comparison: Comparison, folder: str | os.PathLike[str]) -> list[Path]:
    """Write means.csv, values.csv, costs.csv, ranking.csv, agreement.csv, pairs.csv, plots, comparison.json and report.html.

    Args:
        comparison: what `compare` returned.
        folder: where the files go; it is made where it does not exist.

    Returns:
        The files, report.html last.

    Raises:
        UsageError: this is no comparison, or a file stands in the place of the folder.
    """
    where = Path(folder)
    if not isinstance(comparison, Comparison):
        raise UsageError(f"comparison is what compare returned, not a {type(comparison).__name__}")
    try:
        where.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{where} can't be a folder, because there is a file of this name; name another one") from error
    texts: dict[str, str] = {
        "means.csv": comparison.table().to_csv(),
        "values.csv": comparison.values().to_csv(),
        "costs.csv": comparison.costs().to_csv(),
    }
    rankings = [(one, scale, rank(comparison, one, scale=scale)) for one in comparison.questions for scale in SCALES]
    rows = [row for _, _, ranking in rankings for row in ranking.table()]
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    texts["ranking.csv"] = Table(columns, tuple({name: row.get(name) for name in columns} for row in rows)).to_csv()
    words: dict[str, list[str]] = {}
    agreed, pairs = [], []
    for question in comparison.questions:
        name = question.replace(" ", "-")
        ranking = next(found for one, scale, found in rankings if one == question and scale == SCALES[0])
        words[question] = ranking.sentences()
        if plot := rank_plot(ranking):
            texts[f"ranks-{name}.svg"] = _file(plot)
        maps = {run.method: run.maps for run in comparison.of(question) if run.method != RANDOM}
        if len(maps) < 2:
            continue
        found = agree(maps, level=comparison.level)
        words[question] += found.sentences()
        agreed += [{"question": question, **row} for row in found.table()]
        pairs += [{"question": question, **row} for row in found.pairs]
        texts[f"agreement-{name}.svg"] = _file(correlations(found))
    for name, listed in (("agreement.csv", agreed), ("pairs.csv", pairs)):
        if listed:
            columns = tuple(dict.fromkeys(column for row in listed for column in row))
            texts[name] = Table(columns, tuple({column: row.get(column) for column in columns} for row in listed)).to_csv()
    record = {
        "version": VERSION, "settings": dict(comparison.settings), "inputs": comparison.inputs, "level": comparison.level,
        "means": [dict(row) for row in comparison.table()], "costs": [dict(row) for row in comparison.costs()], "words": words,
    }  # fmt: skip
    texts["comparison.json"] = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    texts["report.html"] = to_page(comparison)
    for name, text in texts.items():
        with atomic_open(where / name) as stream:
            stream.write(text)
    return [where / name for name in texts]


def _file(svg: str) -> str:
    """A plot as a file of its own: dark on white, as it may stand on any page."""
    head, tail = svg.split(">", 1)
    return f'{head} color="#222" style="background:#fff">{tail}\n'
