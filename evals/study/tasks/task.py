"""What a task is, and the registry of all kinds of tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from evals.study.items import Item
    from evals.study.steps import Judgement, Question


class TaskSettings(Protocol):
    """A task's part of `study.yaml`."""

    @property
    def name(self) -> str:
        """What the task is called in tables."""

    @property
    def question(self) -> str | None:
        """The question in the researcher's words, or None for the kind's own."""

    @property
    def conditions(self) -> Sequence[str] | None:
        """The conditions under which it is asked; None for all."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Options of the kind; `option` reads them."""


class StudySettings(Protocol):
    """What tasks may look at of a study."""

    @property
    def language(self) -> str:
        """The language of the texts, such as "en"."""

    @property
    def labels(self) -> Sequence[str]:
        """The labels in the order in which they stand."""


@dataclass(frozen=True)
class Option:
    """An option of a kind of task.

    Args:
        words: what it is, in words.
        kind: the type of its value.
        default: its value where it is not given.
        low: the lowest number, or the fewest characters.
        high: the highest number, or the most characters.
    """

    words: str
    kind: type[bool] | type[int] | type[str]
    default: Any
    low: int | None = None
    high: int | None = None

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, as "must be ..."; None where it will do."""
        if isinstance(value, bool) != (self.kind is bool) or not isinstance(value, self.kind):
            return f"must be {_KINDS[self.kind]}, not {value!r:.60}"
        size: Any = len(value) if isinstance(value, str) else value
        unit = " characters" if self.kind is str else ""
        if self.low is not None and size < self.low:
            return f"must be at least {self.low}{unit}, not {value!r:.60}"
        if self.high is not None and size > self.high:
            return f"must be at most {self.high}{unit}, not {value!r:.60}"
        return None


_KINDS: dict[type, str] = {bool: "true or false", int: "a whole number", str: "a text"}


@dataclass(frozen=True)
class Asked:
    """What a task asks about: an item under one condition, or under two that are compared, in the order in which they stand.

    Attributes:
        item: the item.
        conditions: the names of the conditions.
        study: what tasks may look at of the study.
        random: the participant's own for this trial: the same seed gives the same order of options.
    """

    item: Item
    conditions: tuple[str, ...]
    study: StudySettings
    random: Random


def _no_problems(*_: object) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Task:
    """A kind of task.

    Args:
        summary: one line about the kind.
        measure: "accuracy" (answers are right or wrong), "rating" (a number), "preference" (one of two conditions), or "text".
        ask: `ask(part, asked)` gives the questions; part is the task's part of `study.yaml`. Names of questions are the task's
            name, with "." and more after it where there are several. No question where the item has no right answer for it.
        judge: `judge(part, asked, question name, response)`: what a valid response is worth.
        options: the options that `part.options` may hold. Kinds with right answers also take `confidence`.
        check: `check(part, items)` says in sentences what is wrong, such as items without the right answer that the task needs.
        compared: whether it shows two conditions of an item beside each other, on pages of its own.
        tells: `tells(part)`: whether the question tells what the model chose, or which part matters. It is then asked on a
            page of its own, after the item's other questions.
        explained: `explained(part, expected)`: what a participant is told in practice beside "right" or "wrong".
    """

    summary: str
    measure: Literal["accuracy", "rating", "preference", "text"]
    ask: Callable[[TaskSettings, Asked], Sequence[Question]]
    judge: Callable[[TaskSettings, Asked, str, Any], Judgement]
    options: Mapping[str, Option] = field(default_factory=dict)
    check: Callable[[TaskSettings, Sequence[Item]], Sequence[str]] = _no_problems
    compared: bool = False
    tells: Callable[[TaskSettings], bool] = lambda _: False
    explained: Callable[[TaskSettings, str], str] = lambda _, _expected: f"The right answer is: {_expected}."


TASKS: Registry[Task] = Registry(
    "study task",
    "saywhy.study_tasks",
    {
        "simulation": "evals.study.tasks.simulation:SIMULATION",
        "counterfactual": "evals.study.tasks.counterfactual:COUNTERFACTUAL",
        "trust": "evals.study.tasks.trust:TRUST",
        "rating": "evals.study.tasks.rating:RATING",
        "preference": "evals.study.tasks.preference:PREFERENCE",
        "error_finding": "evals.study.tasks.error_finding:ERROR_FINDING",
        "free_text": "evals.study.tasks.free_text:FREE_TEXT",
    },
    expects=Task,
)


def option(part: TaskSettings, options: Mapping[str, Option], name: str) -> Any:
    """The value of a task's option, or its default."""
    return part.options.get(name, options[name].default)


def first_ids(ids: Sequence[str]) -> str:
    """Some ids in words: "a, b, c and 4 more"."""
    more = len(ids) - 3
    return ", ".join(ids[:3]) + (f" and {more} more" if more > 0 else "")
