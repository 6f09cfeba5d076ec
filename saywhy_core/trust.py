"""Code that comes with an input: it runs where the user said that whoever made the input is trusted, and nowhere else."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_tell: ContextVar[Callable[[str], object] | None] = ContextVar("saywhy_tell_trust", default=None)


class TrustError(UsageError):
    """The input can run code, and the user didn't say that its author is trusted. Nothing of it was run."""


def require_trust(what: str, *, trust: bool, instead: str = "") -> None:
    """Call this before code of an input runs.

    Args:
        what: what would run, as the beginning of a sentence, such as "python:model:predict runs the Python module 'model'".
        trust: whether the user allowed it.
        instead: what else the user can do, as the end of a sentence.

    Raises:
        TrustError: the user did not.
    """
    if not trust:
        also = f"; {instead}" if instead else ""
        raise TrustError(f"{what}; if you trust its author, allow that with --trust (in Python trust=True){also}")
    told = _tell.get()
    if told is not None:
        told(f"{what}, as --trust allows")


@contextmanager
def telling_trust(tell: Callable[[str], object]) -> Iterator[None]:
    """Inside the block, `tell` gets one sentence about each piece of code that is about to run because it is trusted."""
    told: set[str] = set()

    def once(said: str) -> None:
        if said not in told:
            told.add(said)
            tell(said)

    before = _tell.set(once)
    try:
        yield
    finally:
        _tell.reset(before)


def may_run_code(loader: Callable[..., Any]) -> bool:
    """Whether a function that opens inputs says that they can run code: it has a keyword parameter `trust`."""
    try:
        return "trust" in inspect.signature(loader).parameters
    except (TypeError, ValueError):  # functions written in C may have no signature
        return False
