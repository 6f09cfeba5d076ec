"""What the responses to a page are worth: rows of answers, and what the participant is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evals.study.answers import Answer
from evals.study.flow.way import asked_of
from evals.study.steps import Judgement
from evals.study.tasks.confidence import SUFFIX
from evals.study.tasks.task import TASKS
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.design.file import TaskPart
    from evals.study.folder import Study
    from evals.study.steps import Step


@dataclass(frozen=True)
class Outcome:
    """What comes of a submitted page.

    Attributes:
        accepted: whether the participant goes on. If not, the page stays.
        problems: question name -> a sentence for the participant, where a response is not valid. Nothing is kept then.
        rows: the answers to keep.
        feedback: for each judged question, what the participant is told: "question", "correct", "expected", "message".
        screened_out: whether the study ends here: wrong answers in all tries.
        refused: whether the participant said no to the consent page: the study ends here, and nothing is kept.
    """

    accepted: bool
    problems: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Answer, ...] = ()
    feedback: tuple[Mapping[str, Any], ...] = ()
    screened_out: bool = False
    refused: bool = False


def judge(
    study: Study,
    step: Step,
    responses: Mapping[str, Any],
    *,
    participant: str,
    seed: int,
    tries: int = 1,
    seconds: float | None = None,
    submitted: str = "",
) -> Outcome:
    """Judge the responses to a page.

    Args:
        study: the study.
        step: the page.
        responses: question name -> response.
        participant: the participant's code.
        seed: the participant's seed, as `steps_for` takes it.
        tries: how often this page was submitted with valid responses, this time included.
        seconds: time on the page.
        submitted: when, ISO 8601 in UTC.
    """
    if step.phase == "consent" and responses == {"agree": False}:
        said = "You did not agree, so the study ends here. Nothing is kept of you. You can close this page."
        return Outcome(False, problems={"agree": said}, refused=True)
    known = {one.name for one in step.questions}
    found = {one.name: one.problem(responses.get(one.name)) for one in step.questions}
    problems = {name: what for name, what in found.items() if what is not None}
    problems |= {legible(str(name))[:100]: "There is no such question." for name in responses if name not in known}
    if problems:
        return Outcome(False, problems=problems)
    rows: list[Answer] = []
    feedback: list[Mapping[str, Any]] = []
    for question in step.questions:
        response = responses.get(question.name)
        judged = _judged(study, step, question.name, response, seed)
        task, kind = step.tasks.get(question.name, (question.name, question.kind))
        rows.append(
            Answer(
                participant=participant, phase=step.phase, task=task, kind=kind,
                response=_text(response) if judged.recorded is None else judged.recorded, step=step.number,
                trial=step.trial, item=step.item, condition=" vs ".join(step.conditions), expected=judged.expected,
                correct=judged.correct, value=judged.value, seconds=seconds, tries=tries, submitted=submitted,
            )
        )  # fmt: skip
        if judged.correct is not None and (step.feedback or step.phase == "comprehension"):
            feedback.append(_feedback(study, step, question.name, judged, last=tries >= step.tries))
    failed = step.phase == "comprehension" and any(row.correct is False for row in rows)
    return Outcome(
        accepted=not failed,
        rows=tuple(rows),
        feedback=tuple(feedback),
        screened_out=failed and tries >= step.tries,
    )


def _judged(study: Study, step: Step, question: str, response: Any, seed: int) -> Judgement:
    """What a valid response is worth."""
    part = _part_of(study, step, question)
    if part is not None and question == part.name + SUFFIX:
        return Judgement(value=None if response in (None, "") else float(response))
    if part is not None:
        kind = TASKS.get(part.kind)
        asked = asked_of(study, study.items[step.item], step.conditions, seed)
        if response in (None, "", []) and kind.measure != "accuracy":
            return Judgement()
        with TASKS.blame(part.kind):
            return kind.judge(part, asked, question, response)
    expected = step.answers.get(question)
    if expected is None:
        number = isinstance(response, (int, float)) and not isinstance(response, bool)
        return Judgement(value=float(response) if number else None)
    return Judgement(expected, response == expected, float(response == expected))


def _part_of(study: Study, step: Step, question: str) -> TaskPart | None:
    """The task that asks a question; names of tasks hold no dot, and names of their questions begin with them."""
    if question not in step.tasks:
        return None
    name = question.partition(".")[0]
    return next(part for part in study.file.tasks if part.name == name)


def _feedback(study: Study, step: Step, question: str, judged: Judgement, *, last: bool) -> Mapping[str, Any]:
    """What a participant is told of an answer: in practice the right one, in comprehension only that it was wrong."""
    told: dict[str, Any] = {"question": question, "correct": judged.correct, "expected": None}
    if step.phase == "comprehension":
        again = "This answer is not right. Please answer again." if not last else "This answer is not right."
        return told | {"message": "That is right." if judged.correct else again}
    part = _part_of(study, step, question)
    words = TASKS.get(part.kind).explained(part, judged.expected or "") if part is not None else ""
    verdict = "That is right." if judged.correct else "That is not right."
    return told | {"expected": judged.expected, "message": f"{verdict} {words}".strip()}


def _text(response: Any) -> str:
    if response is None:
        return ""
    return response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
