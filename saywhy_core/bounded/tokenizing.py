"""Tokenizers within a time: their rules hold regular expressions, which can take for ever on some texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from saywhy_core.bounded.watched import OverTimeError, Watched, too_long
from saywhy_core.reading.ceilings import ceiling

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
MEMORY = 256 * 2**20  # bytes that the tokens of one call may take, besides those of many texts
PER_TEXT = 2**20
TEXTS_PER_SECOND = 50  # of the slowest honest tokenizer, written in Python
SPARE = 1.0  # seconds; a chat template, which is rendered on the way, has its own time and its own words


class Tokenizing:
    """Calls a tokenizer, within the ceiling `seconds` and one second more for each 50 texts.

    Args:
        name: the model, for errors.
    """

    def __init__(self, name: str) -> None:
        self.where = f"the tokenizer of {name}"
        self._seconds = ceiling("seconds")
        self._watched = Watched("tokenizer")
        self._over: str | None = None

    def __call__(self, compute: Callable[[], T], texts: int = 1) -> T:
        """What `compute` returns, which calls the tokenizer with that many texts.

        Raises:
            OverTimeError: it takes too long or too much memory, or did so before.
        """
        if self._over is not None:  # the next text would take as long
            raise OverTimeError(self._over)
        seconds, growth = self._seconds + SPARE + texts / TEXTS_PER_SECOND, MEMORY + texts * PER_TEXT
        what = "read one text" if texts == 1 else f"read {texts:,} texts"
        try:
            return self._watched(
                compute, seconds, lambda: too_long(self.where, what, seconds, self._seconds), growth=growth,
                too_large=f"{self.where} took more than {growth:,} bytes of memory to {what}, the most that is allowed",
            )  # fmt: skip
        except OverTimeError as error:
            self._over = str(error)
            raise
