"""Progress of long work: the protocol by which functions report it, and the one bar that shows it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID


FIRST = 10.0
"""Seconds until the first line of progress where there is no terminal; each further one takes twice as long."""


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
        self._wait = FIRST
        self._due = time.monotonic() + FIRST

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """Show that `done` of `total` steps are done; None keeps the total that was said before."""
        self._total = self._total if total is None else total
        self._shown.update(self._line(), completed=done, total=self._total)
        self._tell()

    def advance(self, count: int = 1) -> None:
        """Show that `count` more steps are done."""
        self._shown.advance(self._line(), count)
        self._tell()

    def stage(self, description: str) -> ProgressBar:
        """The line of that stage, below the others."""
        if description not in self._stages:
            self._stages[description] = ProgressBar(self._shown, description, None)
        return self._stages[description]

    def _tell(self) -> None:
        """Where no bar is drawn, say in a line from time to time how far the work is."""
        if not self._shown.disable or not self._description or time.monotonic() < self._due:
            return
        self._wait *= 2
        self._due = time.monotonic() + self._wait
        done = next(int(task.completed) for task in self._shown.tasks if task.id == self._line())
        of = "" if self._total is None else f" of {self._total:,}"
        where = self._shown.console
        where.print(f"{legible(self._description)}: {done:,}{of} done", markup=False, highlight=False, soft_wrap=True)

    def _line(self) -> TaskID:
        if self._task is None:
            self._task = self._shown.add_task(self._description, total=self._total)
        return self._task


@contextmanager
def progress_bar(
    description: str = "", total: int | None = None, *, keep: bool = False, console: Console | None = None
) -> Iterator[ProgressBar]:
    """Show a progress bar on standard error while the block runs; where that is no terminal, say in a line now and then.

    The first line comes after `FIRST` seconds, and each further one after twice the time of the one before.

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
