"""Sheets: every page of every cell as a table, for spreadsheets and for programs of one's own."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from evals.study.exports.exporting import Export, Exported, images_of, lay_out
from evals.study.flow.keys import key_of

if TYPE_CHECKING:
    from evals.study.folder import Study
    from evals.study.steps import Question

PAGES = ("page", "phase", "trial", "heading", "text", "html", "question", "kind", "prompt", "options", "required")
KEY = ("page", "cell", "item", "conditions", "question", "task", "task_kind")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _make(study: Study) -> Exported:
    laid = lay_out(study, most=1)
    files: dict[str, bytes] = {}
    keys: list[list[str]] = []
    for way, steps in laid.ways:
        rows: list[list[str]] = []
        for step in steps:
            page = str(key_of(study, way, step))
            shown = [page, step.phase, str(step.trial or ""), step.heading, step.text, step.html]
            for question in step.questions:
                rows.append([*shown, *_asked(question)])
                task, kind = step.tasks.get(question.name, ("", ""))
                keys.append(
                    [page, study.cells[way.cell - 1].name, step.item, " vs ".join(step.conditions), question.name, task, kind]
                )
            if not step.questions:
                rows.append([*shown, *[""] * 5])
        files[f"cell-{way.cell}.csv"] = _table(PAGES, rows)
    files["key.csv"] = _table(KEY, keys)
    files |= {f"images/{name}": content for name, content in images_of(study).items()}
    return Exported(
        files,
        (
            "key.csv says which item and condition each page is: keep it from participants",
            "each cell is one table in one order of trials; whoever shows them counts who is in which cell",
        ),
    )


def _asked(question: Question) -> list[str]:
    options = json.dumps([list(pair) for pair in question.options], ensure_ascii=False) if question.options else ""
    if question.kind == "rating":
        options = json.dumps({"points": question.points, "ends": list(question.ends)}, ensure_ascii=False)
    return [question.name, question.kind, question.prompt, options, "yes" if question.required else "no"]


def _table(header: tuple[str, ...], rows: list[list[str]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[_safe(one) for one in row] for row in rows])
    return stream.getvalue().encode()


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: texts come from anybody."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


CSV = Export("tables of all pages, one for each cell of the design", _make)
