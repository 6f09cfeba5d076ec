"""A Python function as a target: `python:package.module:function`."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.classifiers.answers.advice import say_scores
from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import ANY_SHAPE
from saywhy_core.classifiers.spec import is_module_name
from saywhy_core.errors import UsageError, argument
from saywhy_core.trust import require_trust

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from saywhy_core.classifiers.classifier import Scores


def load(
    where: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    classes: int | None = None,
    image_shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    trust: bool = False,
) -> CallableClassifier:
    """The function, or the `CallableClassifier`, of that name in a module.

    The module is looked for in the current folder first, as `python -m` does.

    Args:
        where: `package.module:name`.
        class_names: one name per class.
        scores: what the function returns: "logits", "probabilities", "sigmoid", "top-k" or "label" (see `CallableClassifier`).
            Required: a function doesn't say.
        classes: how many classes there are, where they have no names and the answers don't show it.
        image_shape: (height, width, channels) that the function takes, None for each number that is free.
        batch_size: the largest number of images per call of the function.
        trust: whether the module may be imported, which runs it.

    Raises:
        TrustError: `trust` is false.
        UsageError: the module or the name is missing, it isn't callable, or `scores` is missing; or an option was given
            for a `CallableClassifier`, which has its own.
    """
    found = load_object(where, trust=trust)
    if isinstance(found, CallableClassifier):
        options = {
            "class_names": class_names, "scores": scores, "classes": classes, "image_shape": image_shape,
            "batch_size": batch_size,
        }  # fmt: skip
        given = [option for option, value in options.items() if value is not None]
        if given:
            raise UsageError(
                f"{where} is a classifier with settings of its own; leave out {', '.join(argument(one) for one in given)}"
            )
        return found
    if scores is None:
        raise UsageError(say_scores(where))
    return CallableClassifier(
        found,
        scores,
        class_names,
        classes=classes,
        batch_size=batch_size,
        image_shape=ANY_SHAPE if image_shape is None else image_shape,
    )


def load_object(where: str, *, trust: bool = False) -> Any:
    """Whatever has that name in a module, which is looked for in the current folder first.

    Args:
        where: `package.module:name`.
        trust: whether the module may be imported, which runs it.

    Raises:
        TrustError: `trust` is false.
        UsageError: the module or the name is missing.
    """
    module_name, colon, name = where.partition(":")
    if not colon or not name or not module_name:
        raise UsageError(f"{where!r} names no function; write package.module:function")
    if not is_module_name(module_name):
        raise UsageError(
            f"{module_name!r} is no name of a module; write package.module:function, with dots, without a path and without .py"
        )
    if module_name.endswith(".py"):
        raise UsageError(
            f"{module_name!r} is the name of a file; leave out .py: python:{module_name.removesuffix('.py')}:{name}"
        )
    require_trust(f"python:{where} runs the Python module {module_name}", trust=trust)
    module = _module(module_name)
    try:
        return getattr(module, name)
    except AttributeError:
        raise UsageError(f"the module {module_name!r} has no {name!r}") from None


def _module(name: str) -> ModuleType:
    """The module of that name, out of the current folder where a file or package of that name lies there."""
    here = Path.cwd()
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    try:
        module = import_module(name)
    except ImportError as error:
        raise UsageError(f"the module {name!r} can't be imported: {error}") from None
    except (Exception, SystemExit) as error:  # a module is a program: it may fail in any way, or end the process
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"the module {name!r} failed while it was imported ({reason})") from error
    top = name.partition(".")[0]
    wanted = next((file for file in (here / top / "__init__.py", here / f"{top}.py") if file.is_file()), None)
    if wanted is not None:
        taken = getattr(sys.modules[top], "__file__", None)
        with suppress(OSError):
            if taken is not None and wanted.samefile(taken):
                return module
        raise UsageError(
            f"the module {top!r} is another one ({taken or 'a part of Python itself'}), which was imported before {wanted} or "
            "goes before it; rename the file in the current folder"
        )
    return module
