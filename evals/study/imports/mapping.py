"""The mapping of columns: which column of a table is the participant, the item, the condition, and each response."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from evals.study.design.checking import did_you_mean
from evals.study.design.file import Name  # noqa: TC001 - pydantic evaluates it
from evals.study.design.yaml_lines import parse_yaml
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from evals.study.design.yaml_lines import Document, Place


class Part(BaseModel):
    """A part of a mapping. Keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnPart(Part):
    """A column by what its heading says. White space and case of headings never count.

    Attributes:
        named: the heading, or several that are tried in this order.
        matches: a regular expression that is found in the heading.
        words: words that all stand in the heading, in any order.
    """

    named: str | list[str] | None = None
    matches: str | None = None
    words: list[str] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> ColumnPart:
        if sum(one is not None for one in (self.named, self.matches, self.words)) != 1:
            raise ValueError("give exactly one of named, matches and words")
        return self

    @field_validator("matches")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        return _compiled(value)


Column = str | list[str] | ColumnPart
"""A heading, several that are tried in this order, or a `ColumnPart`."""


class ParticipantPart(Part):
    """Who answered: a column, or a regular expression over the file's name, whose groups make the code."""

    column: Column | None = None
    file_name: str | None = None

    @model_validator(mode="after")
    def _one(self) -> ParticipantPart:
        if (self.column is None) == (self.file_name is None):
            raise ValueError("give exactly one of column and file_name")
        return self

    @field_validator("file_name")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        return _compiled(value)


class WhenPart(Part):
    """A rule over a row: it holds where the column is blank (or is not), or holds one of the values."""

    column: Column
    blank: bool | None = None
    values: list[str] | None = None

    @model_validator(mode="after")
    def _one(self) -> WhenPart:
        if (self.blank is None) == (self.values is None):
            raise ValueError("give exactly one of blank and values")
        return self


class ConditionRule(Part):
    """The condition of rows for which `when` holds; of all others, where there is no `when`."""

    condition: str = Field(min_length=1)
    when: WhenPart | None = None


class ConditionsPart(Part):
    """The condition of a row: from a column, with a map of its codes, or by rules where a file has no such column.

    A code that `codes` lacks is a problem of its row, unless `codes` is empty.
    """

    column: Column | None = None
    codes: dict[str, str] = {}
    rules: list[ConditionRule] = []

    @model_validator(mode="after")
    def _some(self) -> ConditionsPart:
        if self.column is None and not self.rules:
            raise ValueError("give a column, rules, or both")
        if self.column is None and self.codes:
            raise ValueError("codes are those of a column, and no column is given")
        return self


class TaskColumn(Part):
    """A response.

    Attributes:
        name: the task's name, such as "simulation" or "helpfulness".
        kind: the kind of task, a name in `evals.study.tasks.TASKS`.
        column: where the response stands.
        codes: what is written there -> the response, where the two differ. What it lacks is a problem of its row.
        blank: what an empty cell counts as: "missing" (no answer), or "wrong" for tasks with a right answer.
        points: the highest point of a rating; the lowest is 1.
        answer: a column of the same table with the right answer. Those of other tables are in `tables`.
        seconds: a column with the time that the response took.
    """

    name: Name
    kind: str
    column: Column
    codes: dict[str, str] = {}
    blank: Literal["missing", "wrong"] = "missing"
    points: Annotated[int, Field(ge=2, le=1001)] | None = None
    answer: Column | None = None
    seconds: Column | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        from evals.study.tasks.task import TASKS

        if value not in TASKS:
            raise ValueError(f"there is no kind of task {value!r}; {did_you_mean(value, TASKS)}")
        return value


class FactPart(Part):
    """A fact about an item: a column's value, by `codes`; or "yes" and "no" for whether two columns are the `same`."""

    column: Column | None = None
    codes: dict[str, str] = {}
    same: tuple[Column, Column] | None = None

    @model_validator(mode="after")
    def _one(self) -> FactPart:
        if (self.column is None) == (self.same is None):
            raise ValueError("give exactly one of column and same")
        if self.same is not None and self.codes:
            raise ValueError("codes have no effect beside same")
        return self


class TablePart(Part):
    """Another table, with what is known of the items. Rows of one item must agree.

    Attributes:
        file: its path, relative to the folder of the table with the responses.
        item: the column with the item's id.
        answers: task -> the column with its right answer.
        facts: fact -> the column with its value, such as label, model_right, coverage or length.
    """

    file: str
    item: Column
    answers: dict[str, Column] = {}
    facts: dict[str, Column | FactPart] = {}


