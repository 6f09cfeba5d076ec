"""Picture files, opened with no memory taken for their pixels yet, and by none of Pillow's readers that may run a program."""

from __future__ import annotations

import logging
import re
import struct
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.images.bombs import check_jpeg, check_tiff_tags, check_tiff_tiles
from saywhy_core.images.png import check_png
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.ImageFile import ImageFile

    from saywhy_core.reading.regular_files import MeteredFile

# Pillow's other readers are left out: the one of EPS starts a program, and the rest is rare and little tested. A format is
# tried where the file begins like it; TGA, which has no mark at its beginning, comes last.
FORMATS = {
    "PNG": "Png",
    "JPEG": "Jpeg",
    "GIF": "Gif",
    "BMP": "Bmp",
    "WEBP": "WebP",
    "TIFF": "Tiff",
    "PPM": "Ppm",
    "JPEG2000": "Jpeg2K",
    "AVIF": "Avif",
    "TGA": "Tga",
}
"""The formats that are read, each with the beginning of the name of Pillow's module."""

_BYTES = 8  # of a pixel in a file, at most: four channels of 16 bits
_LARGEST_EXIF = 2**20  # bytes; a camera writes some 10,000
_OPENING = 500_000  # calls to read; what a file with so many pieces before its first pixel holds is no picture
_NOWHERE = logging.NullHandler()
_CUT = re.compile(r"truncated|not enough (?:image )?data|unexpected end|end of file|\beof\b|but only got", re.IGNORECASE)
_UNPACKED = re.compile(r"MAX_TEXT|too much memory|[Dd]ecompressed data too large")
_TECHNICAL = re.compile(
    r"[<>{}\[\]\\'\"`=]|0x|\w_\w"
    r"|\b(?:object|NoneType|argument|attribute|bytes-like|unpack|driver|raw ?mode|buffer|broken data|decoder)\b"
)


@contextmanager
def opened_picture(path: Path) -> Iterator[tuple[ImageFile, MeteredFile]]:
    """Open a picture for the block: an image of Pillow that has not decoded its pixels. All errors of the block name the file.

    Raises:
        UsageError: there is no such file, it is no picture that is read, it is damaged, or it is larger than the ceilings
            allow.
    """
    with _told(path), open_regular(path) as stream, warnings.catch_warnings():
        # Pillow warns of tags that it passes over, and of sizes, for which there is a ceiling.
        warnings.simplefilter("ignore")
        if stream.size > _BYTES * ceiling("pixels"):
            check_ceiling("bytes", stream.size, "it")
        with open_again(stream) as opened:
            check_size(opened.size)
            if opened.format == "TIFF":
                check_tiff_tiles(opened)
            elif opened.format in ("JPEG", "MPO"):
                check_jpeg(stream)
            elif opened.format == "PNG":
                check_png(stream)
            if len(opened.info.get("exif") or b"") > _LARGEST_EXIF:
                raise UsageError(f"its EXIF data have more than {_LARGEST_EXIF:,} bytes; save it without them")
            yield opened, stream


def check_size(size: tuple[int, int]) -> None:
    """See whether a picture has pixels, and no more than the ceiling allows.

    Raises:
        UsageError: it has none, or too many.
    """
    if min(size) < 1:
        raise UsageError(f"its size is {size[0]} x {size[1]}, so it has no pixels")
    check_ceiling("pixels", size[0] * size[1], "it")


def open_again(stream: MeteredFile) -> ImageFile:
    """The picture in a file as an image of Pillow that has not decoded its pixels.

    Raises:
        UsageError: it is no picture that is read.
    """
    from PIL import Image

    logging.getLogger("PIL").addHandler(_NOWHERE)  # without any handler, Python prints what Pillow logs of damaged files
    stream.seek(0)
    prefix = stream.read(16)
    if not prefix:
        raise UsageError("it is empty")
    calls, stream.calls_left = stream.calls_left, _OPENING
    why = ""
    for name, module in FORMATS.items():
        try:
            import_module(f"PIL.{module}ImagePlugin")
        except ImportError:
            continue  # Pillow has AVIF since 11.3
        factory, accept = Image.OPEN[name]
        accepted = accept(prefix) if accept is not None else True
        if isinstance(accepted, str):
            why = f": this build of Pillow can't read {name}"
        elif accepted:
            if name == "TIFF":
                check_tiff_tags(stream)
            stream.seek(0)
            try:
                opened = factory(stream, "")
            except (SyntaxError, IndexError, TypeError, struct.error) as error:
                why = why if accept is None else f": it begins like {name}, but {_plain(error)}"
            else:
                stream.calls_left = calls
                return opened
        why = why or f": it is none of {', '.join(FORMATS)}"
    raise UsageError(f"can't be read as an image{why}; save it as PNG or JPEG")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Make one kind of error, which names the file, of all that is raised for a damaged or hostile one."""
    try:
        yield
    except UsageError as error:
        said = str(error)
        if not said.startswith(f"{path}: "):
            joint = " " if said.startswith("can't ") else ": "
            said = f"{path}{joint}{said}"
        raise (CeilingError if isinstance(error, CeilingError) else UsageError)(said) from None
    except MemoryError:
        raise UsageError(f"{path} can't be read as an image: there is not enough memory for it") from None
    except Exception as error:  # noqa: BLE001 - damaged bytes make decoders raise almost anything
        raise UsageError(f"{path} can't be read as an image: {_plain(error)}; remove it or save it again") from None


def _plain(error: Exception) -> str:
    """What Pillow says of an error, where that is a sentence for users: without types, names of functions or addresses."""
    said = str(error).strip().rstrip(".!")
    if isinstance(error, EOFError) or _CUT.search(said):
        return "it is cut short"
    if _UNPACKED.search(said):
        return "a text or profile in it unpacks to more than is read"
    if isinstance(error, OSError) and error.strerror:
        return f"the system says: {error.strerror}"
    quotable = isinstance(error, (OSError, SyntaxError, ValueError)) and said.isascii() and said.isprintable()
    if not quotable or not 0 < len(said) <= 100 or _TECHNICAL.search(said):
        return "it is damaged"
    return f"its reader says: {said}"
