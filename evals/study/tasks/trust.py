"""Trust calibration: is the model right here? The right answer is whether its label is the true one.

Whoever trusts a model that is right and doubts one that is wrong is well calibrated (Zhang, Liao and Bellamy 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.confidence import CONFIDENCE, with_confidence
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, first_ids, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.items import Item

TOLD = "The model chose “{label}”. Is it right here?"
UNTOLD = "Is the model right here?"
OPTIONS = {
    "tell": Option("whether the question tells what the model chose, on a page behind the item's other questions", bool, True),
    "confidence": CONFIDENCE,
}


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:
    if asked.item.true is None:
        return ()
    text = part.question or (TOLD if option(part, OPTIONS, "tell") else UNTOLD)
    choice = Question(
        name=part.name,
        kind="choice",
        prompt=text.replace("{label}", asked.item.predicted),
        options=(("right", "Yes, it is right"), ("wrong", "No, it is wrong")),
    )
    return with_confidence(part, [choice])


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - one question
    expected = "right" if asked.item.predicted == asked.item.true else "wrong"
    return Judgement(expected=expected, correct=response == expected, value=float(response == expected))


def _check(part: TaskSettings, items: Sequence[Item]) -> list[str]:
    lacking = [item.id for item in items if item.true is None]
    found = (
        [f"the task {part.name} needs items with a true label, and these have none: {first_ids(lacking)}"] if lacking else []
    )
    known = {item.predicted == item.true for item in items if item.true is not None}
    if items and known in ({True}, {False}):
        always = "right" if known == {True} else "wrong"
        found.append(f"the task {part.name} can't tell who trusts rightly: the model is {always} in all items; add others")
    if part.question and "{label}" in part.question and not option(part, OPTIONS, "tell"):
        found.append(f"the question of the task {part.name} holds {{label}}, and its option tell is false; change one of them")
    return found


TRUST = Task(
    summary="is the model right here?",
    measure="accuracy",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    check=_check,
    tells=lambda part: bool(option(part, OPTIONS, "tell")),
    explained=lambda _, expected: f"The model is {expected} here.",
)
