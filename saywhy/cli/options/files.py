"""What a command does with the files that its options name, so that it can look at them before it starts.

An option of the type `Path` names a file or folder that is read, unless its annotation holds another `Use`. Where "-"
stands for a stream, the type is `str`, and the annotation says the use: `Annotated[str, typer.Argument(...), Use.READ]`.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Use(Enum):
    """What becomes of the file that an option names."""

    READ = auto()
    WRITTEN = auto()
    FOLDER_WRITTEN = auto()
    PLACE_WRITTEN = auto()
    """A file or a folder, as the path itself says."""
    KEPT = auto()
    """A file that is added to, such as a cache."""


_held: ContextVar[ExitStack | None] = ContextVar("saywhy_held", default=None)


@contextmanager
def holding() -> Iterator[None]:
    """Inside the block, which is a command's work, `hold` has an effect."""
    with ExitStack() as held:
        token = _held.set(held)
        try:
            yield
        finally:
            _held.reset(token)


def hold(out: Path | None, what: str) -> None:
    """Until the command ends, let no other process write the same output; None for an output that isn't asked for.

    Raises:
        UsageError: another process writes it now.
    """
    from saywhy_core.disk.locks import FileLock

    held = _held.get()
    if out is not None and held is not None:
        held.enter_context(FileLock(out, what))


def check_is_free(out: str | Path, what: str) -> None:
    """See whether another process writes an output now, before anything is opened beside it; makes no file.

    Raises:
        UsageError: one does.
    """
    from saywhy_core.disk.destinations import beside, is_stream
    from saywhy_core.disk.locks import FileLock

    if is_stream(out):
        return
    lock = beside(out, ".lock")
    if lock.exists() or lock.with_name(".lock").exists():  # the latter is that of the folder
        with FileLock(out, what):
            pass


def types_in(hint: Any) -> set[Any]:
    """An annotation and all types inside it."""
    inside = set(getattr(hint, "__args__", ()) or ())
    return {hint} | set().union(*(types_in(one) for one in inside)) if inside else {hint}
