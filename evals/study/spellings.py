"""Words as they look: in lower case, without accents and invisible characters, and with their usual ends in other scripts."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TO_LATIN = str.maketrans("авекмнорстухіјѕһԁԛԝӏꙇαειορντυκηχγωıɑɡøłᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
                          "abekmhopctyxijshdqwliaeiopvtuknxywiagolabcdeghijklmnoprstuvwyz")  # fmt: skip
_TO_CYRILLIC = str.maketrans("aceopxyikmthb", "асеорхуикмтнв")
"""Letters that look alike (Unicode Technical Standard 39 lists more)."""
_DIGITS = (str.maketrans("0134578", "oieastb"), str.maketrans("0134578", "oleastb"))
_ALIKE = str.maketrans({"\u0640": "", "ى": "ي", "ی": "ي", "ک": "ك"})
_VOWELS = "аеиоуыэюяіїєьαεηιουωაეიოუաեիոու"


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """In lower case, without accents and invisible characters."""
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(one for one in decomposed if unicodedata.category(one) not in ("Mn", "Mc", "Me", "Cf"))
    return kept.casefold().translate(_ALIKE)


def folded_at(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and where each of its characters comes from."""
    if text.isascii():
        return text.lower(), range(len(text))
    parts = [folded(one) for one in text]
    return "".join(parts), [number for number, part in enumerate(parts) for _ in part]


def pictures(name: str) -> str:
    """The emoji and other pictures in a name."""
    return "".join(one for one in folded(name) if unicodedata.category(one) == "So")


def expression(word: str) -> Iterator[str]:
    """What a word in another script than Latin looks like with its usual beginnings and ends."""
    script = unicodedata.name(word[0], "").split(" ")[0]
    if script == "ARABIC":
        bare = word.removeprefix("ال") if len(word) > 4 else word
        ended = bare[:-1] if bare[-1] in "ةهي" and len(bare) > 3 else bare
        end = "(?:[يا]|[يا]?(?:ا|ة|ه|ات|ون|ين|ان|ها|هم))"
        yield f"(?:[وف]?[بكل]?(?:ال)?|[وف]?لل)(?:{re.escape(bare)}|{re.escape(ended)}{end}{'' if ended != bare else '?'})"
    elif script == "HEBREW":
        yield f"[ושהמבכל]{{0,{3 if len(word) > 3 else 1}}}{re.escape(word)}(?:ת|ה|ים|ם|ות|י|ית)?"
    elif script not in ("LATIN", "DIGIT"):
        stem = word.rstrip("σς") if script == "GREEK" else word
        stem = stem.rstrip(_VOWELS)
        stem = stem.removesuffix("н").rstrip("ь") if len(stem) > 6 else stem
        if len(stem) < 3:
            return
        rest = rf"[{_VOWELS}мхв]{{0,3}}" if len(stem) == 3 else r"\w{0,3}" if len(stem) == 4 else r"\w{0,5}"
        yield f"(?:не|ни|без|наи|пре|анти|супер|μη)?{re.escape(stem)}{rest}"


def lookalikes(word: str) -> list[str]:
    """A word, and what it looks like where letters of another script, or digits, stand in it."""
    if not word.isascii():
        return [word, word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)]
    if word.isalpha() or word.isdigit():
        return [word]
    return [word, *(word.translate(digits) for digits in _DIGITS)]
