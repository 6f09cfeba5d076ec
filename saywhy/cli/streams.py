"""The three standard streams, whatever was done to them by whoever started the command."""

from __future__ import annotations

import os
import sys


def open_streams() -> None:
    """Open the standard streams that the process was started without (as with `>&-`), so that no file gets their numbers.

    Nothing comes from such an input, what is said on such an error stream is lost, and writing to such an output fails.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        # a descriptor that is open for reading only fails when it is written to, as a closed one does
        handle = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
        try:
            os.fstat(number)
        except OSError:
            os.dup2(handle, number)
            os.close(handle)
            handle = number
        setattr(sys, name, open(handle, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for the whole run
