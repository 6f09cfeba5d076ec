"""The option `--settings FILE`: options of a command from a TOML file, for runs that are made again."""

from __future__ import annotations

import functools
import inspect
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.files import Use
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

NAME = "settings"
ONLY_BY_HAND = ("trust", NAME, "help")
"""Options that a file can't give: what lets code run is said by the one who runs the command."""
SECRET = re.compile(r"-{0,2}(?:.*[-_])?(?:api[-_]?)?(?:key|password|secret|token|user)", re.IGNORECASE)
"""What people call an option for a key, which no command has."""
WRONG_WORDS: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
KEYS_GO = "keys go into environment variables, such as SAYWHY_API_KEY or OPENAI_API_KEY, and never into a file or an option"
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


@contextmanager
def given_by_file(path: object, words: Sequence[str]) -> Iterator[None]:
    """Inside the block, say of an error that names an option of a file of settings that the file gives it.

    Args:
        path: the file; None where there is none.
        words: what `words_of` made of it.
    """
    try:
        yield
    except (UsageError, WRONG_WORDS) as error:
        said = str(error.message if hasattr(error, "message") else error)
        told = " ".join([said, *getattr(getattr(error, "param", None), "opts", ())])
        named = [option for option, _, value in (word.partition("=") for word in words) if _is_told(told, option, value)]
        if path is None or not named or str(path) in said:
            raise
        shown = f" ({legible(str(path))} gives {named[0]})"
        if hasattr(error, "message"):
            error.message = f"{said.rstrip('.')}{shown}"
            raise
        error.args = (f"{said}{shown}",)
        raise


def _is_told(said: str, option: str, value: str) -> bool:
    """Whether an error is about an option: it names it, or quotes its value."""
    return re.search(rf"(?<![\w-]){option}(?![\w-])", said) is not None or (value != "" and repr(value) in said)


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

    real = [option for option in options if hasattr(option, "is_flag")]
    by_name = {spelled.removeprefix("--"): option for option in real for spelled in option.opts if spelled.startswith("--")}
    words: list[str] = []
    named: dict[int, str] = {}
    for key, value in read_toml(path).items():
        where = f"{legible(str(path))}: {legible(key)!r:.60}"
        name = key.replace("_", "-")
        option = by_name.get(name)
        if name in ONLY_BY_HAND:
            here = name in by_name or name == "help"
            cure = f"; say --{name} on the command line" if here else f", and this command has no --{name}; leave it out"
            raise UsageError(f"{where} can't be given by a file{cure}")
        if option is None:
            _check_meant(name, options, where)
            known = ", ".join(sorted(name for name, one in by_name.items() if name not in ONLY_BY_HAND and not one.hidden))
            raise UsageError(f"{where} is no option of this command; there are {known}")
        if id(option) in named:
            raise UsageError(f"{where} is the option {named[id(option)]!r}, too; give it once")
        named[id(option)] = key
        if option not in given:
            words += _words(option, f"--{name}", value, where)
    return words


def _check_meant(name: str, options: Sequence[Any], where: str) -> None:
    """Say of a key that is no option what is meant, where that can be told.

    Raises:
        UsageError: it can.
    """
    flag = next((one for one in options if f"--{name}" in one.secondary_opts), None)
    if flag is not None:
        raise UsageError(f"{where} is the other side of a flag; write {flag.opts[0].removeprefix('--')} = false")
    if any(f"--{name}" == f"--{one.name.replace('_', '-')}" and not one.opts[0].startswith("-") for one in options):
        raise UsageError(f"{where} is an argument, which a file can't give; say it on the command line")
    if SECRET.fullmatch(name):
        raise UsageError(f"{where} is no option; {KEYS_GO}")


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
