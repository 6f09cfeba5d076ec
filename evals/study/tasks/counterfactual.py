"""Counterfactual simulation: what would the model say without this word or region? (Doshi-Velez and Kim 2017, section 3.2).

The right answers are in `item.answers["counterfactual"]`: `{"part": what participants read, "label": what the model says
without it}`, or a list of these for several questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.steps import Judgement, Question
from evals.study.tasks.confidence import CONFIDENCE, with_confidence
from evals.study.tasks.simulation import without_choice
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, first_ids, option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.items import Item

KIND = "counterfactual"
QUESTION = "If “{part}” were not there, which label would the model choose?"
OPTIONS = {
    "shuffle": Option("whether the labels stand in a random order for each item", bool, False),
    "confidence": CONFIDENCE,
}


def parts_of(item: Item) -> list[Mapping[str, Any]]:
    """The parts of an item whose absence has a known effect, with "part" and "label"; those of another form are left out."""
    held = item.answers.get(KIND) or []
    entries = held if isinstance(held, list) else [held]
    return [one for one in entries if isinstance(one, dict) and one.get("part") and one.get("label") in item.labels]


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:
    entries = parts_of(asked.item)
    labels = list(asked.item.labels)
    if option(part, OPTIONS, "shuffle"):
        asked.random.shuffle(labels)
    names = [part.name] if len(entries) == 1 else [f"{part.name}.{number + 1}" for number in range(len(entries))]
    text = part.question or QUESTION
    questions = [
        Question(
            name=name,
            kind="choice",
            prompt=text.replace("{part}", str(entry["part"])),
            options=tuple((label, label) for label in labels),
        )
        for name, entry in zip(names, entries, strict=True)
    ]
    return with_confidence(part, questions)


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:
    number = question.removeprefix(part.name).removeprefix(".")
    label = str(parts_of(asked.item)[int(number) - 1 if number else 0]["label"])
    return Judgement(expected=label, correct=response == label, value=float(response == label))


def _check(part: TaskSettings, items: Sequence[Item]) -> list[str]:
    found = without_choice(part, items)
    lacking = [item.id for item in items if not parts_of(item)]
    if lacking:
        found.append(
            f"the task {part.name} needs to know what the model says without a part, and these items don't tell: "
            f"{first_ids(lacking)}"
        )
    if part.question and "{part}" not in part.question:
        found.append(f"the question of the task {part.name} must hold {{part}}, where the word or region is to stand")
    return found


COUNTERFACTUAL = Task(
    summary="what would the model say without this word or region?",
    measure="accuracy",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    check=_check,
    tells=lambda _: True,  # which part matters, which a control must not tell on the page where people guess
    explained=lambda _, expected: f"Without it, the model chooses: {expected}.",
)
