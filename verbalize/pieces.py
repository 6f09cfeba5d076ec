"""Merge the sub-word pieces of a tokenizer into words."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from verbalize.scripts import clings, is_punctuation, is_unspaced, is_unspaced_alphabet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMES = ("auto", "wordpiece", "bpe", "sentencepiece", "clip", "subword-nmt", "spaces", "none")
# marks of BERT-like, LLaMA-like, GPT-like, T5-like, DeepSeek-like, GLM-like and chat tokenizers; `[NAME]` is not among them,
# because data sets write placeholders of their own so
_SPECIAL = re.compile(
    r"""\[(?:CLS|SEP|PAD|MASK|BOS|EOS|EOD|EOP|START|END|gMASK|sMASK|/?INST|/?SYSTEM_PROMPT|unused\d+)\]
      | </?(?:s|cls|sep|pad|mask|bos|eos|eod|eop|sop|sos|CLS|SEP|PAD|MASK|BOS|EOS)>
      | <\|[^<>|\s]+\|> | <｜[^<>]+｜> | <</?SYS>> | <_>
      | <(?:start|end|begin)_of_\w+> | <(?:extra_id|unused|reserved|reserved_token|SPECIAL)_?\d+>""",
    re.VERBOSE,
)
UNKNOWN = frozenset(("[UNK]", "<unk>", "<|unk|>", "\ufffd"))
# marks of chats that tokenizers split, such as Llama 2's
_SPLIT_MARKS = frozenset(("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"))
_ROLE_FOLLOWS = re.compile(r"<\|(?:im_start|start_header_id|start|turn|header_start|start_of_role)\|>|<start_of_turn>")
_ROLES = frozenset(
    (
        "system",
        "user",
        "assistant",
        "model",
        "tool",
        "developer",
        "function",
        "human",
        "bot",
        "ipython",
        "observation",
        "environment",
    )
)
_LINE_ENDS = ("\n", "Ċ", "<0x0A>", "\r")
_PADS = frozenset(("pad", "padding"))  # IMDB models with a word-level vocabulary fill up with this word
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_MARKS = ("▁", "Ġ", "Ċ", "ĉ", "#", "<")  # what begins a piece with a mark
_ASKED = 1000  # pieces that are looked for in the text, which takes time; the marks of a tokenizer show in far fewer
_INVISIBLE = "\ufeff\u200b\u2060"  # byte order mark, zero-width space, word joiner: no characters of a word


@dataclass(frozen=True, slots=True)
class Merged:
    """Words with the indices of their pieces, and what stands between them.

    `special` holds (index of the piece, number of words before it) of special tokens and of pieces of white space. `breaks`
    holds (text, number of words before it) of line ends that are part of a word's piece, such as that of `.ĊĊ`.
    """

    words: tuple[tuple[str, tuple[int, ...]], ...]
    special: tuple[tuple[int, int], ...]
    breaks: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """Pieces that decode to whole characters together: their text with its white space, and whether a word begins or ends."""

    indices: tuple[int, ...]
    text: str
    starts: bool
    ends: bool


def merge_pieces(pieces: Sequence[str], *, scheme: str = "auto", special_tokens: Sequence[str] = (), text: str = "") -> Merged:
    """Join the pieces of each word. Every piece belongs to one word or is set aside, so that sums of scores are kept.

    Punctuation marks are words of their own, as in BERT's pre-tokenization. So are the pieces of scripts that are written
    without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), at least as long as one character with its
    marks. White space that a tokenizer keeps as a piece, such as a line end, is set aside like a special token.

    Args:
        pieces: the pieces, in order.
        scheme: how the tokenizer marks its pieces; "auto" recognises the scheme from the pieces.
        special_tokens: tokens that are not words of the text, besides the usual ones.
        text: the original text, where it is known: marks that stand in it are no marks.

    Raises:
        ValueError: the scheme is unknown.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r}; it is one of {', '.join(SCHEMES)}")
    kind = guess_scheme(pieces, text) if scheme == "auto" else scheme
    aside = _aside(pieces, frozenset(special_tokens))
    words: list[tuple[str, list[int]]] = []
    special: list[tuple[int, int]] = []
    breaks: list[tuple[str, int]] = []
    for run in _runs(pieces, aside):
        if isinstance(run, int):
            special.append((run, len(words)))
            continue
        _merge(list(_units(pieces, run, kind)), kind, words, special, breaks)
    return Merged(tuple((word, tuple(indices)) for word, indices in words), tuple(special), tuple(breaks))


def _aside(pieces: Sequence[str], named: frozenset[str]) -> set[int]:
    """The indices of special tokens: those that are named, the usual ones, and a run of the word "pad" at either end."""
    found = {i for i, piece in enumerate(pieces) if piece in named or not piece or _SPECIAL.fullmatch(piece)}
    found |= _chat_marks(pieces, found)
    for order in (range(len(pieces)), range(len(pieces) - 1, -1, -1)):
        run: list[int] = []
        for index in order:
            if index in found:
                continue
            if pieces[index].strip().casefold() not in _PADS:
                break
            run.append(index)
        if len(run) > 1:  # a lone "pad" may be a word of the text
            found.update(run)
    return found


