"""Error finding: which sentences or words of the explanation are wrong?

The right answers are in `item.answers["error_finding"][condition]`: `{"parts": [what participants choose from], "false":
[those that are wrong]}`. Wrong parts are named by their text, or by their number from 0 where a text stands twice.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evals.study.steps import NONE, Judgement, Question
from evals.study.tasks.confidence import CONFIDENCE, with_confidence
from evals.study.tasks.task import Asked, Option, Task, TaskSettings, first_ids, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.items import Item

KIND = "error_finding"
QUESTION = "Which parts of the explanation are wrong? Choose all of them."
OPTIONS = {
    "none": Option(
        "what the answer says where no part is wrong; leave it empty to offer no such answer", str, "None is wrong", 0, 60
    ),
    "confidence": CONFIDENCE,
}


def parts_of(item: Item, condition: str) -> tuple[list[str], set[int]] | None:
    """The parts of an explanation and the numbers of the wrong ones; None where they are not known, or of another form."""
    held = item.answers.get(KIND)
    entry = held.get(condition) if isinstance(held, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("parts"), list) or not isinstance(entry.get("false"), list):
        return None
    parts, wrong = [str(one) for one in entry["parts"]], set()
    for one in entry["false"]:
        if isinstance(one, bool) or not (one in parts or (isinstance(one, int) and 0 <= one < len(parts))):
            return None
        wrong.add(one if isinstance(one, int) else parts.index(one))
    return (parts, wrong) if parts else None


def _ask(part: TaskSettings, asked: Asked) -> tuple[Question, ...]:
    found = parts_of(asked.item, asked.conditions[0])
    if found is None:
        return ()
    none = option(part, OPTIONS, "none")
    shown = [(str(number + 1), text) for number, text in enumerate(found[0])] + ([(NONE, none)] if none else [])
    question = Question(
        name=part.name, kind="parts", prompt=part.question or QUESTION, options=tuple(shown), required=bool(none)
    )
    return with_confidence(part, [question])


def _judge(part: TaskSettings, asked: Asked, question: str, response: Any) -> Judgement:  # noqa: ARG001 - one question
    found = parts_of(asked.item, asked.conditions[0])
    assert found is not None, "it was asked"
    parts, wrong = found
    chosen = set(response or ()) - {NONE}
    right = chosen == {str(number + 1) for number in wrong} and not (chosen and NONE in response)
    recorded = [*(parts[int(one) - 1] for one in sorted(chosen, key=int)), *([NONE] if response and NONE in response else [])]
    expected = [parts[number] for number in sorted(wrong)] or [NONE]
    return Judgement(expected=_listed(expected), correct=right, value=float(right), recorded=_listed(recorded))


def _listed(texts: list[str]) -> str:
    return json.dumps(texts, ensure_ascii=False)


def _check(part: TaskSettings, items: Sequence[Item]) -> list[str]:
    lacking = [
        item.id
        for item in items
        for condition in part.conditions or item.stimuli
        if (found := parts_of(item, condition)) is None or (not found[1] and not option(part, OPTIONS, "none"))
    ]
    if lacking:
        shown = first_ids(list(dict.fromkeys(lacking)))
        what = (
            f"the task {part.name} needs to know which parts of an explanation are wrong, and these items don't tell for every "
            f"condition of the task: {shown}; name its conditions"
        )
        return [what]
    return []


ERROR_FINDING = Task(
    summary="which parts of the explanation are wrong?",
    measure="accuracy",
    ask=_ask,
    judge=_judge,
    options=OPTIONS,
    check=_check,
    explained=lambda _, expected: (
        "No part is wrong." if json.loads(expected) == [NONE] else f"Wrong is: {'; '.join(json.loads(expected))}"
    ),
)
