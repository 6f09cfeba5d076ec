"""The classes of a model as a user gives them: names alone, or names with the texts that stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from saywhy_core.errors import UsageError
from saywhy_core.names import check_class_names, read_class_names
from saywhy_core.reading.documents import read_json

Classes: TypeAlias = "tuple[str, ...] | dict[str, str | tuple[str, ...]]"


def read_classes(given: Any, where: str = "class_names") -> Classes | None:
    """Names of classes, or a mapping of each to one text or several.

    Args:
        given: a list of names, a mapping, or the path of a file: of names as `saywhy_core.names.read_class_names` reads
            them, or a JSON object from each name to a text or a list of texts. None stays None.
        where: what the classes come from, for errors.

    Raises:
        UsageError: it is none of these, or there are no classes.
    """
    if given is None:
        return None
    if isinstance(given, str | PathLike):
        path = Path(given)
        content = read_json(path, unique=True) if path.suffix.lower() == ".json" else None
        described = isinstance(content, dict) and not all(name.isdecimal() for name in content)
        return _described(content, str(path)) if described else tuple(read_class_names(path))
    if isinstance(given, Mapping):
        return _described(given, where)
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{where}: classes are a list of names, a mapping of names to texts, or a file, not {given!r:.80}")
    return tuple(check_class_names(list(given), where))


def _described(given: Any, where: str) -> dict[str, str | tuple[str, ...]]:
    check_class_names(list(given), where)
    for name, texts in given.items():
        several = [texts] if isinstance(texts, str) else texts
        if not isinstance(several, list | tuple) or not several or not all(isinstance(one, str) and one for one in several):
            raise UsageError(f"{where}: the class {name!r:.80} must have a text or a list of texts, not {texts!r:.80}")
    return {name: texts if isinstance(texts, str) else tuple(texts) for name, texts in given.items()}
