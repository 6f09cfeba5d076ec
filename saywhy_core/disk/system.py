"""Locks of the operating system on open files."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""What systems say where another one has the lock."""

_FAR = 2**30  # Windows locks bytes; one far behind the process id leaves that readable

if sys.platform == "win32":
    import msvcrt

    def lock(handle: int) -> None:
        """Lock an open file for this handle alone, without waiting.

        Raises:
            OSError: it is locked (`TAKEN`), or the file system has no locks.
        """
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def lock(handle: int) -> None:
        """Lock an open file for this handle alone, without waiting.

        Raises:
            OSError: it is locked (`TAKEN`), or the file system has no locks.
        """
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_at(path: Path, handle: int) -> bool | None:
    """Lock the open file of a path: True if it is ours and still there, False if it isn't, None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        lock(handle)
    except OSError as error:
        return False if error.errno in TAKEN else None
    return still_at(path, handle)


def still_at(path: Path, handle: int) -> bool:
    """Whether a path still leads to the file that was opened there."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))  # noqa: PTH116
    except FileNotFoundError:
        return False