def _chat_marks(pieces: Sequence[str], aside: set[int]) -> set[int]:
    """The indices of marks of a chat that are split into pieces, and of the names of roles between marks."""
    plain = [piece.replace("▁", "").replace("Ġ", "").strip().removeprefix("##") for piece in pieces]
    found: set[int] = set()
    for start in range(len(pieces)):
        if plain[start][:1] in ("[", "<"):
            for stop in range(start + 2, min(start + 6, len(pieces)) + 1):
                if "".join(plain[start:stop]) in _SPLIT_MARKS:
                    found.update(range(start, stop))
        if _ROLE_FOLLOWS.fullmatch(pieces[start]):
            for stop in range(start + 2, min(start + 5, len(pieces)) + 1):
                ends = stop == len(pieces) or stop in aside or pieces[stop].lstrip("▁ ").startswith(_LINE_ENDS)
                if ends and "".join(plain[start + 1 : stop]).casefold() in _ROLES:
                    found.update(range(start + 1, stop))
    return found


def _runs(pieces: Sequence[str], aside: set[int]) -> Iterator[int | list[int]]:
    """The special tokens and the runs of pieces between them, in order."""
    run: list[int] = []
    for index in range(len(pieces)):
        if index not in aside:
            run.append(index)
            continue
        if run:
            yield run
            run = []
        yield index
    if run:
        yield run


def _merge(
    units: list[_Unit],
    kind: str,
    words: list[tuple[str, list[int]]],
    special: list[tuple[int, int]],
    breaks: list[tuple[str, int]],
) -> None:
    """Add the words of a run of pieces between two special tokens."""
    fresh, pending = True, False
    parts: list[str] = []  # of the last word, which are joined when it ends: a word may have as many pieces as the text
    marks = False  # whether they are punctuation marks

    def end_word() -> None:
        if len(parts) > 1:
            words[-1] = ("".join(parts), words[-1][1])
        parts.clear()

    cores = [unit.text.strip().strip(_INVISIBLE).strip() for unit in units]
    for number, (unit, core) in enumerate(zip(units, cores, strict=True)):
        if not core:
            following = units[number + 1] if number + 1 < len(units) else None
            own = following is None or following.starts or not cores[number + 1] or unit.text.strip(" ") != ""
            if own or kind not in ("sentencepiece", "bpe"):
                special.extend((index, len(words)) for index in unit.indices)
            else:  # a space mark without text belongs to the word that follows: "▁", "is"
                end_word()
                words.append(("", list(unit.indices)))
                pending = True
            fresh = True
            continue
        lead, _, trail = unit.text.partition(core)
        if _has_line_end(lead):
            breaks.append((lead.strip(" "), len(words)))
        if pending:
            words[-1] = (core, [*words[-1][1], *unit.indices])
        elif not fresh and not unit.starts and _together(parts[-1], core, kind, marks=marks):
            words[-1][1].extend(unit.indices)
        else:
            end_word()
            words.append((core, list(unit.indices)))
        marks = is_punctuation(core) and (marks or not parts)
        parts.append(core)
        pending = False
        if _has_line_end(trail):
            breaks.append((trail.strip(" "), len(words)))
        fresh = unit.ends
    end_word()


def _has_line_end(text: str) -> bool:
    return "\n" in text or "\r" in text


def _together(word: str, piece: str, kind: str, *, marks: bool) -> bool:
    """Whether a piece without a space before it goes on with the word before it.

    Args:
        word: the last piece of the word.
        piece: the piece.
        kind: the scheme.
        marks: whether the word is nothing but punctuation marks.
    """
    if word in UNKNOWN or piece in UNKNOWN:
        return False
    if clings(word, piece):
        return True
    if kind == "wordpiece":  # `##` says that it does, but in a script without spaces a whole sentence would be one word
        return not (is_unspaced_alphabet(word[-1]) and is_unspaced_alphabet(piece[0]))
    return not (marks or is_punctuation(piece) or is_unspaced(word[-1]) or is_unspaced(piece[0]))


def guess_scheme(pieces: Sequence[str], text: str = "") -> str:
    """Recognise the scheme by the marks on the pieces that do not stand in the text; "none" if no piece has a mark."""
    plain = [piece for piece in pieces if piece and not _SPECIAL.fullmatch(piece) and piece not in UNKNOWN]
    marked = _marked(plain, text)
    if any(piece.startswith("▁") or _BYTE.fullmatch(piece) for piece in marked):
        return "sentencepiece"
    if _is_bpe(plain, marked):
        return "bpe"
    if any(piece.endswith("</w>") and len(piece) > 4 for piece in marked):
        return "clip"
    if any(piece.endswith("@@") and len(piece) > 2 and piece != plain[-1] for piece in marked):
        return "subword-nmt"
    inside = [piece for piece in marked if piece.startswith("##") and len(piece) > 2 and not piece.startswith("###")]
    if inside and not (plain[0].startswith("##") and len(inside) == 1):  # a lone first one is a heading or a hashtag
        return "wordpiece"
    return "spaces" if _is_spaced(plain) else "none"


