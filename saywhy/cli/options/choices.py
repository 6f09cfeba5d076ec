"""Names that an option takes, as `--help` lists them: read from the registries, so that brought ones are listed too."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def names_of(*places: str) -> list[str]:
    """The names in registries or constants, in order, each once.

    Args:
        places: each "module:attribute" of something that iterates over names, or of a function that returns such a thing.
    """
    names: list[str] = []
    for place in places:
        module, _, attribute = place.partition(":")
        found: Any = getattr(import_module(module), attribute)
        names += [name for name in (found() if callable(found) else found) if name not in names]
    return names


def either(*places: str, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> str:
    """The names as an option's metavar, such as "[plain|ranked|smv]"."""
    return f"[{'|'.join([*first, *names_of(*places), *last])}]"
