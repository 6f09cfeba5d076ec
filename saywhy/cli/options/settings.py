"""The option `--settings FILE`: options of a command from a TOML file, for runs that are made again."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.files import Use
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

NAME = "settings"
ONLY_BY_HAND = ("trust", NAME, "help")
"""Options that a file can't give: what lets code run is said by the one who runs the command."""
SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="TOML file of options, such as budget = 500. Options on the command line go before those of the file.",
        show_default=False,
    ),
    Use.READ,
]


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the option `--settings`, which `Command` reads; as it is where it has no options."""
    own = inspect.signature(command, eval_str=True)
    if not own.parameters:
        return command
    option = inspect.Parameter(NAME, inspect.Parameter.KEYWORD_ONLY, annotation=SettingsOption, default=None)

    @functools.wraps(command)
    def run(*, settings: Path | None, **values: Any) -> Any:
        del settings  # its options stand among the others by now
        return command(**values)

    run.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, NAME: SettingsOption}
    return run


def words_of(path: Path, options: Sequence[Any], given: Collection[Any]) -> list[str]:
    """The options in a file as words of the command line, without those that were given there.

    Args:
        path: the TOML file, with the long names of options as keys (`max-words = 12` or `max_words = 12`). A list gives an
            option several values, and a flag is true or false.
        options: the parameters of the command.
        given: those that stand on the command line, and go before.

    Raises:
        UsageError: the file can't be read, or holds something that is no option of the command.
    """
    from saywhy_core.reading.toml import read_toml

    by_name = {spelled.removeprefix("--"): option for option in options for spelled in option.opts if spelled.startswith("--")}
    words: list[str] = []
    named: dict[int, str] = {}
    for key, value in read_toml(path).items():
        where = f"{legible(str(path))}: {legible(key)!r:.60}"
        name = key.replace("_", "-")
        option = by_name.get(name)
        if name in ONLY_BY_HAND and name in (*by_name, *ONLY_BY_HAND):
            raise UsageError(f"{where} can't be given by a file; say --{name} on the command line")
        if option is None:
            known = ", ".join(sorted(set(by_name) - set(ONLY_BY_HAND)))
            raise UsageError(f"{where} is no option of this command; there are {known}")
        if id(option) in named:
            raise UsageError(f"{where} is the option {named[id(option)]!r}, too; give it once")
        named[id(option)] = key
        if option not in given:
            words += _words(option, f"--{name}", value, where)
    return words


def _words(option: Any, spelled: str, value: object, where: str) -> list[str]:
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is true or false, not {value!r:.60}")
        off = option.secondary_opts[0] if option.secondary_opts else None
        return [spelled] if value else [off] if off else []
    if option.nargs > 1:
        if not isinstance(value, list) or len(value) != option.nargs:
            raise UsageError(f"{where} takes a list of {option.nargs} values, not {value!r:.60}")
        return [spelled, *(_word(one, where) for one in value)]
    if isinstance(value, list) and not option.multiple:
        raise UsageError(f"{where} takes one value, not {value!r:.60}")
    return [f"{spelled}={_word(one, where)}" for one in (value if isinstance(value, list) else [value])]


def _word(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{where} takes a text or a number, not {value!r:.60}")
    return value if isinstance(value, str) else repr(value)
