"""Forward simulation: which label did the model choose? (Doshi-Velez and Kim 2017; Hase and Bansal 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.task import Asked, Task

if TYPE_CHECKING:
    from evals.study.design.file import TaskPart

QUESTION = "Which label did the model choose?"


def _ask(part: TaskPart, asked: Asked) -> tuple[Question, ...]:
    labels = asked.item.labels
    return (
        Question(
            name=part.name,
            kind="choice",
            prompt=part.question or QUESTION,
            options=tuple((label, label) for label in labels),
        ),
    )


def _judge(part: TaskPart, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - one question
    right = response == asked.item.predicted
    return Judgement(expected=asked.item.predicted, correct=right, value=float(right))


SIMULATION = Task(
    summary="which label did the model choose?",
    measure="accuracy",
    ask=_ask,
    judge=_judge,
    options={},
)
