"""Records one by one: whatever one of them causes is told in a sentence, and the others go on."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import BudgetExceeded, Problem, UsageError
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")

WHOLE_WORK: tuple[type[Exception], ...] = (UnusableFileError, BudgetExceeded)
"""Errors that end the whole work, because they would meet every other record, too."""

_PYTHONS = (
    (r"embedded null", "a name holds a NUL character"),
    (
        r"setting an array element with a sequence|inhomogeneous",
        "its lists of numbers differ in length, or hold lists among numbers",
    ),
    (r"argument must be a (?:string|real)|invalid literal for|could not convert|must be real number", "a value is no number"),
    (r"'NoneType' object|non-iterable NoneType", "null stands in the place of a value"),
    (
        r"'(?:int|float|bool)' object (?:is not|does not)|non-iterable (?:int|float|bool)",
        "a number stands in the place of a list or object",
    ),
    (r"values to unpack|index out of range|index \d+ is out of bounds", "a list has another length than it should"),
    (r"(?:string|list|tuple) indices must be", "a text or list stands in the place of an object"),
    (r"unhashable type", "a list or object stands in the place of a name"),
    (
        r"' object (?:has no attribute|is not|does not)|unsupported operand|not supported between",
        "a value is of another kind than it should",
    ),
)
"""What Python says of values of the wrong kind, and the same in words of those who wrote the values."""
_LONGEST = 300  # characters of what another library says


def in_words(error: BaseException) -> str:
    """What an exception says, in one line that a user can read."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory does not suffice for it"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeEncodeError):
        return "its text holds half a character (a lone surrogate), which can't be written"
    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename is not None else ""
        return legible(f"{named}{error.strerror or error or type(error).__name__}")
    if isinstance(error, KeyError) and len(error.args) == 1 and isinstance(error.args[0], (str, int)):
        return legible(f"{error.args[0]!r:.80} is missing")
    if isinstance(error, (TypeError, ValueError, IndexError, AttributeError)):
        words = next((told for pattern, told in _PYTHONS if re.search(pattern, str(error)[:_LONGEST])), None)
        if words is not None:
            return words
    said = legible(str(error))[:_LONGEST]
    return f"{said or 'no further word'} ({type(error).__name__})"


@contextmanager
def told(kind: type[UsageError] = UsageError, what: str = "it can't be used") -> Iterator[None]:
    """Inside the block, make one kind of error of all that one record can cause.

    Args:
        kind: of the error.
        what: what the error says first where the exception was made for programmers, such as a `TypeError`.

    Raises:
        UsageError: of that kind, where anything was raised but the errors in `WHOLE_WORK`.
    """
    try:
        yield
    except WHOLE_WORK:
        raise
    except UsageError as error:
        raise error if isinstance(error, kind) else kind(str(error)) from error
    except (Exception, SystemExit) as error:  # a plug-in that ends the process would end it in silence
        raise kind(f"{what}: {in_words(error)}") from error


def one_by_one(
    items: Iterable[T],
    work: Callable[[T], R],
    problem: Callable[[T, str], Problem],
    on_problem: Callable[[Problem], None] | None,
    what: str = "it can't be used",
) -> Iterator[tuple[T, R]]:
    """Each item with what the work makes of it; an item for which it raises becomes a problem, and the others go on.

    Args:
        items: what is worked on.
        work: the work on one.
        problem: the problem of an item, from the item and what is wrong with it.
        on_problem: called with each problem. Without it, the first is raised.
        what: as of `told`.

    Raises:
        UsageError: the work raised, and `on_problem` is not given; or what it raised ends the whole work (`WHOLE_WORK`).
    """
    for item in items:
        try:
            with told(what=what):
                made = work(item)
        except WHOLE_WORK:
            raise
        except UsageError as error:
            if on_problem is None:
                raise
            on_problem(problem(item, str(error)))
            continue
        yield item, made
