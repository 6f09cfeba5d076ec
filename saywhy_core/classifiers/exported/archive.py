"""The zip file of a program: members that are stored plainly, each named once, none over another."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_OF_DIRECTORY = 16 * 2**20  # bytes of the list of members; a network of 100,000 tensors has some 10 MB
_END, _END64, _LOCATOR, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x03\x04"


class Archive:
    """The members of a plain zip file, by their names without the one folder that they may all lie in.

    Python's zipfile reads the list of members. Their bytes are taken from the file in place, so that no second reader of zip
    files can see anything else.

    Args:
        path: the file.

    Raises:
        UsageError: it is no zip file, it is damaged, or a member is compressed, encrypted, named twice, or over another.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with self.path.open("rb") as stream:
                start = start_of_directory(stream)
                with zipfile.ZipFile(stream) as opened:
                    members = opened.infolist()
                places = [(self._place(stream, member), member) for member in members]
        except UsageError as error:
            raise UsageError(f"{self.path}: {error}") from None
        except (OSError, ValueError, struct.error, zipfile.BadZipFile, NotImplementedError, UnicodeError, MemoryError) as error:
            raise UsageError(
                f"{self.path} is no zip file, or a damaged one ({str(error)[:120] or type(error).__name__})"
            ) from None
        ends = 0
        for (begin, first), member in sorted(places, key=lambda one: one[0]):
            if begin < ends or first + member.file_size > start:
                raise UsageError(f"{self.path}: the member {member.filename!r:.80} lies over another one; it was not read")
            ends = first + member.file_size
        names = [member.filename for member in members]
        if len(set(names)) != len(names):
            raise UsageError(f"{self.path} names a member twice; it was not read")
        roots = {name.split("/", 1)[0] if "/" in name else "" for name in names}
        cut = len(roots.pop()) + 1 if len(roots) == 1 and "" not in roots else 0
        self._members = {member.filename[cut:]: (first, member) for (_, first), member in places}
        self.names = tuple(self._members)

    @staticmethod
    def _place(stream: BinaryIO, member: zipfile.ZipInfo) -> tuple[int, int]:
        """Where a member's header and its bytes begin."""
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size or member.flag_bits & 0x41:
            raise UsageError(
                f"the member {member.filename!r:.80} is compressed or encrypted; torch.export.save stores members plainly"
            )
        stream.seek(member.header_offset)
        header = stream.read(30)
        if header[:4] != _LOCAL:
            raise UsageError(f"the member {member.filename!r:.80} isn't where the list of members says")
        name, extra = struct.unpack("<26x2H", header)
        written = stream.read(name)
        if written != member.orig_filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437"):
            raise UsageError(f"the member {member.filename!r:.80} has another name in its own header")
        return member.header_offset, member.header_offset + 30 + name + extra

    def size(self, name: str) -> int:
        """The bytes of a member.

        Raises:
            UsageError: there is none of that name.
        """
        return self._member(name)[1].file_size

    def array(self, name: str) -> NDArray[np.uint8]:
        """The bytes of a member, mapped into memory: reading and even changing them changes nothing on the disk.

        Raises:
            UsageError: there is none of that name, or its bytes don't have the checksum that the file gives.
        """
        first, member = self._member(name)
        if not member.file_size:
            return np.empty(0, np.uint8)
        mapped: NDArray[np.uint8] = np.memmap(self.path, np.uint8, mode="c", offset=first, shape=(member.file_size,))
        if zlib.crc32(mapped.data) != member.CRC:
            raise UsageError(f"{self.path}: the member {name!r:.80} is damaged (its checksum is wrong); get the file again")
        return mapped

    def bytes(self, name: str) -> bytes:
        """A copy of the bytes of a member."""
        return self.array(name).tobytes()

    def _member(self, name: str) -> tuple[int, zipfile.ZipInfo]:
        try:
            return self._members[name]
        except KeyError:
            raise UsageError(f"{self.path} has no member {name!r:.80}; save the program with torch.export.save") from None


def start_of_directory(stream: BinaryIO) -> int:
    """Where the list of members begins, after a look at its size: zipfile would read one of any size into memory."""
    size = stream.seek(0, 2)
    stream.seek(max(size - 22, 0))
    end = stream.read()
    if len(end) != 22 or end[:4] != _END or end[20:] != b"\0\0":
        raise UsageError("this is no zip file, or something follows its end; save the program with torch.export.save")
    length, offset = struct.unpack("<12xLL2x", end)
    stream.seek(max(size - 42, 0))
    locator = stream.read(20)
    if locator[:4] == _LOCATOR:
        (at,) = struct.unpack("<8xQ4x", locator)
        stream.seek(min(at, size))
        large = stream.read(56)
        if large[:4] != _END64 or at + 56 != size - 42:
            raise UsageError("the end of the zip file is damaged")
        length, offset = struct.unpack("<40x2Q", large)
    if length > MOST_OF_DIRECTORY or offset + length > size:
        raise UsageError(f"the zip file says that its list of members has {length:,} bytes; it was not read")
    return int(offset)
