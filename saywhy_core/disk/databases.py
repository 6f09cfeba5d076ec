"""What belongs to a SQLite database on the disk: the file, and those that SQLite itself makes, writes and deletes beside it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from saywhy_core.disk.destinations import place_beside
from saywhy_core.disk.troubles import UnusableFileError

SIDES = ("-wal", "-shm", "-journal")
"""Endings of the side files. They hold changes that are not in the file yet, and who works on it."""

_MAGIC = b"SQLite format 3\0"
_BEGINNINGS = {
    "-wal": (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"),
    "-shm": ((3007000).to_bytes(4, "little"), (3007000).to_bytes(4, "big")),
    "-journal": (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", bytes(12)),  # the latter until the journal is on the disk
}
_HEAD = 32  # bytes that are looked at; where SQLite has begun a side file or is done with it, they are null


def side_files(path: str | os.PathLike[str]) -> list[Path]:
    """Where the side files of a database lie, also where the path is a link to it."""
    return [place_beside(path, ending) for ending in SIDES]


def check_parts(path: str | os.PathLike[str], what: str, *, read_only: bool = False) -> None:
    """See whether a path and those of its side files are free or hold parts of a database, before SQLite opens any of them.

    SQLite follows links in their places, waits for pipes, and overwrites or deletes what else it finds there.

    Args:
        path: the file, with links followed.
        what: what it is, for errors: "reply cache".
        read_only: whether the file is only read, so that a second name of it does no harm.

    Raises:
        UnusableFileError: there is a link, a folder, a pipe, a file with a second name (a hard link), or some other file.
    """
    for place in (Path(path), *side_files(path)):
        side = next((ending for ending in SIDES if place != Path(path) and place.name.endswith(ending)), "")
        wrong = _wrong(place, side, read_only)
        if wrong and side:
            raise UnusableFileError(
                f"the {what} {os.fspath(path)} keeps a part of itself in {place}, and that is {wrong}; "
                f"move it away, or name another {what}"
            )
        if wrong:
            raise UnusableFileError(f"{place} can't be used as a {what}: it is {wrong}; name another file")


def check_is_no_database(path: str | os.PathLike[str]) -> None:
    """See whether `path` is a SQLite file or one of its side files: another process may have it open, and would lose it.

    Raises:
        UnusableFileError: it is one.
    """
    if is_database(path):
        raise UnusableFileError(
            f"{os.fspath(path)} is a database, such as a cache of replies, and may be in use; name another file, or delete it"
        )
    check_is_no_side_file(path)


def check_is_no_side_file(path: str | os.PathLike[str]) -> None:
    """See whether `path` is where SQLite keeps a part of a database that is there.

    Raises:
        UnusableFileError: it is.
    """
    place = os.path.realpath(path)
    for ending in SIDES:
        whole = place.removesuffix(ending)
        if whole != place and is_database(whole):
            raise UnusableFileError(
                f"{os.fspath(path)} is a part of the database {whole}, such as a cache of replies; name another file"
            )


def is_database(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a SQLite file that is not empty."""
    return head_of(path).startswith(_MAGIC)


def head_of(path: str | os.PathLike[str]) -> bytes:
    """The first bytes of a file; none where there is no file, or none that can be read."""
    try:
        if not Path(path).is_file():  # a pipe without a writer would keep the process waiting
            return b""
        with Path(path).open("rb") as stream:
            return stream.read(_HEAD)
    except (OSError, ValueError):
        return b""


def _wrong(place: Path, side: str, read_only: bool) -> str:
    """What makes a path unfit to hold a part of a database, in words; nothing where it is fit or free."""
    try:
        found = os.lstat(place)
    except (OSError, ValueError):  # there is none, or SQLite says why it can't be reached
        return ""
    if stat.S_ISLNK(found.st_mode):
        return "a link"
    if not stat.S_ISREG(found.st_mode):
        return "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
    if found.st_nlink > 1 and (side or not read_only):
        return "a file with a second name (a hard link)"
    head = head_of(place)
    if side and head.strip(b"\0") and not head.startswith(_BEGINNINGS[side]):
        return "some other file"
    return ""
