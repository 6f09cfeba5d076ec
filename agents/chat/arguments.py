"""The arguments of `chat_model`: of the right kind, each error a sentence that names the argument."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError, argument
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Callable

_YEAR = 366 * 24 * 3600.0  # seconds; systems can't wait for ever


def _number(value: Any, least: float = -math.inf) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and float(value) >= least


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


def _whole(value: Any, least: float = -math.inf) -> bool:
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= least


def _finite(value: Any) -> bool:
    return _number(value, 0) and value < math.inf


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "timeout": (lambda value: _positive(value) and value <= _YEAR, "a positive number of seconds"),
    "max_retries": (lambda value: _whole(value, 0), "0 or more"),
    "concurrency": (lambda value: _whole(value, 1), "1 or more"),
    "max_requests": (_positive, "a positive number"),
    "max_tokens_total": (_positive, "a positive number"),
    "max_cost": (_positive, "a positive number"),
    "price": (
        lambda value: isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_finite, value)),
        "two numbers, per million prompt and completion tokens",
    ),
    "temperature": (_finite, "a number from 0 up"),
    "max_tokens": (lambda value: _whole(value, 1), "1 or more"),
    "seed": (_whole, "a whole number"),
    "stop": (
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value),
        "a list of texts",
    ),
    "cache_as": (lambda value: isinstance(value, str), "a text"),
    "offline": (lambda value: isinstance(value, bool), "True or False"),
    "retry_invalid": (lambda value: isinstance(value, bool), "True or False"),
    "extra_body": (lambda value: isinstance(value, Mapping), "a dictionary"),
}


def check_arguments(**arguments: Any) -> None:
    """See whether each argument that is given (not None) is of the kind it must be.

    Raises:
        UsageError: one is not. Where it is a text, it is repeated, but for what is kept secret.
    """
    for name, value in arguments.items():
        fits, wanted = _KINDS[name]
        if value is not None and not fits(value):
            raise UsageError(f"{argument(name)} must be {wanted}, not {legible(repr(value))[:80]}")


def key_of(api_key: Any) -> str | tuple[str, str] | None:
    """A key, or a user and a password, out of what was given: texts, or pydantic's `SecretStr`, which shows none.

    Raises:
        UsageError: it is something else. The error does not repeat it.
    """
    if api_key is None or isinstance(api_key, str):
        return api_key
    if isinstance(api_key, (tuple, list)):
        if len(api_key) == 2 and all(isinstance(_plain(one), str) for one in api_key):
            return (_plain(api_key[0]), _plain(api_key[1]))
        given = f"{type(api_key).__name__} of {len(api_key)}"
    else:
        plain = _plain(api_key)
        if isinstance(plain, str):
            return plain
        given = type(api_key).__name__
    raise UsageError(f"{argument('api_key')} must be a text, a SecretStr, or a pair of user and password, not a {given}")


def is_cache_path(cache: Any) -> bool:
    """Whether a cache is named by a path. An empty text names none."""
    return isinstance(cache, (str, os.PathLike)) and bool(os.fspath(cache))


def _plain(value: Any) -> Any:
    reveal = getattr(value, "get_secret_value", None)
    return reveal() if callable(reveal) and not isinstance(value, type) else value
