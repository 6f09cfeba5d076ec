"""Errors of files that the whole work needs: one sentence that names the path, the reason and what to do."""

from __future__ import annotations

import errno
import os

from saywhy_core.errors import UsageError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)
"""Numbers of the errors that say that a file can't grow; the system attaches no file name to them."""
GONE = (errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, getattr(errno, "ESTALE", errno.EIO))
"""Numbers of the errors of a disk that fails, goes or turns read-only while it is written; they come without a name, too."""

_CURES = {
    errno.EIO: "see whether the disk is sound, or write to another one",
    errno.EROFS: "write to a disk that may be written to",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "name a file that the links lead to",
}


class UnusableFileError(UsageError):
    """A file that the whole work needs can't be read or written, so that going on with other records makes no sense."""


def is_of_the_disk(error: UnusableFileError) -> bool:
    """Whether an error is about the disk as a whole, such as a full one, and not about one file on it."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in (*FULL, *GONE)


def unwritable(path: str | os.PathLike[str], error: OSError | ValueError) -> UnusableFileError:
    """The error to raise for a path that can't be written to, with what to do about it."""
    number = getattr(error, "errno", None)
    why = getattr(error, "strerror", None) or str(error)
    if number in FULL:
        cure = "make room on the disk, or write to another one"
    else:
        cure = _CURES.get(number or 0, "name a place that you may write to")
    return UnusableFileError(f"{os.fspath(path)} can't be written to: {why}; {cure}")
