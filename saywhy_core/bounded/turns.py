"""Computations that take turns, for what can't be computed in several threads at once, or gains nothing by that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")

OVERLAPPING = 2  # calls at once of a model in this process: one is computed while what the other brought is prepared or used


def in_turns(compute: Callable[[Any], A]) -> Callable[[Any], A]:
    """The same function, computed in one thread at a time; others wait."""
    lock = threading.Lock()

    def in_turn(value: Any) -> A:
        with lock:
            return compute(value)

    return in_turn
