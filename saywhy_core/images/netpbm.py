"""The kinds of PPM, PGM and PBM that Pillow reads number by number in Python: those in plain text or of other depths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    from saywhy_core.reading.regular_files import MeteredFile

_BLOCK = 2**20  # numbers, or characters of text, that are read at a time
_COMMENT = re.compile(rb"#[^\r\n]*")
_BLANK = re.compile(rb"\s")
_DIGITS = b"0123456789"
_SHORT = "its pixels are damaged or incomplete; save it again"


def is_slow(opened: ImageFile) -> bool:
    """Whether Pillow would read the pixels in Python, which takes a minute for a large picture."""
    return opened.format == "PPM" and bool(opened.tile) and opened.tile[0][0] in ("ppm", "ppm_plain")


def decode_netpbm(stream: MeteredFile, opened: ImageFile) -> NDArray[np.float32]:
    """Read such a picture as H×W×C, each number divided by the largest that its header allows.

    Raises:
        UsageError: there are fewer numbers than pixels, or one is larger than the header allows.
    """
    codec, _, offset, arguments = opened.tile[0]
    bits = opened.mode == "1"
    top = 1 if bits else int(arguments[-1])  # type: ignore[index, arg-type]
    channels = 3 if opened.mode == "RGB" else 1
    if opened.mode not in ("1", "L", "I", "RGB"):
        raise UsageError(f"its kind of colour ({opened.mode}) is not read; save it as PNG")
    pixels = np.empty(opened.height * opened.width * channels, dtype=np.float32)
    stream.seek(offset)
    place = 0
    for block in _plain(stream, bits, len(pixels)) if codec == "ppm_plain" else _raw(stream, top, len(pixels)):
        if len(block) and block.max() > top:
            raise UsageError(f"one of its numbers is {block.max():,}, but its header says {top:,} at most; save it again")
        used = block[: len(pixels) - place]
        pixels[place : place + len(used)] = used
        place += len(used)
    if place < len(pixels):
        raise UsageError(_SHORT)
    if bits:
        np.subtract(1, pixels, out=pixels)  # 1 is black
    else:
        pixels /= np.float32(top)
    return pixels.reshape(opened.height, opened.width, channels)


def _raw(stream: MeteredFile, top: int, count: int) -> Iterator[NDArray[np.generic]]:
    kind = np.dtype(">u2" if top > 255 else "u1")
    for start in range(0, count, _BLOCK):
        content = stream.read(min(_BLOCK, count - start) * kind.itemsize)
        yield np.frombuffer(content[: len(content) // kind.itemsize * kind.itemsize], dtype=kind)


def _plain(stream: MeteredFile, bits: bool, count: int) -> Iterator[NDArray[np.generic]]:
    text = _COMMENT.sub(b"", stream.read())
    place = 0
    while place < len(text) and count > 0:
        end = min(len(text), place + _BLOCK)
        found = _BLANK.search(text, end)
        end = end if bits else len(text) if found is None else found.start()
        numbers = _numbers(text[place:end], bits)
        yield numbers
        place, count = end, count - len(numbers)


def _numbers(text: bytes, bits: bool) -> NDArray[np.generic]:
    tokens = text.split()
    joined = b"".join(tokens)
    if joined.translate(None, _DIGITS) or max(map(len, tokens), default=0) > (_BLOCK if bits else 10):
        raise UsageError(_SHORT)
    if bits:
        return np.frombuffer(joined, dtype=np.uint8) - np.uint8(_DIGITS[0])
    return np.array(tokens, dtype=bytes).astype(np.int64)
