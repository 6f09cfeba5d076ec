"""Progress of long work: the protocol by which functions report it, and the one bar that shows it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID


class OnProgress(Protocol):
    """A callback that a long-running function calls after each step; an exception that it raises ends the work."""

    def __call__(self, done: int, total: int | None, /) -> None:
        """Report that `done` of `total` steps are done; `total` is None if it is not known."""
        ...


class ProgressBar:
    """A bar on standard error; call it as `OnProgress`, or step by step with `advance`.

    Work of several stages gives each stage a line of its own: `bar.stage("attacking")` is the `OnProgress` of that line.
    """

    def __init__(self, shown: Progress, description: str, total: int | None) -> None:
        self._shown = shown
        self._task: TaskID | None = None
        self._description, self._total = description, total
        self._stages: dict[str, ProgressBar] = {}

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """Show that `done` of `total` steps are done; None keeps the total that was said before."""
        self._total = self._total if total is None else total
        self._shown.update(self._line(), completed=done, total=self._total)

    def advance(self, count: int = 1) -> None:
        """Show that `count` more steps are done."""
        self._shown.advance(self._line(), count)

    def stage(self, description: str) -> ProgressBar:
        """The line of that stage, below the others."""
        if description not in self._stages:
            self._stages[description] = ProgressBar(self._shown, description, None)
        return self._stages[description]

    def _line(self) -> TaskID:
        if self._task is None:
            self._task = self._shown.add_task(self._description, total=self._total)
        return self._task


@contextmanager
def progress_bar(
    description: str = "", total: int | None = None, *, keep: bool = False, console: Console | None = None
) -> Iterator[ProgressBar]:
    """Show a progress bar on standard error while the block runs; where that is no terminal, show nothing.

    Args:
        description: what is being done.
        total: how many steps there are, where that is known.
        keep: leave the finished bar on the screen.
        console: another place to show it, for programs that write to the same terminal themselves.
    """
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    where = console or RichConsole(stderr=True)
    with Progress(*columns, console=where, disable=not where.is_terminal, transient=not keep) as shown:
        bar = ProgressBar(shown, description, total)
        if description:
            bar.advance(0)
        yield bar
