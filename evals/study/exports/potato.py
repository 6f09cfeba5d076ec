"""potato (PyPI `potato-annotation`, Pei et al. 2022): a project folder that `potato start` opens.

Each way through the study is a group of potato's batch assignment, which gives every new participant the group with the fewest.
potato shows the same questions with every instance. Where pages of a study ask different ones, a rule of the style sheet hides
those that a page does not ask.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from evals.study.exports.exporting import Export, Exported, Notes, images_of, lay_out, losses
from evals.study.exports.plain import stylesheet, with_images_at
from evals.study.flow.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evals.study.folder import Study
    from evals.study.steps import Question, Step

PLATFORM = "potato"
INSTANCES = ("practice", "trial", "attention")
"""The parts of a study whose pages are instances of potato; the others are pages of its phases."""
_SHADE = re.compile(r'(class="h)\+(\d+")')  # potato drops classes with a plus sign: h+3 becomes hp3
_INSTEAD = {"section": "div", "bdi": "span"}
_SHEET = """
#instance-text div { white-space: normal; }
.asked { font-weight: 600; }
#prev-btn { display: none; }
"""


@dataclass
class _Scheme:
    """A question of all pages that ask it."""

    first: Question
    prompts: set[str] = field(default_factory=set)
    sets: set[tuple[str, ...]] = field(default_factory=set)
    orders: set[tuple[str, ...]] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)  # value -> shown
    places: dict[str, int] = field(default_factory=dict)  # of labels of different pages: how far down they stand
    mixed: bool = False  # one value with two shown texts: then the shown text is the value
    pages: int = 0


def scheme_name(question: str) -> str:
    """What a question is called in potato, whose names are made of letters, digits, and `_`."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"_{ord(found[0]):02x}_", question)


def label_name(shown: str) -> str:
    """What an option is called in potato where each page has options of its own: potato's names are those of HTML elements."""
    return f"o{hashlib.sha256(shown.encode()).hexdigest()[:12]}"


def _make(study: Study) -> Exported:
    laid, notes = lay_out(study), Notes()
    instances = [(way, step) for way, step in laid.pages if step.phase in INSTANCES]
    schemes = _gathered(step for _, step in instances)
    files: dict[str, bytes] = {}
    groups: list[dict[str, Any]] = []
    for way, steps in laid.ways:
        name = f"c{way.cell}w{way.seed}"
        lines = [
            _instance(step, str(key_of(study, way, step)), schemes, len(instances)) for step in steps if step.phase in INSTANCES
        ]
        files[f"data/{name}.jsonl"] = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        groups.append({"name": name, "data_file": f"data/{name}.jsonl"})
        notes.add(*losses(steps, platform=PLATFORM))
        if any(step.phase == "break" for step in steps):
            notes.add(f"{PLATFORM} has no pages for breaks between instances: they are left out")
    phases = _phases(laid.ways[0][1], files)
    css = [
        stylesheet().replace(".h\\+", ".hp"),
        _SHEET,
        *(_hiding(name) for name, one in schemes.items() if one.pages < len(instances)),
    ]
    files["study.css"] = "\n".join(css).encode()
    files |= {f"media/{name}": content for name, content in images_of(study).items()}
    config: dict[str, Any] = {
        "annotation_task_name": study.file.title,
        "task_dir": ".",
        "output_annotation_dir": "annotation_output",
        "output_annotation_format": "json",
        "data_files": [],
        "item_properties": {"id_key": "id", "text_key": "text"},
        "media_directory": "media",
        "assignment_strategy": "batch",
        "batch_assignment": {"auto_assign_annotators": True, "groups": groups},
        "max_annotations_per_user": max(sum(step.phase in INSTANCES for step in steps) for _, steps in laid.ways),
        "annotation_schemes": [_scheme(name, one, len(instances)) for name, one in schemes.items()],
        "phases": phases,
        "user_config": {"allow_all_users": True, "users": []},
        "login": {"type": "url_direct", "url_argument": "PROLIFIC_PID"},
        "require_password": False,
        "jumping_to_id_disabled": True,
        "hide_navbar": True,
        "base_css": "study.css",
        "ui_language": {f"{one}_to_annotate": " " for one in ("text", "image", "audio", "video")},
        "site_dir": "default",
        "alert_time_each_instance": 10_000_000,
    }
    if study.file.completion.code:
        config["completion_code"] = study.file.completion.code
    files["config.yaml"] = _yaml(config)
    notes.add(*_said(schemes, len(instances), shared=laid.shared, ways=len(laid.ways)))
    return Exported(files, tuple(notes))


def _said(schemes: dict[str, _Scheme], instances: int, *, shared: bool, ways: int) -> Iterable[str]:
    yield (
        f"start it by: potato start config.yaml -p 8000; participants open /?PROLIFIC_PID=CODE, and potato gives each the way "
        f"of {ways} that fewest have begun: it balances by who began, not by who completed"
    )
    yield f"the button for going back is hidden, but who knows {PLATFORM}'s keys can still go back and change an answer"
    yield f"{PLATFORM} keeps network addresses and browsers' names with the answers; saywhy reads neither"
    if shared:
        yield "participants who share a way see the same order of trials"
    if any(one.pages < instances for one in schemes.values()):
        yield (f"{PLATFORM} can't require an answer to questions that only some pages ask")
    if any(len(one.orders) > len(one.sets) for one in schemes.values()):
        yield f"{PLATFORM} shows the options of a question in one order for everybody"
    if any(len(one.labels) > 50 for one in schemes.values()):
        yield "a question has different options on every page; potato carries all of them on each page, which makes pages large"


