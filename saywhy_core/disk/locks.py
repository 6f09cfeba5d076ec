"""A lock between processes, so that no two of them write to one file."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.disk.destinations import is_stream, place_beside
from saywhy_core.disk.system import TAKEN, lock, still_at
from saywhy_core.disk.troubles import UnusableFileError, unwritable
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_OWNER = re.compile(rb"[\d\s\0]{0,32}")  # null bytes are what a power cut leaves
_LOOKS, _PAUSE = 20, 0.01  # how often, and with how many seconds between, a lock file is read for the number of its owner
_FOLDER = ".lock"
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class FileLock:
    """Says that this process alone writes to `path`, by a lock of the operating system on `path` + ".lock".

    The system takes the lock away from a process that ends, however it ends, so a lock file that a killed process left behind
    stops nobody. The file holds the process id for the message, and is removed on release. It lies beside the file that
    symbolic links lead to, so that another spelling of the same path has the same lock. What is no file (a pipe, /dev/stdout)
    needs none and gets none. In a folder to which another process writes (`folder_lock`), no file is locked.

    Args:
        path: what is written; its folder is made where there is none.
        what: what it is, for errors: "reply cache".
        file: the lock file; `path` + ".lock" by default.

    Raises:
        UsageError: on `acquire`, where another process, or another lock in this one, has the lock.
        UnusableFileError: on `acquire`, where the lock file can't be written or is something else, or the file system has no
            locks.
    """

    def __init__(self, path: str | os.PathLike[str], what: str = "file", *, file: str | os.PathLike[str] | None = None) -> None:
        self._in_folder = file is None
        self._needed = file is not None or not is_stream(path)
        self.path = place_beside(path, ".lock") if file is None else Path(file)
        self._target, self._what = os.fspath(path), what
        self._handle: int | None = None
        self._process = 0

    def acquire(self) -> None:
        """Take the lock; never waits."""
        if not self._needed or (self._handle is not None and self._process == os.getpid()):
            return
        while True:
            handle = self._open()
            try:
                lock(handle)
            except OSError as error:
                try:
                    raise self._refusal(error, handle) from None
                finally:
                    os.close(handle)
            if still_at(self.path, handle):
                break
            os.close(handle)  # its last owner removed the file between our opening and locking it
        self._handle, self._process = handle, os.getpid()
        self._stay_out_of_folders_of_others()
        try:
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, f"{os.getpid()}\n".encode())
        except OSError as error:
            if error.errno not in (errno.EBADF, errno.EINVAL):  # another user's file, which we may lock but not write
                self.release()
                raise unwritable(self._target, error) from error

    def _stay_out_of_folders_of_others(self) -> None:
        """See whether another process writes to the whole folder (`folder_lock`), and then give the lock back."""
        if not self._in_folder:
            return
        folder = FileLock(self.path.parent, "folder", file=self.path.with_name(_FOLDER))
        try:
            handle = os.open(folder.path, os.O_RDONLY | _SAFELY)
        except OSError:  # nobody does
            return
        try:
            lock(handle)  # and gives it back when it is closed
        except OSError as error:
            owner = _owner(handle)
            if error.errno in TAKEN and owner != str(os.getpid()) and _OWNER.fullmatch(owner.encode()):
                refusal = folder._refusal(error, handle)
                self.release()
                raise refusal from None
        finally:
            os.close(handle)

    def _open(self) -> int:
        """Open the lock file, which must be a lock file: no link, nothing that holds anything but a process id."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o666)
            except PermissionError:
                if not self.path.is_file():
                    raise
                handle = os.open(self.path, os.O_RDONLY | _SAFELY)  # another user's, which can be locked all the same
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR):
                raise self._foreign() from error
            where = self.path if error.filename and self.path.exists() else self._target
            raise unwritable(where, error) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode) or not _OWNER.fullmatch(os.read(handle, 40)):
            os.close(handle)
            raise self._foreign()
        return handle

    def _foreign(self) -> UnusableFileError:
        return UnusableFileError(
            f"{self.path} is no lock file, and its name is that of the lock of {self._target}; move it, or name another place"
        )

    def _refusal(self, error: OSError, handle: int) -> UsageError:
        if error.errno not in TAKEN:
            return UnusableFileError(
                f"{self.path} can't be locked against other processes: {error.strerror}; name a place on another disk"
            )
        owner = _owner(handle)
        who = "this process already" if owner == str(os.getpid()) else f"another process ({owner or 'just started'})"
        return UsageError(f"the {self._what} {self._target} is being written by {who}; wait until that ends, or stop it")

    def owner(self) -> int | None:
        """The process that has the lock, as its file says; None where that says nothing."""
        try:
            handle = os.open(self.path, os.O_RDONLY | _SAFELY)
        except OSError:
            return None
        try:
            return int(_owner(handle))
        except ValueError:
            return None
        finally:
            os.close(handle)

    def release(self) -> None:
        """Give the lock back; does nothing where it isn't held."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        if self._process != os.getpid():  # a copy that a fork made: the file is the parent's
            os.close(handle)
            return
        if sys.platform != "win32":
            with suppress(OSError):  # another user's, in a folder where only owners may delete; or the disk has gone
                if still_at(self.path, handle):  # and not the one of whoever came after a deletion of ours
                    self.path.unlink(missing_ok=True)  # while it is locked: others look whether it is still there
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


def _owner(handle: int) -> str:
    """The process id in a lock file."""
    for _ in range(_LOOKS):  # its owner may have it for a moment only, and not have written its number yet
        os.lseek(handle, 0, os.SEEK_SET)
        owner = os.read(handle, 20).decode("ascii", "replace").strip("\0\r\n\t ")
        if owner:
            return owner
        time.sleep(_PAUSE)
    return ""


def folder_lock(folder: str | os.PathLike[str]) -> FileLock:
    """A lock for those that write into a folder over a longer time; its file is `.lock` in the folder.

    Meanwhile no other process can lock a file in the folder. Files that others have locked before stay theirs: whoever has the
    folder takes a `FileLock` on each file that it writes.
    """
    return FileLock(folder, "folder", file=Path(folder, _FOLDER))
