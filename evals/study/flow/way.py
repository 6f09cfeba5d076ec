"""From a cell and a seed to the pages that a participant sees, in order."""

from __future__ import annotations

from html import escape
from random import Random
from typing import TYPE_CHECKING

from evals.study.steps import Question, Step
from evals.study.tasks.task import TASKS, Asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from evals.study.design.file import QuestionPart
    from evals.study.design.plans import Cell, Trial
    from evals.study.folder import Study
    from evals.study.items import Item


def steps_for(study: Study, cell: Cell, seed: int) -> tuple[Step, ...]:
    """All pages of a participant.

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
            "questions": tuple(_question(part) for part in questions),
            "tries": file.comprehension.tries,
            "answers": {part.name: part.answer for part in questions},
        }
    practice = [item for item in study.items.values() if item.practice][: file.practice.items]
    for number, item in enumerate(practice):
        conditions = list(dict.fromkeys(trial.conditions for trial in cell.trials))
        page = trial_page(study, item, conditions[number % len(conditions)], seed)
        yield {
            **page,
            "phase": "practice",
            "name": f"practice-{number + 1}",
            "heading": "Practice",
            "feedback": file.practice.feedback,
        }
    trials = ordered(study, cell, seed)
    pause = file.server.break_after
    for number, trial in enumerate(trials, 1):
        page = trial_page(study, study.items[trial.item], trial.conditions, seed)
        yield {**page, "phase": "trial", "name": f"trial-{number}", "heading": f"{number} of {len(trials)}", "trial": number}
        for check in file.attention:
            if check.after == number:
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
                **_said("Go on when you are ready."),
            }
    if file.demographics:
        yield {
            "phase": "demographics",
            "name": "demographics",
            "heading": "About you",
            "questions": tuple(_question(part) for part in file.demographics),
        }
    yield {"phase": "debriefing", "name": "debriefing", "heading": "The end", **_said(file.debriefing)}


def ordered(study: Study, cell: Cell, seed: int) -> tuple[Trial, ...]:
    """The trials of a cell in the order of one participant."""
    trials = list(cell.trials)
    if study.file.design.order == "random":
        Random(f"{study.file.seed}-{seed}-order").shuffle(trials)  # noqa: S311 - no secret
    return tuple(trials)


def trial_page(study: Study, item: Item, conditions: tuple[str, ...], seed: int) -> dict[str, Any]:
    """The page of an item: what stands on it and what is asked."""
    shown = [item.stimuli[name] for name in conditions]
    asked = asked_of(study, item, conditions, seed)
    questions: list[Question] = []
    tasks: dict[str, tuple[str, str]] = {}
    for part in study.file.tasks:
        kind = TASKS.get(part.kind)
        if kind.compared != (len(conditions) > 1) or (part.conditions and not set(conditions) <= set(part.conditions)):
            continue
        for question in kind.ask(part, asked):
            questions.append(question)
            tasks[question.name] = (part.name, part.kind)
    return {
        "html": "".join(f'<section class="stimulus">{one.html or item.input.html}</section>' for one in shown),
        "text": "\n\n".join(one.text or item.input.text for one in shown),
        "questions": tuple(questions),
        "tasks": tasks,
        "item": item.id,
        "conditions": conditions,
    }


def asked_of(study: Study, item: Item, conditions: tuple[str, ...], seed: int) -> Asked:
    """What the tasks of a page are asked about: the same for the page and for judging its answers."""
    return Asked(item, conditions, study.file, Random(f"{study.file.seed}-{seed}-{item.id}-{conditions}"))  # noqa: S311


def _question(part: QuestionPart) -> Question:
    options = tuple((one, one) for one in part.options or ())
    return Question(name=part.name, kind=part.kind, prompt=part.question, options=options, required=part.required)


def _said(text: str) -> dict[str, str]:
    paragraphs = [one.strip() for one in text.split("\n\n") if one.strip()]
    return {"html": "".join(f"<p>{escape(one)}</p>" for one in paragraphs), "text": text}
