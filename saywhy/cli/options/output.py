"""Where a command writes its lines: whole into a file, or to standard output once its options are known to be good."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from saywhy_core.files import atomic_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from saywhy.cli.options.maps import MapReader


@contextmanager
def open_output(out: str, source: MapReader) -> Iterator[IO[str] | HeldOutput]:
    """What the lines are written to: a file, which appears when the block ends well, or ("-") standard output.

    On standard output nothing appears before every option that was given has had an effect, since that one has none is an
    error, and what is printed can't be taken back.
    """
    if out != "-":
        with atomic_open(out) as stream:
            yield stream
        return
    held = HeldOutput(source)
    yield held
    held.release()


class HeldOutput:
    """Standard output that keeps its lines back until the options of the reader have had an effect."""

    def __init__(self, source: MapReader) -> None:
        self._source = source
        self._lines: list[str] = []

    def write(self, text: str) -> None:
        """Print the text, or keep it until the options are settled."""
        self._lines.append(text)
        if self._source.settled:
            self.release()

    def release(self) -> None:
        """Print what was kept."""
        for line in self._lines:
            sys.stdout.write(line)
        self._lines.clear()
