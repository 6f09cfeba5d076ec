"""The process in which chat templates are rendered: jinja2's sandbox as transformers sets it up, and limits of the system.

This module imports neither transformers nor the rest of saywhy, so that the process starts quickly.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 512 * 2**20  # bytes of addresses, of which Python and jinja2 take some 50 MB
SPARE = 5  # seconds of the processor; after them the process ends also where the one that started it is gone


def serve() -> None:
    """Answer requests, each one line of JSON on standard input, until it ends."""
    _limit_memory()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(b"ready\n")
    answers.flush()
    for line in requests:
        request = json.loads(line)
        _limit_time(request["seconds"])
        answers.write(json.dumps(_answer(request)).encode() + b"\n")
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, str]:
    try:
        text = compiled(request["template"]).render(**request["values"])
    except jinja2.TemplateError as error:
        return {"refused": str(error)[:1000]}
    except (MemoryError, RecursionError) as error:
        return {"refused": f"it needs too much memory ({type(error).__name__})"}
    except Exception as error:  # noqa: BLE001 - a template can raise anything
        return {"refused": f"{type(error).__name__}: {str(error)[:1000]}"}
    if len(text) > request["longest"]:
        return {"refused": f"its text has {len(text):,} characters, and at most {request['longest']:,} are read"}
    return {"text": text}


@lru_cache(maxsize=16)
def compiled(template: str) -> jinja2.Template:
    """A template in the environment that transformers gives to chat templates (`transformers.utils.chat_template_utils`)."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals.update(raise_exception=_raise, strftime_now=_now, dict=_Dict(), namespace=_Namespace)
    return environment.from_string(template)


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks what the model said, for training; it renders as what is in it."""

    tags = {"generation"}  # noqa: RUF012 - as in its base class

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller: Callable[[], str]) -> str:
        return caller()


class _Dict:
    def __call__(self, *args: Any, **values: Any) -> dict[Any, Any]:
        return dict(*args, **values)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


class _Namespace(jinja2.utils.Namespace):
    """A namespace without names that begin with an underscore."""

    def __init__(*args: Any, **values: Any) -> None:
        self, *rest = args
        attributes = dict(*rest, **values)
        for name in attributes:
            _check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        _check(name)
        super().__setitem__(name, value)


def _check(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError(f"a chat template may not set {name!r}, which begins with an underscore")


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _tojson(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limits, and macOS not this one
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _limit_time(seconds: int) -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime)
        resource.setrlimit(
            resource.RLIMIT_CPU, (min(spent + seconds + SPARE, 2**31), resource.getrlimit(resource.RLIMIT_CPU)[1])
        )
