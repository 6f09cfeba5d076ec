"""Merge sub-word pieces into words, and find the words in the text."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMES = ("auto", "wordpiece", "bpe", "sentencepiece", "clip", "none")
_SPECIAL = frozenset(
    ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "<s>", "</s>", "<pad>", "<mask>", "<cls>", "<sep>", "<bos>", "<eos>",
     "<|endoftext|>", "<|startoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>")
)  # fmt: skip
_UNKNOWN = frozenset(("[UNK]", "<unk>", "<|unk|>"))
_REACH = 64  # the most characters between two words that a tokenizer may have dropped


@dataclass(frozen=True, slots=True)
class Merged:
    """Words with the indices of their pieces, and special tokens as (index of the piece, number of words before it)."""

    words: tuple[tuple[str, tuple[int, ...]], ...]
    special: tuple[tuple[int, int], ...]


def merge_pieces(pieces: Sequence[str], *, scheme: str = "auto", special_tokens: Sequence[str] = ()) -> Merged:
    """Join the pieces of each word. Punctuation marks are words of their own, as in BERT's pre-tokenization.

    Raises:
        ValueError: the scheme is unknown.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r}; it is one of {', '.join(SCHEMES)}")
    kind = guess_scheme(pieces) if scheme == "auto" else scheme
    aside = _SPECIAL | frozenset(special_tokens)
    words: list[tuple[str, list[int]]] = []
    special: list[tuple[int, int]] = []
    fresh = True  # whether the next piece starts a word: the first piece does, and so does one after a special token
    for index, piece in enumerate(pieces):
        if piece in aside:
            special.append((index, len(words)))
            fresh = True
            continue
        surface, starts, ends = _surface(piece, kind)
        if surface == "":  # a space mark without text: its score belongs to the word that follows
            words.append(("", [index]))
            fresh = False
            continue
        joined = not (fresh or starts) and bool(words)
        if joined and words[-1][0] and kind != "wordpiece" and _apart(words[-1][0], surface, kind):
            joined = False
        if joined:
            words[-1] = (words[-1][0] + surface, [*words[-1][1], index])
        else:
            words.append((surface, [index]))
        fresh = ends
    decoded = [(_from_bytes(word) if kind == "bpe" else word, tuple(indices)) for word, indices in words]
    return Merged(tuple(decoded), tuple(special))


def guess_scheme(pieces: Sequence[str]) -> str:
    """Recognise the scheme by the marks on the pieces; "none" if no piece has a mark."""
    if any(piece.startswith("▁") for piece in pieces):
        return "sentencepiece"
    if any(piece[:1] in ("Ġ", "Ċ") for piece in pieces):
        return "bpe"
    if any(piece.endswith("</w>") and len(piece) > 4 for piece in pieces):
        return "clip"
    if any(piece.startswith("##") and len(piece) > 2 and not piece.startswith("###") for piece in pieces):
        return "wordpiece"
    return "none"


def _surface(piece: str, kind: str) -> tuple[str, bool, bool]:
    """The piece without its mark, whether it starts a word, and whether it ends one."""
    if kind == "wordpiece":
        inside = piece.startswith("##") and len(piece) > 2
        return (piece[2:] if inside else piece, not inside, False)
    if kind == "bpe":
        bare = piece.lstrip("ĠĊ")
        return (bare, bare != piece, False)
    if kind == "sentencepiece":
        bare = piece.lstrip("▁")
        return (bare, bare != piece, False)
    if kind == "clip":
        whole = piece.endswith("</w>")
        return (piece.removesuffix("</w>"), False, whole)
    return (piece, True, True)


def _apart(word: str, piece: str, kind: str) -> bool:
    """Whether two adjacent pieces without a space between them are two words nevertheless."""
    left, right = (_from_bytes(word), _from_bytes(piece)) if kind == "bpe" else (word, piece)
    if "\ufffd" in left or "\ufffd" in right:  # one character's bytes are in two pieces: join them to decode it
        return False
    return _punctuation(left) or _punctuation(right) or _ideograph(left[-1]) or _ideograph(right[0])


def _punctuation(text: str) -> bool:
    return bool(text) and all(unicodedata.category(character)[0] in "PS" for character in text)


def _ideograph(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff" or "\u3040" <= character <= "\u30ff"


@cache
def _byte_of() -> dict[str, int]:
    """The inverse of GPT-2's table from bytes to printable characters (Radford et al. 2019, `bytes_to_unicode`)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in printable)
    table.update({chr(256 + n): byte for n, byte in enumerate(others)})
    return table


def _from_bytes(word: str) -> str:
    table = _byte_of()
    if any(character not in table for character in word):
        return word
    return bytes(table[character] for character in word).decode("utf-8", errors="replace")


def align_tokens(words: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Find the (start, stop) of each word in `text`, in order. Case, accents and compatibility forms (ligatures) may differ.

    Raises:
        ValueError: a word does not occur shortly after the word before it.
    """
    folded, origin = _fold(text)
    places: list[tuple[int, int]] = []
    position = 0
    for index, word in enumerate(words):
        while position < len(folded) and folded[position].isspace():
            position += 1
        plain = "".join(_fold(word)[0].split())
        if not plain:
            places.append((origin[position], origin[position]))
            continue
        if word in _UNKNOWN and not folded.startswith(plain, position):
            start, stop = position, _unknown_end(folded, position, words[index + 1 :])
        else:
            start, stop = _find(folded, plain, position)
        if start < 0:
            raise ValueError(f"token {index} ({word!r}) does not occur in the text after character {origin[position]}")
        places.append((origin[start], _end(origin, start, stop)))
        position = stop
    return tuple(places)


def _fold(text: str) -> tuple[str, list[int]]:
    """The text in lower case without accents, and the index in the original text of each of its characters."""
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for piece in unicodedata.normalize("NFKD", character):
            if unicodedata.combining(piece):
                continue
            lowered = piece.lower()
            characters.append(lowered)
            origin.extend([index] * len(lowered))
    origin.append(len(text))
    return "".join(characters), origin


def _find(folded: str, word: str, position: int) -> tuple[int, int]:
    """The (start, stop) of `word` at or shortly after `position`, or (-1, -1). White space inside the word is skipped."""
    start = folded.find(word, position, position + _REACH + len(word))
    if start >= 0:
        return start, start + len(word)
    for begin in range(position, min(len(folded), position + _REACH)):
        cursor, matched = begin, 0
        while matched < len(word) and cursor < len(folded):
            if folded[cursor] == word[matched]:
                matched += 1
            elif not (matched and folded[cursor].isspace()):
                break
            cursor += 1
        if matched == len(word):
            return begin, cursor
    return -1, -1


def _unknown_end(folded: str, position: int, following: Sequence[str]) -> int:
    """Where an unknown word ends: at the next white space, or where the next known word begins."""
    end = position
    while end < len(folded) and not folded[end].isspace():
        end += 1
    for word in following[:1]:
        found = folded.find("".join(_fold(word)[0].split()), position + 1, end)
        if found > 0:
            end = found
    return end


def _end(origin: list[int], start: int, stop: int) -> int:
    """The end of a match in the original text: one past its last character."""
    last = origin[stop - 1] if stop > start else origin[start]
    return last + 1
