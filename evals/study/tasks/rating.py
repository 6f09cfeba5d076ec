"""A rating from 1 to 7, such as how helpful or how easy to understand an explanation is (Feldhus et al. 2023, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.items import Item

WORDS: dict[str, tuple[str, tuple[str, str]]] = {
    "helpfulness": ("How helpful is the explanation for guessing what the model chose?", ("not helpful", "very helpful")),
    "ease": ("How easy is the explanation to understand?", ("very difficult", "very easy")),
}
"""Question and ends by the task's name. Tasks of other names give their own."""
OPTIONS = {
    "low": Option("what the lowest point means", str, "", 0, 60),
    "high": Option("what the highest point means", str, "", 0, 60),
    "points": Option("how many points", int, 7, 2, 11),
}


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:  # noqa: ARG001 - it is the same for every item
    question, ends = WORDS.get(part.name, (part.name, ("", "")))
    return (
        Question(
            name=part.name,
            kind="rating",
            prompt=part.question or question,
            points=option(part, OPTIONS, "points"),
            ends=(option(part, OPTIONS, "low") or ends[0], option(part, OPTIONS, "high") or ends[1]),
        ),
    )


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - a rating is never wrong
    return Judgement(value=float(response))


def _check(part: TaskSettings, items: Sequence[Item]) -> list[str]:  # noqa: ARG001 - it is the same for every item
    if part.question is None and part.name not in WORDS:
        return [f"the rating {part.name} has no question; give it one, or call it {' or '.join(WORDS)}"]
    return []


RATING = Task(
    summary="a rating from 1 to 7, such as helpfulness or ease",
    measure="rating",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    check=_check,
)
