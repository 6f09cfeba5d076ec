"""Arithmetic on sizes: the functions that a program may use, on numbers of at most 64 bits."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, TypeAlias

from saywhy_core.classifiers.exported.schema import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable

Number: TypeAlias = int | float | bool
MOST_BITS = 62  # of a power or a shifted number, before it is computed


def bounded(function: Callable[..., Any]) -> Callable[..., Number]:
    """The function on numbers alone, refusing results that no size can have: products of products grow without end."""

    def computed(*values: Any) -> Number:
        if not all(isinstance(value, (int, float)) for value in values):
            raise TypeError("arithmetic on sizes takes numbers only")
        result = function(*values)
        if not isinstance(result, (int, float)) or (isinstance(result, int) and abs(result) > LARGEST):
            raise ValueError("a size is larger than 64 bits")
        return result

    return computed


def _power(base: Number, exponent: Number) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent * base.bit_length() > MOST_BITS and abs(base) > 1:
        raise ValueError("a size is larger than 64 bits")
    return operator.pow(base, exponent)


def _shifted(value: int, by: int) -> int:
    if by > MOST_BITS:
        raise ValueError("a size is larger than 64 bits")
    return value << by


def _either(condition: Number, first: Number, second: Number) -> Number:
    return first if condition else second


_OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "neg", "pos", "abs", "eq", "ne", "lt", "le", "gt", "ge", "and_", "or_",
    "xor", "not_", "rshift", "invert",
)  # fmt: skip
_MATH = (
    "ceil",
    "floor",
    "trunc",
    "sqrt",
    "log2",
    "log",
    "exp",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
)
FUNCTIONS: dict[str, Callable[..., Number]] = {
    name: bounded(function)
    for name, function in {
        **{f"_operator.{name}": getattr(operator, name) for name in _OPERATORS},
        "_operator.pow": _power,
        "_operator.lshift": _shifted,
        **{f"math.{name}": getattr(math, name) for name in _MATH},
        "math.pow": math.pow,
        "torch.sym_int": int,
        "torch.sym_float": float,
        "torch.sym_max": max,
        "torch.sym_min": min,
        "torch.sym_not": operator.not_,
        "torch.sym_ite": _either,
        "torch.sym_sum": lambda *values: sum(values),
        **{f"torch._sym_{name}": getattr(math, name) for name in (*_MATH[3:4], "log2")},
        "torch.sym_sqrt": math.sqrt,
        "builtins.max": max,
        "builtins.min": min,
        "builtins.abs": abs,
        "builtins.round": round,
        "round": round,
    }.items()
}
"""Function by its name in the format."""
