"""The kinds of image classifier that a line of text can name, and the function that opens one."""

from __future__ import annotations

import inspect
import re
import warnings
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

from saywhy_core.classifiers.spec import split_spec
from saywhy_core.errors import UsageError
from saywhy_core.names import read_class_names
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy_core.classifiers.classifier import Classifier

MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class TargetLoader(Protocol):
    """Opens the classifiers of one kind.

    The keyword parameters of the function are the options of the kind; any other option is refused before the function is
    called. A parameter `class_names` receives a sequence of names; leave it out where the classifier always knows its names.
    """

    def __call__(self, where: str, /, **options: Any) -> Classifier:
        """The classifier at `where`, which is the part of the spec between the kind's colon and the question mark.

        Raises:
            UsageError: there is no such classifier, an option has a wrong value, or an option is missing.
        """


TARGETS: Registry[TargetLoader] = Registry(
    "target",
    "saywhy.targets",
    {
        "onnx": "saywhy_core.classifiers.onnx:load",
        "torch": "saywhy_core.classifiers.torch:load",
        "transformers": "saywhy_core.classifiers.transformers:load",
        "python": "saywhy_core.classifiers.python:load",
    },
)


def load_classifier(spec: str, *, class_names: Sequence[str] | str | PathLike[str] | None = None, **options: Any) -> Classifier:
    """Open the image classifier that a line of text names, `KIND:WHERE?name=value&name=value`.

    The built-in kinds are `onnx:FILE`, `torch:FILE` (TorchScript or a program of `torch.export`),
    `transformers:FOLDER_OR_NAME`, `python:package.module:function` (where `python:` may be left out) and `demo:signs`;
    `docs/targets.md` lists their options. Other distributions add kinds through the entry points `saywhy.targets`.

    Args:
        spec: the kind, a colon, where the classifier is, and options as in `read_option`.
        class_names: the class names in the order of the scores, or a file that holds them. In `spec` and in `options` it is
            called `names` as well.
        options: options of the kind, by keyword instead of in `spec`.

    Raises:
        UsageError: there is no such kind or file; an option is unknown, given twice, wrong or missing.
    """
    address, given = split_spec(spec)
    kind, where = _kind_and_place(spec, address)
    for name, value in (*options.items(), ("class_names", class_names)):
        if value is not None:
            _give(spec, given, "class_names" if name == "names" else name, value)
    if "names" in given:
        _give(spec, given, "class_names", given.pop("names"))
    known = target_options(kind)
    unknown = [name for name in given if known is not None and name not in known]
    if unknown:
        there = f"there are {', '.join(known)}" if known else "they take no options"
        raise UsageError(f"{kind} targets have no such option: {unknown[0]!r}; {there}")
    if "class_names" in given:
        given["class_names"] = _names(given["class_names"])
    return TARGETS.get(kind)(where, **given)


def target_options(kind: str) -> tuple[str, ...] | None:
    """The options of a kind of target, None where it takes any.

    Raises:
        UsageError: there is no such kind.
    """
    parameters = list(inspect.signature(TARGETS.get(kind)).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(parameter.name for parameter in parameters)


def _kind_and_place(spec: str, address: str) -> tuple[str, str]:
    kind, colon, where = address.partition(":")
    if not colon or not kind or not where:
        raise UsageError(f"{spec!r} names no classifier; write for example onnx:model.onnx or python:package.module:function")
    if kind == "callable":
        warnings.warn(f"callable:{where} is now written python:{where}", DeprecationWarning, stacklevel=3)
        return "python", where
    if kind not in TARGETS and MODULE_NAME.fullmatch(kind) and where.isidentifier():
        return "python", address
    if kind not in TARGETS:
        raise UsageError(f"there is no target {kind!r}; write one of {', '.join(f'{name}:...' for name in TARGETS)}")
    return kind, where


def _give(spec: str, given: dict[str, Any], name: str, value: Any) -> None:
    if name in given:
        raise UsageError(f"{spec}: the option {name!r} is given twice")
    given[name] = value


def _names(given: Any) -> list[str]:
    if isinstance(given, str | PathLike):
        return read_class_names(given)
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"class names must be a list of texts, or a file that holds them, not {given!r}")
    return list(given)
