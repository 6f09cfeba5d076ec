"""What a user has, as a model that can be explained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import nn

from saywhy_core.errors import UsageError
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.language_models import LanguageModelClassifier
from verbalize.models.text_classifiers import SequenceClassifier
from verbalize.models.text_functions import TextFunction
from verbalize.models.transformer_images import from_transformers, is_transformers_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.models.text_classifiers import TextClassifier

Model: TypeAlias = "TextClassifier | TextFunction | ImageModel | BlackBoxImages"


def as_model(model: Any, class_names: Sequence[str] | None = None) -> Model:
    """A model of text or images, from what a user has.

    Args:
        model: one of the classes of `verbalize.models`, which is returned itself; a torch module or a transformers image
            classifier (N×C×H×W in [0, 1] -> N×K logits); a transformers `pipeline` of text classification, text generation or
            images; or a classifier of `saywhy_core.classifiers`.
        class_names: one name per logit, where the model does not know them.

    Raises:
        UsageError: it is none of these, or the class names are missing, given twice, or too few.
    """
    if isinstance(class_names, str):
        raise UsageError(f"class_names must be a list of names, not the text {class_names!r:.80}")
    names = () if class_names is None else tuple(class_names)
    if isinstance(model, ImageModel | BlackBoxImages | TextFunction | SequenceClassifier):
        return model if not names or names == model.class_names else replace(model, class_names=names)
    if is_text_model(model):
        if names and names != tuple(model.class_names):
            raise UsageError("the text classifier knows the names of its classes; leave out class_names")
        found: Model = model
        return found
    if is_transformers_images(model):
        return from_transformers(model, None, names)
    if getattr(model, "main_input_name", None) == "input_ids":
        raise UsageError(
            "a text model needs its tokenizer: give verbalize.models.SequenceClassifier(model, tokenizer), or a pipeline"
        )
    if isinstance(model, nn.Module):
        return ImageModel(model, names)
    if getattr(model, "task", None) == "text-generation":  # of a pipeline
        return LanguageModelClassifier(model.model, model.tokenizer, names)
    tokenizer, inner = getattr(model, "tokenizer", None), getattr(model, "model", None)
    if tokenizer is not None and isinstance(inner, nn.Module):  # a pipeline of transformers
        return SequenceClassifier(inner, tokenizer, names)
    processor = getattr(model, "image_processor", None)
    if processor is not None and is_transformers_images(inner):  # a pipeline of image classification
        return from_transformers(inner, processor, names)
    if callable(model) and hasattr(model, "scores") and hasattr(model, "ask_again"):
        return BlackBoxImages(model, names)
    raise UsageError(
        f"{type(model).__name__} is no model that can be asked: give a torch module, a classifier of verbalize.models, "
        "a transformers pipeline, or what saywhy_core.classifiers.load_classifier opens"
    )


def is_text_model(model: Any) -> bool:
    """Whether a model reads texts."""
    return isinstance(model, TextFunction) or all(
        hasattr(model, name) for name in ("class_names", "tokenizer", "embedding", "max_pieces", "logits")
    )
