"""From a cell and a seed to the pages that a participant sees, in order."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from evals.study.design.ordering import in_order
from evals.study.flow.markup import rendered
from evals.study.steps import Question, Step
from evals.study.tasks.confidence import SUFFIX
from evals.study.tasks.task import TASKS, Asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from evals.study.design.file import QuestionPart, TaskPart
    from evals.study.design.plans import Cell, Trial
    from evals.study.folder import Study
    from evals.study.items import Item


def steps_for(study: Study, cell: Cell, seed: int) -> tuple[Step, ...]:
    """All pages of a participant.

    A trial has one page; where a task tells what the model chose, such as trust, it has another one behind it.

    Args:
        study: the study.
        cell: the participant's cell.
        seed: of the participant: the same seed gives the same order of trials and options.
    """
    return tuple(Step(number=number, **page) for number, page in enumerate(_pages(study, cell, seed)))


def _pages(study: Study, cell: Cell, seed: int) -> Iterator[dict[str, Any]]:
    file = study.file
    if file.consent is not None:
        agree = Question(name="agree", kind="agree", prompt=file.consent.agree)
        yield {"phase": "consent", "name": "consent", "heading": file.title, **_said(file.consent.text), "questions": (agree,)}
    for number, text in enumerate(file.instructions, 1):
        yield {"phase": "instructions", "name": f"instructions-{number}", "heading": "Instructions", **_said(text)}
    if file.comprehension is not None:
        questions = file.comprehension.questions
        yield {
            "phase": "comprehension",
            "name": "comprehension",
            "heading": "Questions about the instructions",
            **_said(_tries(file.comprehension.tries)),
            "questions": tuple(_question(part) for part in questions),
            "tries": file.comprehension.tries,
            "answers": {part.name: part.answer for part in questions},
        }
    yield from _practice(study, cell, seed)
    yield from _trials(study, cell, seed)
    if file.demographics:
        yield {
            "phase": "demographics",
            "name": "demographics",
            "heading": "About you",
            "questions": tuple(_question(part) for part in file.demographics),
        }
    contact = f"\n\nQuestions? Write to {file.contact}" if file.contact else ""
    yield {"phase": "debriefing", "name": "debriefing", "heading": "The end", **_said(file.debriefing + contact)}


def _tries(tries: int) -> str:
    return "You can answer once." if tries == 1 else f"You have {tries} tries."


def _practice(study: Study, cell: Cell, seed: int) -> Iterator[dict[str, Any]]:
    """Practice under the conditions that the participant will see, in turn."""
    items = [item for item in study.items.values() if item.practice][: study.file.practice.items]
    conditions = list(dict.fromkeys(trial.conditions for trial in in_order(cell.trials, _random(study, seed, "order"))))
    for number, item in enumerate(items):
        for page in trial_pages(study, item, conditions[number % len(conditions)], seed):
            yield {
                **page,
                "phase": "practice",
                "name": f"practice-{number + 1}{page['name']}",
                "heading": f"Practice {number + 1} of {len(items)}",
                "feedback": study.file.practice.feedback,
            }


def _trials(study: Study, cell: Cell, seed: int) -> Iterator[dict[str, Any]]:
    file = study.file
    trials = ordered(study, cell, seed)
    pause = file.server.break_after
    for number, trial in enumerate(trials, 1):
        for page in trial_pages(study, study.items[trial.item], trial.conditions, seed):
            heading = f"{number} of {len(trials)}"
            yield {**page, "phase": "trial", "name": f"trial-{number}{page['name']}", "heading": heading, "trial": number}
        for check in file.attention:
            if check.after == number or (check.after > len(trials) == number):  # behind the last one where there are fewer
                question = Question(
                    name=check.name, kind="choice", prompt=check.question, options=tuple((one, one) for one in check.options)
                )
                yield {
                    "phase": "attention",
                    "name": check.name,
                    "heading": "A question in between",
                    "questions": (question,),
                    "answers": {check.name: check.answer},
                }
        if pause and number % pause == 0 and number < len(trials):
            yield {
                "phase": "break",
                "name": f"break-{number // pause}",
                "heading": "Time for a break",
                **_said(f"{number} of {len(trials)} are done. Go on when you are ready."),
            }


def ordered(study: Study, cell: Cell, seed: int) -> tuple[Trial, ...]:
    """The trials of a cell in the order of one participant."""
    if study.file.design.order == "fixed":
        return cell.trials
    return in_order(cell.trials, _random(study, seed, "order"))


def trial_pages(study: Study, item: Item, conditions: tuple[str, ...], seed: int) -> list[dict[str, Any]]:
    """The pages of an item: what stands on them and what is asked. Questions that tell what the model chose come last."""
    shown = [item.stimuli[name] for name in conditions]
    first: list[tuple[TaskPart, Question]] = []
    second: list[tuple[TaskPart, Question]] = []
    for part, asked in _parts_asked(study, item, conditions, seed):
        task = TASKS.get(part.kind)
        with TASKS.blame(part.kind):
            page = second if task.tells(part) else first
            page += [(part, question) for question in task.ask(part, asked)]
    pages = [page for page in (first, second) if page] or [first]
    bare = "".join(f'<section class="stimulus">{one.html or item.input.html}</section>' for one in shown)
    html = f'<div class="compared">{bare}</div>' if len(shown) > 1 else bare
    return [
        {
            "name": "" if page is pages[0] else "-told",
            "html": html,
            "text": _texts([one.text or item.input.text for one in shown]),
            "questions": tuple(question for _, question in page),
            "tasks": {question.name: _kept_as(part, question.name) for part, question in page},
            "item": item.id,
            "conditions": conditions,
        }
        for page in pages
    ]


def _texts(shown: Sequence[str]) -> str:
    return (
        shown[0]
        if len(shown) == 1
        else "\n\n".join(f"{side}:\n{text}" for side, text in zip(("Left", "Right"), shown, strict=True))
    )


def _kept_as(part: TaskPart, question: str) -> tuple[str, str]:
    """The task's name and kind that an answer is kept under: confidence is a rating of its own."""
    return (question, "rating") if question == part.name + SUFFIX else (part.name, part.kind)


def _parts_asked(study: Study, item: Item, conditions: tuple[str, ...], seed: int) -> Iterator[tuple[TaskPart, Asked]]:
    for part in study.file.tasks:
        if TASKS.get(part.kind).compared != (len(conditions) > 1):
            continue
        if part.conditions is None or set(conditions) <= set(part.conditions):
            yield part, asked_of(study, item, conditions, seed)


def asked_of(study: Study, item: Item, conditions: tuple[str, ...], seed: int) -> Asked:
    """What the tasks of a page are asked about: the same for the page and for judging its answers."""
    return Asked(item, conditions, study.file, _random(study, seed, f"{item.id}-{conditions}"))


def _random(study: Study, seed: int, what: str) -> Random:
    return Random(f"{study.file.seed}-{seed}-{what}")  # noqa: S311 - no secret


def _question(part: QuestionPart) -> Question:
    options = tuple((one, one) for one in part.options or ())
    return Question(name=part.name, kind=part.kind, prompt=part.question, options=options, required=part.required)


def _said(text: str) -> dict[str, str]:
    return {"html": rendered(text), "text": text}
