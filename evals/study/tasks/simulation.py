"""Forward simulation: which label did the model choose? (Doshi-Velez and Kim 2017; Hase and Bansal 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.confidence import CONFIDENCE, with_confidence
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, first_ids, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.items import Item

QUESTION = "Which label did the model choose?"
OPTIONS = {
    "shuffle": Option("whether the labels stand in a random order for each item", bool, False),
    "confidence": CONFIDENCE,
}


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:
    labels = list(asked.item.labels)
    if option(part, OPTIONS, "shuffle"):
        asked.random.shuffle(labels)
    choice = Question(
        name=part.name,
        kind="choice",
        prompt=part.question or QUESTION,
        options=tuple((label, label) for label in labels),
    )
    return with_confidence(part, [choice])


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - one question
    right = response == asked.item.predicted
    return Judgement(expected=asked.item.predicted, correct=right, value=float(right))


def without_choice(part: TaskSettings, items: Sequence[Item]) -> list[str]:
    """What is wrong with the labels of items: fewer than two, or one that stands twice."""
    few = [item.id for item in items if len(set(item.labels)) < 2 or len(set(item.labels)) != len(item.labels)]
    if few:
        return [
            f"the task {part.name} needs two or more labels to choose from, each once, which these items lack: {first_ids(few)}"
        ]
    return []


def _check(part: TaskSettings, items: Sequence[Item]) -> list[str]:
    other = [item.id for item in items if item.predicted not in item.labels]
    lacking = [f"the label that the model chose is not among the labels to choose from in {first_ids(other)}"] if other else []
    return [*without_choice(part, items), *lacking]


SIMULATION = Task(
    summary="which label did the model choose?",
    measure="accuracy",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    check=_check,
    explained=lambda _, expected: f"The model chose: {expected}.",
)
