"""Draw heatmaps as PNG: wrapped words, and colours over an image."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from saywhy_core.errors import UsageError
from verbalize.draw.fonts import font_of, runs_right_to_left, warn_of_boxes, width_of, write
from verbalize.draw.lines import in_order, laid_out
from verbalize.draw.palette import AGAINST, FAINT_LINE, FOR, MATTERS, STRONGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Floats

    Rgb = NDArray[np.uint8]
    Word = tuple[str, int | None]
    Colour = tuple[int, int, int]
    Entry = tuple[str, float, int, int, int]  # an entry of the key: label, share, left, top, width

_LONGEST_WORD = 4000  # characters; a row holds a hundred, and breaking a word into rows takes a measuring per row
_TALLEST = 30_000  # pixels; a longer text is better read as HTML
_LARGEST = 48 * 2**20  # pixels of a picture; 24 Mi are read of a file, and pages of words are 900 wide and 30,000 tall
_OPTIMIZED = 4 * 2**20  # pixels; it makes files a tenth smaller, and takes ten seconds for a large picture
_LARGEST_FONT = 400  # pixels
_STRIPE = 2**18  # pixels that are painted at a time
_MARGIN = 24  # pixels
_INK, _SOFT = (27, 29, 34), (87, 92, 102)
_OVER_IMAGE = 0.8  # opacity of the highest score over an image


def encode(image: Rgb | Image.Image) -> bytes:
    """The image as the bytes of a PNG file."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=picture.width * picture.height <= _OPTIMIZED)
    return stream.getvalue()


def to_rgb(image: NDArray[np.float32]) -> Rgb:
    """An (H, W, C) image in [0, 1] as (H, W, 3) bytes. With one or two channels, the first is grey; a fourth is dropped."""
    channels = image[:, :, :3] if image.shape[2] >= 3 else np.repeat(image[:, :, :1], 3, axis=2)
    return np.round(np.clip(channels, 0.0, 1.0) * 255).astype(np.uint8)


