"""Array files of numpy, `.npy` and `.npz`: nothing in them is executed, and no memory is taken on a header's word alone."""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling, over
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}  # how the length of the header is stored, by the version of the format
_LONGEST = 10_000  # characters of a header, as in numpy; it has three entries
_MOST_AXES = 32  # numpy has 64 since its version 2, and nobody uses them
_BLOCK = 2**20  # bytes that are unpacked at a time
_DIRECTORY = 16 * 2**20  # bytes of an archive's table of contents; 100,000 arrays need some 10 MiB
_ENTRY = re.compile(
    r"""\s*(["'])(descr|fortran_order|shape)\1\s*:\s*
    (?: (["'])(?P<text>[^"'\\]*)\3 | (?P<truth>True|False)
      | \((?P<axes>\s*+(?:[0-9]{1,19}L?\s*+(?:,\s*+[0-9]{1,19}L?\s*+)*+(?:,\s*+)?)?)\) )
    \s*+(?:,|(?=\}))""",
    re.VERBOSE,
)
_TYPE = re.compile(r"[<>|=]?(?:[?biufcSUVmM][0-9]{0,9}|[BhHlLqQIedgFDG])(?:\[[0-9a-zA-Z]{1,12}\])?")
_DAMAGED = "it is damaged or cut short; save it again"


