"""Label Studio: for each cell of the design a project, which is a labelling interface (XML) and its tasks (JSON).

Each page is a task, and each question a control. Choices, and what is asked, come from the task's data, so that a page without
a question shows nothing of it. Ratings are choices from 1 on. Pictures are in the tasks themselves, as data addresses.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from evals.study.exports.exporting import Export, Exported, Notes, images_of, lay_out, losses
from evals.study.exports.plain import with_styles
from evals.study.flow.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.folder import Study
    from evals.study.steps import Question, Step

PLATFORM = "Label Studio"
_CHOICES = ("choice", "rating", "parts", "agree")
_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="images/([^"]*)"[^>]*>')
_ATTRIBUTE = re.compile(r'\b(width|height|alt)="([^"]*)"')
_SIDE = 320  # pixels: of pictures whose size the page does not say
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


def control_name(question: str) -> str:
    """What a question's control is called: letters, digits, and `_`."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"_{ord(found[0]):02x}_", question)


def _make(study: Study) -> Exported:
    laid, notes = lay_out(study, most=1), Notes()
    pictures = {name: _address(name, content) for name, content in images_of(study).items()}
    files: dict[str, bytes] = {}
    for way, steps in laid.ways:
        questions = _questions(steps)
        always = {name for name in questions if all(name in map(_name, step.questions) for step in steps)}
        tasks = [{"data": _data(step, str(key_of(study, way, step)), questions, pictures)} for step in steps]
        files[f"cell-{way.cell}/interface.xml"] = _interface(questions, always).encode()
        files[f"cell-{way.cell}/tasks.json"] = json.dumps(tasks, ensure_ascii=False, indent=1).encode()
        notes.add(*losses(steps, platform=PLATFORM))
        if set(questions) - always:
            notes.add(f"{PLATFORM} can't require an answer to questions that only some pages ask")
        if any(one.kind in ("text", "number") for name, one in questions.items() if name not in always):
            notes.add(f"{PLATFORM} shows the boxes of texts and numbers with every page; those of other pages stay empty")
    cells = len(laid.ways)
    notes.add(
        f"make {cells} projects, one of each cell-N/: interface.xml is the labelling interface, tasks.json is to be imported; "
        "set the sampling to sequential, and the overlap of the tasks to the number of participants",
        f"{PLATFORM} assigns nobody to a cell: give each participant an account, and one project, equally many to each",
        "after the study, export each project as JSON, and give these files to saywhy study analyze",
        f"each project has one order of trials; {PLATFORM} can't show each participant another one",
    )
    return Exported(files, tuple(notes))


def _name(question: Question) -> str:
    return control_name(question.name)


def _questions(steps: Sequence[Step]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for step in steps:
        for question in step.questions:
            found.setdefault(_name(question), question)
    return found


def _interface(questions: Mapping[str, Question], always: set[str]) -> str:
    """The labelling interface: each text in it is one of the task's data, so that nothing of a study has to be escaped."""
    lines = ["<View>", '  <HyperText name="page" value="$html" inline="true" granularity="word"/>']
    for name, question in questions.items():
        required = ' required="true"' if name in always and question.required else ""
        shown = f'name={quoteattr(name)} toName="page"'
        lines.append(f'  <Header value="$ask_{name}" size="5"/>')
        if question.kind in _CHOICES:
            choice = "multiple" if question.kind == "parts" else "single"
            inline = ' showInline="true"' if question.kind == "rating" else ""
            lines.append(f'  <Choices {shown} value="$options_{name}" choice="{choice}"{inline}{required}/>')
        elif question.kind == "number":
            lines.append(f"  <Number {shown}{required}/>")
        else:
            lines.append(f'  <TextArea {shown} rows="4" maxSubmissions="1" editable="true"{required}/>')
    return "\n".join([*lines, "</View>", ""])


def _data(step: Step, page: str, questions: Mapping[str, Question], pictures: Mapping[str, str]) -> dict[str, Any]:
    asked = {_name(question): question for question in step.questions}
    html = _IMAGE.sub(lambda found: _picture(found[0], pictures.get(found[1], "")), with_styles(step.html))
    data: dict[str, Any] = {"page": page, "html": html or "<p> </p>"}
    for name, question in questions.items():
        here = asked.get(name)
        data[f"ask_{name}"] = "" if here is None else _prompt(here)
        if question.kind in _CHOICES:
            data[f"options_{name}"] = [] if here is None else [{"value": one} for one in _options(here)]
    return data


def _prompt(question: Question) -> str:
    low, high = question.ends
    return (
        f"{question.prompt} (1 = {low}, {question.points} = {high})" if question.kind == "rating" and low else question.prompt
    )


def _options(question: Question) -> list[str]:
    if question.kind == "rating":
        return [str(point) for point in range(1, question.points + 1)]
    return ["Yes"] if question.kind == "agree" else [label for _, label in question.options]


def _picture(element: str, address: str) -> str:
    """A picture as a background: Label Studio takes data addresses out of `<img>`."""
    told = dict(_ATTRIBUTE.findall(element))
    width, height = (int(told.get(side, _SIDE)) for side in ("width", "height"))
    style = (
        f"display:inline-block;width:{width}px;max-width:100%;aspect-ratio:{width}/{height};"
        f"background:url('{address}') center/contain no-repeat;image-rendering:pixelated"
    )
    return f'<span role="img" aria-label="{told.get("alt", "")}" title="{told.get("alt", "")}" style="{style}"></span>'


def _address(name: str, content: bytes) -> str:
    kind = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


LABEL_STUDIO = Export("a project for Label Studio per cell of the design: interface.xml and tasks.json", _make)
