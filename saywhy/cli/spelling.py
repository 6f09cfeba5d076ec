"""How the user of a command writes an argument of a Python function: as the option that the command has for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Bare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OTHER_NAMES = {"density": "prior"}
"""Options that are not called as the argument is."""


def spelling_of(parameters: Sequence[Any]) -> Callable[[str, object], str]:
    """Writes arguments as options of a command; see `saywhy_core.errors.argument`.

    What the command has no option for is taken to be an option of a classifier, which stands behind --option or, where one is
    named as part of an encoder, behind a question mark in its name.

    Args:
        parameters: those of the command.
    """
    options = {one.name: one for one in parameters if any(name.startswith("--") for name in one.opts)}

    def spell(name: str, value: object) -> str:
        option = options.get(_OTHER_NAMES.get(name, name))
        if option is None:
            before = "--option " if "option" in options else "?" if "encoder" in options else ""
            return f"{before}{name}{'' if value is None else f'={_word(value)}'}"
        return _as_option(option, value)

    return spell


def _as_option(option: Any, value: object) -> str:
    long = next(str(name) for name in option.opts if name.startswith("--"))
    if option.is_flag:
        return str(option.secondary_opts[0]) if value is False and option.secondary_opts else long
    if value is None:
        return long
    return f"{long} {(option.metavar or 'VALUE') if value is ... else _word(value)}"


def _word(value: object) -> str:
    if value is ...:
        return "VALUE"
    return str(value) if isinstance(value, (Bare, bool, int, float)) or str(value).isidentifier() else repr(str(value))
