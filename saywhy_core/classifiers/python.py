"""A Python function as a target: `package.module:function`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from saywhy_core.classifiers.classifier import CallableClassifier, Scores
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def load(where: str, *, class_names: Sequence[str] | None = None, scores: Scores | None = None) -> CallableClassifier:
    """The function, or the `CallableClassifier`, that a module holds.

    Args:
        where: `package.module:name`.
        class_names: one name a class.
        scores: "logits" or "probabilities"; a function doesn't say.

    Raises:
        UsageError: the module or the name is missing, it isn't callable, or `scores` is missing.
    """
    module_name, colon, name = where.partition(":")
    if not colon or not name:
        raise UsageError(f"{where!r} names no function; write package.module:function")
    try:
        found = getattr(import_module(module_name), name)
    except ImportError as error:
        raise UsageError(f"the module {module_name!r} can't be imported: {error}") from None
    except AttributeError:
        raise UsageError(f"the module {module_name!r} has no {name!r}") from None
    if isinstance(found, CallableClassifier):
        return found
    if scores is None:
        raise UsageError(f"{where} doesn't say what its scores are; give scores='logits' or scores='probabilities'")
    return CallableClassifier(found, scores, class_names)
