"""Pairwise preference: two conditions of an item beside each other; which one is better?

Which condition stands on the left is balanced by the design (`evals.study.design.plans`). The answer is kept as the name of
the condition that was chosen, and its value is 1 for the left one, 0 for the right one, and 0.5 for neither.
"""

from __future__ import annotations

from typing import Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, option

QUESTION = "Which explanation helps you more to understand what the model chose?"
NEITHER = "no preference"
OPTIONS = {
    "neither": Option("whether participants may say that they prefer neither", bool, True),
    "left": Option("what the answer for the left one says", str, "The left one (or the upper one)", 1, 60),
    "right": Option("what the answer for the right one says", str, "The right one (or the lower one)", 1, 60),
}
_VALUES = {"left": 1.0, "none": 0.5, "right": 0.0}


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:
    if len(asked.conditions) != 2:
        return ()
    middle = (("none", "I prefer neither"),) if option(part, OPTIONS, "neither") else ()
    left, right = ("left", option(part, OPTIONS, "left")), ("right", option(part, OPTIONS, "right"))
    return (Question(name=part.name, kind="choice", prompt=part.question or QUESTION, options=(left, *middle, right)),)


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - one question
    left, right = asked.conditions
    chosen = {"left": left, "right": right}.get(response, NEITHER)
    return Judgement(value=_VALUES[response], recorded=chosen)


PREFERENCE = Task(
    summary="two conditions beside each other: which one is better?",
    measure="preference",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    compared=True,
)
