"""Qualtrics: a text file in its Advanced Format, with a block for each cell of the design.

The format is that of Qualtrics' support page "Import & Export Surveys" (Preparing an Advanced Format TXT File):
`[[AdvancedFormat]]` first, `[[Block:NAME]]`, `[[Question:MC:SingleAnswer:Vertical]]`, `[[Question:MC:MultipleAnswer]]`,
`[[Question:TE:SingleLine]]`, `[[Question:TE:Essay]]`, `[[Question:DB]]`, `[[ID:TAG]]`, `[[Choices]]`, `[[PageBreak]]`. It has
no way to say that a question is required, to branch, or to assign blocks: the notes say so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from evals.study.exports.exporting import Export, Exported, Notes, images_of, lay_out, losses
from evals.study.exports.plain import pictures_in, with_styles
from evals.study.flow.keys import key_of

if TYPE_CHECKING:
    from evals.study.folder import Study
    from evals.study.steps import Question, Step

_BRACKETS = re.compile(r"\[\[|\]\]")
_PIPED = re.compile(r"\$(?=\{)")
_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="images/([^"]*)"[^>]*>')


def _make(study: Study) -> Exported:
    laid, notes = lay_out(study, most=1), Notes()
    lines = ["[[AdvancedFormat]]", ""]
    for way, steps in laid.ways:
        lines += [f"[[Block:Cell {way.cell}]]", ""]
        notes.add(*losses(steps, platform="Qualtrics"))
        for step in steps:
            lines += _page(step, str(key_of(study, way, step)))
    pictures = sorted({name for _, step in laid.pages for name in pictures_in(step.html)})
    cells = len(laid.ways)
    if cells > 1:
        notes.add(
            f"in the survey flow, put the {cells} blocks under a randomizer that presents 1 of them, evenly: a text file can't "
            "say so",
        )
    notes.add(
        "make all questions but the optional ones required: a text file can't say so",
        "each block has one order of trials; Qualtrics can't keep a page's text and questions together in a random order",
        "after the survey, export the answers as CSV with choice text, and give that file to saywhy study analyze",
    )
    if study.file.completion.code or study.file.completion.url:
        notes.add("set the completion code or the address at the survey's end in the survey options")
    files = {"study.txt": ("\n".join(lines) + "\n").encode()}
    if pictures:
        files |= {f"images/{name}": content for name, content in images_of(study).items()}
        notes.add(
            f"upload the pictures of images/ ({len(pictures)}) to the library, and put each where its name stands in the "
            "texts: a text file can't hold pictures"
        )
    return Exported(files, tuple(notes))


def _page(step: Step, page: str) -> list[str]:
    lines: list[str] = []
    above = "\n".join(
        part for part in (f"<strong>{escaped(step.heading)}</strong>" if step.heading else "", shown(step)) if part
    )
    if above:
        lines += ["[[Question:DB]]", f"[[ID:{page}]]", one_line(above), ""]
    for number, question in enumerate(step.questions, 1):
        lines += [*_question(question, f"{page}q{number}"), ""]
    return [*lines, "[[PageBreak]]", ""]


def _question(question: Question, tag: str) -> list[str]:
    prompt = one_line(escaped(question.prompt))
    match question.kind:
        case "choice" | "parts":
            form = "SingleAnswer:Vertical" if question.kind == "choice" else "MultipleAnswer:Vertical"
            options = [one_line(escaped(label)) for _, label in question.options]
        case "rating":
            form = "SingleAnswer:Horizontal"
            low, high = (one_line(escaped(end)) for end in question.ends)
            options = [str(point) for point in range(1, question.points + 1)]
            prompt += f" (1 = {low}, {question.points} = {high})" if low and high else ""
        case "agree":
            form, options = "SingleAnswer:Vertical", ["Yes"]
        case "number":
            return ["[[Question:TE:SingleLine]]", f"[[ID:{tag}]]", prompt]
        case "text":
            return ["[[Question:TE:Essay]]", f"[[ID:{tag}]]", prompt]
    return [f"[[Question:MC:{form}]]", f"[[ID:{tag}]]", prompt, "[[Choices]]", *options]


def shown(step: Step) -> str:
    """A page's HTML as Qualtrics keeps it: colours as style attributes, and the names of pictures in their places."""
    return neutral(with_styles(_IMAGE.sub(r"(picture: \1)", step.html)))


def escaped(text: str) -> str:
    """A text that Qualtrics shows as it is: no HTML, no marks of the format, no piped text."""
    return neutral(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"))


def neutral(html: str) -> str:
    """HTML whose texts can't be marks of the format or piped text."""
    return _PIPED.sub("&#36;", _BRACKETS.sub(lambda found: "".join(f"&#{ord(one)};" for one in found[0]), html))


def one_line(html: str) -> str:
    """On one line: a blank line ends a question, and each line after the choices is a choice."""
    return "<br>".join(line.strip() for line in html.splitlines() if line.strip())


QUALTRICS = Export("a text file for Qualtrics' import, with a block for each cell of the design", _make)
