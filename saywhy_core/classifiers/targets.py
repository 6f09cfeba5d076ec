"""The kinds of image classifier that a line of text can name, and the function that opens one."""

from __future__ import annotations

import inspect
import sys
import warnings
from importlib.machinery import PathFinder
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from saywhy_core.classifiers.spec import is_module_name, split_spec
from saywhy_core.errors import UsageError
from saywhy_core.names import check_class_names, read_class_names
from saywhy_core.registry import Registry
from saywhy_core.trust import may_run_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy_core.classifiers.classifier import Classifier

LONGEST = 4096  # characters of a target without its options: what a path may have
PARTS = ("scores", "class_names", "image_shape", "identity", "queries", "ask_again")
"""What the rest of the library asks of a classifier besides calling it; see the protocol `Classifier`."""


class TargetLoader(Protocol):
    """Opens the classifiers of one kind.

    The keyword parameters of the function are the options of the kind; any other option is refused before the function is
    called. A parameter `class_names` receives a sequence of names; leave it out where the classifier always knows its names.

    A kind whose classifiers can run code that is not the kind's own (a module, a script in a file, a pickle) has a keyword
    parameter `trust`. It is true where the user trusts the author of what is opened, and the function calls
    `saywhy_core.trust.require_trust` before any such code runs. A kind without that parameter says that it never runs any.
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
        "oip": "saywhy_core.classifiers.remote.oip:load",
        "tfserving": "saywhy_core.classifiers.remote.tfserving:load",
        "http": "saywhy_core.classifiers.remote.http:load",
    },
    expects=callable,
    words="a function load(where, *, option=...) that returns a classifier",
)


def load_classifier(
    spec: str, *, class_names: Sequence[str] | str | PathLike[str] | None = None, trust: bool = False, **options: Any
) -> Classifier:
    """Open the image classifier that a line of text names, `KIND:WHERE?name=value&name=value`.

    The built-in kinds are `onnx:FILE`, `torch:FILE` (TorchScript or a program of `torch.export`),
    `transformers:FOLDER_OR_NAME`, `python:package.module:function` (where `python:` may be left out) and `demo:signs`;
    `docs/targets.md` lists their options. Other distributions add kinds through the entry points `saywhy.targets`.

    Args:
        spec: the kind, a colon, where the classifier is, and options as in `read_option`.
        class_names: the class names in the order of the scores, or a file that holds them. In `spec` and in `options` it is
            called `names` as well.
        trust: whether code that comes with the classifier may run: a `python:` module, TorchScript, or the Python files of a
            transformers model. Nobody can allow this in `spec`, because a spec may come from somebody else.
        options: options of the kind, by keyword instead of in `spec`.

    Raises:
        TrustError: the classifier needs code to be run, and `trust` is false. Nothing was run.
        UsageError: there is no such kind or file; an option is unknown, given twice, wrong or missing; or `trust` is true and
            classifiers of this kind never run code.
    """
    if not isinstance(spec, str):
        raise UsageError(f"a target is named by a line of text such as onnx:model.onnx, not by a value of type {_type(spec)}")
    _check_length(spec)
    address, written = split_spec(spec)
    kind, where = _kind_and_place(spec, address)
    given: dict[str, Any] = {}
    spelled: dict[str, str] = {}  # options by name, as the user wrote them
    by_keyword = [(name, value) for name, value in (*options.items(), ("class_names", class_names)) if value is not None]
    for name, value in (*written.items(), *by_keyword):
        option = "class_names" if name == "names" else name
        if option in given:
            also = "" if spelled[option] == name else f", also as {name!r}"
            raise UsageError(f"{spec}: the option {spelled[option]!r} is given twice{also}")
        given[option], spelled[option] = value, name
    known = target_options(kind)
    if "trust" in given:
        raise UsageError("trust can't be given in the name of a target; give --trust, or trust=True in Python")
    unknown = [name for name in given if known is not None and name not in known]
    if unknown:
        documented = ", ".join("names" if name == "class_names" else name for name in known or ())
        there = f"there are {documented}" if known else "they take no options"
        raise UsageError(f"{kind} targets have no such option: {spelled[unknown[0]]!r}; {there}")
    if "class_names" in given:
        given["class_names"] = _names(given["class_names"], f"{spec}, {spelled['class_names']}")
    loader = TARGETS.get(kind)
    if may_run_code(loader):
        given["trust"] = bool(trust)
    elif trust:
        raise UsageError(f"{kind}: targets run no code of the model's author, so trust has no effect; leave it out")
    with TARGETS.blame(kind):
        classifier = loader(where, **given)
    if not callable(classifier) or not all(hasattr(classifier, part) for part in PARTS):
        raise TARGETS.misfit(kind, classifier, "a classifier (see the protocol saywhy_core.classifiers.Classifier)")
    return classifier


def _check_length(spec: str) -> None:
    address = spec.partition("?")[0]
    if len(address) > LONGEST:
        raise UsageError(
            f"the target {address[:40]!r}... has {len(address):,} characters before its options, and may have {LONGEST:,}"
        )


def target_options(kind: str) -> tuple[str, ...] | None:
    """The options of a kind of target, None where it takes any. `trust` is none of them: no line of text can give it.

    Raises:
        UsageError: there is no such kind.
    """
    with TARGETS.blame(kind):  # functions written in C may have no signature
        parameters = list(inspect.signature(TARGETS.get(kind)).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(parameter.name for parameter in parameters if parameter.name != "trust")


def _kind_and_place(spec: str, address: str) -> tuple[str, str]:
    kind, colon, where = address.partition(":")
    if not colon or not kind or not where:
        raise UsageError(f"{spec!r:.200} names no classifier; {_advice(kind or where)}")
    if kind == "callable":
        warnings.warn(f"callable:{where} is now written python:{where}", DeprecationWarning, stacklevel=3)
        return "python", where
    if where.startswith("//") and kind in ("http", "https"):
        raise UsageError(
            f"{kind}:// begins the address of a server, and no target: write the kind of its protocol before it, "
            f"such as http:{kind}://HOST/PATH (pictures), oip:{kind}://HOST#MODEL or tfserving:{kind}://HOST/v1/models/NAME"
        )
    if kind in TARGETS:
        return kind, where
    kinds = f"write one of {', '.join(f'{name}:...' for name in TARGETS)}"
    if not is_module_name(kind) or not where.isidentifier():
        raise UsageError(f"there is no target {kind!r:.200}; {kinds}")
    found = _module_file(kind)
    if found is None:
        raise UsageError(
            f"there is no target {kind!r:.200}, and a Python module of that name can't be imported: it is neither in the "
            f"current folder nor installed; {kinds}"
        )
    if kind in FRAMEWORKS and found == "installed":
        raise UsageError(
            f"there is no target {kind!r}; {kinds}, or python:MODULE:FUNCTION for a function of your own that calls {kind}"
        )
    return "python", address


FRAMEWORKS = frozenset({
    "tensorflow", "keras", "tf", "jax", "flax", "sklearn", "timm", "torchvision", "pytorch", "lightning", "huggingface",
    "xgboost", "lightgbm", "mxnet", "paddle",
})  # fmt: skip
"""Libraries whose names look like kinds of targets: none of their own functions is a classifier."""


def _module_file(name: str) -> str | None:
    """Whether a module is in the current folder ("here") or among the installed ones ("installed"). Nothing is imported."""
    top = name.partition(".")[0]
    try:
        if top not in sys.modules and PathFinder.find_spec(top, [str(Path.cwd())]) is not None:
            return "here"
        return "installed" if top in sys.modules or find_spec(top) is not None else None
    except (ImportError, ValueError, OSError):
        return None


def _advice(place: str) -> str:
    """What to write in the place of a name without a kind."""
    ending = Path(place).suffix.lower()
    if ending == ".py":
        module = ".".join(Path(place).with_suffix("").parts)
        if is_module_name(module):
            return f"write python:{module}:FUNCTION, with the name of a function in it"
    kind = {".onnx": "onnx", ".pt2": "torch", ".pt": "torch", ".pth": "torch"}.get(ending)
    if kind is None and place and "\0" not in place and Path(place).is_dir():
        kind = "transformers"
    if kind is not None:
        return f"write {kind}:{place:.200}"
    return f"write one of {', '.join(f'{name}:...' for name in TARGETS)}, such as onnx:model.onnx"


def _names(given: Any, where: str) -> list[str]:
    if isinstance(given, str | PathLike):
        return read_class_names(given)
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"class names must be a list of texts, or a file that holds them, not {given!r}")
    return check_class_names(given, where)


def _type(value: object) -> str:
    return type(value).__name__
