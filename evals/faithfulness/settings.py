"""Settings that a caller gives, checked: whole numbers, numbers, shares of the parts, and fills."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_number(value: Any) -> bool:
    """Whether it is a finite number; true and false are none, though Python counts with them."""
    return not isinstance(value, bool | np.bool_) and isinstance(value, Real) and bool(np.isfinite(float(value)))


def checked_whole(name: str, value: Any, least: int) -> int:
    """A setting that must be a whole number, `least` or more.

    Raises:
        UsageError: it is not.
    """
    if not is_number(value) or int(value) != value or value < least:
        raise UsageError(f"{name} must be a whole number, {least} or more, not {value!r:.80}")
    return int(value)


def checked_number(name: str, value: Any, low: float, high: float = np.inf, *, ends: bool = False) -> float:
    """A setting that must be a number between `low` and `high`; the two themselves are allowed where `ends` is true.

    Raises:
        UsageError: it is not.
    """
    if not is_number(value) or not (low <= value <= high if ends else low < value < high):
        above = f"{low:g} or more" if ends else f"above {low:g}"
        between = f"from {low:g} to {high:g}" if ends else f"between {low:g} and {high:g}"
        raise UsageError(f"{name} must be a number {above if high == np.inf else between}, not {value!r:.80}")
    return float(value)


def checked_shares(name: str, value: Any) -> tuple[float, ...]:
    """Shares of the parts: one or several numbers from 0 to 1, in a list.

    Raises:
        UsageError: they are not.
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise UsageError(f"{name} must be a list of numbers from 0 to 1, not {value!r:.80}")
    listed = tuple(value)
    fit = all(is_number(share) and 0 <= share <= 1 for share in listed)
    if not listed or not fit:
        raise UsageError(f"{name} must be numbers from 0 to 1, not {listed!r:.80}")
    return tuple(float(share) for share in listed)


def fills_of(by: str | Sequence[str] | None) -> tuple[str | None, ...]:
    """What stands in the place of hidden parts, one after the other; `None` for the default.

    Raises:
        UsageError: nothing is named, or something twice, or it is no name.
    """
    if by is None or isinstance(by, str):
        return (by,)
    fills = tuple(by) if isinstance(by, Iterable) else (by,)
    if not fills:
        raise UsageError("by names nothing to put in the place of hidden parts; leave it out for the default")
    if not all(isinstance(one, str) for one in fills):
        raise UsageError(f"by must be the name of what stands in the place of hidden parts, or several, not {by!r:.80}")
    twice = next((one for index, one in enumerate(fills) if one in fills[:index]), None)
    if twice is not None:
        raise UsageError(f"by names {twice!r} twice; name each fill once")
    return fills
