"""Answers out of anybody's tables, by a mapping of their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.answers import Answer, Answers, Participant
from evals.study.imports.mapping import FactPart, Mapping, read_mapping
from evals.study.imports.tables import find_column, need_column, read_table
from evals.study.tasks.preference import NEITHER
from evals.study.tasks.task import TASKS
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from evals.study.imports.mapping import Column, TaskColumn, WhenPart
    from evals.study.imports.tables import Table

    Facts = dict[str, dict[str, str]]


class _RowError(Exception):
    """What is wrong with one row, in words."""


@dataclass
class _Gathered:
    mapping: Mapping
    rows: list[Answer] = field(default_factory=list)
    people: dict[str, Participant] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    expected: Facts = field(default_factory=dict)  # task -> item -> right answer
    seen: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_columns(
    paths: Sequence[str | os.PathLike[str]],
    mapping: Mapping | str | os.PathLike[str],
    *,
    problems: list[Problem] | None = None,
) -> Answers:
    """Read tables with the mapping of their columns.

    Args:
        paths: tables of CSV, TSV, JSON or JSON Lines, each with a row per item.
        mapping: the mapping, or the path of its file.
        problems: where rows that can't be used are noted, while the others go on. Without it, the first is an error.

    Raises:
        UsageError: a table has not the columns that the mapping names, or no row of any of them can be used.
    """
    rules = mapping if isinstance(mapping, Mapping) else read_mapping(mapping)
    found = _Gathered(rules)
    read: set[Path] = set()
    for path in paths:
        for part in rules.tables:
            where = Path(path).parent / part.file
            if where not in read:
                read.add(where)
                _read_facts(found, read_table(where), rules.tables.index(part))
    for path in paths:
        _read_rows(found, read_table(path), Path(path).name)
    if found.problems and (problems is None or not found.rows):
        raise UsageError(str(found.problems[0]))
    if not found.rows:
        raise UsageError(f"{', '.join(map(str, paths))}: no row holds an answer; see leave_out and blank of the mapping")
    if problems is not None:
        problems += found.problems
    return Answers(tuple(found.rows), found.people, found.facts)


def _read_facts(found: _Gathered, table: Table, number: int) -> None:
    part = found.mapping.tables[number]
    item = need_column(table, part.item, "the item")
    answers = {task: need_column(table, column, f"the right answer of {task}") for task, column in part.answers.items()}
    facts = {name: _fact(table, name, column) for name, column in part.facts.items()}
    for line, row in zip(table.lines, table.rows, strict=True):
        told = [(found.expected.setdefault(task, {}), row[item], row[place].strip()) for task, place in answers.items()]
        told += [(found.facts.setdefault(row[item], {}), name, value(row)) for name, value in facts.items()]
        for known, key, value in told:
            if value and known.setdefault(key, value) != value:
                raise UsageError(
                    f"{table.name}, line {line}: item {row[item]!r} has {value!r} here and {known[key]!r} in another row"
                )


def _fact(table: Table, name: str, column: Column | FactPart) -> Callable[[tuple[str, ...]], str]:
    if not isinstance(column, FactPart):
        place = need_column(table, column, f"the fact {name}")
        return lambda row: row[place].strip()
    if column.same is not None:
        one, other = (need_column(table, each, f"the fact {name}") for each in column.same)
        return lambda row: ("yes" if row[one].strip() == row[other].strip() else "no") if row[one].strip() else ""
    assert column.column is not None
    at, codes = need_column(table, column.column, f"the fact {name}"), column.codes
    return lambda row: codes.get(row[at].strip(), row[at].strip())


def _read_rows(found: _Gathered, table: Table, file_name: str) -> None:
    mapping = found.mapping
    person = _person(table, mapping, file_name)
    item = need_column(table, mapping.item, "the item")
    condition = _condition(table, mapping)
    left_out = [rule for one in mapping.leave_out if (rule := _rule(table, one, needed=False)) is not None]
    only = [_rule(table, one, needed=True) for one in mapping.only]
    responses = [(task, _response(table, task, mapping)) for task in mapping.tasks]
    trial = None if mapping.trial is None else need_column(table, mapping.trial, "the trial")
    attributes = {name: need_column(table, column, name) for name, column in mapping.attributes.items()}
    for line, row in zip(table.lines, table.rows, strict=True):
        if any(rule(row) for rule in left_out) or not all(rule(row) for rule in only if rule is not None):
            continue
        try:
            code, shown = person(row), row[item].strip()
            if not code or not shown:
                raise _RowError(f"the {'item' if code else 'participant'} is blank")
            under = condition(row)
            number = None if trial is None or not row[trial].strip() else int(_number(row[trial], "the trial's number"))
            answers = [one for task, make in responses if (one := make(row, code, shown, under, number, found)) is not None]
            for one in answers:
                _once(found, one, f"{table.name}, line {line}")
        except _RowError as error:
            found.problems.append(Problem(table.name, str(error), line))
            continue
        known = found.people.setdefault(code, Participant(code=code, source=mapping.source, attributes={}))
        facts = {**{name: row[place].strip() for name, place in attributes.items()}, **_given(known.attributes)}
        found.people[code] = Participant(code=code, source=mapping.source, attributes=facts)
        found.rows += answers


def _given(attributes: object) -> dict[str, str]:
    assert isinstance(attributes, dict)
    return {name: value for name, value in attributes.items() if value}


def _once(found: _Gathered, one: Answer, where: str) -> None:
    key = (one.participant, one.item, one.condition, one.task)
    if (before := found.seen.setdefault(key, where)) != where:
        raise _RowError(
            f"participant {one.participant!r} answered {one.task!r} for item {one.item!r} under {one.condition!r} already "
            f"({before})"
        )


def _person(table: Table, mapping: Mapping, file_name: str) -> Callable[[tuple[str, ...]], str]:
    part = mapping.participant
    if part.column is not None:
        place = need_column(table, part.column, "the participant")
        return lambda row: row[place].strip()
    assert part.file_name is not None
    match = re.search(part.file_name, file_name)
    if match is None:
        raise UsageError(f"{table.name}: the file's name does not match {part.file_name!r}, which gives the participant's code")
    code = "-".join(one for one in match.groups() if one) or match[0]
    return lambda _: code


def _condition(table: Table, mapping: Mapping) -> Callable[[tuple[str, ...]], str]:
    part = mapping.condition
    place = None if part.column is None else find_column(table, part.column, "the condition")
    if place is None and not part.rules:
        assert part.column is not None
        need_column(table, part.column, "the condition")
    if place is not None:
        at = place

        def from_column(row: tuple[str, ...]) -> str:
            code = row[at].strip()
            if not code or (part.codes and code not in part.codes):
                known = ", ".join(part.codes)
                raise _RowError(f"{code!r} is no condition{f'; the codes are {known}' if known else ''}")
            return part.codes.get(code, code)

        return from_column
    rules = [
        (one.condition, (lambda _: True) if one.when is None else _rule(table, one.when, needed=True)) for one in part.rules
    ]

    def by_rules(row: tuple[str, ...]) -> str:
        for name, holds in rules:
            if holds is not None and holds(row):
                return name
        raise _RowError("no rule says under which condition this row stands")

    return by_rules


def _rule(table: Table, part: WhenPart, *, needed: bool) -> Callable[[tuple[str, ...]], bool] | None:
    place = find_column(table, part.column, "a rule")
    if place is None:
        if needed:
            need_column(table, part.column, "a rule")
        return None
    values = part.values
    if values is None:
        return lambda row: (not row[place].strip()) == part.blank
    return lambda row: row[place].strip() in values


def _response(
    table: Table, task: TaskColumn, mapping: Mapping
) -> Callable[[tuple[str, ...], str, str, str, int | None, _Gathered], Answer | None]:
    place = need_column(table, task.column, f"the task {task.name}")
    measure = TASKS.get(task.kind).measure
    right = None if task.answer is None else need_column(table, task.answer, f"the right answer of {task.name}")
    timed = task.seconds or mapping.seconds
    clock = None if timed is None else need_column(table, timed, f"the time of {task.name}")

    def make(row: tuple[str, ...], code: str, item: str, condition: str, trial: int | None, found: _Gathered) -> Answer | None:
        response = _coded(task, row[place].strip())
        if not response and task.blank == "missing":
            return None
        expected = correct = value = None
        if measure == "accuracy":
            expected = row[right].strip() if right is not None else found.expected.get(task.name, {}).get(item, "")
            if not expected:
                raise _RowError(f"there is no right answer of {task.name!r} for item {item!r}")
            correct = response == expected
            value = float(correct)
        elif measure == "rating":
            value = _number(response, f"the rating {task.name!r}")
            if task.points is not None and not 1 <= value <= task.points:
                raise _RowError(f"the rating {task.name!r} is {response}, and the points are 1 to {task.points}")
        elif measure == "preference":
            value = _preferred(response, condition)
        seconds = None if clock is None or not row[clock].strip() else _number(row[clock], "the time")
        if seconds is not None and seconds < 0:
            raise _RowError(f"the time is {row[clock or 0]}, and no time is negative")
        return Answer(
            participant=code, phase="trial", task=task.name, kind=task.kind, response=response, trial=trial, item=item,
            condition=condition, expected=expected, correct=correct, value=value, seconds=seconds,
        )  # fmt: skip

    return make


def _preferred(response: str, condition: str) -> float:
    """1 where the first of two conditions is preferred, 0 where the second is, 0.5 for neither."""
    first, sign, second = condition.partition(" vs ")
    if not sign:
        raise _RowError(f"the condition {condition!r} does not name two with ' vs ' between, which a preference compares")
    values = {first: 1.0, second: 0.0, NEITHER: 0.5}
    if response not in values:
        raise _RowError(f"{response!r} is none of the compared conditions, {condition}, nor {NEITHER!r}")
    return values[response]


def _coded(task: TaskColumn, written: str) -> str:
    if not written or not task.codes:
        return written
    if written not in task.codes:
        raise _RowError(f"{written!r} is none of the codes of {task.name!r}: {', '.join(task.codes)}")
    return task.codes[written]


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _RowError(f"{what} is {text!r}, which is no number") from None
    if not abs(value) < 1e12:
        raise _RowError(f"{what} is {text}, which is no number that it can be")
    return value
