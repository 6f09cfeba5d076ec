"""What a task is, and the registry of all kinds of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random
    from typing import Any

    from evals.study.design.file import StudyFile, TaskPart
    from evals.study.items import Item
    from evals.study.steps import Judgement, Question


@dataclass(frozen=True)
class Asked:
    """What a task asks about: an item under one condition, or under two that are compared, in the order in which they stand.

    `random` is the participant's own for this trial: the same seed gives the same order of options.
    """

    item: Item
    conditions: tuple[str, ...]
    study: StudyFile
    random: Random


@dataclass(frozen=True)
class Task:
    """A kind of task.

    Args:
        summary: one line about the kind.
        measure: "accuracy" (answers are right or wrong), "rating" (a number), "preference" (one of two conditions), or "text".
        ask: `ask(part, asked)` gives the questions; part is the task's part of `study.yaml`. Names of questions are the task's
            name, with "." and more after it where there are several. No question where the item has no right answer for it.
        judge: `judge(part, asked, question name, response)`: what a valid response is worth.
        options: the keys that `part.options` may hold, with what each is, in words.
        check: `check(part, study, items)` says in sentences what is wrong with the part, such as an item without the right
            answer that the task needs.
        compared: whether it shows two conditions of an item beside each other, on pages of its own.
    """

    summary: str
    measure: Literal["accuracy", "rating", "preference", "text"]
    ask: Callable[[TaskPart, Asked], Sequence[Question]]
    judge: Callable[[TaskPart, Asked, str, Any], Judgement]
    options: Mapping[str, str]
    check: Callable[[TaskPart, StudyFile, Sequence[Item]], Sequence[str]] = lambda *_: ()
    compared: bool = False


TASKS: Registry[Task] = Registry(
    "study task",
    "saywhy.study_tasks",
    {
        "simulation": "evals.study.tasks.simulation:SIMULATION",
        "rating": "evals.study.tasks.rating:RATING",
    },
    expects=Task,
)
