"""Text that is written piece by piece, with the secrets taken out, also those that lie across two pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saywhy_core.secrets import reach, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PIECE = 2**16  # characters that are looked through at once


class RedactedText:
    """A text stream that hands on what is written to it without the secrets that this process knows.

    It keeps back as many characters as a secret can have; `finish` hands on the rest.

    Args:
        hand_on: takes the text.
    """

    def __init__(self, hand_on: Callable[[str], object]) -> None:
        self._hand_on = hand_on
        self._pieces: list[str] = []
        self._held = 0
        self._enough = _PIECE

    def write(self, text: str) -> int:
        """Take a text."""
        self._pieces.append(text)
        self._held += len(text)
        if self._held >= self._enough + 3 * reach():
            self._pass_on()
            self._enough = _PIECE + self._held  # where nothing could be handed on, not after each further word
        return len(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Take texts."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Do nothing: what is kept back may be the beginning of a secret."""

    def finish(self) -> None:
        """Hand on what was kept back."""
        rest, self._pieces, self._held = redact("".join(self._pieces)), [], 0
        if rest:
            self._hand_on(rest)

    def _pass_on(self) -> None:
        text, far = "".join(self._pieces), reach()
        cut = _between_words(text, len(text) - far)
        # A secret that lies across the cut lies within `far` characters on both sides of it; none may.
        while cut > 0 and far and redact(near := text[max(0, cut - far) : cut + far]) != near:
            cut = _between_words(text, cut - far)
        if cut > 0:
            self._hand_on(redact(text[:cut]))
            text = text[cut:]
        self._pieces, self._held = [text], len(text)


def _between_words(text: str, cut: int) -> int:
    """The last end of a line, or else of a word, before a place: a short secret counts only where it stands alone."""
    if cut <= 0:
        return cut
    return text.rfind("\n", 0, cut) + 1 or text.rfind(" ", 0, cut) + 1 or cut
