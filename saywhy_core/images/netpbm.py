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
_LINE_END = re.compile(rb"[\r\n]")
_MOST_COMMENTS = 100_000  # each takes its time, and nobody writes one per row
_LONGEST = 10  # digits of a number; the largest has five
_DIGITS = b"0123456789"
_BLANKS = b" \t\n\v\f\r"
_TOO_LONG = re.compile(rb"[0-9]{11}")
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
    top = 1 if bits else int(arguments[-1])  # type: ignore[index]
    channels = 3 if opened.mode == "RGB" else 1
    if opened.mode not in ("1", "L", "I", "RGB"):
        raise UsageError(f"its kind of colour ({opened.mode}) is not read; save it as PNG")
    pixels = np.empty(opened.height * opened.width * channels, dtype=np.float32)
    stream.seek(offset)
    place = 0
    for block in _plain(stream, bits) if codec == "ppm_plain" else _raw(stream, top, len(pixels)):
        if len(block) and block.max() > top:
            raise UsageError(f"one of its numbers is {block.max():,}, but its header says {top:,} at most; save it again")
        used = block[: len(pixels) - place]
        if place == len(pixels):
            break
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


def _plain(stream: MeteredFile, bits: bool) -> Iterator[NDArray[np.generic]]:
    rest = b""
    for block in _without_comments(stream):
        # The last number may go on in the next block; bits need no blanks between them.
        text, rest = (block, b"") if bits else _cut(rest + block)
        yield _numbers(text, bits)
    yield _numbers(rest, bits)


def _without_comments(stream: MeteredFile) -> Iterator[bytes]:
    """The text in blocks; comments go from # to the end of the line, which stays."""
    inside, comments = False, 0
    while block := stream.read(_BLOCK):
        comments += block.count(b"#")
        if comments > _MOST_COMMENTS:
            raise UsageError(f"it has more than {_MOST_COMMENTS:,} comments; save it again")
        if inside:
            end = _LINE_END.search(block)
            if end is None:
                continue
            block = block[end.start() :]
        inside = b"#" in block[max(block.rfind(b"\n"), block.rfind(b"\r")) + 1 :]
        yield _COMMENT.sub(b"", block)


def _cut(text: bytes) -> tuple[bytes, bytes]:
    """The text up to its last blank, and what follows."""
    last = text.rsplit(None, 1)[-1] if text[-1:].strip() else b""
    if len(last) > _LONGEST:
        raise UsageError(_SHORT)
    return text[: len(text) - len(last)], last


def _numbers(text: bytes, bits: bool) -> NDArray[np.generic]:
    if text.translate(None, _DIGITS + _BLANKS) or (not bits and _TOO_LONG.search(text)):
        raise UsageError(_SHORT)
    if bits:
        return np.frombuffer(text.translate(None, _BLANKS), dtype=np.uint8) - np.uint8(_DIGITS[0])
    return np.fromstring(text, dtype=np.int64, sep=" ") if text.strip() else np.zeros(0, dtype=np.int64)