class ArrayArchive:
    """An open `.npz` file. Arrays are read one at a time.

    Attributes:
        names: of its arrays, without the ending `.npy`.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in self._members:
                raise UsageError(f"it holds two arrays called {name!r:.80}; give each a name of its own")
            self._members[name] = member
        check_ceiling("records", len(self._members), "it")
        self._left = ceiling("array")
        self.names = tuple(self._members)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array, as its header says it; its numbers are not read.

        Raises:
            UsageError: it is damaged, or no array.
        """
        with _damage_told(), self._archive.open(self._members[name]) as stream:
            return _header(stream)[0]

    def load(self, name: str, *, least: int = 1) -> NDArray[Any]:
        """One array; `least` is as in `load_array`. All that are loaded count together towards the ceiling.

        Raises:
            UsageError: it is damaged, no array, or too large with those that were loaded before.
        """
        member = self._members[name]
        if member.flag_bits & 1:
            raise UsageError("it is encrypted; save it without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UsageError("it is packed in a way that numpy doesn't write; save it with numpy.savez_compressed")
        with _damage_told(), self._archive.open(member) as stream:
            array = _read(stream, member.file_size, least, self._left)
            stream.read(1)  # at the end of its bytes, zipfile compares their checksum
        self._left -= _counted(array.shape, array.dtype, least)
        return array


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as `.npz` files do, whatever its ending.

    Raises:
        UsageError: there is no such file. The text names it.
    """
    with open_regular(path) as stream:
        return stream.read(2) == b"PK"


def load_array(path: str | os.PathLike[str], *, least: int = 1) -> NDArray[Any]:
    """Load the one array of a `.npy` file as it is, of any shape and type but objects and records.

    Args:
        path: the file.
        least: bytes that each number counts for at least towards the ceiling `array`, which is what it takes when it is used:
            4 where numbers become float32.

    Raises:
        UsageError: there is no such file, it holds several arrays, or it is damaged or too large. The text names the file.
    """
    with naming(path), open_regular(path) as stream:
        if stream.peek(4)[:2] == b"PK":
            raise UsageError("it is an archive of arrays where one array is wanted; save it as .npy")
        with _damage_told():
            return _read(stream, stream.size, least, ceiling("array"))


def array_shape(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """The shape of the array of a `.npy` file, as its header says it; its numbers are not read.

    Raises:
        UsageError: there is no such file, or it is damaged or no such file. The text names the file.
    """
    with naming(path), open_regular(path) as stream, _damage_told():
        return _header(stream)[0]


@contextmanager
def open_arrays(path: str | os.PathLike[str]) -> Iterator[ArrayArchive]:
    """Open a `.npz` file for the block; errors about it name the file.

    Raises:
        UsageError: there is no such file, or it is no archive.
    """
    with naming(path), open_regular(path) as stream:
        stream.most_at_once = _DIRECTORY
        with _damage_told():
            opened = zipfile.ZipFile(stream)
        with opened:
            yield ArrayArchive(opened)


def load_arrays(
    path: str | os.PathLike[str],
    *,
    least: int = 1,
    on_problem: Callable[[str, UsageError], None] | None = None,
) -> dict[str, NDArray[Any]]:
    """Load all arrays of a `.npz` file, by name.

    Args:
        path: the file.
        least: as in `load_array`. All arrays count together.
        on_problem: called with the name of each array that can't be read and the error; the others are returned. Without it,
            such an array is an error.

    Raises:
        UsageError: the file can't be read, none of its arrays can be, or one can't where there is no `on_problem`. The text
            names the file.
    """
    found: dict[str, NDArray[Any]] = {}
    bad: list[tuple[str, UsageError]] = []
    with open_arrays(path) as archive:
        for name in archive.names:
            try:
                found[name] = archive.load(name, least=least)
            except UsageError as error:
                bad.append((name, error))
                if on_problem is None:
                    break
        if bad and (on_problem is None or not found):
            raise _about(f"the array {bad[0][0]!r:.80}", bad[0][1])
    for name, reason in bad:
        if on_problem is not None:
            on_problem(name, reason)
    return found


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Begin the text of every error with the file."""
    try:
        yield
    except UsageError as error:
        raise _about(str(Path(path)), error) from None


def _about(name: str, error: UsageError) -> UsageError:
    said = str(error)
    if said.startswith((f"{name}: ", f"{name} ")):
        return error
    joint = " " if said.startswith("can't ") else ": "
    return (CeilingError if isinstance(error, CeilingError) else UsageError)(f"{name}{joint}{said}")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Make one kind of error of all that numpy, zipfile and zlib raise on damaged bytes."""
    try:
        yield
    except UsageError:
        raise
    except zipfile.BadZipFile as error:
        what = "no archive of arrays" if "not a zip" in str(error) else "damaged or cut short"
        raise UsageError(f"can't be read as an array file ({what}); save it again") from None
    except (EOFError, zlib.error, struct.error):
        raise UsageError(f"can't be read as an array file: {_DAMAGED}") from None
    except MemoryError:
        raise UsageError("there is not enough memory for it") from None
    except Exception:  # noqa: BLE001 - there is no list of what may be raised, and it differs between versions
        raise UsageError(f"can't be read as an array file: {_DAMAGED}") from None


def _read(stream: IO[bytes], size: int, least: int, allowed: int) -> NDArray[Any]:
    shape, dtype, fortran, begin = _header(stream)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != size - begin:
        raise UsageError(
            f"can't be read as an array file: its header says {wanted:,} bytes of numbers, but {size - begin:,} follow; save "
            "it again, each array in a file of its own"
        )
    counted = _counted(shape, dtype, least)
    if counted > allowed:
        raise CeilingError(over("array", f"it has {counted:,} bytes of numbers", counted))
    array = np.empty(shape, dtype, order="F" if fortran else "C")
    if array.size and dtype.itemsize:
        _fill(array.reshape(-1, order="A").view(np.uint8), stream)
        _check_values(array.reshape(-1, order="A"))
    return array


def _fill(raw: NDArray[np.uint8], stream: IO[bytes]) -> None:
    place = 0
    while place < len(raw):
        block = stream.read(min(_BLOCK, len(raw) - place))
        if not block:
            raise UsageError(f"can't be read as an array file: {_DAMAGED}")
        raw[place : place + len(block)] = np.frombuffer(block, dtype=np.uint8)
        place += len(block)


def _check_values(flat: NDArray[Any]) -> None:
    """See whether truth values are 0 or 1, and characters are characters: numpy takes any bytes for them, and fails later."""
    if flat.dtype.kind == "b" and flat.view(np.uint8).max() > 1:
        raise UsageError(f"can't be read as an array file: {_DAMAGED}")
    if flat.dtype.kind == "U":
        codes = flat.view(flat.dtype.str[0] + "u4")
        if codes.max() > 0x10FFFF or ((codes >= 0xD800) & (codes <= 0xDFFF)).any():
            raise UsageError("can't be read as an array file: its texts hold what is no character; save it again")


def _counted(shape: tuple[int, ...], dtype: np.dtype[Any], least: int) -> int:
    """The bytes of numbers as they count; an axis of length 0 doesn't hide the others."""
    return math.prod(max(1, one) for one in shape) * max(least, dtype.itemsize, 1)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    """The shape, type and order of an array file, and where its numbers begin.

    The header is a dictionary as Python writes it. A regular expression takes it apart, and not Python's parser, which deep
    nesting brings down.
    """
    start = stream.read(8)
    if start[: len(_MAGIC)] != _MAGIC or len(start) < 8 or start[6] not in _LENGTHS:
        raise UsageError("can't be read as an array file: it doesn't begin like one; save it with numpy.save")
    stored = struct.Struct(_LENGTHS[start[6]])
    (length,) = stored.unpack(stream.read(stored.size))
    if length > _LONGEST:
        raise UsageError(f"can't be read as an array file: its header has {length:,} bytes; save it again")
    content = stream.read(length)
    if len(content) < length:
        raise UsageError(f"can't be read as an array file: {_DAMAGED}")
    found = _entries(content.decode("latin-1").strip())
    return *found, len(start) + stored.size + length


def _entries(text: str) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    if re.match(r"\{.{0,400}?['\"]descr['\"]\s*:\s*[\[(]", text, re.DOTALL):
        raise UsageError("can't be read: it holds records, not numbers; save each of their columns as an array of its own")
    entries: dict[str, re.Match[str]] = {}
    place = 1
    while found := _ENTRY.match(text, place):
        entries[found[2]] = found
        place = found.end()
    if not text.startswith("{") or text[place:].strip() != "}" or len(entries) != 3:
        raise UsageError("can't be read as an array file: its header is damaged; save it again")
    kind, truth, axes = entries["descr"]["text"], entries["fortran_order"]["truth"], entries["shape"]["axes"]
    if kind is None or truth is None or axes is None:
        raise UsageError("can't be read as an array file: its header is damaged; save it again")
    return _shape(axes), _dtype(kind), truth == "True"


def _shape(text: str) -> tuple[int, ...]:
    shape = tuple(int(one.strip().rstrip("L")) for one in text.split(",") if one.strip())
    if len(shape) > _MOST_AXES:
        raise UsageError(f"can't be read: it has {len(shape)} axes, and arrays have at most {_MOST_AXES}")
    return shape


def _dtype(text: str) -> np.dtype[Any]:
    if re.fullmatch(r"[<>|=]?O[0-9]*", text):
        raise UsageError("can't be read: it holds objects, which could run code; save numbers alone")
    if not _TYPE.fullmatch(text):
        raise UsageError("can't be read as an array file: it holds no known kind of number; save it again")
    try:
        dtype = np.dtype(text)
    except (TypeError, ValueError):
        raise UsageError("can't be read as an array file: it holds no known kind of number; save it again") from None
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise UsageError("can't be read: it holds objects or records; save numbers alone")
    return dtype
