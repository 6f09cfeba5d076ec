"""Mutations of bytes that know nothing of the format: flips, insertions, deletions, repetitions, splices, cuts, integers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import zoo

if TYPE_CHECKING:
    from random import Random

INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 20, 1 << 28, 100_000)
_PACK = (("<H", 0xFFFF), (">H", 0xFFFF), ("<I", 0xFFFFFFFF), (">I", 0xFFFFFFFF), ("<Q", 2**64 - 1), (">Q", 2**64 - 1))


def mutate(data: bytes, rng: Random, other: bytes = b"") -> bytes:
    """One to four changes of the bytes; `other` is an input to splice with."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        _CHANGES[rng.randrange(len(_CHANGES))](changed, rng, other)
    return bytes(changed)


def _place(data: bytearray, rng: Random) -> int:
    # headers decide what is read: every other change is near the beginning
    return rng.randrange(max(1, min(len(data), 64) if rng.random() < 0.5 else len(data)))


def _flip(data: bytearray, rng: Random, other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 4, 16))):
        if data:
            data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: Random, other: bytes) -> None:
    if data:
        data[_place(data, rng)] = rng.choice((0, 0xFF, 0x7F, 0x80, rng.randrange(256)))


def _insert(data: bytearray, rng: Random, other: bytes) -> None:
    place = _place(data, rng)
    data[place:place] = rng.choice((rng.choice(zoo.SNIPPETS), rng.randbytes(rng.choice((1, 4, 64)))))


def _delete(data: bytearray, rng: Random, other: bytes) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 2, 8, 64, 512))]


def _repeat(data: bytearray, rng: Random, other: bytes) -> None:
    place = _place(data, rng)
    piece = bytes(data[place : place + rng.choice((1, 8, 64, 256))])
    data[place:place] = piece * rng.choice((1, 2, 50, 1000 if len(piece) < 100 else 10))


def _splice(data: bytearray, rng: Random, other: bytes) -> None:
    if other:
        data[_place(data, rng) :] = other[rng.randrange(len(other)) :]


def _cut(data: bytearray, rng: Random, other: bytes) -> None:
    del data[_place(data, rng) :]


def _integer(data: bytearray, rng: Random, other: bytes) -> None:
    form, most = rng.choice(_PACK)
    size = struct.calcsize(form)
    if len(data) >= size:
        place = min(_place(data, rng), len(data) - size)
        data[place : place + size] = struct.pack(form, min(rng.choice(INTEGERS), most))


def _swap(data: bytearray, rng: Random, other: bytes) -> None:
    one, two = _place(data, rng), _place(data, rng)
    size = rng.choice((1, 4, 32))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


def _blank(data: bytearray, rng: Random, other: bytes) -> None:
    place = _place(data, rng)
    size = len(data[place : place + rng.choice((4, 64, 4096))])
    data[place : place + size] = bytes([rng.choice((0, 0xFF, 0x20))]) * size


def _encode(data: bytearray, rng: Random, other: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        _flip(data, rng, other)
        return
    coding = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1", "cp500"))
    data[:] = text.encode(coding, "replace")


_CHANGES = (_flip, _flip, _set, _insert, _insert, _delete, _repeat, _splice, _cut, _integer, _integer, _swap, _blank, _encode)
