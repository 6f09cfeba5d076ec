"""Fonts for text of any script: which installed font has which character, and what no font has."""

from __future__ import annotations

import unicodedata
import warnings
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont, features

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL import ImageDraw

_SCRIPTS = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "VARIATION": ""}
_EMOJI = 0x2600  # the block of miscellaneous symbols, where emoji begin
_JOINING = ("Mn", "Mc", "Me", "Cf", "Zs", "Cc")  # marks, joiners and blanks stay with the character before them


class MissingGlyphWarning(UserWarning):
    """No installed font has some characters of a text, so that a picture shows boxes in their place."""


def write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, ink: tuple[int, int, int], *, rtl: bool = False
) -> None:
    """Draw text in one line. `at` is its left end and its top; with `rtl`, blanks and brackets run from right to left."""
    left = float(at[0])
    for path, run in _ordered(text, rtl):
        font = _font(path, size)
        place = (left, at[1] + size)
        if _shapes():
            draw.text(place, run, font=font, fill=ink, anchor="ls", direction="rtl" if rtl else None)
        else:
            draw.text(place, run[::-1] if runs_right_to_left(run) else run, font=font, fill=ink, anchor="ls")
        left += font.getlength(run)


@lru_cache(maxsize=20_000)
def width_of(text: str, size: int) -> int:
    """The width of a text in pixels."""
    return round(sum(_font(path, size).getlength(run) for path, run in _runs(text)))


def font_of(size: int) -> ImageFont.FreeTypeFont:
    """The default font, DejaVu Sans."""
    return _font(None, size)


def runs_right_to_left(text: str) -> bool | None:
    """Whether the first letter of a text belongs to a script that is written from right to left; `None` if it has no letter."""
    for character in text:
        match unicodedata.bidirectional(character):
            case "L":
                return False
            case "R" | "AL":
                return True
    return None


def warn_of_boxes(texts: Iterable[str]) -> None:
    """Warn, with a `MissingGlyphWarning`, of characters that no installed font has, by the names of their scripts."""
    lacking = sorted({character for text in texts for character in text if _has_no_glyph(character)})
    if lacking:
        scripts = sorted({_script(character) for character in lacking} - {""})
        shown = "".join(lacking[:5])
        warnings.warn(
            f"no installed font has {_listed(scripts)} characters, such as {shown}; the picture shows boxes instead. "
            "Install a font with them (Noto has all scripts), or write HTML, which takes the fonts of the browser",
            MissingGlyphWarning,
            stacklevel=3,
        )


def _listed(scripts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(scripts[:-1]), *scripts[-1:]])) or "special"


def _has_no_glyph(character: str) -> bool:
    return unicodedata.category(character) not in _JOINING and _font_with(frozenset((ord(character),))) == ""


def _script(character: str) -> str:
    if unicodedata.category(character) in ("So", "Sk") and ord(character) >= _EMOJI:
        return "emoji"
    first = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    return _SCRIPTS.get(first, first.capitalize())


def _ordered(text: str, rtl: bool) -> list[tuple[str | None, str]]:
    """The runs of a text from left to right."""
    runs = list(_runs(text))
    return runs[::-1] if rtl or runs_right_to_left(text) else runs


@lru_cache(maxsize=20_000)
def _runs(text: str) -> tuple[tuple[str | None, str], ...]:
    """The text in runs of one font each: one run if a font has all its characters."""
    whole = _font_with(frozenset(map(ord, _spoken(text))))
    if whole != "":
        return ((whole, text),)
    runs: list[tuple[str | None, str]] = []
    for character in text:
        path = _font_with(frozenset((ord(character),))) or None
        if runs and (path == runs[-1][0] or unicodedata.category(character) in _JOINING):
            runs[-1] = (runs[-1][0], runs[-1][1] + character)
        else:
            runs.append((path, character))
    return tuple(runs)


def _spoken(text: str) -> str:
    return "".join(character for character in text if not character.isspace() and unicodedata.category(character) != "Cf")


@cache
def _shapes() -> bool:
    """Whether Pillow can order and join the letters of a word itself."""
    return bool(features.check("raqm"))


@cache
def _font(path: str | None, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path or _first_font(), size)


@cache
def _first_font() -> str:
    import matplotlib as mpl  # it contains DejaVu Sans

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@lru_cache(maxsize=20_000)
def _font_with(codes: frozenset[int]) -> str | None:
    """The first font with all these characters: DejaVu Sans (`None`) or else an installed font; "" if no font has them."""
    if codes <= _characters(_first_font()):
        return None
    return next((path for path in _installed() if codes <= _characters(path)), "")


@cache
def _installed() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    return tuple(
        sorted(
            {
                entry.fname
                for entry in fontManager.ttflist
                if entry.style == "normal"
                and str(entry.weight) in ("400", "normal")
                and not entry.name.startswith("Last Resort")  # it has a box for every character
                and _scales(entry.fname)
            }
        )
    )


def _scales(path: str) -> bool:
    """Whether a font can be drawn at any size. Colour emoji fonts hold pictures of one size."""
    try:
        ImageFont.truetype(path, 22)
    except OSError:
        return False
    return True


@cache
def _characters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())
