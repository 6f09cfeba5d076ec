"""Small files that would take much memory or time to decode, told by their headers."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

    from saywhy_core.reading.regular_files import MeteredFile

_MOST_VALUES = 2**18  # numbers in one TIFF tag; a palette of 16 bits has 196,608, and a strip per row some 10,000
_MOST_SEGMENTS = 100_000  # of a JPEG; a profile of 16 MB has 256
_FILLING = b"\xff" * 4096  # bytes that mean nothing among the pixels of a JPEG, and take a decoder quadratic time
_FIRST_SCAN = b"\xff\xda"
_MOST_SCANS = 100  # of a progressive JPEG; encoders write about 10, and each costs a pass over the whole picture
_TILE = (322, 323)  # the TIFF tags of width and height of a tile
_BYTES = (1, 2, 6, 7)  # the TIFF types that Pillow keeps as bytes, so that many of them take no more memory than in the file
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # of a JPEG; what is left out here is part of the pixels
_SCAN, _END, _BARE = 0xDA, 0xD9, b"\x01\xd8"  # JPEG markers: pixels follow, end of the picture, markers without a length


def check_tiff_tiles(opened: ImageFile) -> None:
    """See whether the tiles of a TIFF file are smaller than the largest picture, since a decoder makes room for a whole one.

    Raises:
        UsageError: they are not.
    """
    tags = opened.tag_v2  # type: ignore[attr-defined]  # TIFF files have it
    sides = [tags.get(number, 1) for number in _TILE]
    if all(isinstance(side, int) for side in sides):
        check_ceiling("pixels", sides[0] * sides[1], "one of its tiles")


def check_tiff_tags(stream: MeteredFile) -> None:
    """See whether the tags of a TIFF file's first page hold a bounded number of numbers, before they become objects of Python.

    Raises:
        UsageError: they hold more.
    """
    stream.seek(0)
    start = stream.read(16)
    order = "<" if start[:2] == b"II" else ">"
    try:
        big = struct.unpack_from(order + "H", start, 2)[0] == 43
        (place,) = struct.unpack_from(order + ("Q" if big else "L"), start, 8 if big else 4)
        stream.seek(min(place, stream.size))
        (count,) = struct.unpack(order + ("Q" if big else "H"), stream.read(8 if big else 2))
        entry = struct.Struct(order + ("HHQ8s" if big else "HHL4s"))
        if count > 65535:
            raise UsageError(f"it has {count:,} tags; save it again")
        for _ in range(count):
            tag, kind, values, _ = entry.unpack(stream.read(entry.size))
            if kind not in _BYTES and values > _MOST_VALUES:
                raise UsageError(f"its tag {tag} has {values:,} values, and at most {_MOST_VALUES:,} are read; save it again")
    except struct.error:
        raise UsageError("can't be read as an image: it is cut short; save it again") from None


def check_jpeg(stream: MeteredFile) -> None:
    """See whether a JPEG file goes over its pixels a bounded number of times.

    Raises:
        UsageError: it does so more often.
    """
    stream.seek(0)
    content = stream.read()
    if _FILLING in content[max(0, content.find(_FIRST_SCAN)) :]:
        raise UsageError("it is padded with nothing; save it again")
    place, scans = 2, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(content, place)
        if found is None or content[found.start() + 1] == _END:
            break
        kind, place = content[found.start() + 1], found.end()
        if kind in _BARE:
            continue
        place += max(2, int.from_bytes(content[place : place + 2], "big"))
        scans += kind == _SCAN
        if scans > _MOST_SCANS:
            raise UsageError(f"it goes over its pixels more than {_MOST_SCANS} times; save it again")
    else:
        raise UsageError(f"it has more than {_MOST_SEGMENTS:,} segments; save it again")
    stream.seek(0)
