"""The arguments of `Audit.run` and `Audit.plan`, checked before anything is read or written."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saywhy_core.errors import UsageError, argument


def check_images(images: Any) -> list[str] | None:
    """The paths of an audit's images as texts: one path alone is a list of one.

    Raises:
        UsageError: they are no paths, or there are none.
    """
    if images is None:
        return None
    if isinstance(images, (str, os.PathLike)):
        images = [images]
    if not isinstance(images, Sequence) or isinstance(images, (bytes, bytearray)):
        raise UsageError(
            f"{argument('images')} must be a list of paths, not {_kind(images)}; save pixels as a .npy or .npz file and give "
            "its path"
        )
    paths = [os.fspath(path) if isinstance(path, (str, os.PathLike)) else path for path in images]
    for path in paths:
        if not isinstance(path, str):
            raise UsageError(f"{argument('images')} must hold paths alone, not {_kind(path)}; save pixels as a .npy file")
        if not path:
            raise UsageError(f"{argument('images')} holds an empty path; name a file or a folder")
    if not paths:
        raise UsageError(f"{argument('images')} is empty; give a path, or leave it out to go on with an audit")
    return paths


def check_target(target: Any) -> None:
    """See whether it is a text that names a classifier, or a classifier.

    Raises:
        UsageError: it is neither.
    """
    if target is None or isinstance(target, str):
        return
    if not callable(target):
        raise UsageError(f"{argument('target')} must be a text such as 'onnx:model.onnx', or a classifier, not {_kind(target)}")
    missing = [name for name in ("ask_again", "class_names", "image_shape", "identity", "scores") if not hasattr(target, name)]
    if missing:
        raise UsageError(
            f"{argument('target')} is a function, and no classifier (it has no {missing[0]}); "
            "give CallableClassifier(predict, scores=...)"
        )


def check_rest(
    labels: Any, label: Any, class_names: Any, *, price: Any = None, max_queries: Any = None, engine_options: Any = None
) -> None:
    """See whether the other arguments are of the kind that they must be.

    Raises:
        UsageError: one is not.
    """
    if labels is not None and not isinstance(labels, (str, os.PathLike)):
        raise UsageError(
            f"{argument('labels')} must be a file, 'folders' or 'classifier', not {_kind(labels)}; write one label per line "
            f"into a file, or give {argument('label')} for one class of all images"
        )
    if label is not None and not isinstance(label, str) and not whole(label):
        raise UsageError(f"{argument('label')} must be the name or the number of one class, not {label!r}")
    if class_names is not None and not _texts(class_names):
        raise UsageError(f"{argument('class_names')} must be a list of names, one per class, not {_kind(class_names)}")
    if price is not None and not (number(price) and price >= 0):
        raise UsageError(f"{argument('price')} must be a number of at least 0, not {price!r}")
    if max_queries is not None and not (whole(max_queries) and max_queries >= 1):
        raise UsageError(f"{argument('max_queries')} must be a whole number of at least 1, not {max_queries!r}")
    if engine_options is not None and not isinstance(engine_options, Mapping):
        raise UsageError(f"{argument('engine_options')} must be a dict, not {_kind(engine_options)}")


def check_settings(settings: Any) -> None:
    """See whether `AuditSettings` that the attack does not check itself are of the kind that they must be.

    Raises:
        UsageError: one is not.
    """
    if not isinstance(settings.options, Mapping):
        raise UsageError(f"{argument('options')} must be a dict, not {_kind(settings.options)}")
    if not (whole(settings.seed) and settings.seed >= 0):
        raise UsageError(f"{argument('seed')} must be a whole number of at least 0, not {settings.seed!r}")
    if settings.goal is not None and not isinstance(settings.goal, str) and not whole(settings.goal):
        raise UsageError(f"{argument('goal')} must be the name or the number of a class, not {settings.goal!r}")
    for name in ("distance", "tree", "manipulation", "attack", "resize", "player_two"):
        value = getattr(settings, name)
        if not isinstance(value, str) and not (value is None and name in ("manipulation", "attack", "resize")):
            raise UsageError(f"{argument(name)} must be a text, not {value!r}")
    for name in ("tolerate_noise", "survival"):
        if not isinstance(getattr(settings, name), bool):
            raise UsageError(f"{argument(name)} must be True or False, not {getattr(settings, name)!r}")
    if settings.weather is not None and not _texts(settings.weather):
        raise UsageError(f"{argument('weather')} must be a list of kinds, such as ['blur'], not {settings.weather!r}")
    severities = settings.severities
    if not isinstance(severities, Sequence) or isinstance(severities, str) or not all(map(whole, severities)):
        raise UsageError(f"{argument('severities')} must be a list of numbers, such as [1, 3], not {severities!r}")


def whole(value: Any) -> bool:
    """Whether it is a whole number; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """Whether it is a finite number."""
    return whole(value) or (isinstance(value, (float, np.floating)) and math.isfinite(value))


def _texts(values: Any) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, (str, bytes)) and all(isinstance(one, str) for one in values)


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
