"""A Python object as a model: `python:package.module:object`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from saywhy_core.classifiers import CallableClassifier
from saywhy_core.classifiers.python import load as load_function
from saywhy_core.classifiers.python import load_object
from saywhy_core.errors import UsageError
from verbalize.models.opening import as_model
from verbalize.models.text_functions import TextFunction

if TYPE_CHECKING:
    from saywhy_core.classifiers import Scores
    from verbalize.models.named.classes import Classes
    from verbalize.models.opening import Model


def load(
    where: str,
    *,
    class_names: Classes | None = None,
    reads: Literal["images", "texts"] = "images",
    scores: Scores | None = None,
    trust: bool = False,
) -> Model:
    """The object of that name in a module: what `as_model` takes, or a function of images or texts.

    Args:
        where: `package.module:name`. The module is looked for in the current folder first.
        class_names: one name per class, where the object does not know them.
        reads: what a function takes: "images", an array (N, H, W, C) in [0, 1], or "texts", a list of N texts.
        scores: what a function returns: "logits" or "probabilities"; for images also the other forms that
            `saywhy_core.classifiers.CallableClassifier` takes. It goes with functions alone.
        trust: whether the module may be imported, which runs it.

    Raises:
        TrustError: `trust` is false.
        UsageError: the module or the name is missing, the object is no model, or an option is missing or has no effect on it.
    """
    if reads not in ("images", "texts"):
        raise UsageError(f"a function reads images or texts, not {reads!r:.80}; write reads=texts or reads=images")
    if isinstance(class_names, Mapping):
        raise UsageError(f"python:{where} knows nothing of descriptions; give the names of its classes")
    found = load_object(where, trust=trust)
    if _is_function(found):
        return _function(found, where, class_names, reads, scores)
    if scores is not None or reads != "images":
        raise UsageError(f"{where} is a model with settings of its own; leave out scores and reads")
    if isinstance(found, nn.Module):
        found.eval()
    return as_model(found, class_names)


def _is_function(found: Any) -> bool:
    try:
        as_model(found)
    except UsageError:
        return callable(found)
    return False


def _function(found: Any, where: str, names: tuple[str, ...] | None, reads: str, scores: Scores | None) -> Model:
    if reads == "images":
        if scores is None:
            return as_model(load_function(where, class_names=names, trust=True))  # whose error says what scores may be
        return as_model(CallableClassifier(found, scores, names))
    if scores not in ("logits", "probabilities"):
        raise UsageError(f"say what {where} returns for a list of texts: scores=logits or scores=probabilities")
    if names is None:
        raise UsageError(f"{where} does not tell the names of its classes; give --classes (in Python class_names=)")
    return TextFunction(found, names, probabilities=scores == "probabilities")
