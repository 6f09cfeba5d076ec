"""What does not go together in a study's file: references to nothing, names that stand twice, tasks that nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from string import Formatter
from typing import TYPE_CHECKING

from evals.study.tasks.task import TASKS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from evals.study.design.file import QuestionPart, StudyFile, TaskPart
    from evals.study.design.yaml_lines import Place

UNNAMED = "name-that-can-not-be-used"
"""What stands in for a name that is missing or wrong, while the rest of a file is looked at; it is never offered."""


@dataclass(frozen=True)
class Finding:
    """Something wrong in a study's file.

    Attributes:
        place: keys and numbers of list entries that lead there.
        what: what is wrong and what to do, in a sentence.
    """

    place: Place
    what: str


def findings(study: StudyFile) -> Iterator[Finding]:
    """All that does not go together in a study's file. Kinds of conditions are not looked at: see `evals.study.checking`."""
    yield from _names(study)
    yield from _conditions(study)
    yield from _design(study)
    for number, part in enumerate(study.tasks):
        yield from _task(study, ("tasks", number), part)
    yield from _asked(study)
    yield from _questions(study)
    yield from _attention(study)
    yield from _times(study)
    yield from _analysis(study)
    yield from _completion(study)


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not: "did you mean 'x'?", or the names that there are."""
    names = [name for name in dict.fromkeys(known) if name != UNNAMED]
    close = get_close_matches(given, names, 1, 0.6) or get_close_matches(given.lower(), names, 1, 0.6)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(names)}" if names else "leave it out"


def trials_per_participant(study: StudyFile) -> int:
    """How many trials one participant has, comparisons among them."""
    single, compared = asks_single(study), asks_compared(study)
    factor = len(study.conditions) if study.design.kind == "within" else 1
    pairs = min(study.design.comparisons or study.design.items, study.design.items) if compared else 0
    return (study.design.items * factor if single else 0) + pairs


def asks_single(study: StudyFile) -> bool:
    """Whether a task asks about one condition of an item at a time."""
    return any(part.kind in TASKS and not TASKS.get(part.kind).compared for part in study.tasks)


def asks_compared(study: StudyFile) -> bool:
    """Whether a task compares two conditions of an item."""
    return any(part.kind in TASKS and TASKS.get(part.kind).compared for part in study.tasks)


def compared_conditions(study: StudyFile) -> frozenset[str]:
    """The conditions that tasks compare with each other."""
    every = frozenset(one.name for one in study.conditions)
    parts = (part for part in study.tasks if part.kind in TASKS and TASKS.get(part.kind).compared)
    return frozenset().union(*(every if part.conditions is None else part.conditions for part in parts))


def _names(study: StudyFile) -> Iterator[Finding]:
    yield from _twice("condition", [(("conditions", n, "name"), one.name) for n, one in enumerate(study.conditions)])
    comprehension = study.comprehension.questions if study.comprehension else []
    everything: list[tuple[Place, str]] = [(("tasks", n, "name"), one.name) for n, one in enumerate(study.tasks)]
    everything += [(("comprehension", "questions", n, "name"), one.name) for n, one in enumerate(comprehension)]
    everything += [(("attention", n, "name"), one.name) for n, one in enumerate(study.attention)]
    everything += [(("demographics", n, "name"), one.name) for n, one in enumerate(study.demographics)]
    yield from _twice("task, question or check", everything)
    for place, name in everything:
        if name == "agree":
            yield Finding(place, "the name 'agree' belongs to the box of the consent page; choose another name")


def _twice(what: str, named: Sequence[tuple[Place, str]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, name in named:
        if name.casefold() in seen:
            yield Finding(place, f"there is a {what} named {name!r} already; give each a name of its own")
        seen.add(name.casefold())


def _conditions(study: StudyFile) -> Iterator[Finding]:
    for number, label in enumerate(study.labels):
        if label in study.labels[:number]:
            yield Finding(("labels", number), f"the label {label!r:.60} stands there twice; give each label once")
    if len(study.labels) == 1:
        yield Finding(("labels",), "one label leaves nothing to choose; give all labels that participants choose from")


def _design(study: StudyFile) -> Iterator[Finding]:
    design, names = study.design, [one.name for one in study.conditions]
    if design.kind == "blocks":
        if design.block_size is None:
            yield Finding(("design",), "the design blocks needs block_size: how many conditions one participant has")
        elif design.block_size > len(names):
            what = f"block_size is {design.block_size}, and there are {len(names)} conditions; lower it"
            yield Finding(("design", "block_size"), what)
        elif design.block_size == len(names):
            what = "block_size is the number of all conditions, so that there are no blocks; lower it, or take the design latin"
            yield Finding(("design", "block_size"), what)
    elif design.block_size is not None:
        what = f"block_size has no effect in the design {design.kind}; leave it out, or take the design blocks"
        yield Finding(("design", "block_size"), what)
    if design.kind == "mixed":
        yield from _groups(design.groups, names)
    elif design.groups is not None:
        what = f"groups have no effect in the design {design.kind}; leave them out, or take the design mixed"
        yield Finding(("design", "groups"), what)
    if design.comparisons is not None:
        if not asks_compared(study):
            what = "comparisons have no effect, since no task compares two conditions; leave it out, or add such a task"
            yield Finding(("design", "comparisons"), what)
        elif design.comparisons > design.items:
            what = f"there are {design.items} items, and each is compared at most once; lower comparisons to that"
            yield Finding(("design", "comparisons"), what)
    if asks_compared(study):
        sets = _seen_together(study)
        if not any(len(compared_conditions(study) & group) > 1 for group in sets):
            what = (
                f"a task compares two conditions, and in the design {design.kind} no participant sees two of them; "
                "take the design latin or within"
            )
            yield Finding(("design",), what)


def _seen_together(study: StudyFile) -> list[frozenset[str]]:
    names = [one.name for one in study.conditions]
    match study.design.kind:
        case "between":
            return [frozenset([name]) for name in names]
        case "mixed":
            return [frozenset(group) for group in study.design.groups or [names]]
        case "blocks":
            return [frozenset(one) for one in combinations(names, min(study.design.block_size or 2, len(names)))]
    return [frozenset(names)]


def _groups(groups: list[list[str]] | None, names: Sequence[str]) -> Iterator[Finding]:
    if groups is None:
        yield Finding(("design",), "the design mixed needs groups: lists of conditions, of which each participant has one list")
        return
    if len(groups) < 2:
        yield Finding(
            ("design", "groups"), "one group has nobody to be compared with; give two or more, or take the design latin"
        )
    seen: set[str] = set()
    for n, group in enumerate(groups):
        if not group:
            yield Finding(("design", "groups", n), "a group must hold at least one condition")
        for m, name in enumerate(group):
            if name not in names:
                yield Finding(("design", "groups", n, m), f"there is no condition {name!r}; {did_you_mean(name, names)}")
            elif name in seen:
                yield Finding(
                    ("design", "groups", n, m),
                    f"the condition {name!r} stands in two places of the groups; it can stand in one",
                )
            seen.add(name)
    missing = [name for name in names if name not in seen]
    if missing:
        yield Finding(("design", "groups"), f"no group holds {', '.join(missing)}; each condition must stand in one")


def _task(study: StudyFile, place: Place, part: TaskPart) -> Iterator[Finding]:
    names = [one.name for one in study.conditions]
    for number, name in enumerate(part.conditions or ()):
        if name not in names:
            yield Finding((*place, "conditions", number), f"there is no condition {name!r}; {did_you_mean(name, names)}")
        elif name in (part.conditions or ())[:number]:
            yield Finding((*place, "conditions", number), f"the condition {name!r} stands there twice; name it once")
    if part.conditions is not None and not part.conditions:
        yield Finding((*place, "conditions"), "an empty list of conditions asks nobody; name some, or leave it out for all")
    if part.kind not in TASKS:
        yield Finding((*place, "kind"), f"there is no kind of task {part.kind!r:.60}; {did_you_mean(part.kind, TASKS)}")
        return
    task = TASKS.get(part.kind)
    if task.compared and part.conditions is not None and len(set(part.conditions)) == 1:
        yield Finding(
            (*place, "conditions"), f"a task of the kind {part.kind} compares two conditions; name two or more, or none for all"
        )
    fine = True
    for key, value in part.options.items():
        if key not in task.options:
            what = f"tasks of the kind {part.kind} have no option {key!r:.60}; {did_you_mean(key, task.options)}"
            yield Finding((*place, "options", key), what)
        elif (problem := task.options[key].problem(value)) is not None:
            yield Finding((*place, "options", key), f"the option {key} of the task {part.name} {problem}")
            fine = False
    if fine:
        with TASKS.blame(part.kind):
            for what in task.check(part, ()):
                yield Finding(place, what)


def _asked(study: StudyFile) -> Iterator[Finding]:
    """Conditions that nobody is asked anything about."""
    if not asks_single(study):
        return
    for number, condition in enumerate(study.conditions):
        asked = [
            part.name
            for part in study.tasks
            if part.kind not in TASKS
            or (not TASKS.get(part.kind).compared and (part.conditions is None or condition.name in part.conditions))
        ]
        if not asked:
            yield Finding(
                ("conditions", number), f"no task is asked under the condition {condition.name!r}; add one, or leave it out"
            )


def _questions(study: StudyFile) -> Iterator[Finding]:
    if study.comprehension is not None:
        for number, one in enumerate(study.comprehension.questions):
            place: Place = ("comprehension", "questions", number)
            if one.kind != "choice":
                what = f"a comprehension question is a choice, not a {one.kind}, so that there is one right answer"
                yield Finding((*place, "kind"), what)
                continue
            yield from _options(place, one)
            if one.answer is None:
                yield Finding(place, f"the comprehension question {one.name!r} needs an answer: the right one of its options")
            elif one.options and one.answer not in one.options:
                what = f"the answer {one.answer!r:.60} is none of the options; {did_you_mean(one.answer, one.options)}"
                yield Finding((*place, "answer"), what)
            if not one.required:
                yield Finding((*place, "required"), "a comprehension question must be answered; leave out required")
    for number, one in enumerate(study.demographics):
        yield from _options(("demographics", number), one)
        if one.answer is not None:
            yield Finding(
                ("demographics", number, "answer"), "a question about the participant has no right answer; leave it out"
            )


def _options(place: Place, one: QuestionPart) -> Iterator[Finding]:
    if one.kind == "choice":
        if one.options is None or len(one.options) < 2:
            yield Finding(place, f"the question {one.name!r} is a choice, and needs two or more options")
        else:
            yield from _options_twice((*place, "options"), one.options)
    elif one.options is not None:
        yield Finding((*place, "options"), f"options have no effect in a question of the kind {one.kind}; leave them out")


def _options_twice(place: Place, options: Sequence[str]) -> Iterator[Finding]:
    for number, one in enumerate(options):
        if one in options[:number]:
            yield Finding((*place, number), f"the option {one!r:.60} stands there twice; give each once")


def _attention(study: StudyFile) -> Iterator[Finding]:
    last = trials_per_participant(study)
    for number, one in enumerate(study.attention):
        place: Place = ("attention", number)
        if one.after > last:
            yield Finding(
                (*place, "after"), f"each participant has {last} trials, so that no check comes after {one.after}; lower it"
            )
        yield from _options_twice((*place, "options"), one.options)
        if one.answer not in one.options:
            what = f"the answer {one.answer!r:.60} is none of the options; {did_you_mean(one.answer, one.options)}"
            yield Finding((*place, "answer"), what)
    wrong = study.exclusions.failed_attention
    if study.attention and wrong is not None and wrong > len(study.attention):
        what = f"there are {len(study.attention)} attention checks, so that nobody fails {wrong}; lower it"
        yield Finding(("exclusions", "failed_attention"), what)


def _times(study: StudyFile) -> Iterator[Finding]:
    low, high = study.exclusions.trial_seconds_below, study.exclusions.trial_seconds_above
    if low is not None and high is not None and low >= high:
        what = f"answers below {low:g} and above {high:g} seconds are left out, so that none stays; lower it"
        yield Finding(("exclusions", "trial_seconds_below"), what)
    server = study.server
    if server.return_within_minutes < server.leave_after_minutes:
        what = (
            f"a place is kept for {server.leave_after_minutes:g} minutes (leave_after_minutes), and whoever has it can come "
            f"back as long, so that {server.return_within_minutes:g} has no effect; raise it, or lower leave_after_minutes"
        )
        yield Finding(("server", "return_within_minutes"), what)


def _analysis(study: StudyFile) -> Iterator[Finding]:
    names, tasks = [one.name for one in study.conditions], [one.name for one in study.tasks]
    reference = study.analysis.reference
    if reference is not None and reference not in names:
        yield Finding(("analysis", "reference"), f"there is no condition {reference!r}; {did_you_mean(reference, names)}")
    for number, one in enumerate(study.analysis.hypotheses):
        place: Place = ("analysis", "hypotheses", number)
        known: Mapping[str, tuple[str, list[str], str]] = {
            "task": (one.task, tasks, "task"),
            "condition": (one.condition, names, "condition"),
            "reference": (one.reference, names, "condition"),
        }
        for key, (name, there, what) in known.items():
            if name not in there:
                yield Finding((*place, key), f"there is no {what} {name!r}; {did_you_mean(name, there)}")
        if one.condition == one.reference:
            yield Finding((*place, "reference"), f"the condition {one.condition!r} is compared with itself; name another one")
        if one.claim == "same" and one.margin is None:
            yield Finding(place, "the claim 'same' needs a margin: the largest difference that does not matter")
        if one.claim != "same" and one.margin is not None:
            yield Finding(
                (*place, "margin"), f"the margin has no effect with the claim {one.claim!r}; leave it out, or claim 'same'"
            )
        part = next((task for task in study.tasks if task.name == one.task), None)
        if part is not None and part.kind in TASKS and TASKS.get(part.kind).measure == "text":
            yield Finding((*place, "task"), f"the task {one.task!r} is answered in free text, which has no mean to compare")
        if part is not None and part.conditions is not None:
            for key, name in (("condition", one.condition), ("reference", one.reference)):
                if name in names and name not in part.conditions:
                    yield Finding((*place, key), f"the task {one.task!r} is not asked under the condition {name!r}")


def _completion(study: StudyFile) -> Iterator[Finding]:
    part = study.completion
    for key, value in (("screened_code", part.screened_code),):
        if value is not None and study.comprehension is None:
            yield Finding(("completion", key), f"{key} has no effect, since there are no comprehension questions; leave it out")
    if part.code is not None and part.code == part.screened_code:
        yield Finding(("completion", "screened_code"), "it is the code of those who completed the study; give another one")
    if part.url is None:
        return
    if not part.url.startswith(("https://", "http://")):
        yield Finding(("completion", "url"), f"{part.url!r:.60} is no address of a page; it begins with https://")
    try:
        fields = {name for _, name, _, _ in Formatter().parse(part.url) if name is not None}
    except ValueError:
        fields = {""}
    if fields - {"code"}:
        yield Finding(("completion", "url"), "{code} is the only thing that braces can hold here")
    elif "code" in fields and part.code is None:
        yield Finding(("completion", "url"), "it holds {code}, and there is no code; give one")


def check_study_file(study: StudyFile) -> StudyFile:
    """The study, where all goes together: for one that was made in Python.

    Raises:
        UsageError: something does not; the first thing is told.
    """
    for found in findings(study):
        where = ".".join(str(step + 1) if isinstance(step, int) else step for step in found.place)
        raise UsageError(f"the study can't be used: {where}: {found.what}")
    return study
