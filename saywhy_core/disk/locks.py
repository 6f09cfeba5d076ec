"""A lock between processes, so that no two of them write to one file."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.disk.files import UnusableFileError, unwritable
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # what systems say where another one has the lock
_FAR = 2**30  # Windows locks bytes; one far behind the process id leaves that readable


class FileLock:
    """Says that this process alone writes to `path`, by a lock of the operating system on `path` + ".lock".

    The system takes the lock away from a process that ends, however it ends, so a lock file that a killed process left behind
    stops nobody. The file holds the process id for the message, and is removed on release.

    Args:
        path: what is written; its folder is made where there is none.
        what: what it is, for errors: "reply cache".
        file: the lock file; `path` + ".lock" by default.

    Raises:
        UsageError: on `acquire`, where another process, or another lock in this one, has the lock.
        UnusableFileError: on `acquire`, where the lock file can't be written, or the file system has no locks.
    """

    def __init__(self, path: str | os.PathLike[str], what: str = "file", *, file: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(f"{os.fspath(path)}.lock" if file is None else file)
        self._target, self._what = os.fspath(path), what
        self._handle: int | None = None
        self._process = 0

    def acquire(self) -> None:
        """Take the lock; never waits."""
        if self._handle is not None and self._process == os.getpid():
            return
        while True:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise unwritable(self._target, error) from error
            try:
                _lock(handle)
            except OSError as error:
                if error.errno not in _TAKEN:
                    os.close(handle)
                    raise UnusableFileError(
                        f"{self.path} can't be locked against other processes: {error.strerror}; name a place on another disk"
                    ) from error
                owner = os.read(handle, 20).decode("ascii", "replace").strip()
                os.close(handle)
                who = "this process already" if owner == str(os.getpid()) else f"another process ({owner or 'just started'})"
                raise UsageError(
                    f"the {self._what} {self._target} is being written by {who}; wait until that ends, or stop it"
                ) from None
            if self._current(handle):
                break
            os.close(handle)  # its last owner removed the file between our opening and locking it
        self._handle, self._process = handle, os.getpid()
        try:
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        except OSError as error:  # a full disk
            self.release()
            raise unwritable(self._target, error) from error

    def release(self) -> None:
        """Give the lock back; does nothing where it isn't held."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        if self._process != os.getpid():  # a copy that a fork made: the file is the parent's
            os.close(handle)
            return
        if sys.platform != "win32":
            self.path.unlink(missing_ok=True)  # while it is locked: whoever waits for it looks whether it is still there
        os.close(handle)
        if sys.platform == "win32":
            with suppress(OSError):  # another process has it open by now
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def __del__(self) -> None:
        with suppress(Exception):  # while the interpreter ends, anything may be gone already
            self.release()

    def _current(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False


def folder_lock(folder: str | os.PathLike[str]) -> FileLock:
    """A lock for those that write into a folder over a longer time; its file is `.lock` in the folder."""
    return FileLock(folder, "folder", file=Path(folder, ".lock"))


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
