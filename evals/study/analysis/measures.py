"""What was measured: for each task the participants, items, conditions and values, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from evals.study.analysis.exclusions import rightness, trial_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from evals.study.answers import Answer, Answers

Kind = Literal["accuracy", "rating", "preference", "seconds"]
VERSUS = " vs "
"""Between the names of two conditions that a participant compared."""


@dataclass(frozen=True)
class Measure:
    """All values of one task.

    Attributes:
        name: the task's name, as `study.yaml` gives it.
        kind: "accuracy" (1 or 0), "rating" (a number), "preference" (1 where the first condition of the pair was preferred, 0
            where the second was), "seconds" (time on a page).
        task_kind: the kind of the task ("simulation", "trust", ...).
        participants, items, conditions: one per value.
        values: numbers.
        blanks: questions without an answer. In "accuracy" they count as wrong, elsewhere they are left out.
    """

    name: str
    kind: Kind
    task_kind: str
    participants: NDArray[np.str_]
    items: NDArray[np.str_]
    conditions: NDArray[np.str_]
    values: NDArray[np.float64]
    blanks: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def where(self, chosen: NDArray[np.bool_]) -> Measure:
        """These values alone."""
        return Measure(
            self.name, self.kind, self.task_kind, self.participants[chosen], self.items[chosen], self.conditions[chosen],
            self.values[chosen],
        )  # fmt: skip

    def under(self, condition: str) -> Measure:
        """The values under one condition."""
        return self.where(self.conditions == condition)


def measures_of(answers: Answers) -> tuple[Measure, ...]:
    """The measures of all tasks with numbers, in the order in which they were first asked.

    A task whose answers are right or wrong is a measure of accuracy, whichever kind of task it is; one that shows two
    conditions beside each other is a preference; any other with numbers is a rating. Free texts are no measure. One task can
    appear twice: error finding may come with a rating of its own under another name, but one name has one kind.
    """
    tasks: dict[str, list[Answer]] = {}
    for row in answers.of_phase("trial"):
        tasks.setdefault(row.task, []).append(row)
    found = (_measure(name, rows) for name, rows in tasks.items())
    return tuple(one for one in found if one is not None and len(one))


def seconds_of(answers: Answers, name: str = "seconds") -> Measure:
    """The time on each trial, as a measure of this name."""
    times = trial_seconds(answers.rows)
    rows = [(person, item, condition, value) for (person, _, item, condition), value in times.items() if value > 0]
    return _arrays(name, "seconds", "", rows)


def said_right(answers: Answers, name: str) -> tuple[Measure, Measure] | None:
    """Of a trust task: whether participants said that the model is right, where it is right, and where it is wrong.

    The right answer to "is the model right here?" tells whether it is: an answer that is right where the model is right, and
    one that is wrong where the model is wrong, say that it is right.

    Args:
        answers: the analysed answers.
        name: the task's name.

    Returns:
        the measures where the model is right, and where it is wrong; None where no item tells which.
    """
    parts: dict[bool, list[tuple[str, str, str, float]]] = {True: [], False: []}
    for row in answers.of_phase("trial"):
        right = _model_is_right(row, answers.items.get(row.item, {}))
        if row.task == name and right is not None and row.correct is not None:
            parts[right].append((row.participant, row.item, row.condition, float(row.correct == right)))
    if not any(parts.values()):
        return None
    return (
        _arrays(f"{name}, where the model is right", "accuracy", "trust", parts[True]),
        _arrays(f"{name}, where the model is wrong", "accuracy", "trust", parts[False]),
    )


def _model_is_right(row: Answer, facts: Mapping[str, str]) -> bool | None:
    told = (facts.get("model_right") or row.expected or "").strip().lower()
    if told in ("yes", "right", "true", "1", "correct"):
        return True
    return False if told in ("no", "wrong", "false", "0", "incorrect") else None


def _measure(name: str, rows: list[Answer]) -> Measure | None:
    kind = rows[0].kind
    if any(VERSUS in row.condition for row in rows):
        valued = [row for row in rows if row.value is not None]
        return _arrays(
            name, "preference", kind, [(row.participant, row.item, *_in_order(row)) for row in valued], len(rows) - len(valued)
        )
    if any(rightness(row) is not None for row in rows):
        told = ((row, 0.0 if row.response == "" else rightness(row)) for row in rows)
        judged = [(row, right) for row, right in told if right is not None]
        blanks = sum(row.response == "" for row, _ in judged)
        return _arrays(
            name, "accuracy", kind, [(row.participant, row.item, row.condition, right) for row, right in judged], blanks
        )
    numbers = [(row.participant, row.item, row.condition, row.value) for row in rows if row.value is not None]
    return _arrays(name, "rating", kind, numbers, len(rows) - len(numbers)) if numbers else None


def _in_order(row: Answer) -> tuple[str, float]:
    """The pair in alphabetical order, and whether its first condition was preferred; the page may have shown them otherwise."""
    first, second = row.condition.split(VERSUS, 1)
    value = float(row.value or 0.0)
    return (row.condition, value) if first <= second else (f"{second}{VERSUS}{first}", 1 - value)


def _arrays(name: str, kind: Kind, task_kind: str, rows: Iterable[tuple[str, str, str, float]], blanks: int = 0) -> Measure:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    texts = [np.array(column, dtype=np.str_) for column in columns[:3]]
    return Measure(name, kind, task_kind, texts[0], texts[1], texts[2], np.array(columns[3], dtype=float), blanks)