def _marked(plain: list[str], text: str) -> list[str]:
    """The pieces that may have a mark and do not stand in the text; of very many different ones the first."""
    able = [piece for piece in plain if piece[:1] in _MARKS or piece.endswith(("</w>", "@@"))]
    if not text:
        return able
    absent = {piece: piece not in text for piece in islice(dict.fromkeys(able), _ASKED)}
    return [piece for piece in able if absent.get(piece, False)]


def _is_bpe(plain: list[str], marked: list[str]) -> bool:
    """Whether the pieces are bytes written as characters (GPT-2): by their marks of white space, or because they decode."""
    table = _byte_of()
    encoded = [piece for piece in plain if all(character in table for character in piece)]
    text = _decoded(bytes(table[character] for piece in encoded for character in piece))
    if text is None:  # letters such as the Maltese "Ġ" of a text that was not split into pieces
        return False
    if any(piece[:1] in ("Ġ", "Ċ", "ĉ") for piece in marked):
        return 2 * len(encoded) >= len(plain)
    return len(encoded) == len(plain) and not text.isascii()


def _decoded(data: bytes) -> str | None:
    """The text of bytes in UTF-8, of which the first or the last may be parts of a character that was cut off."""
    start = 0
    while start < min(3, len(data)) and 0x80 <= data[start] < 0xC0:
        start += 1
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data[start:])
    except UnicodeDecodeError:
        return None


def _is_spaced(plain: list[str]) -> bool:
    """Whether white space on the pieces says where words begin or end, as in pieces that were decoded one by one."""
    words = [piece for piece in plain if piece.strip() and not is_punctuation(piece.strip())]
    before = sum(piece[0].isspace() for piece in words[1:])
    after = sum(piece[-1].isspace() for piece in words[:-1])
    return len(words) > 1 and 2 * max(before, after) >= len(words) - 1


def _units(pieces: Sequence[str], run: list[int], kind: str) -> Iterator[_Unit]:
    """The pieces with their marks as white space. Pieces that hold parts of one character become one unit."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held: list[int] = []
    text = ""

    def unit(last: bool = False) -> _Unit:
        nonlocal held, text
        made = _Unit(tuple(held), text + decoder.decode(b"", final=last), _starts(text, kind), _ends(text, kind))
        held, text = [], ""
        return made

    for index in run:
        data = _bytes_of(pieces[index], kind)
        if held and (data is None or not 0x80 <= data[0] < 0xC0):  # a character that was cut off
            yield unit(last=True)
            decoder.reset()
        held.append(index)
        if data is None:
            surface, starts, ends = _surface(pieces[index], kind)
            yield _Unit((index,), surface, starts, ends)
            held = []
            continue
        text += decoder.decode(data)
        if not decoder.getstate()[0]:
            yield unit()
    if held:
        yield unit(last=True)


def _starts(text: str, kind: str) -> bool:
    return kind not in ("clip", "subword-nmt") and text[:1].isspace()


def _ends(text: str, kind: str) -> bool:
    return kind != "clip" and text[-1:].isspace()


def _bytes_of(piece: str, kind: str) -> bytes | None:
    """The bytes that a piece of a byte-level or byte-fallback tokenizer stands for, or `None` if it is text."""
    if kind == "bpe":
        table = _byte_of()
        if piece and all(character in table for character in piece):
            return bytes(table[character] for character in piece)
    if kind == "sentencepiece" and (found := _BYTE.fullmatch(piece)):
        return bytes([int(found[1], 16)])
    return None


def _surface(piece: str, kind: str) -> tuple[str, bool, bool]:
    """The piece without its mark, whether it starts a word, and whether it ends one."""
    if kind == "wordpiece":
        inside = piece.startswith("##") and len(piece) > 2
        return (piece[2:] if inside else piece, not inside, False)
    if kind in ("sentencepiece", "bpe"):
        plain = piece.replace("▁", " ") if kind == "sentencepiece" else piece
        return (plain, plain[:1].isspace(), plain[-1:].isspace())
    if kind == "clip":
        return (piece.removesuffix("</w>"), False, piece.endswith("</w>"))
    if kind == "subword-nmt":
        return (piece.removesuffix("@@"), False, not piece.endswith("@@"))
    if kind == "spaces":
        return (piece, piece[:1].isspace(), piece[-1:].isspace())
    return (piece, True, True)


@cache
def _byte_of() -> dict[str, int]:
    """The inverse of GPT-2's table from bytes to printable characters (Radford et al. 2019, `bytes_to_unicode`)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in printable)
    table.update({chr(256 + n): byte for n, byte in enumerate(others)})
    return table
