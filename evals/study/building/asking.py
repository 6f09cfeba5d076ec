"""The conditions and tasks of a new study, from names such as "heatmap", "plain+heatmap", "random-plain", "mytexts.jsonl"."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from evals.study.design.file import ConditionPart, Part, TaskPart
from evals.study.stimuli.kind import KINDS
from evals.study.tasks.task import TASKS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
_CONTROLS = ("random", "other")
_HEATMAP = "heatmap"
_LISTED = "list"
"""The kind "ranked", which shares its name with a style of texts: the style goes before it."""
_HIDDEN = ("text", "file", "combined", "ranked")
"""Kinds that have names of their own on a command line."""
P = TypeVar("P", bound=Part)
RATINGS = ("helpfulness", "ease")
"""Names of tasks that are ratings of the explanation, with questions of their own."""


def conditions_of(given: str | Sequence[str | ConditionPart]) -> tuple[ConditionPart, ...]:
    """Conditions from their names, or as they are.

    Raises:
        UsageError: as `parse_conditions`.
    """
    if isinstance(given, str):
        return parse_conditions(given)
    found = [one if isinstance(one, ConditionPart) else parse_conditions([one])[0] for one in given]
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise UsageError(f"the condition {twice[0]!r} stands there twice; name each once")
    if not found:
        raise UsageError("a study needs conditions; name some, such as heatmap,plain,none")
    return tuple(found)


def tasks_of(given: str | Sequence[str | TaskPart], conditions: Sequence[ConditionPart]) -> tuple[TaskPart, ...]:
    """Tasks from their names, or as they are. What is asked about explanations is not asked where there is none.

    Raises:
        UsageError: there is no such task, or none at all.
    """
    names = [name.strip() for name in given.split(",") if name.strip()] if isinstance(given, str) else list(given)
    explained = [part.name for part in conditions if part.kind != "none"]
    some = None if not explained or len(explained) == len(conditions) else explained
    found: list[TaskPart] = []
    for one in names:
        if isinstance(one, TaskPart):
            found.append(one)
        elif one in RATINGS:
            found.append(TaskPart(name=one, kind="rating", conditions=some))
        elif one in TASKS and one != "rating":
            about = TASKS.get(one).compared or one == "error_finding"
            found.append(TaskPart(name=one, kind=one, conditions=some if about else None))
        else:
            known = [*(name for name in TASKS if name != "rating"), *RATINGS]
            raise UsageError(f"there is no task {one!r}; use some of {', '.join(known)}")
    if not found:
        raise UsageError(f"a study needs tasks; name some, such as simulation,{','.join(RATINGS)}")
    return tuple(found)


def check_labels(labels: Sequence[str], tasks: Sequence[TaskPart], *, choices: int, binary: bool) -> None:
    """See whether there is something to guess.

    Raises:
        UsageError: there is only one label, too few choices, or maps of more than two labels are to be turned round.
    """
    if choices < 2:
        raise UsageError(f"participants choose from 2 labels or more, not {choices}")
    guessed = any(part.kind in ("simulation", "counterfactual") for part in tasks)
    if len(labels) < 2 and guessed:
        raise UsageError(
            f"all maps are of one label ({', '.join(labels)}), so that there is nothing to guess; name the labels with --labels"
        )
    if binary and len(labels) > 2:
        raise UsageError(f"maps of two labels can be turned round, and there are {len(labels)}: {', '.join(labels[:6])}")


def parse_conditions(names: str | Sequence[str], *, unchecked: bool = False) -> tuple[ConditionPart, ...]:
    """Conditions by their names, as one text with commas between them or as a list.

    Args:
        names: each is a kind of `KINDS` ("heatmap", "rationale", "narrate", "none", "random", "other", "list" for a ranked
            list), a style of texts ("plain", "ranked", "smv"), with "-clause", "-short" or "-paragraph" behind it for another
            length, a file of texts (.jsonl, .json, .csv, .tsv), any of these that stands below the input with "+heatmap", or a
            control in its form: "random-plain", "other-rationale".
        unchecked: whether texts of files are shown even where they are false of their maps.

    Raises:
        UsageError: a name means nothing, or stands there twice.
    """
    wanted = names.split(",") if isinstance(names, str) else list(names)
    given = [name.strip() for name in wanted if name.strip()]
    if not given:
        raise UsageError("a study needs conditions; name some, such as heatmap,plain,none")
    found = [_condition(name) for name in given]
    for number, one in enumerate(found):
        if one.name in [other.name for other in found[:number]]:
            raise UsageError(f"the condition {one.name!r} stands there twice; name each once")
    if not unchecked:
        return tuple(found)
    kept = [_unchecked(one) for one in found]
    if kept == found:
        raise UsageError("unchecked concerns texts of files, and no condition is one; leave it out")
    return tuple(kept)


def _unchecked(part: ConditionPart) -> ConditionPart:
    if part.kind == "file":
        return part.model_copy(update={"options": {**part.options, "unchecked": True}})
    if part.options.get("kind") == "file":
        return part.model_copy(update={"options": {**part.options, "options": {**part.options["options"], "unchecked": True}}})
    return part


def _condition(name: str) -> ConditionPart:
    kind, options = _meaning(name)
    return ConditionPart(name=_short(name), kind=kind, options=options)


def _meaning(name: str) -> tuple[str, dict[str, Any]]:
    """The kind of a condition, and its options."""
    from verbalize.write.style import STYLES

    if name.endswith(f"+{_HEATMAP}") or name.startswith(f"{_HEATMAP}+"):
        inner = name.removesuffix(f"+{_HEATMAP}").removeprefix(f"{_HEATMAP}+")
        kind, options = _meaning(inner)
        if KINDS.get(kind).explain is None:
            raise UsageError(f"{name!r}: {inner!r} does not stand below the input, so that a heatmap can't be put above it")
        return "combined", _inside(kind, options)
    if name.lower().endswith(_FILES):
        return "file", {"path": name}
    for control in _CONTROLS:
        if name.startswith(f"{control}-"):
            form = name.removeprefix(f"{control}-")
            kind, options = _meaning(form)
            if KINDS.get(kind).control or kind == "file":
                raise UsageError(f"{name!r}: a control can't take the form of {form!r}")
            return control, _inside(kind, options)
    if name.startswith("narrate-") and name.removeprefix("narrate-") in _narrators():
        return "narrate", {"style": name.removeprefix("narrate-")}
    if name == _LISTED:
        return "ranked", {}
    style, _, length = name.rpartition("-")
    if style in STYLES and length in STYLES.get(style).lengths:
        return "text", {"style": style, "length": length}
    if name in STYLES:
        return "text", {"style": name}
    if name in KINDS and name not in _HIDDEN:
        return name, {}
    known = [one for one in KINDS if one not in _HIDDEN]
    raise UsageError(
        f"there is no condition {name!r}; use one of {', '.join([*known, _LISTED, *STYLES])}, a file of texts (.jsonl, .csv), "
        "or some with +heatmap behind"
    )


def _narrators() -> tuple[str, ...]:
    """The styles in which a language model writes."""
    from verbalize.narrate import STYLES

    return tuple(STYLES)


def checked_part(part: type[P], /, **values: Any) -> P:
    """A part of a study file.

    Raises:
        UsageError: a value can't stand there.
    """
    from pydantic import ValidationError

    try:
        return part.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UsageError(
            f"the study can't be used: {where}: {first['msg'].removeprefix('Value error, ')}, not {first['input']!r:.60}"
        ) from None


def _inside(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "options": options} if options else {"kind": kind}


def _short(name: str) -> str:
    """A name for columns and keys: a file is called by its stem, and signs that a name can't hold become "-"."""
    head, plus, tail = name.partition("+")
    if head.lower().endswith(_FILES):
        head = PurePath(head).stem
    if tail.lower().endswith(_FILES):
        tail = PurePath(tail).stem
    plain = re.sub(r"[^A-Za-z0-9_+-]+", "-", head + plus + tail).strip("-")
    if not re.match(r"[A-Za-z]", plain):
        plain = f"texts-{plain}".rstrip("-")
    return plain[:40]
