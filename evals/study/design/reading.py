"""Read `study.yaml`, and name what is wrong with its line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from evals.study.design.checking import UNNAMED, did_you_mean, findings
from evals.study.design.file import StudyFile
from evals.study.design.yaml_lines import parse_yaml, plain_value
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from evals.study.design.checking import Finding
    from evals.study.design.yaml_lines import Document, Place

MOST_ERRORS = 10
"""Errors that are listed; the others are counted."""
LONGEST = 60
"""Characters of a value that an error shows."""
_ROUNDS = 60
"""How often a wrong value is taken out to look at the rest; each round takes out at least one."""

_TEXTS = ("title", "name", "kind", "text", "question", "answer", "task", "condition", "reference")
"""Keys that any text will do for, where one is missing and the rest of the file is still to be looked at."""


class StudyFileError(UsageError):
    """A `study.yaml` that can't be used.

    Attributes:
        problems: (line, sentence) of each error, in the order of the lines.
        sentences: the same as sentences that name the file, ten at most, and how many there are more.
    """

    def __init__(self, where: str, problems: tuple[tuple[int, str], ...]) -> None:
        shown = [f"line {line}: {what}" for line, what in problems[:MOST_ERRORS]]
        more = len(problems) - len(shown)
        if len(problems) == 1:
            text = f"{where}, {shown[0]}"
        else:
            text = f"{where} holds {len(problems)} errors: " + "; ".join(shown) + (f"; and {more} more" if more else "")
        super().__init__(text)
        self.problems = problems
        self.sentences = (*(f"{where}, {one}" for one in shown), *((f"{where} holds {more} more errors",) if more else ()))


def read_study_file(path: str | os.PathLike[str], *, also: Callable[[StudyFile], Iterable[Finding]] | None = None) -> StudyFile:
    """Read and check a `study.yaml`.

    All errors are found at once: wrong keys, values and types, keys that stand twice, and what does not go together, such as
    a task under a condition that there is not.

    Args:
        path: the file.
        also: what else to check, such as the kinds of conditions; see `evals.study.read_study_file`.

    Raises:
        StudyFileError: something in it is wrong; each error is told with its line.
        UsageError: it can't be read, or is no YAML.
    """
    return parse_study_file(read_text(path, holds="a study"), legible(os.fspath(path)), also=also)


def parse_study_file(
    text: str, where: str = "study.yaml", *, also: Callable[[StudyFile], Iterable[Finding]] | None = None
) -> StudyFile:
    """As `read_study_file`, of a text.

    Args:
        text: the YAML.
        where: what errors call it.
        also: what else to check.
    """
    document = parse_yaml(text, where)
    if not isinstance(document.content, dict):
        raise UsageError(f"{where}, line {document.lines[()]}: a study holds keys such as title, conditions and tasks")
    study, wrong = _validated(document)
    problems = [*document.problems, *((_line(document, place), what) for place, what in wrong)]
    if study is not None:
        touched = {place[:-1] for place, _ in wrong}
        more = (*findings(study), *(also(study) if also is not None else ()))
        nameless = any(place[-1:] == ("name",) for place, _ in wrong)  # then nobody knows what there is to refer to
        apart = [
            one
            for one in more
            if one.place not in touched
            and one.place[:-1] not in touched
            and not (nameless and one.what.startswith(("there is no condition ", "there is no task ", "no group holds")))
        ]
        problems += [(_line(document, one.place), one.what) for one in apart]  # the others may follow from what is told
    if problems or study is None:
        raise StudyFileError(where, tuple(sorted(dict.fromkeys(problems))))
    return study


def _line(document: Document, place: Place) -> int:
    while place not in document.lines:
        place = place[:-1]
    return document.lines[place]


def _validated(document: Document) -> tuple[StudyFile | None, list[tuple[Place, str]]]:
    """The study with wrong parts left out where it can do without them, and what is wrong."""
    from pydantic import ValidationError

    content = document.content
    wrong: list[tuple[Place, str]] = []
    told: set[Place] = set()
    for spot in _booleans(document):
        kind = "a whole number" if int in (_model(spot), *_parts(_model(spot))) else "a number"
        wrong.append((spot, f"{named(spot)} must be {kind}, not {document.plain[spot]}"))
        _left_out(content, spot)
    for _ in range(_ROUNDS):
        try:
            return StudyFile.model_validate(content), wrong
        except ValidationError as error:
            changed = False
            for one in error.errors(include_url=False):
                place: Place = one["loc"]
                if one["type"] == "string_type" and isinstance(one["input"], (int, float)) and place in document.plain:
                    _set(content, place, document.plain[place])  # a number where a text is wanted is that text
                    changed = True
                    continue
                if place not in told:  # what was left out is then missing
                    wrong.append((place, _sentence(one)))
                    told.add(place)
                if one["type"] != "missing":
                    changed |= _left_out(content, place)
                elif place[-1] in _TEXTS:
                    _set(content, place, UNNAMED)
                    changed = True
            if not changed:
                break
    return None, wrong


def _booleans(document: Document) -> list[Place]:
    """Where `true` or `false` stands for a number, which pydantic would read as 1 or 0."""
    found = []
    for place, plain in document.plain.items():
        if isinstance(plain_value(plain), bool):
            types = (_model(place), *_parts(_model(place)))
            if bool not in types and (int in types or float in types):
                found.append(place)
    return found


def _set(content: Any, place: Place, value: object) -> None:
    for step in place[:-1]:
        content = content[step]
    content[place[-1]] = value


def _left_out(content: Any, place: Place) -> bool:
    """Take a key out of its mapping; entries of lists stay, since their numbers name the lines of those that follow."""
    for step in place[:-1]:
        if not isinstance(content, (dict, list)) or (isinstance(content, dict) and step not in content):
            return False
        content = content[step]  # type: ignore[index]
    if isinstance(content, dict) and place[-1] in content:
        del content[place[-1]]
        return True
    return False


def _sentence(error: Any) -> str:
    """What pydantic found, in words."""
    place, kind, given, context = error["loc"], error["type"], error["input"], error.get("ctx", {})
    what, shown = named(place), _shown(given)
    match kind:
        case "extra_forbidden":
            known = _known(place[:-1])
            return f"there is no key {place[-1]!r:.60}{_of(place[:-1])}; {did_you_mean(str(place[-1]), known)}"
        case "missing":
            return f"the key {place[-1]!r} is missing{_of(place[:-1])}"
        case "literal_error":
            known = [str(one) for one in _literals(place)] or [context.get("expected", "")]
            if given in known:
                return f"{what} must be the number {given}, without quotes"
            return f"{what} can't be {shown}; {did_you_mean(str(given), known)}"
        case "string_pattern_mismatch" if "A-Za-z0-9_+-" in context.get("pattern", ""):
            return (
                f"{what} can't be {shown}: a name begins with a letter and holds up to 40 letters, digits and the signs _ - +"
            )
        case "string_pattern_mismatch":
            return f"{what} can't be {shown}: it must be a language tag such as en or de-AT"
        case "string_type":
            return f"{what} must be a text, not {_typed(given)}"
        case "string_too_short" | "too_short":
            return (
                f"{what} must not be empty"
                if context.get("min_length", 1) == 1
                else f"{what} needs at least {context['min_length']} entries"
            )
        case "string_too_long":
            return f"{what} must have at most {context['max_length']:,} characters"
        case "list_type":
            return f"{what} must be a list (one entry per line, each after a dash), not {_typed(given)}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{what} must hold keys with values, not {_typed(given)}"
        case "bool_parsing" | "bool_type":
            return f"{what} must be true or false, not {shown}"
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return f"{what} must be a whole number, not {_typed(given)}"
        case "float_parsing" | "float_type" | "finite_number":
            return f"{what} must be a number, not {_typed(given)}"
    limits = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    for key, words in limits.items():
        if key in context:
            return f"{what} must be {words} {context[key]:,}, not {shown}"
    return f"{what}: {error['msg'].removeprefix('Value error, ')}"


def _shown(given: object) -> str:
    """A value as it stands in a sentence."""
    text = repr(given)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _typed(given: object) -> str:
    if given is None:
        return "empty"
    if isinstance(given, (dict, list)):
        return "a list" if isinstance(given, list) else "keys with values"
    return _shown(given)


def named(place: Place) -> str:
    """A place in words: `design.items`, `tasks[2].kind` (entries are counted from 1)."""
    words = ""
    for step in place:
        words += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if words else ''}{legible(step)[:60]}"
    return words or "the file"


def _of(place: Place) -> str:
    return f" in {named(place)}" if place else ""


def _model(place: Place) -> Any:
    """The type that the schema has at a place."""
    from pydantic import BaseModel

    found: Any = StudyFile
    for step in place:
        if isinstance(step, int):
            found = next((one for one in _parts(found) if one is not None), None)
            continue
        models = [one for one in (found, *_parts(found)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not models or step not in models[0].model_fields:
            return None
        found = models[0].model_fields[step].annotation
    return found


def _parts(annotation: Any) -> tuple[Any, ...]:
    from typing import get_args

    return get_args(annotation)


def _known(place: Place) -> list[str]:
    from pydantic import BaseModel

    found = _model(place)
    for one in (found, *_parts(found)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return list(one.model_fields)
    return []


def _literals(place: Place) -> tuple[Any, ...]:
    found = _model(place)
    return _parts(found)
