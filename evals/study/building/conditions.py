"""Conditions from their names on a command line: "heatmap", "plain", "plain+heatmap", "random-plain", "mytexts.jsonl"."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from evals.study.design.file import ConditionPart
from evals.study.stimuli.kind import KINDS
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


def parse_conditions(names: str | Sequence[str]) -> tuple[ConditionPart, ...]:
    """Conditions by their names, as one text with commas between them or as a list.

    Args:
        names: each is a kind of `KINDS` ("heatmap", "rationale", "narrate", "none", "random", "other", "list" for a ranked
            list), a style of texts ("plain", "ranked", "smv"), with "-clause", "-short" or "-paragraph" behind it for another
            length, a file of texts (.jsonl, .json, .csv, .tsv), any of these that stands below the input with "+heatmap", or a
            control in its form: "random-plain", "other-rationale".

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
    return tuple(found)


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
