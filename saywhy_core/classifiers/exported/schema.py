"""The numbers and small records of the format of torch.export, and how damaged ones are told."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALAR_TYPES: dict[int, torch.dtype] = {
    number: getattr(torch, name)
    for number, name in {
        1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 9: "complex32",
        10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2",
        31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 34: "uint32", 35: "uint64",
    }.items()
    if hasattr(torch, name)
}  # fmt: skip
MEMORY_FORMATS = {
    1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format,
}  # fmt: skip
LAYOUTS = {7: torch.strided}
LARGEST = 2**63 - 1  # torch writes it for the end of a slice that is left open


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Tell a record that lacks a part, or has one of another form, in one sentence.

    Raises:
        UsageError: the block raised such an error.
    """
    try:
        yield
    except UsageError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        said = f"{type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}"
        raise UsageError(f"{where} is no program as torch.export.save writes it ({said}); save it again") from None


def only(record: Any) -> tuple[str, Any]:
    """The kind and the value of a union, which is written as an object of one entry."""
    ((kind, value),) = record.items()
    return str(kind), value


def integer(value: Any) -> int:
    """A whole number that torch can hold."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise ValueError(f"{value!r:.40} is no whole number of 64 bits")
    return value


def fixed_size(record: Any) -> int:
    """A size, stride or offset that is a number."""
    kind, value = only(record)
    number = integer(value)
    if kind != "as_int" or number < 0:
        raise ValueError(f"{value!r:.40} is no size")
    return number


def real(value: Any) -> float:
    """A number; JSON has no infinity, so that the format writes it as a text."""
    if isinstance(value, str) and value not in ("Infinity", "-Infinity", "NaN"):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)
