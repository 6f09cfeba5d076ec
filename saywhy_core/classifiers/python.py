"""A Python function as a target: `python:package.module:function`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import ANY_SHAPE
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy_core.classifiers.classifier import Scores


def load(
    where: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    image_shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
) -> CallableClassifier:
    """The function, or the `CallableClassifier`, of that name in a module.

    The module is looked for in the current folder first, as `python -m` does.

    Args:
        where: `package.module:name`.
        class_names: one name per class.
        scores: whether the function returns "logits" or "probabilities". Required: a function doesn't say.
        image_shape: (height, width, channels) that the function takes, None for each number that is free.
        batch_size: the largest number of images per call of the function.

    Raises:
        UsageError: the module or the name is missing, it isn't callable, or `scores` is missing; or an option was given
            for a `CallableClassifier`, which has its own.
    """
    module_name, colon, name = where.partition(":")
    if not colon or not name:
        raise UsageError(f"{where!r} names no function; write package.module:function")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(import_module(module_name), name)
    except ImportError as error:
        raise UsageError(f"the module {module_name!r} can't be imported: {error}") from None
    except AttributeError:
        raise UsageError(f"the module {module_name!r} has no {name!r}") from None
    if isinstance(found, CallableClassifier):
        options = {"class_names": class_names, "scores": scores, "image_shape": image_shape, "batch_size": batch_size}
        given = [option for option, value in options.items() if value is not None]
        if given:
            raise UsageError(f"{where} is a classifier with settings of its own; leave out {', '.join(given)}")
        return found
    if scores is None:
        raise UsageError(f"{where} doesn't say what its scores are; give scores='logits' or scores='probabilities'")
    return CallableClassifier(found, scores, class_names, batch_size=batch_size, image_shape=image_shape or ANY_SHAPE)
