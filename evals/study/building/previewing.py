"""One page for the researcher: what participants of each cell and condition see, with the right answers marked.

It needs no server and no script: a file to open, to print, or to send to a reviewer.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.flow.way import asked_of, steps_for, trial_pages
from evals.study.folder import IMAGES
from evals.study.pages.page import stylesheet
from evals.study.steps import Step
from evals.study.tasks.task import TASKS
from saywhy_core.disk.files import atomic_open

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from evals.study.design.plans import Cell
    from evals.study.folder import Study
    from evals.study.steps import Question

NAME = "preview.html"
_MOST = 400
"""Trial pages that are shown whole. Of the cells beyond, only the first trials are: no browser likes a page of 50 MB."""
_FIRST = 5


def write_preview(study: Study, out: str | os.PathLike[str] | None = None) -> Path:
    """Write `preview.html`, and return its path.

    Args:
        study: the study.
        out: the folder to write to, or a file whose name ends in .html; the study's folder by default. Another folder gets
            copies of the pictures.

    Raises:
        UsageError: it can't be written.
    """
    path = study.folder / NAME if out is None else Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        path = path / NAME
    folder = path.parent
    if folder.resolve() != study.folder.resolve():
        _copy_pictures(study, folder)
    with atomic_open(path) as stream:
        for part in _page(study):
            stream.write(part)
    return path


def _copy_pictures(study: Study, folder: Path) -> None:
    pictures = sorted((study.folder / IMAGES).glob("*.png"))
    if pictures:
        (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.copyfile(picture, folder / IMAGES / picture.name)


def _page(study: Study) -> Iterator[str]:
    file = study.file
    css = stylesheet().decode() + (files("evals.study.building") / "preview.css").read_text(encoding="utf-8")
    yield (
        f'<!doctype html>\n<html lang="{escape(file.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>Preview: {escape(file.title)}</title><style>{css}</style></head>\n"
        f'<body class="preview"><main><header><h1>{escape(file.title)}</h1>{_summary(study)}</header>\n'
    )
    yield from _samples(study)
    yield from _ways(study)
    yield "</main></body></html>\n"


def _summary(study: Study) -> str:
    file = study.file
    analysed = [item for item in study.items.values() if not item.practice]
    trials = {len(cell.trials) for cell in study.cells}
    shown = f"{min(trials)} to {max(trials)}" if len(trials) > 1 else str(max(trials, default=0))
    rows = (
        (
            "What this is",
            "What participants see, page by page. Right answers are marked for you; participants don't see the marks.",
        ),
        ("Conditions", ", ".join(part.name for part in file.conditions)),
        ("Tasks", ", ".join(part.name for part in file.tasks)),
        ("Items", f"{len(analysed)}, and {len(study.items) - len(analysed)} for practice"),
        ("Design", f"{file.design.kind}; {len(study.cells)} cells, {shown} trials per participant"),
        ("Labels", f"{', '.join(file.labels) or 'none'} ({'masked' if file.mask_labels else 'shown'} in explanations)"),
        ("Version", study.digest),
    )
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{escape(said)}</dd>' for name, said in rows)}</dl>"


def _samples(study: Study) -> Iterator[str]:
    """One page per condition, all of the same item, so that they can be compared."""
    analysed = [item for item in study.items.values() if not item.practice] or list(study.items.values())
    if not analysed:
        return
    item = sorted(analysed, key=lambda one: len(one.input.text))[len(analysed) // 2]
    yield '<section class="part"><h2>One item under each condition</h2>'
    yield f'<p class="about">Item {escape(item.id)}: {_facts(study, item.id)}</p>\n'
    places = {part.name: number for number, part in enumerate(study.file.conditions)}
    pairs = {trial.conditions for cell in study.cells for trial in cell.trials}
    wanted = sorted(pairs, key=lambda names: (len(names), [places[name] for name in names]))
    for conditions in wanted:
        for page in trial_pages(study, item, conditions, 0):
            step = Step(number=0, phase="trial", heading=" vs ".join(conditions), **{**page, "name": f"sample{page['name']}"})
            yield _step(study, step, 0)
    yield "</section>\n"


def _facts(study: Study, item: str) -> str:
    one = study.items[item]
    true = "" if one.true is None else f", right is “{escape(one.true)}”"
    rest = [
        f"{escape(name)} {escape(value)}" for name, value in one.facts.items() if name not in ("label", "model_right") and value
    ]
    return f"the model chose “{escape(one.predicted)}”{true}{'; ' if rest else ''}{', '.join(rest)}"


def _ways(study: Study) -> Iterator[str]:
    yield '<section class="part"><h2>A participant of each cell</h2>\n'
    shown = 0
    for number, cell in enumerate(study.cells):
        whole = shown + len(cell.trials) <= _MOST
        shown += len(cell.trials)
        yield from _way(study, cell, number, whole=whole)
    yield "</section>\n"


def _way(study: Study, cell: Cell, seed: int, *, whole: bool) -> Iterator[str]:
    steps = steps_for(study, cell, seed)
    kept = [step for step in steps if whole or (step.trial or 0) <= _FIRST]
    left = len(steps) - len(kept)
    opened = " open" if seed == 0 else ""
    yield f"<details{opened}><summary>Cell {escape(cell.name)}: {len(steps)} pages</summary>\n"
    for step in kept:
        yield _step(study, step, seed)
    if left:
        yield f'<p class="about">{left} more trials, like those of the cells before.</p>\n'
    yield "</details>\n"


def _step(study: Study, step: Step, seed: int) -> str:
    about = step.phase if not step.item else f"{step.phase}, item {step.item}, {' vs '.join(step.conditions)}"
    told = f"; {_facts(study, step.item)}" if step.item else ""
    questions = "".join(_question(study, step, question, seed) for question in step.questions)
    return (
        f'<article class="page"><p class="about">{escape(about)}{told}</p><div class="card"><h3>{escape(step.heading)}</h3>'
        f'<div class="shown {escape(step.phase)}">{step.html}</div>{questions}</div></article>\n'
    )


def _question(study: Study, step: Step, question: Question, seed: int) -> str:
    optional = "" if question.required else ' <span class="optional">(optional)</span>'
    if question.kind == "agree":
        return f'<div class="question agree">{_option("", question.prompt)}</div>'
    head = f'<fieldset class="question {escape(question.kind)}"><legend dir="auto">{escape(question.prompt)}{optional}</legend>'
    right = _right(study, step, question, seed)
    if question.kind == "rating":
        low, high = question.ends
        points = "".join(f'<span class="point"><span>{number}</span></span>' for number in range(1, question.points + 1))
        ends = f'<p class="ends"><span>{escape(low)}</span><span>{escape(high)}</span></p>' if low or high else ""
        return f'{head}<div class="points points-{question.points}">{points}</div>{ends}</fieldset>'
    if question.options:
        options = "".join(_option("right" if value in right else "", shown) for value, shown in question.options)
        return f'{head}<div class="options">{options}</div></fieldset>'
    return f'{head}<p class="blank">{"a number" if question.kind == "number" else "a text"}</p></fieldset>'


def _option(kind: str, shown: str) -> str:
    mark = ' <strong class="mark">right answer</strong>' if kind else ""
    return f'<span class="option {kind}"><span dir="auto">{escape(shown)}{mark}</span></span>'


def _right(study: Study, step: Step, question: Question, seed: int) -> set[str]:
    """The values of the right options."""
    if question.name in step.answers:
        return {str(step.answers[question.name])}
    if question.name not in step.tasks or not question.options:
        return set()
    task, kind = step.tasks[question.name]
    part = next(one for one in study.file.tasks if one.name == task)
    asked = asked_of(study, study.items[step.item], step.conditions, seed)
    judge = TASKS.get(kind).judge
    if question.kind == "parts":
        expected = judge(part, asked, question.name, [question.options[0][0]]).expected or ""
        return {
            value for value, shown in question.options if re.search(rf'"{re.escape(shown)}"|"{re.escape(value)}"', expected)
        }
    return {value for value, _ in question.options if judge(part, asked, question.name, value).correct}
