"""What the responses to a page are worth: rows of answers, and what the participant is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evals.study.answers import Answer
from evals.study.flow.way import asked_of
from evals.study.tasks.task import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """

    accepted: bool
    problems: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Answer, ...] = ()
    feedback: tuple[Mapping[str, Any], ...] = ()
    screened_out: bool = False


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
    problems = {one.name: said for one in step.questions if (said := one.problem(responses.get(one.name)))}
    problems |= {name: "There is no such question." for name in responses if name not in {one.name for one in step.questions}}
    if problems:
        return Outcome(False, problems=problems)
    rows: list[Answer] = []
    feedback: list[dict[str, Any]] = []
    parts = {part.name: part for part in study.file.tasks}
    for question in step.questions:
        response = responses.get(question.name)
        task, kind = step.tasks.get(question.name, (question.name, question.kind))
        expected: str | None = step.answers.get(question.name)
        correct = None if expected is None else response == expected
        value = None if correct is None else float(correct)
        if question.name in step.tasks and response not in (None, "", []):
            asked = asked_of(study, study.items[step.item], step.conditions, seed)
            found = TASKS.get(kind).judge(parts[task], asked, question.name, response)
            expected, correct, value = found.expected, found.correct, found.value
        rows.append(
            Answer(
                participant=participant, phase=step.phase, task=task, kind=kind, response=_text(response), step=step.number,
                trial=step.trial, item=step.item, condition=" vs ".join(step.conditions), expected=expected, correct=correct,
                value=value, seconds=seconds, tries=tries, submitted=submitted,
            )
        )  # fmt: skip
        if correct is not None and (step.feedback or step.phase == "comprehension"):
            told = expected if step.feedback else None  # a comprehension question can be tried again
            feedback.append({"question": question.name, "correct": correct, "expected": told, "message": ""})
    failed = step.phase == "comprehension" and any(row.correct is False for row in rows)
    return Outcome(
        accepted=not failed,
        rows=tuple(rows),
        feedback=tuple(feedback),
        screened_out=failed and tries >= step.tries,
    )


def _text(response: Any) -> str:
    if response is None:
        return ""
    return response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)
