"""What callers hand over beside the scores: names, and other arguments of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARED = ("id", "method", "prediction")
"""The arguments that both kinds of map have."""


def check_fields(fields: Mapping[str, Any], known: Sequence[str]) -> None:
    """See whether further arguments are arguments of a map that are left to the caller.

    Raises:
        UsageError: one is not.
    """
    for name in fields:
        if name not in known:
            raise UsageError(f"{name} is no argument of such a map; the other ones are {', '.join(sorted(known))}")


def checked_list(names: Any, what: str) -> list[str]:
    """Names in a list, one per part.

    Raises:
        UsageError: they are one string, whose letters would count as names, or no list.
    """
    if isinstance(names, str | Mapping) or not hasattr(names, "__iter__"):
        raise UsageError(f"{what} must be a list of names, one for each, not {names!r:.60}")
    return [str(name) for name in names]
