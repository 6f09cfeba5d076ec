"""What the cases of the parameter walk are written with: see `test_parameters.py`."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

CASES: list[Case] = []
# A parameter may also show itself by an error of one of these kinds; a TypeError would rather be a mistake in the case.
REFUSALS = (ValueError, RuntimeError, FileNotFoundError)


@dataclass(frozen=True)
class later:
    """A value that is made anew for each call, from the tools."""

    make: Callable[[Tools], Any]


@dataclass(frozen=True)
class Case:
    """A call, and for each parameter another value that changes what is seen.

    `what` is a public name such as "verbalize.check" or "agents.Replies.lookup"; `seen` looks at the result of a call with
    its tools and arguments. Cases of one callable add up: a parameter needs one in any of them.
    """

    what: str
    base: Mapping[str, Any]
    others: Mapping[str, Any]
    seen: Callable[[Any, Tools, dict[str, Any]], Any] | None
    record: bool = False

    def __str__(self) -> str:
        return f"{self.what}({', '.join(self.others)})"


class Tools:
    """What the calls of a case share: an empty folder per call, and everything expensive once per run."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self.recorded: list[Any] = []
        self._folders = 0

    def fixture(self, name: str) -> Any:
        return self._request.getfixturevalue(name)

    def fresh(self) -> None:
        """Begin another call: nothing recorded, another folder."""
        self.recorded = []
        self._folders += 1

    @property
    def folder(self) -> Path:
        folder: Path = self.fixture("tmp_path") / f"call{self._folders}"
        folder.mkdir(exist_ok=True)
        return folder

    def record(self, *values: Any, **named: Any) -> None:
        """A callback that remembers what it was called with."""
        self.recorded.append((values, named))

    def counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with the length of each batch that it is asked for recorded."""

        def counted(batch: Any, *rest: Any) -> Any:
            self.recorded.append(len(batch))
            return function(batch, *rest)

        return counted

    def server(self, **options: Any) -> Any:
        return self.fixture("chat_server")(**options)


def case(what: str, base: Mapping[str, Any], seen: Callable[..., Any] | None = None, /, **others: Any) -> None:
    """Add a case of a function, a method (with "self" in `base`), or a class with what is `seen` of an object's behaviour."""
    CASES.append(Case(what, base, others, seen))


def record(what: str, base: Mapping[str, Any], /, **others: Any) -> None:
    """Add a case of a record: a class that only holds what it is given, so that two objects differ in that field."""
    CASES.append(Case(what, base, others, None, record=True))


def resolve(name: str) -> Any:
    """The object of a dotted public name."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AttributeError(name)


def parameters_of(thing: Any) -> list[str]:
    """Names of the parameters that a caller gives."""
    own = [name for name in inspect.signature(thing).parameters if not name.startswith("_")]
    if "model_fields" in dir(thing):  # a pydantic model: the fields that its base class brings are not ours
        return [name for name in own if name in vars(thing).get("__annotations__", {})]
    return [name for name in own if name not in ("self", "cls")]


def plain(value: Any) -> Any:
    """A value as nested tuples of what can be compared."""
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), value.tobytes() if value.dtype != object else plain(value.tolist()))
    if isinstance(value, (str, bytes, int, float, complex, type(None))):
        return repr(value)
    if hasattr(value, "detach"):
        return plain(value.detach().numpy())
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *((field.name, plain(getattr(value, field.name))) for field in fields(value)))
    if isinstance(value, Mapping):
        return tuple((plain(key), plain(held)) for key, held in value.items())
    if isinstance(value, Path):
        return plain(value.read_bytes()) if value.is_file() else value.name
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value), plain({k: v for k, v in vars(value).items() if k != "__notes__"}))
    if isinstance(value, Iterable):
        return tuple(plain(held) for held in value)
    return type(value).__name__ if " at 0x" in repr(value) else repr(value)


def outcome(one: Case, arguments: Mapping[str, Any], tools: Tools) -> Any:
    """What is seen of a call: its result and what callbacks recorded, or its refusal."""
    tools.fresh()
    made = {name: value.make(tools) if isinstance(value, later) else value for name, value in arguments.items()}
    given = dict(made)
    owner = given.pop("self", None)
    call = resolve(one.what)
    warnings.simplefilter("ignore", DeprecationWarning)  # an earlier name that a face still offers is walked too
    first = [] if owner is None else [owner]
    kinds = inspect.signature(call).parameters
    if several := [name for name, found in kinds.items() if found.kind is inspect.Parameter.VAR_POSITIONAL and name in given]:
        first += [given.pop(name) for name in [*kinds][: [*kinds].index(several[0])] if name in given]
        first += given.pop(several[0])
    try:
        result = call(*first, **given)
        seen = plain(one.seen(result, tools, made)) if one.seen else plain(result)
    except REFUSALS as error:
        return ("refused", type(error).__name__, str(error).replace(str(tools.folder), ""))
    return (seen, plain(tools.recorded))