class Mapping(Part):
    """The whole of a mapping.

    Attributes:
        participant: who answered.
        item: the column with the item's id.
        condition: which explanation was shown.
        tasks: the responses of a row.
        only: rows that count: those for which all of these rules hold.
        leave_out: rows that were shown to nobody: each for which one of these rules holds. A rule over a column that a file
            does not have leaves out nothing of it.
        tables: right answers and facts by item.
        trial: the column with the number of the trial, in the participant's own order.
        seconds: the column with the time that the row took.
        attributes: facts about participants by name, such as age, and the column of each.
        source: who answered: "people", or the name of a simulated participant.
    """

    version: Literal[1] = 1
    participant: ParticipantPart
    item: Column
    condition: ConditionsPart
    tasks: list[TaskColumn] = Field(min_length=1)
    only: list[WhenPart] = []
    leave_out: list[WhenPart] = []
    tables: list[TablePart] = []
    trial: Column | None = None
    seconds: Column | None = None
    attributes: dict[str, Column] = {}
    source: str = "people"

    @model_validator(mode="after")
    def _tasks(self) -> Mapping:
        from evals.study.tasks.task import TASKS

        names = [task.name for task in self.tasks]
        if len(set(names)) < len(names):
            raise ValueError("two tasks have the same name")
        known = {name for table in self.tables for name in table.answers}
        if unknown := known - set(names):
            raise ValueError(f"there is no task {min(unknown)!r} for the right answers of a table")
        for task in self.tasks:
            measure = TASKS.get(task.kind).measure
            if measure == "accuracy":
                if task.answer is None and task.name not in known:
                    raise ValueError(f"task {task.name!r} has right answers: name their column by answer, or in tables")
            elif task.blank == "wrong" or task.answer is not None or task.name in known:
                raise ValueError(f"task {task.name!r} is of kind {task.kind!r}, which has no right answers")
            if task.points is not None and measure != "rating":
                raise ValueError(f"task {task.name!r} is no rating, and has no points")
        if self.source != "people" and not self.source.startswith("simulated:"):
            raise ValueError('source is "people", or "simulated:" and a name')
        return self


def read_mapping(path: str | os.PathLike[str]) -> Mapping:
    """Read and check the mapping of columns in a YAML file.

    Raises:
        UsageError: it can't be read, or a key or value is wrong; the line is named.
    """
    where = legible(os.fspath(path))
    document = parse_yaml(read_text(path, holds="a mapping of columns"), where)
    if not isinstance(document.content, dict):
        raise UsageError(f"{where}, line {document.lines[()]}: a mapping holds keys such as participant, item and tasks")
    if document.problems:
        line, said = document.problems[0]
        raise UsageError(f"{where}, line {line}: {said}")
    try:
        return Mapping.model_validate(_with_texts(document.content, document, ()))
    except ValidationError as error:
        raise UsageError(_told(error, document, where)) from None


def _with_texts(value: Any, document: Document, place: Place) -> Any:
    """The content with numbers as the texts that they were written as: headings, codes and ids are texts."""
    if isinstance(value, dict):
        return {key: _with_texts(one, document, (*place, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_texts(one, document, (*place, number)) for number, one in enumerate(value)]
    as_number = bool(place) and place[-1] in ("version", "points", "blank")
    if value is None or as_number or not isinstance(value, (bool, int, float)):
        return value
    return document.plain.get(place, value)


def _told(error: ValidationError, document: Document, where: str) -> str:
    """The first thing that is wrong, with its line. Of several forms that a value may have, the one that fits best is told."""
    found = max(
        error.errors(include_url=False),
        key=lambda one: (_depth(one, document), one["type"] not in ("string_type", "list_type")),
    )
    place = tuple(one for one in found["loc"] if not _is_form(one))
    line = next(document.lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in document.lines)
    name = ".".join(str(one + 1) if isinstance(one, int) else one for one in place) or "the mapping"
    if found["type"] == "extra_forbidden":
        known = _keys(place[:-1])
        key = str(found["loc"][-1])
        return f"{where}, line {line}: there is no key {key!r:.60}; {did_you_mean(key, known)}"
    if found["type"] == "missing":
        return f"{where}, line {line}: the key {name} is missing"
    return f"{where}, line {line}: {_said(found, name)}"


def _said(found: Any, name: str) -> str:
    given = "empty" if found["input"] is None else f"{found['input']!r:.60}"
    match found["type"]:
        case "string_type":
            return f"{name} must be a text, and is {given}"
        case "list_type":
            return f"{name} must be a list, and is {given}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{name} must hold keys with values, and is {given}"
        case "bool_type" | "bool_parsing":
            return f"{name} must be true or false, and is {given}"
        case "too_short":
            return f"{name} must not be empty"
        case "literal_error":
            return f"{name} must be {found['ctx']['expected']}, and is {given}"
    return f"{name}: {found['msg'].removeprefix('Value error, ')}"


def _is_form(part: object) -> bool:
    """Whether a part of pydantic's place names one of several forms of a value, which the file does not hold."""
    return isinstance(part, str) and (part in ("str", "float") or "[" in part or part in _PARTS)


def _depth(one: Any, document: Document) -> int:
    place = tuple(part for part in one["loc"] if not _is_form(part))
    return max(end for end in range(len(place) + 1) if place[:end] in document.lines)


def _keys(place: Place) -> list[str]:
    """The keys that may stand at a place: the last of its names says which part it is."""
    names = [one for one in place if isinstance(one, str)]
    part = _AT.get(names[-1], ColumnPart) if names else Mapping
    return sorted({*part.model_fields, *(FactPart.model_fields if len(names) > 1 and names[-2] == "facts" else ())})


_AT: dict[str, type[BaseModel]] = {
    "participant": ParticipantPart, "condition": ConditionsPart, "rules": ConditionRule, "when": WhenPart, "only": WhenPart,
    "leave_out": WhenPart, "tasks": TaskColumn, "tables": TablePart,
}  # fmt: skip
_PARTS: dict[str, type[BaseModel]] = {
    one.__name__: one
    for one in (
        ColumnPart, ParticipantPart, WhenPart, ConditionRule, ConditionsPart, TaskColumn, FactPart, TablePart,
    )
}  # fmt: skip


def _compiled(value: str | None) -> str | None:
    if value is not None:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value
