"""Secrets of which a text repeats a part only, or that are broken up by any signs: what is left is found by its letters.

Letters and digits alone count here, in lower case. Every run of five of them in a secret is known, and every fifth run of a
text is looked up, which is quick whatever the number of secrets; where one is met, the secret is followed in both directions,
over a few characters that are missing or were put in.
"""

from __future__ import annotations

from base64 import b32encode, b64encode
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from saywhy_core.secrets.views import KINDS, MARKUP, decoded, is_escaped, put, shown, units

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_RUN = 5  # characters that are looked up
_LEAST, _MOST = 10, 16  # characters that a piece must have: half of the secret, between these
_WORDS = 16  # characters, of a piece that has letters or digits alone and may be words of an ordinary text
_AGAIN = 4  # characters that must agree behind a gap
_GAP = 4  # characters that may be missing, or put in
_PLACES = 8  # places of a run in secrets that are remembered; of a secret that repeats itself the last is kept as well
_LONG = 4096  # characters: of a longer secret, only pieces as they are and in base64 are known


@dataclass(frozen=True)
class _Dress:
    letters: str
    least: int


class _Kept(dict[int, "int | None"]):
    """A table for `str.translate` that keeps letters and digits."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if chr(code).isalnum() else None
        return self[code]


_kept = _Kept()
_runs: dict[str, list[tuple[_Dress, int]]] = {}
_values: set[str] = set()
_heads: set[str] = set()
_tails: set[str] = set()
"""The signs that values begin and end with."""
_looks_escaped: set[str] = set()
"""Values that hold what is an escape elsewhere, so that a text is looked at with some kinds of escapes only, too."""


def know(value: str) -> None:
    """Remember the runs of a secret, as it is and in disguise."""
    if value in _values or value.startswith(("/", "~/", "./", "../")) or "://" in value:  # pieces of paths are ordinary
        return
    _values.add(value)
    if decoded(value) != value:
        _looks_escaped.add(value)
    alike = [at for at, one in enumerate(value) if one.isalnum()] or [0]
    _heads.add(value[: alike[0]])
    _tails.add(value[alike[-1] + 1 :])
    value = value[alike[0] : alike[-1] + 1]
    least = min(_MOST, max(_LEAST, -(-len(_letters(value)) // 2)))
    if len(_letters(value)) < least:
        return
    for one in {value, *(decoded(value, kinds) for kinds in KINDS)}:
        _add(_Dress(_letters(one), least))
    data = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        written = b64encode(bytes(before) + data).decode().rstrip("=")
        _add(_Dress(_letters(written[(0, 2, 3)[before] : -1]), -(-least * 4 // 3)))
    if len(value) <= _LONG:
        _add(_Dress(_letters(value[::-1]), least))
        _add(_Dress(data.hex(), 2 * least))
        for before in range(5):
            written = b32encode(bytes(before) + data).decode().rstrip("=")
            _add(_Dress(_letters(written[-(-before * 8 // 5) : -1]), -(-least * 8 // 5)))


def forget() -> None:
    """Forget all."""
    _runs.clear()
    _values.clear()
    _heads.clear()
    _tails.clear()
    _looks_escaped.clear()


def without_pieces(text: str, mark: str) -> str:
    """The text with `mark` in the place of each piece of a secret."""
    if not _runs or len(text) < _LEAST:
        return text
    places: list[tuple[int, int]] = []
    for kinds in (frozenset[int](), *(KINDS if _looks_escaped else KINDS[:1])):
        seen = decoded(text, kinds) if kinds and is_escaped(text) else text
        if (seen != text or not kinds) and any(_holds_piece(one) for one in _views(seen)):
            places += _places(text, kinds)
    return put(mark, text, places) if places else text


def _letters(text: str) -> str:
    return text.translate(_kept).lower()


def _add(dress: _Dress) -> None:
    letters = dress.letters
    if len(letters) < dress.least:
        return
    for at in range(len(letters) - _RUN + 1):
        places = _runs.setdefault(letters[at : at + _RUN], [])
        if len(places) < _PLACES:
            places.append((dress, at))
        elif places[-1][0] is dress:
            places[-1] = (dress, at)


def _views(text: str) -> Iterator[str]:
    yield text
    if (form := reduce(lambda said, kind: kind.sub("", said), MARKUP[-1], text)) != text:
        yield form


def _holds_piece(text: str) -> bool:
    return next(_spans(_letters(text)), None) is not None


def _spans(letters: str) -> Iterator[tuple[int, int]]:
    """Where pieces of secrets begin and end among the letters of a text."""
    done = 0
    for at in range(0, len(letters) - _RUN + 1, _RUN):
        run = letters[at : at + _RUN]
        if run not in _runs or at + _RUN <= done:
            continue
        for dress, place in _runs[run]:
            piece = _piece(letters, at, dress, place)
            if piece is not None:
                done = piece[1]
                yield piece
                break


def _piece(letters: str, at: int, dress: _Dress, place: int) -> tuple[int, int] | None:
    """The piece of a secret around a run that is in both, if it is long enough."""
    before = _agreed(letters, at - 1, dress.letters, place - 1, -1)
    after = _agreed(letters, at + _RUN, dress.letters, place + _RUN, 1)
    if before + after < 2:  # a run that is met by chance
        return None
    start, said = _follow(letters, at - 1, dress.letters, place - 1, -1)
    end, more = _follow(letters, at + _RUN, dress.letters, place + _RUN, 1)
    piece = letters[start + 1 : end]
    least = max(_WORDS, dress.least) if piece.isalpha() or piece.isdigit() else dress.least
    return (start + 1, end) if said + _RUN + more >= least else None


def _agreed(letters: str, at: int, secret: str, place: int, step: int) -> int:
    count = 0
    while 0 <= at < len(letters) and 0 <= place < len(secret) and letters[at] == secret[place]:
        at, place, count = at + step, place + step, count + 1
    return count


def _follow(letters: str, at: int, secret: str, place: int, step: int) -> tuple[int, int]:
    """Where a text stops to repeat a secret, in one direction, and how many characters agree until there."""
    agreed = 0
    while True:
        count = _agreed(letters, at, secret, place, step)
        at, place, agreed = at + count * step, place + count * step, agreed + count
        gap = _gap(letters, at, secret, place, step)
        if gap is None:
            return at, agreed
        at, place = at + gap[0] * step, place + gap[1] * step


def _gap(letters: str, at: int, secret: str, place: int, step: int) -> tuple[int, int] | None:
    """How many characters were put in, and how many are missing, before a text goes on to repeat a secret."""
    if step < 0:
        at, place = at - _AGAIN + 1, place - _AGAIN + 1
    ways = range(_GAP + 1)
    behind = {
        secret[place + less * step : place + less * step + _AGAIN]: less for less in reversed(ways) if place + less * step >= 0
    }
    for more in ways:
        if (
            at + more * step >= 0
            and len(run := letters[at + more * step : at + more * step + _AGAIN]) == _AGAIN
            and run in behind
        ):
            return more, behind[run]
    return None


def _places(text: str, kinds: Collection[int]) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for kept in shown(units(text, kinds)):
        bare = [unit for unit in kept if unit[0].isalnum()]
        for start, end in _spans("".join(unit[0] for unit in bare)):
            first, last = bare[start][1], bare[end - 1][2]
            first -= max((len(head) for head in _heads if text.endswith(head, 0, first)), default=0)
            last += max((len(tail) for tail in _tails if text.startswith(tail, last)), default=0)
            places.append((first, last))
    return places
