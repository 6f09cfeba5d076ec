"""A question that is answered in the participant's own words."""

from __future__ import annotations

from typing import Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, option

QUESTION = "Why do you think so?"
OPTIONS = {"required": Option("whether it must be answered", bool, False)}


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:  # noqa: ARG001 - it is the same for every item
    required = bool(option(part, OPTIONS, "required"))
    return (Question(name=part.name, kind="text", prompt=part.question or QUESTION, required=required),)


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - nothing is wrong
    return Judgement()


FREE_TEXT = Task(summary="an answer in the participant's own words", measure="text", ask=_ask, judge=_judge, options=OPTIONS)
