"""Label Studio's JSON export: a list of tasks with their annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.exports.label_studio import control_name
from evals.study.flow.keys import parse_key
from evals.study.flow.returning import Page, Returning
from evals.study.imports.importing import Import
from saywhy_core.errors import Problem
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evals.study.answers import Answers
    from evals.study.flow.keys import Key
    from evals.study.folder import Study
    from evals.study.steps import Step


def _fits(path: Path, head: bytes) -> bool:
    return not path.is_dir() and head.lstrip()[:1] == b"[" and b'"annotations"' in head and b'"completed_by"' in head


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    returning = Returning(study, problems)
    for path in paths:
        where = legible(str(path))
        for number, task in enumerate(read_json(path, holds="an export of Label Studio"), 1):
            try:
                key = parse_key(str(task["data"]["page"]))
                if key is None:
                    raise ValueError(f"{task['data']['page']!r} is no page of a study")
                for annotation in task["annotations"]:
                    if not annotation.get("was_cancelled"):
                        _take(returning, key, annotation, where, number)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
                problems.append(Problem(where, f"the task can't be used: {_told(error)}", number))
    return returning.answers()


def _told(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)


def _take(returning: Returning, key: Key, annotation: dict[str, Any], where: str, number: int) -> None:
    step = returning.step(key)
    seconds = annotation.get("lead_time")
    returning.add(
        Page(
            _person(annotation["completed_by"]),
            key,
            {} if step is None else _responses(step, annotation["result"]),
            where,
            number,
            seconds=None if seconds is None else float(seconds),
            submitted=str(annotation.get("created_at") or ""),
        )
    )


def _person(told: Any) -> str:
    """Who annotated: the number of the account, which tells nobody who it is, also where the export names the person."""
    return f"account-{told['id'] if isinstance(told, dict) else told}"


def _responses(step: Step, result: Sequence[dict[str, Any]]) -> dict[str, Any]:
    questions = {control_name(question.name): question for question in step.questions}
    found: dict[str, Any] = {}
    for one in result:
        question = questions.get(one["from_name"])
        value = one["value"]
        if question is None:
            continue  # a box of another page
        if one["type"] == "choices":
            found[question.name] = value["choices"] if question.kind == "parts" else value["choices"][0]
        elif one["type"] == "number":
            found[question.name] = value["number"]
        elif one["type"] == "textarea":
            texts = value["text"]
            found[question.name] = "\n".join(texts) if isinstance(texts, list) else texts
        else:
            raise ValueError(f"it holds an annotation of type {one['type']!r}, which no question has")
    return found


LABEL_STUDIO = Import("a JSON export of Label Studio", _fits, _read)
