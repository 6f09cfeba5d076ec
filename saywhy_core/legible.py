"""Texts of users and servers as a terminal may be given them, and the one way to standard output."""

from __future__ import annotations

import re
import sys

from saywhy_core.secrets import redact

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
"""Control characters but tab and line feed, overrides of the direction of writing, and halves of characters."""


def legible(text: str) -> str:
    """Any text on one line, with characters that a terminal would obey or hide written as escapes."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in line)


def legible_lines(text: str) -> str:
    """A text of several lines as it is, but with characters that a terminal would obey written as escapes."""
    return _OBEYED.sub(lambda found: _escaped(found[0]), text)


def write_out(text: str) -> None:
    """Write to standard output at once: as it is for programs, legible for people, and without secrets for both."""
    text = redact(text)
    sys.stdout.write(legible_lines(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def flush_out() -> None:
    """Hand over what the standard streams of Python still hold, before something is written past them."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
