"""The checksums of a PNG file, which Pillow looks at for everything but the pixels."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from saywhy_core.reading.regular_files import MeteredFile

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT")  # the kinds of chunk that say what the pixels are; a broken profile harms nobody
_BLOCK = 2**20


def check_png(stream: MeteredFile) -> None:
    """See whether the chunks with the size, the palette and the pixels are as they were written.

    A chunk that is cut is left to the decoder, which knows whether all pixels are there.

    Raises:
        UsageError: a checksum is wrong.
    """
    stream.seek(len(_SIGNATURE))
    while len(start := stream.read(8)) == 8:
        size, kind = struct.unpack(">I4s", start)
        if kind not in _PIXELS:
            if stream.seek(size + 4, 1) >= stream.size or kind == b"IEND":
                break
            continue
        checksum, left = zlib.crc32(kind), size
        while left and (block := stream.read(min(left, _BLOCK))):
            checksum, left = zlib.crc32(block, checksum), left - len(block)
        end = stream.read(4)
        if len(end) == 4 and int.from_bytes(end, "big") != checksum:
            raise UsageError("its pixels are damaged; save it again")
    stream.seek(0)
