"""All files of an analysis, each written whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from evals.dot_plots import stacked
from evals.study.analysis.reporting.flow_chart import flow_chart
from evals.study.analysis.reporting.latex import to_latex
from evals.study.analysis.reporting.markdown import SIMULATED, to_markdown
from evals.study.analysis.reporting.page import to_page
from evals.study.analysis.reporting.pictures import plots_of
from saywhy_core.disk.files import atomic_open, check_is_no_input

if TYPE_CHECKING:
    import os

    from evals.study.analysis.nouns import Analysis

MARK = "SIMULATED.txt"
"""Stands beside tables whose columns are fixed and can't say that no person answered."""
_PLOTTED = ("accuracy", "ratings", "times", "preferences", "trust", "differences")


def files_of(analysis: Analysis) -> dict[str, str]:
    """The content of each file by its name."""
    contents = {f"{name}.csv": one.to_csv() for name, one in analysis.tables.items()}
    contents["tidy.csv"] = analysis.tidy
    contents["analysis.R"] = analysis.script
    contents["results.json"] = json.dumps(analysis.to_record(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    contents["results.md"] = to_markdown(analysis)
    contents["results.tex"] = to_latex(analysis)
    plots = plots_of(analysis)
    for name in _PLOTTED:
        own = [(key.partition(":")[2], plot) for key, plot in plots.items() if key.partition(":")[0] == name]
        if own:
            contents[f"{name}.svg"] = stacked(f"{analysis.title}: {name}", own, "" if analysis.people else SIMULATED)
    contents["flow.svg"] = stacked(
        f"{analysis.title}: {analysis.flow.noun}", [(analysis.flow.noun, flow_chart(analysis.flow))], ""
    )
    if not analysis.people:
        contents[MARK] = SIMULATED + "\n"
    contents["report.html"] = to_page(analysis)
    return contents


def write_analysis(analysis: Analysis, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write all files into a folder, which is made where it is missing. Files of an earlier analysis are replaced.

    Returns:
        their paths; `report.html` is the last.

    Raises:
        UnusableFileError: the folder can't be written to, or a file in it is being read.
    """
    place = Path(folder)
    contents = files_of(analysis)
    optional = (MARK, *(f"{one}.svg" for one in _PLOTTED))
    for name in (*contents, *optional):
        check_is_no_input(place / name)  # before the first is written: the files of a folder belong together
    for name in optional:
        (place / name).unlink(missing_ok=True)  # of an earlier analysis, which may have had more
    paths = []
    for name, content in contents.items():
        with atomic_open(place / name) as stream:
            stream.write(content)
        paths.append(place / name)
    return tuple(paths)
