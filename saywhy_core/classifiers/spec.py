"""How a line of text names a classifier: `KIND:WHERE?name=value&name=value`."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from saywhy_core.errors import UsageError

_NUMBER = r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*"
_NUMBERS = re.compile(rf"(?=[^.]*\.)(?:{_NUMBER}(?:,{_NUMBER})*|\[{_NUMBER}(?:,{_NUMBER})*\])")  # at least one with a point
_MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def split_spec(spec: str) -> tuple[str, dict[str, Any]]:
    """The part of a spec before the question mark, and its options by name.

    Raises:
        UsageError: an option is not of the form name=value, or is given twice.
    """
    address, mark, query = spec.partition("?")
    options: dict[str, Any] = {}
    for pair in query.split("&") if mark else []:
        name, value = read_option(pair, escaped=True)
        if name in options:
            raise UsageError(f"{spec}: the option {name!r} is given twice")
        options[name] = value
    return address, options


def is_module_name(text: str) -> bool:
    """Whether a text can be the name of a module, such as "package.module"."""
    return _MODULE_NAME.fullmatch(text) is not None


def read_option(pair: str, *, escaped: bool = False) -> tuple[str, Any]:
    """The name and the value of "name=value".

    The value is JSON where it reads as JSON (`0.5`, `[1, 2]`, `true`), a list of numbers where numbers are joined by commas
    (`0.485,0.456,0.406`, also without the leading 0), and plain text otherwise.

    Args:
        pair: the text.
        escaped: whether characters of the value may be written as in a URL, such as %26 for the sign &.

    Raises:
        UsageError: the text is not of that form.
    """
    name, equals, text = pair.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"an option of a target is written name=value, for example layout=nchw, not {pair!r}")
    text = unquote(text) if escaped else text
    for candidate in (text, f"[{text}]") if text else ():
        try:
            return name, json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    if _NUMBERS.fullmatch(text):  # such as .5 and 0., which JSON does not write
        numbers = [float(one) for one in text.strip("[]").split(",")]
        return name, numbers if len(numbers) > 1 or text.startswith("[") else numbers[0]
    return name, text


def first_given(*values: Any) -> Any:
    """The first value that is not None: what an option says, whatever it is, goes before what is known or usual."""
    return next((value for value in values if value is not None), None)
