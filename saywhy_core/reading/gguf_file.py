"""The head of a GGUF file, looked at before a library reads it: numbers and names of the model, within bounds."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.model_folder import MOST_LAYERS

if TYPE_CHECKING:
    from typing import BinaryIO

MOST_ENTRIES = 10_000  # of the head, and tensors per layer likewise: real files have some fifty, and some hundred tensors
MOST_TENSORS = 50_000
MOST_ITEMS = 4_000_000  # of one list: the largest vocabularies in use have some 260,000 tokens and 600,000 merges
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9
_COUNTED = ("block_count", "head_count", "head_count_kv", "expert_count")


def read_head(path: str | Path) -> dict[str, Any]:
    """The entries of a GGUF file's head that are numbers or texts; of lists, the number of items.

    The format is that of ggml's docs/gguf.md, versions 2 and 3, in the little-endian order.

    Args:
        path: the file.

    Raises:
        UsageError: the file is no such file, is cut off, is one part of several, or asks for more than any model has.
    """
    where, held = legible(str(path)), Path(path).stat().st_size
    with Path(path).open("rb") as stream:
        try:
            if stream.read(4) != b"GGUF":
                raise UsageError(f"{where} is no GGUF file: it does not begin with GGUF")
            (version,) = _read(stream, "I")
            if version not in {2, 3}:
                raise UsageError(f"{where} is GGUF of version {version}, and versions 2 and 3 are read; convert it anew")
            tensors, entries = _read(stream, "QQ")
            if tensors > MOST_TENSORS or entries > MOST_ENTRIES:
                raise UsageError(f"{where} claims {tensors:,} tensors and {entries:,} entries; no such model exists")
            found: dict[str, Any] = {}
            for _ in range(entries):
                name = _text(stream, where, held)
                (kind,) = _read(stream, "I")
                found[name] = _value(stream, kind, where, held)
        except (struct.error, OverflowError):
            raise UsageError(f"{where} is cut off in its head; copy it again") from None
    for name, value in found.items():
        if name.endswith(_COUNTED) and isinstance(value, int) and value > MOST_LAYERS:
            raise UsageError(f"{where}: {legible(name)[:80]} is {value:,}, and at most {MOST_LAYERS:,} are built")
    if isinstance(parts := found.get("split.count"), int) and parts > 1:
        raise UsageError(f"{where} is one of {parts} parts; join them with llama.cpp's gguf-split --merge")
    return found


def _read(stream: BinaryIO, form: str) -> tuple[Any, ...]:
    form = f"<{form}"
    return struct.unpack(form, stream.read(struct.calcsize(form)))


def _text(stream: BinaryIO, where: str, held: int) -> str:
    (length,) = _read(stream, "Q")
    if length > held:
        raise struct.error
    check_ceiling("bytes", length, f"{where}: a text in it")
    return stream.read(length).decode("utf-8", "replace")


def _value(stream: BinaryIO, kind: int, where: str, held: int) -> Any:
    if kind in _NUMBERS:
        return _read(stream, _NUMBERS[kind])[0]
    if kind == _TEXT:
        return _text(stream, where, held)
    if kind != _LIST:
        raise UsageError(f"{where} holds a value of the unknown kind {kind}")
    of, items = _read(stream, "IQ")
    if items > MOST_ITEMS:
        raise UsageError(f"{where} holds a list of {items:,} items, and at most {MOST_ITEMS:,} are read")
    if of in _NUMBERS:
        end = stream.tell() + items * struct.calcsize(f"<{_NUMBERS[of]}")
        if end > held:
            raise struct.error
        stream.seek(end)
    elif of == _TEXT:
        for _ in range(items):
            (length,) = _read(stream, "Q")
            if length > held - stream.tell():
                raise struct.error
            stream.seek(length, 1)
    else:
        raise UsageError(f"{where} holds a list of lists, which no model needs")
    return items