def enlarged(image: NDArray[np.uint8], smallest_side: int) -> NDArray[np.uint8]:
    """The picture enlarged by a whole factor until its smaller side has at least `smallest_side` pixels.

    The factor is smaller if the larger side would otherwise exceed eight times `smallest_side`.
    """
    factor = _factor(image.shape, smallest_side)
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _factor(shape: Sequence[int], smallest_side: int) -> int:
    wanted = -(-smallest_side // min(shape[:2]))
    return max(1, min(wanted, 8 * smallest_side // max(shape[:2])))


def draw_tokens(
    pieces: Sequence[Word], shares: Floats, *, question: str | None, note: str, width: int, font_size: int, signed: bool
) -> bytes:
    """Draw wrapped words on white, each shaded by its share of the largest score, with the question above and the key below.

    Text whose first letter is written from right to left begins at the right, and so do its rows.

    Raises:
        UsageError: the width or the font size is too small, a word is too long, or the picture would be too tall.
    """
    longest = max(map(len, [*(text for text, _ in pieces), *(question or "").split()]), default=0)
    if longest > _LONGEST_WORD:
        raise UsageError(f"a word of {longest:,} characters can't be drawn; write the map as HTML instead")
    if width < 4 * _MARGIN or font_size < 6:
        raise UsageError(f"a picture of words needs a width of {4 * _MARGIN} pixels and a font size of 6, or more")
    if width > _TALLEST or font_size > _LARGEST_FONT:
        raise UsageError(
            f"a picture of words has a width of at most {_TALLEST:,} pixels and a font size of at most {_LARGEST_FONT}"
        )
    line = round(font_size * 1.85)
    wide = width - 2 * _MARGIN
    rows = list(islice(laid_out(pieces, wide, font_size), _TALLEST // line + 1))
    head = list(laid_out([(word + " ", None) for word in (question or "").split()], wide, font_size * 3 // 4))
    small = round(font_size * 1.3)
    key, key_height = _key(note, font_size * 3 // 4, wide, signed=signed)
    height = 2 * _MARGIN + line * max(1, len(rows)) + (small * (len(head) + 1) + key_height if question else 0)
    if height > _TALLEST:
        raise UsageError(
            f"a text of {len(shares)} words would make a picture of {height} pixels or more, and at most {_TALLEST} are drawn; "
            "write it as HTML instead"
        )
    _check_size(width, height, "width")
    warn_of_boxes([*(text for text, _ in pieces), question or ""])
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    top = _MARGIN
    for row in head:
        for left, text, _, rtl in in_order(row, wide, font_size * 3 // 4, backwards=False):
            write(draw, (_MARGIN + left, top), text, font_size * 3 // 4, _SOFT, rtl=rtl)
        top += small
    top += small // 2 if head else 0
    backwards = bool(runs_right_to_left("".join(text for text, _ in pieces)))
    for row in rows:
        for left, text, index, rtl in in_order(row, wide, font_size, backwards=backwards):
            share = 0.0 if index is None else float(shares[index])
            box = (_MARGIN + left, top, _MARGIN + left + width_of(text, font_size), top + round(font_size * 1.4))
            _shade(draw, box, share, signed=signed)
            write(draw, (box[0], top + font_size // 10), text, font_size, _INK, rtl=rtl)
        top += line
    if question:
        _legend(draw, (_MARGIN, top + small // 4), font_size * 3 // 4, key, signed=signed)
    return encode(picture)


def draw_pixels(
    shares: Floats,
    image: NDArray[np.float32] | None,
    *,
    regions: Sequence[tuple[NDArray[np.bool_], int]],
    question: str | None,
    note: str,
    signed: bool,
    smallest_side: int,
) -> bytes:
    """Draw shares in [-1, 1] as colours over the grey image or white, with outlined regions, and the question and key below."""
    factor = _factor(shares.shape, smallest_side)
    _check_size(shares.shape[1] * factor, shares.shape[0] * factor, "smallest_side")
    painted = np.empty((*shares.shape, 3), dtype=np.uint8)
    step = max(1, _STRIPE // shares.shape[1])
    for top in range(0, len(shares), step):
        rows = slice(top, top + step)
        painted[rows] = _painted(shares[rows], None if image is None else image[rows], _colours(signed))
    large = enlarged(painted, smallest_side)
    for mask, sign in regions:
        _outline(large, mask.repeat(factor, axis=0).repeat(factor, axis=1), dashed=sign < 0)
    picture = Image.fromarray(large)
    _number(ImageDraw.Draw(picture), [mask for mask, _ in regions], factor)
    return encode(picture if question is None else _captioned(picture, question, note, signed=signed))


def _painted(shares: Floats, image: NDArray[np.float32] | None, colours: tuple[Colour, Colour]) -> Rgb:
    """Some rows of shares as colours over their rows of the image."""
    if image is None:
        ground = np.full((*shares.shape, 3), 255.0)
    else:
        grey = to_rgb(image).astype(np.float64) @ np.array([0.299, 0.587, 0.114])
        ground = np.repeat((70 + grey * (185 / 255))[:, :, None], 3, axis=2)  # lightened, so that the colours show
    opacity = (np.abs(shares) * (_OVER_IMAGE if image is not None else 1.0))[:, :, None]
    pro, con = (np.array(one, dtype=np.float64) for one in colours)
    colour = np.where(shares[:, :, None] > 0, pro, con)
    return np.round(ground * (1 - opacity) + colour * opacity).astype(np.uint8)


def _check_size(width: int, height: int, argument: str) -> None:
    """See whether a picture of that size can be drawn in a few hundred megabytes.

    Raises:
        UsageError: it is larger.
    """
    if width * height > _LARGEST:
        raise UsageError(
            f"the picture would have {width} x {height} pixels, and at most {_LARGEST:,} are drawn; give a smaller map or "
            f"{argument}"
        )


def _outline(picture: Rgb, mask: NDArray[np.bool_], *, dashed: bool) -> None:
    """Draw the edge of a mask in place: a black line beside a white one, visible on any colour. Dashed edges have gaps."""
    inner, deeper = _eroded(mask), _eroded(_eroded(mask))
    if dashed:
        period = np.arange(12)  # six pixels on, six off, along the diagonals
        pattern = (period[:, None] + period) // 6 % 2 == 0
        mask = mask & np.tile(pattern, (-(-mask.shape[0] // 12), -(-mask.shape[1] // 12)))[: mask.shape[0], : mask.shape[1]]
    picture[mask & ~inner] = 0
    picture[mask & inner & ~deeper] = 255


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    framed = np.pad(mask, 1)
    return mask & framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]


def _number(draw: ImageDraw.ImageDraw, masks: Sequence[NDArray[np.bool_]], factor: int) -> None:
    for number, mask in enumerate(masks, 1):
        rows, columns = np.nonzero(mask)
        if not len(rows):
            continue
        # the number is on the pixel nearest to the centroid, so that it is on the region even if that is a ring
        nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        x, y = (columns[nearest] + 0.5) * factor, (rows[nearest] + 0.5) * factor
        draw.text((x, y), str(number), font=font_of(18), fill="white", stroke_fill="black", stroke_width=3, anchor="mm")


def _captioned(picture: Image.Image, question: str, note: str, *, signed: bool) -> Image.Image:
    size, width = 14, max(picture.width, 420)
    rows = list(laid_out([(word + " ", None) for word in question.split()], width - 16, size))
    warn_of_boxes([question])
    key, key_height = _key(note, size, width - 16, signed=signed)
    page = Image.new("RGB", (width, picture.height + 20 * len(rows) + key_height + 12), "white")
    page.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(page)
    top = picture.height + 6
    for row in rows:
        for left, text, _, rtl in in_order(row, width - 16, size, backwards=False):
            write(draw, (8 + left, top), text, size, _SOFT, rtl=rtl)
        top += 20
    _legend(draw, (8, top + 2), size, key, signed=signed)
    return page


def _legend(draw: ImageDraw.ImageDraw, at: tuple[int, int], size: int, entries: Sequence[Entry], *, signed: bool) -> None:
    for label, share, left, top, wide in entries:
        _shade(draw, (at[0] + left, at[1] + top, at[0] + left + wide, at[1] + top + round(size * 1.4)), share, signed=signed)
        write(draw, (at[0] + left + (size // 2 if share else 0), at[1] + top), label, size, _INK if share else _SOFT)


def _key(note: str, size: int, width: int, *, signed: bool) -> tuple[list[Entry], int]:
    """The entries of the key, in as many rows as they need, and the height of these rows in pixels."""
    entries: list[Entry] = []
    left = top = 0
    said = (("speaks for", 0.7), ("speaks against", -0.7)) if signed else (("matters", 0.7),)
    for label, share in (*said, (note, 0.0)):
        wide = width_of(label, size) + (size if share else 0)
        if left and left + wide > width:
            left, top = 0, top + 2 * size
        entries.append((label, share, left, top, wide))
        left += wide + size
    return entries, top + 2 * size


def _shade(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], share: float, *, signed: bool) -> None:
    if abs(share) < 0.02 or box[2] <= box[0]:
        return
    colour, opacity = _colours(signed)[0 if share > 0 else 1], STRONGEST * abs(share)
    tint = tuple(round(255 * (1 - opacity) + channel * opacity) for channel in colour)
    draw.rectangle((box[0], box[1], box[2] - 1, box[3]), fill=tint)
    strength = FAINT_LINE + (1 - FAINT_LINE) * abs(share)
    line = tuple(round(255 * (1 - strength) + channel * strength) for channel in colour)
    dash = 6 if share < 0 else box[2] - box[0]
    for start in range(box[0], box[2], max(1, dash + (4 if share < 0 else 0))):
        draw.rectangle((start, box[3], min(start + dash, box[2]) - 1, box[3] + 1), fill=line)


def _colours(signed: bool) -> tuple[Colour, Colour]:
    return (FOR, AGAINST) if signed else (MATTERS, MATTERS)