def _gathered(steps: Iterable[Step]) -> dict[str, _Scheme]:
    schemes: dict[str, _Scheme] = {}
    for step in steps:
        for question in step.questions:
            one = schemes.setdefault(scheme_name(question.name), _Scheme(question))
            one.pages += 1
            one.prompts.add(question.prompt)
            for value, label in question.options:
                one.mixed |= one.labels.setdefault(value, label) != label
            order = tuple(value for value, _ in question.options)
            one.orders.add(order)
            one.sets.add(tuple(sorted(order)))
    for one in schemes.values():
        if one.mixed or len(one.sets) > 1:
            one.mixed, one.labels = True, {}
    return schemes


def _instance(step: Step, page: str, schemes: dict[str, _Scheme], instances: int) -> dict[str, Any]:
    asked = {scheme_name(question.name): question for question in step.questions}
    hidden = [f"no-{name}" for name, one in schemes.items() if one.pages < instances and name not in asked]
    prompts = [question.prompt for name, question in asked.items() if len(schemes[name].prompts) > 1]
    html = _kept(step.html) or f"<p>{escape(step.heading)}</p>"
    html += "".join(f'<p class="asked">{escape(one)}</p>' for one in prompts)
    line: dict[str, Any] = {"id": page, "text": f'<div class="{" ".join(["page", *hidden])}">{html}</div>'}
    for name, question in asked.items():
        if schemes[name].mixed:
            line[f"options_{name}"] = [label_name(label) for _, label in question.options]
            for place, (_, label) in enumerate(question.options):
                schemes[name].labels[label_name(label)] = label
                schemes[name].places[label_name(label)] = max(place, schemes[name].places.get(label_name(label), 0))
    return line


def _scheme(name: str, one: _Scheme, instances: int) -> dict[str, Any]:
    said = one.first.prompt if len(one.prompts) == 1 else "Your answer"
    labels = sorted(one.labels.items(), key=lambda label: one.places.get(label[0], 0))  # else in the order of the first page
    found = scheme_of(name, one.first, said, labels)
    if one.mixed:
        found |= {"dynamic_options": True, "dynamic_options_field": f"options_{name}"}
    if one.first.required and one.pages == instances:
        found["label_requirement"] = {"required": True}
    return found


def scheme_of(name: str, question: Question, said: str, labels: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A question as one of potato's annotation schemes."""
    found: dict[str, Any] = {"name": name, "description": said}
    options = [{"name": value, "displayed_label": shown} for value, shown in labels]
    match question.kind:
        case "choice":
            return found | {"annotation_type": "radio", "labels": options}
        case "parts":
            return found | {"annotation_type": "multiselect", "labels": options}
        case "agree":
            return found | {"annotation_type": "radio", "labels": [{"name": "yes", "displayed_label": said}]}
        case "rating":
            low, high = (end or " " for end in question.ends)
            size = {"size": question.points, "min_label": low, "max_label": high, "displaying_score": True}
            return found | {"annotation_type": "likert"} | size
        case "number":
            return found | {"annotation_type": "number"}
        case "text":
            return found | {"annotation_type": "text", "multiline": True}


def _phases(steps: Sequence[Step], files: dict[str, bytes]) -> dict[str, Any]:
    """The pages before and after the instances, each a phase; their questions are the same on every way."""
    kinds = {"consent": "consent", "instructions": "instructions", "comprehension": "prestudy"}
    kinds |= {"demographics": "poststudy", "debriefing": "poststudy"}
    phases: dict[str, Any] = {"order": []}
    for step in steps:
        if step.phase not in kinds:
            if "annotation" not in phases["order"]:
                phases["order"].append("annotation")
                phases["annotation"] = {"type": "annotation"}
            continue
        name = f"page_{step.number + 1}"
        schemes: list[dict[str, Any]] = []
        if step.html:
            shown = {"annotation_type": "pure_display", "name": f"{name}_text", "allow_html": True}
            schemes.append(shown | {"description": escape(step.heading), "labels": [_kept(step.html)]})
        for question in step.questions:
            one = scheme_of(scheme_name(question.name), question, question.prompt, question.options)
            schemes.append(one | ({"label_requirement": {"required": True}} if question.required else {}))
        files[f"phases/{name}.json"] = json.dumps(schemes, ensure_ascii=False, indent=1).encode()
        phases["order"].append(name)
        phases[name] = {"type": kinds[step.phase], "file": f"phases/{name}.json"}
    return phases


def _kept(html: str) -> str:
    """The fragment in elements that potato's sanitizer keeps, with its pictures where potato serves them."""
    kept = re.sub(r"(</?)(section|bdi)\b", lambda found: found[1] + _INSTEAD[found[2]], html)
    return with_images_at(_SHADE.sub(r"\1p\2", kept), "/media/")


def _hiding(name: str) -> str:
    return f'body:has(.no-{name}) form[data-schema-name="{name}"] {{ display: none; }}'


def _yaml(config: dict[str, Any]) -> bytes:
    import yaml

    return str(yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)).encode()


POTATO = Export("a project folder for the annotation server potato", _make)
