"""Image classifiers that can be explained: a torch module, whose gradients and layers can be looked at, or a black box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from saywhy_core.classifiers import ask
from saywhy_core.errors import UsageError
from verbalize.models.image_preparation import prepares_itself
from verbalize.models.naming import check_width, checked_classes

if TYPE_CHECKING:
    from saywhy_core.classifiers import Classifier


@dataclass(frozen=True, eq=False)
class ImageModel:
    """A torch module that classifies images, with the names of its classes.

    Args:
        module: a module in evaluation mode: N×C×H×W in [0, 1] -> N×K logits, as a tensor or as the `.logits` of its output. A
            normalisation of the pixels belongs into the module.
        class_names: one name per logit; by default the `id2label` of a transformers model, else "0", "1" and so on, as
            soon as the module has answered once.

    Raises:
        UsageError: the module is in training mode, or a name is empty or that of two classes.
    """

    module: nn.Module
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.module.training:
            raise UsageError("the model is in training mode; call model.eval() before asking it why")
        names = self.class_names or _own_names(self.module)
        object.__setattr__(self, "class_names", checked_classes(names, "the image classifier"))

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """N×C×H×W in [0, 1] -> N×K logits, which gradients can be taken of (see `answer_to`).

        Raises:
            WidthError: K is not the number of the class names.
        """
        found = answer_to(self.module, images)
        if found.ndim == 2 and found.shape[1] > 1:  # one score is told as such
            check_width(found.shape[1], self.class_names, "the image classifier")
        if not self.class_names and found.ndim == 2:  # the first answer tells how many classes there are
            object.__setattr__(self, "class_names", tuple(str(index) for index in range(found.shape[1])))
        return found

    @property
    def channels(self) -> int | None:
        """How many channels the images have: 1 or 3, or None where the module takes both or does not show it."""
        return self.channels_read if self.channels_read in (1, 3) else None

    @property
    def channels_read(self) -> int | None:
        """How many channels the first convolution reads, whatever their number, or None where there is no convolution."""
        return next((int(one.shape[1]) for one in self.module.parameters() if one.ndim == 4), None)

    @property
    def device(self) -> torch.device:
        """Where the weights of the module are."""
        return next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))


@dataclass(frozen=True, eq=False)
class BlackBoxImages:
    """A classifier of which only the answers are known, as a model to explain: no gradients, no layers.

    Args:
        classifier: what `saywhy_core.classifiers.load_classifier` opens. Its scores should be logits or probabilities.
        class_names: one name per score, in the place of those of the classifier. Without any, they are "0", "1" and so on, as
            soon as it has answered once.

    Raises:
        UsageError: a name is empty or that of two classes.
    """

    classifier: Classifier
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = checked_classes(self.class_names or self.classifier.class_names or (), "the image classifier")
        object.__setattr__(self, "class_names", names)

    @property
    def channels(self) -> int | None:
        """How many channels the images have: 1 or 3, or None where the classifier takes both or does not say it."""
        taken = self.classifier.image_shape[2]
        return taken if taken in (1, 3) else None

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """N×C×H×W in [0, 1] -> N×K logits. Probabilities become their logarithms, whose softmax is the probabilities again.

        Raises:
            WidthError: K is not the number of the class names.
        """
        answered = ask(self.classifier, images.detach().permute(0, 2, 3, 1).contiguous().cpu().numpy())
        check_width(answered.shape[1], self.class_names, "the image classifier")
        if not self.class_names:  # the first answer tells how many classes there are
            object.__setattr__(self, "class_names", tuple(str(index) for index in range(answered.shape[1])))
        if self.classifier.scores == "logits":
            return torch.from_numpy(np.asarray(answered, dtype=np.float64))
        return torch.from_numpy(np.log(np.clip(answered, 1e-12, None)))


def answer_to(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The logits of a module for images N×C×H×W in [0, 1] of any precision, in float32 at least.

    The images get the precision of the weights; a module that prepares its images itself does so after its preparation. The
    module gets a copy: its first operation may work in place, and must change neither the caller's images nor a leaf of
    gradients.
    """
    wanted = None if prepares_itself(module) else precision_of(module)
    found = logits_of(module(images.clone() if wanted is None else images.to(wanted, copy=True)))
    return found.to(torch.promote_types(found.dtype, torch.float32))


def precision_of(module: nn.Module) -> torch.dtype | None:
    """The floating point type of the first weights of a module; None where it has none."""
    return next((one.dtype for one in module.parameters() if one.is_floating_point()), None)


def layer_named(module: nn.Module, name: str) -> str:
    """The full name of a layer, as in `module.named_modules()`.

    A layer of a model that saywhy prepares the images of (`PreparedImages`) may also be named as in the model itself.

    Raises:
        UsageError: there is no such layer.
    """
    known = [one for one, _ in module.named_modules() if one]
    if name in known:
        return name
    inner = f"model.{name}"
    if prepares_itself(module) and inner in known:
        return inner
    raise UsageError(f"the model has no layer {name!r}; it has {', '.join(known[:20])}")


def logits_of(answer: Any) -> torch.Tensor:
    """The logits in what a model returned.

    They are the tensor itself, the `logits` of an output of transformers or of a mapping, or the first of several values, such
    as logits with auxiliary ones.

    Raises:
        UsageError: it is none of these.
    """
    found = answer.get("logits") if isinstance(answer, Mapping) else getattr(answer, "logits", answer)
    if isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise UsageError(
            f"the model returned {type(answer).__name__}, not a tensor of logits, an output with logits, or a tuple that "
            "begins with them"
        )
    return found


def _own_names(module: nn.Module) -> tuple[str, ...]:
    named = getattr(module, "class_names", None)
    if named:
        return tuple(str(name) for name in named)
    labels = getattr(getattr(module, "config", None), "id2label", None)
    return tuple(str(labels[index]) for index in range(len(labels))) if labels else ()
