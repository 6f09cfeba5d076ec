"""What potato's server keeps: a `user_state.json` for each participant, in the folder `annotation_output`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evals.study.answers import Participant
from evals.study.exports.potato import label_name, scheme_name
from evals.study.flow.keys import Key, parse_key
from evals.study.flow.returning import Page, Returning
from evals.study.imports.importing import Import
from saywhy_core.errors import Problem
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from evals.study.answers import Answers
    from evals.study.folder import Study
    from evals.study.steps import Step

STATE = "user_state.json"
_LABELS, _PHASES, _TIMES = "instance_id_to_label_to_value", "phase_to_page_to_label_to_value", "instance_id_to_behavioral_data"
_BY_NAME = ("choice", "rating", "parts", "agree")


def _fits(path: Path, head: bytes) -> bool:
    if path.is_dir():
        return any(_states(path))
    return b'"user_id"' in head and b'"instance_id_ordering"' in head


def _states(folder: Path) -> Iterator[Path]:
    """The states in a project, in its output folder, or in the folder of one participant."""
    for depth in ("", "*/", "*/*/"):
        yield from sorted(folder.glob(depth + STATE))


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    returning = Returning(study, problems)
    for path in paths:
        for state in _states(path) if path.is_dir() else (path,):
            where = legible(str(state))
            found = read_json(state, holds="a participant of potato")
            try:
                _take(returning, found, where)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                told = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
                problems.append(Problem(where, f"the participant's answers can't be used: {told}"))
    return returning.answers()


def _take(returning: Returning, state: Any, where: str) -> None:
    if not isinstance(state, dict) or not isinstance(state.get("user_id"), str):
        raise ValueError("it is no state of a participant of potato")
    person = state["user_id"]
    keys = [key for one in state.get("instance_id_ordering") or [] if (key := parse_key(str(one))) is not None]
    if not keys:
        returning.problems.append(Problem(where, f"participant {person!r} was given no page of this study"))
        return
    times = state.get(_TIMES) or {}
    spans = [one for one in times.values() if isinstance(one, dict)]
    returning.join(
        Participant(
            code=person,
            status="complete" if (state.get("current_phase_and_page") or [None])[0] == "done" else "left",
            started=_iso(min((one["session_start"] for one in spans if one.get("session_start")), default=None)),
            finished=_iso(max((one["session_end"] for one in spans if one.get("session_end")), default=None)),
        )
    )
    for instance, labels in (state.get(_LABELS) or {}).items():
        if (key := parse_key(instance)) is None:
            returning.problems.append(Problem(where, f"the instance {instance!r} is no page of this study"))
            continue
        spent = times.get(instance) or {}
        _add(returning, person, key, labels, where, spent)
    for pages in (state.get(_PHASES) or {}).values():
        for name, labels in pages.items():
            number = name.removeprefix("page_")
            if number.isdigit():
                _add(returning, person, Key(keys[0].way, int(number) - 1, keys[0].version), labels, where, {})


def _add(returning: Returning, person: str, key: Key, labels: Any, where: str, spent: Mapping[str, Any]) -> None:
    step = returning.step(key)
    returning.add(
        Page(
            person,
            key,
            {} if step is None else _responses(step, labels),
            where,
            seconds=_seconds(spent),
            submitted=_iso(spent.get("session_end")),
        )
    )


def _seconds(spent: Mapping[str, Any]) -> float | None:
    """What the browser measured; where a page was left before it told anything, the time between opening and saving it."""
    if spent.get("total_time_ms"):
        return float(spent["total_time_ms"]) / 1000
    opened, saved = spent.get("session_start"), spent.get("session_end")
    return float(saved) - float(opened) if opened and saved and saved > opened else None


def _responses(step: Step, labels: Any) -> dict[str, Any]:
    """Question -> response. Labels are [[{"schema", "name"}, value], ...]: of choices, the name is what was chosen."""
    questions = {scheme_name(question.name): question for question in step.questions}
    found: dict[str, Any] = {}
    for label, value in labels:
        question = questions.get(label["schema"])
        if question is None or value in (None, "", False):
            continue  # another page's question, which a participant can't see here
        named = {label_name(shown): known for known, shown in question.options}.get(label["name"], label["name"])
        if question.kind == "parts":
            found.setdefault(question.name, []).append(named)
        else:
            found[question.name] = named if question.kind in _BY_NAME else value
    return found


def _iso(seconds: Any) -> str:
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


POTATO = Import("the output folder of the annotation server potato", _fits, _read)
