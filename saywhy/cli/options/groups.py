"""Options that belong together, declared once as a dataclass, and rules on which options go with which."""

from __future__ import annotations

import copy
import inspect
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEYWORD = inspect.Parameter.KEYWORD_ONLY  # so that an option without a default may stand after one that has one


@dataclass(frozen=True)
class Rule:
    """Options that have an effect only where something else holds.

    Attributes:
        options: parameter names, such as ("audience",).
        needs: what these options go with, as the error says it, such as "--style narrate".
        holds: says from all options of the command, by parameter name, whether these options have an effect.
    """

    options: tuple[str, ...]
    needs: str
    holds: Callable[[Mapping[str, Any]], bool]


def with_groups(command: Callable[..., None], rules: Sequence[Rule] = ()) -> Callable[..., None]:
    """A command for typer in which every option group is spelled out, and which refuses options that have no effect.

    Each parameter of `command` that is annotated with a dataclass becomes one option per field of that dataclass; the
    command receives the fields as one object. An option of the command itself keeps its name where a group has another option
    of that name, which must then have a further one. Where an option was given on the command line and its rule does not hold,
    the returned command raises a `UsageError` before anything is done.
    """
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: one.annotation for name, one in signature.parameters.items() if is_dataclass(one.annotation)
    }
    own = {
        flag
        for name, one in signature.parameters.items()
        if name not in groups
        for held in getattr(one.annotation, "__metadata__", ())
        for flag in _flags(held)
    }
    spelled = [inspect.Parameter("context", KEYWORD, annotation=typer.Context)]
    for name, parameter in signature.parameters.items():
        spelled += _options_of(groups[name], own) if name in groups else [parameter.replace(kind=KEYWORD)]

    def run(context: typer.Context, **values: Any) -> None:
        for rule in rules:
            given = [name for name in rule.options if _is_given(context, name)]
            if given and not rule.holds(values):
                named = " and ".join(_flag(context, name) for name in given)
                raise UsageError(f"{named} {'goes' if len(given) == 1 else 'go'} with {rule.needs}")
        for name, group in groups.items():
            values[name] = group(**{one.name: values.pop(one.name) for one in fields(group)})
        command(**values)

    run.__signature__ = inspect.Signature(spelled)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in spelled}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _flag(context: typer.Context, name: str) -> str:
    """The option as people write it, which may differ from the name of its parameter."""
    return next(str(one.opts[0]) for one in context.command.params if one.name == name)


def _options_of(group: Any, taken: set[str]) -> list[inspect.Parameter]:
    hints = {name: _without(hint, taken) for name, hint in get_type_hints(group, include_extras=True).items()}
    return [
        inspect.Parameter(
            one.name,
            KEYWORD,
            annotation=hints[one.name],
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
        )
        for one in fields(group)
    ]


def _flags(held: Any) -> tuple[str, ...]:
    """The names of an option in an annotation, the first of which typer keeps where a default would stand."""
    first = getattr(held, "default", None)
    return (
        *((first,) if isinstance(first, str) and first.startswith("--") else ()),
        *(getattr(held, "param_decls", None) or ()),
    )


def _without(hint: Any, taken: set[str]) -> Any:
    """The annotation of an option, without those of its names that are taken."""
    held = [copy.copy(one) for one in getattr(hint, "__metadata__", ())]
    for one in held:
        if set(getattr(one, "param_decls", None) or ()) & taken:
            one.param_decls = tuple(name for name in one.param_decls if name not in taken)
    return Annotated[(hint.__origin__, *held)] if held else hint
