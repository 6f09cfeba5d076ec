"""The option `--ceiling NAME=VALUE`, which every command that reads something has."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from saywhy.cli.options.files import Use, types_in
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import HELP, ceilings, parse_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "ceiling"
CeilingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ceiling",
        metavar="NAME=VALUE",
        help="Raise or lower a ceiling on what one input may hold, such as pixels=200M (repeatable). "
        + "; ".join(f"{name}: {told}" for name, told in HELP.items())
        + ".",
        rich_help_panel="Ceilings",
        show_default=False,
    ),
]


def with_ceilings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the option `--ceiling`, which runs with these ceilings in force; as it is where it reads nothing."""
    hints = get_type_hints(command, include_extras=True)
    if not any(_reads(hint) for hint in hints.values()):
        return command
    own = inspect.signature(command, eval_str=True)
    option = inspect.Parameter(NAME, inspect.Parameter.KEYWORD_ONLY, annotation=CeilingOption, default=None)

    @functools.wraps(command)
    def run(*, ceiling: Sequence[str] | None, **values: Any) -> Any:
        with ceilings(**read_ceilings(ceiling or ())):
            return command(**values)

    run.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, NAME: CeilingOption}
    return run


def read_ceilings(given: Sequence[str]) -> dict[str, int]:
    """Ceilings by name, from texts such as "pixels=200M".

    Raises:
        UsageError: a text is none, or a ceiling is given twice.
    """
    found: dict[str, int] = {}
    for text in given:
        name, value = parse_ceiling(text)
        if name in found:
            raise UsageError(f"--ceiling {name} is given twice; give it once")
        found[name] = value
    return found


def _reads(hint: Any) -> bool:
    """Whether a parameter of this annotation names something that is read."""
    uses = [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Use)]
    return Use.READ in uses or (not uses and Path in types_in(hint))
