"""Make saliency from a model: one file a method family, over captum and torchcam.

Every function explains one scalar, `score_of_query`: the logit of the query's label, and where the query is contrastive, the
logit less that of what it is held against. A new method is a function in its family's file and a line in its `METHODS`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verbalize.attribution.cam import attribute_cam
    from verbalize.attribution.pixels import attribute_pixels
    from verbalize.attribution.texts import SequenceClassifier, ZeroShotClassifier, load_minilm
    from verbalize.attribution.tokens import attribute_tokens

__all__ = [
    "SequenceClassifier",
    "ZeroShotClassifier",
    "attribute_cam",
    "attribute_pixels",
    "attribute_tokens",
    "load_minilm",
]

_HOMES = {
    "attribute_cam": "cam",
    "attribute_pixels": "pixels",
    "attribute_tokens": "tokens",
    "SequenceClassifier": "texts",
    "ZeroShotClassifier": "texts",
    "load_minilm": "texts",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
