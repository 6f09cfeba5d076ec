"""A rating from 1 to 7, such as how helpful or how easy to understand an explanation is (Feldhus et al. 2023, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.task import Asked, Task

if TYPE_CHECKING:
    from evals.study.design.file import TaskPart

WORDS: dict[str, tuple[str, tuple[str, str]]] = {
    "helpfulness": ("How helpful is the explanation for guessing what the model chose?", ("not helpful", "very helpful")),
    "ease": ("How easy is the explanation to understand?", ("very difficult", "very easy")),
}
"""Question and ends by the task's name. Other names give their own."""


def _ask(part: TaskPart, asked: Asked) -> tuple[Question, ...]:  # noqa: ARG001 - it is the same for every item
    question, ends = WORDS.get(part.name, (part.name, ("", "")))
    low, high = part.options.get("low", ends[0]), part.options.get("high", ends[1])
    return (
        Question(
            name=part.name,
            kind="rating",
            prompt=part.question or question,
            points=part.options.get("points", 7),
            ends=(low, high),
        ),
    )


def _judge(part: TaskPart, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - a rating is never wrong
    return Judgement(value=float(response))


RATING = Task(
    summary="a rating from 1 to 7, such as helpfulness or ease",
    measure="rating",
    ask=_ask,
    judge=_judge,
    options={
        "low": "what the lowest point means",
        "high": "what the highest point means",
        "points": "how many points: 2 to 11",
    },
)
