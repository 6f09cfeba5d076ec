"""A PNG file cut down to what decoding its pixels needs, so that libpng has nothing to complain about on standard error."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type
# Offsets and steps (x, y, x step, y step) of the seven passes of Adam7, and of the one pass of a picture without it.
_PASSES = {
    0: ((0, 0, 1, 1),),
    1: ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
}
_FILTERS = 4  # the highest number of a filter type


def bare_png(content: bytes) -> bytes:
    """The PNG file with the header and the pixels alone, unpacked and checked, and stored without compression.

    libpng prints about every chunk that it doesn't like: profiles, broken text, data behind the last pixel. From Python
    its printing can only be turned off with the standard error of the whole process.

    Raises:
        UsageError: the pixels are damaged or incomplete.
    """
    header, packed = b"", []
    for kind, data, whole in _chunks(content):
        if kind in (b"IHDR", b"IDAT") and not whole:
            raise UsageError("its pixels are damaged; save it again")
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            packed.append(data)
    try:
        width, height, bits, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
        rows = list(_rows(width, height, bits * _CHANNELS[colour], _PASSES[interlace]))
        length = sum(number * size for number, size in rows)
        pixels = zlib.decompressobj().decompress(b"".join(packed), length)
    except (struct.error, KeyError, zlib.error):
        raise UsageError("its pixels are damaged; save it again") from None
    if len(pixels) < length or not _filters_known(pixels, rows):
        raise UsageError("its pixels are damaged or incomplete; save it again")
    return _SIGNATURE + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 0)), (b"IEND", b""))
    )


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """The kind and data of each chunk, and whether its checksum is right; a last one that is cut is left out."""
    place = len(_SIGNATURE)
    while place + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, place)
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        checksum = content[place + 8 + size : place + 12 + size]
        if len(checksum) == 4:
            yield kind, data, struct.unpack(">I", checksum)[0] == zlib.crc32(kind + data)
        place += 12 + size


def _rows(width: int, height: int, bits: int, passes: tuple[tuple[int, int, int, int], ...]) -> Iterator[tuple[int, int]]:
    """The number of rows and the bytes of a row, with its filter type, in each pass that has pixels."""
    for x, y, x_step, y_step in passes:
        wide, high = -(-(width - x) // x_step), -(-(height - y) // y_step)
        if wide > 0 and high > 0:
            yield high, 1 + (wide * bits + 7) // 8


def _filters_known(pixels: bytes, rows: list[tuple[int, int]]) -> bool:
    place = 0
    for number, size in rows:
        if max(pixels[place : place + number * size : size]) > _FILTERS:
            return False
        place += number * size
    return True


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
