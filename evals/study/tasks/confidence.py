"""How sure are you? A question that follows one with a right answer, where the option `confidence` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.steps import Question
from evals.study.tasks.task import Option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evals.study.tasks.task import TaskSettings

SUFFIX = ".confidence"
POINTS = 5
CONFIDENCE = Option("whether participants also say how sure they are, from 1 to 5", bool, False)


def with_confidence(part: TaskSettings, questions: Iterable[Question]) -> tuple[Question, ...]:
    """The questions, and behind them how sure the participant is, where the part asks for it.

    The rating is kept as an answer of its own, of the task's name with ".confidence" behind it and of the kind "rating".
    """
    asked = tuple(questions)
    if not asked or not part.options.get("confidence", CONFIDENCE.default):
        return asked
    sure = Question(
        name=part.name + SUFFIX,
        kind="rating",
        prompt="How sure are you?" if len(asked) == 1 else "How sure are you of these answers?",
        points=POINTS,
        ends=("I guessed", "certain"),
    )
    return (*asked, sure)
