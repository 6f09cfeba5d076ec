"""Which characters end a word, go on with it, or belong to a script without spaces between words."""

from __future__ import annotations

import unicodedata

# first and last code points of scripts that are written without spaces between words
_IDEOGRAPHS = (
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31A0, 0x31BF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
_ALPHABETS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Burmese
    (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x1B00, 0x1B7F), (0xA980, 0xA9DF),  # Khmer, Tai, Balinese, Javanese
)  # fmt: skip
_FIRST = 0x0E00  # the first of all of them: the letters of most texts stand before it
_LEADING_VOWELS = "เแโใไເແໂໃໄ"  # written before the consonant that they follow in speech
_FOLLOWING_VOWELS = "ะาำๅๆະາຳໆ"  # no marks for Unicode, but they can't begin a syllable
_STACKERS = "\u17d2\u1039\u1a60"  # Khmer and Burmese signs that put the next consonant below
_SMALL_KANA = "ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ゛゜"
_ZERO_WIDTH_JOINER = "\u200d"


def is_punctuation(text: str) -> bool:
    """Whether the text holds nothing but punctuation marks and symbols."""
    return bool(text) and all(unicodedata.category(character)[0] in "PS" for character in text)


def is_unspaced(character: str) -> bool:
    """Whether the character is of a script that is written without spaces between words."""
    return _within(character, _IDEOGRAPHS) or _within(character, _ALPHABETS)


def is_unspaced_alphabet(character: str) -> bool:
    """Whether the character is of an alphabet that is written without spaces, such as Thai; ideographs are none."""
    return _within(character, _ALPHABETS)


def clings(word: str, piece: str) -> bool:
    """Whether the piece begins with a part of the word's last character or syllable, such as an accent or a vowel sign."""
    last, first = word[-1], piece[0]
    return (
        unicodedata.category(first) in ("Mn", "Mc", "Me")
        or first in _FOLLOWING_VOWELS
        or first in _SMALL_KANA
        or first == _ZERO_WIDTH_JOINER
        or last == _ZERO_WIDTH_JOINER
        or last in _LEADING_VOWELS
        or last in _STACKERS
        or "\U0001f3fb" <= first <= "\U0001f3ff"
    )


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(character)
    return code >= _FIRST and any(first <= code <= last for first, last in ranges)
