"""Conditions that a program puts on the size of its input, evaluated without Python's own evaluation.

torch keeps them as Python source, such as "L['x'].size()[2] // 2 != 1", and executes it. Here the source is parsed, and only
arithmetic and comparisons of sizes are computed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import TYPE_CHECKING, Any

from saywhy_core.classifiers.exported.symbols import FUNCTIONS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from saywhy_core.classifiers.exported.symbols import Number

LONGEST = 10_000  # characters of one condition; an honest one has at most some hundreds
_SIZE = re.compile(r"""L\[(?:'\w{1,99}'|"\w{1,99}")\](?:\[\d\])?\.size\(\)\[(\d)\]""")
_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Div: "truediv",
    ast.Pow: "pow",
}  # fmt: skip
_COMPARED: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_CALLED: dict[str, Callable[..., Number]] = {
    "max": FUNCTIONS["torch.sym_max"], "Max": FUNCTIONS["torch.sym_max"], "min": FUNCTIONS["torch.sym_min"],
    "Min": FUNCTIONS["torch.sym_min"], "abs": FUNCTIONS["_operator.abs"], "FloorDiv": FUNCTIONS["_operator.floordiv"],
    "CleanDiv": FUNCTIONS["_operator.floordiv"], "Mod": FUNCTIONS["_operator.mod"], "PythonMod": FUNCTIONS["_operator.mod"],
    "IntTrueDiv": FUNCTIONS["_operator.truediv"], "FloatTrueDiv": FUNCTIONS["_operator.truediv"],
    "TruncToInt": FUNCTIONS["math.trunc"], "ToFloat": FUNCTIONS["torch.sym_float"], "PowByNatural": FUNCTIONS["_operator.pow"],
    "math.floor": FUNCTIONS["math.floor"], "math.ceil": FUNCTIONS["math.ceil"], "math.trunc": FUNCTIONS["math.trunc"],
    "math.sqrt": FUNCTIONS["math.sqrt"], "float": FUNCTIONS["torch.sym_float"], "int": FUNCTIONS["torch.sym_int"],
}  # fmt: skip


class Condition:
    """One condition on the four sizes of the input.

    Args:
        source: the condition as torch keeps it.
        where: the file, for errors.

    Raises:
        UsageError: it holds anything else than arithmetic and comparisons of sizes.
    """

    def __init__(self, source: str, where: str) -> None:
        self.source = source
        self._where = where
        try:
            if len(source) > LONGEST:
                raise ValueError
            self._tree = ast.parse(_SIZE.sub(r"size[\1]", source), mode="eval").body
            self.holds((7, 3, 64, 64))
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, IndexError, KeyError):
            raise UsageError(
                f"{where} has a condition on its input that is no arithmetic of sizes ({source!r:.80}); the file was refused"
            ) from None
        except ArithmeticError:
            pass  # at these sizes, not at every size

    def holds(self, sizes: Sequence[int]) -> bool:
        """Whether it holds for an input of these sizes."""
        return bool(_value(self._tree, sizes))


def _value(node: ast.AST, sizes: Sequence[int]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Subscript(value=ast.Name(id="size"), slice=ast.Constant(value=int() as axis)):
            return sizes[axis]
        case ast.BinOp(left=left, op=sign, right=right):
            return FUNCTIONS[f"_operator.{_BINARY[type(sign)]}"](_value(left, sizes), _value(right, sizes))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, sizes)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, sizes)
        case ast.BoolOp(op=joined, values=values):
            parts = [bool(_value(one, sizes)) for one in values]
            return all(parts) if isinstance(joined, ast.And) else any(parts)
        case ast.Compare(left=left, ops=signs, comparators=others):
            members = [_value(one, sizes) for one in (left, *others)]
            return all(_COMPARED[type(sign)](a, b) for sign, a, b in zip(signs, members, members[1:], strict=False))
        case ast.Call(func=called, args=given, keywords=[]):
            return _CALLED[ast.unparse(called)](*(_value(one, sizes) for one in given))
        case ast.Attribute(value=ast.Name(id="math"), attr="inf"):
            return math.inf
    raise ValueError(f"{type(node).__name__} is no arithmetic")
