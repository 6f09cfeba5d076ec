"""One front door for all methods: a model and its inputs in, maps out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution.cam import explain_layer
from verbalize.attribution.images import explain_images
from verbalize.attribution.method import METHODS, RULES, methods_for
from verbalize.attribution.target import BATCH, as_query
from verbalize.attribution.tokens import explain_text
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.opening import as_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.models.opening import Model
    from verbalize.saliency import PixelSaliency, Query, TokenSaliency

_CHANNELS = (1, 3, 4)
_IMAGE_FIELDS = ("pixel_values", "image", "images", "img", "inputs")  # of batches that are mappings
_TEXT_FIELDS = ("text", "texts", "sentence", "inputs")
_LABEL_FIELDS = ("label", "labels", "label_ids", "target", "targets", "id", "ids", "idx", "index")
_IMAGE = 3  # axes of one image


def attribute(
    model: Any,
    inputs: Any,
    query: Query | str | Sequence[Query | str | None] | None = None,
    *,
    method: str = "integrated_gradients",
    class_names: Sequence[str] | None = None,
    batch_size: int = BATCH,
    **options: Any,
) -> Any:
    """Compute how much each word of a text, or each pixel of an image, speaks for the query's label.

    Args:
        model: a text or image classifier: whatever `verbalize.models.as_model` takes, such as a `SequenceClassifier`, a torch
            module N×C×H×W in [0, 1] -> N×K logits, or a black box of `saywhy_core.classifiers`.
        inputs: one text or one image (H×W×C, a path or a Pillow image); or several: a list of them, or an array N×H×W×C; or a
            loader: any other iterable of inputs or of batches of inputs, such as a `DataLoader` or a dataset of Hugging Face.
            Tensors may be N×C×H×W. An array N×H×W holds N grey images where the model takes grey images; where it takes others,
            or that is unknown, or there are 3 or 4 of them, it may as well be one image, and is refused.
            An input or a batch may come with its labels, which are passed over: as a pair
            (inputs, labels), or as a mapping with a field such as "image", "pixel_values" or "text", also one inside another.
        query: the question, for all inputs or one for each; a label alone asks what speaks for it. If it is not given, the
            question is why the model predicts its label.
        method: a name in `METHODS`; `methods_for("tokens")` lists those for texts, `methods_for("pixels")` and
            `methods_for("layer")` those for images.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most inputs, changed or not, in one call of the model. It bounds the memory.
        options: the settings of the method, such as `baseline`, `steps`, `patch`, `stride`, `seed` or `layer`.

    Returns:
        For one input, its `TokenSaliency` or `PixelSaliency`. For several, a list of maps. For a loader, an iterator over lists
        of maps, one list per batch, each computed when it is asked for.

    Raises:
        UsageError: an input can't be read, the method does not explain such inputs or can't answer the query, a label or the
            method is unknown, or a setting has no effect on the method.
    """
    batch_size = RULES["batch_size"].checked("batch_size", batch_size)
    opened = as_model(model, class_names)
    inputs = _unlabelled(inputs, opened) if isinstance(inputs, Mapping) else inputs
    if _is_one(inputs, opened):
        if not _is_query(query):
            raise UsageError("one input has one query, not a sequence of them")
        return _explain(opened, [inputs], [query], method, batch_size, options)[0]
    if isinstance(inputs, list | tuple | np.ndarray | torch.Tensor):
        many = [_unlabelled(one, opened) for one in inputs]
        asked = _queries(query, len(many))
        maps: list[Any] = []
        for start in range(0, len(many), batch_size):
            chosen = slice(start, start + batch_size)
            maps += _explain(opened, many[chosen], asked[chosen], method, batch_size, options, start)
        return maps
    if not isinstance(inputs, Iterable):
        raise UsageError(f"inputs must be a text, an image, or several of one kind, not {type(inputs).__name__}")
    return _loaded(opened, inputs, query, method, batch_size, options)


def _loaded(
    model: Model, loader: Iterable[Any], query: Any, method: str, batch_size: int, options: dict[str, Any]
) -> Iterator[list[Any]]:
    """The maps of a loader, batch by batch. Single inputs are gathered into batches."""
    queries, before = None if _is_query(query) else iter(query), 0
    left = (_unlabelled(one, model) for one in loader)
    for first in left:
        if _is_one(first, model) or not isinstance(first, Iterable):  # what can't be read is told when it is read
            batch = [first, *islice(left, batch_size - 1)]
        else:
            batch = [_unlabelled(one, model) for one in first]
        asked = [query] * len(batch) if queries is None else list(islice(queries, len(batch)))
        if len(asked) < len(batch):
            raise UsageError("there are more inputs than queries; give one query, or one for each input")
        maps: list[Any] = []
        for start in range(0, len(batch), batch_size):
            chosen = slice(start, start + batch_size)
            maps += _explain(model, batch[chosen], asked[chosen], method, batch_size, options, before + start)
        before += len(batch)
        yield maps


def _explain(
    model: Model, inputs: list[Any], queries: list[Any], method: str, batch_size: int, options: dict[str, Any],
    first: int | None = None,
) -> list[TokenSaliency] | list[PixelSaliency]:  # fmt: skip
    """The maps of inputs. `first` is the number of the first one, for errors; None where there is one input alone."""
    settings = dict(options)
    places = ["an input" if first is None else f"input {number}" for number in range(first or 0, (first or 0) + len(inputs))]
    ids, truths = settings.pop("id", None), settings.pop("true_label", None)
    if not isinstance(model, ImageModel | BlackBoxImages):
        for place, one in zip(places, inputs, strict=True):
            if not isinstance(one, str):
                raise UsageError(f"the model reads texts, and {place} is of type {type(one).__name__}")
        return [
            explain_text(model, text, query, method=method, settings=settings, true_label=truths, id=ids, batch_size=batch_size)
            for text, query in zip(inputs, queries, strict=True)
        ]
    images = [_read(image, None if first is None else place) for place, image in zip(places, inputs, strict=True)]
    by_layer = method in METHODS and method in methods_for("layer") and method not in methods_for("pixels")
    explain = explain_layer if by_layer else explain_images
    together = len({image.shape for image in images}) == 1
    groups = [(images, queries)] if together else [([image], [query]) for image, query in zip(images, queries, strict=True)]
    maps: list[PixelSaliency] = []
    for some, asked in groups:
        maps += explain(
            model, some, asked, method=method, settings=settings, true_labels=[truths] * len(some), ids=[ids] * len(some),
            batch_size=batch_size,
        )  # fmt: skip
    return maps


def _is_one(inputs: Any, model: Model) -> bool:
    """Whether this is a single input: a text, a path, a Pillow image, or an array with the axes of one image."""
    if isinstance(inputs, str | os.PathLike) or (hasattr(inputs, "getbands") and hasattr(inputs, "size")):
        return True
    if not isinstance(model, ImageModel | BlackBoxImages) or getattr(inputs, "ndim", _IMAGE + 1) > _IMAGE:
        return False
    return not _is_grey_batch(inputs, model)


def _is_grey_batch(inputs: Any, model: ImageModel | BlackBoxImages) -> bool:
    """Whether an array of three axes holds grey images N×H×W: the model takes grey images, and no axis can be channels.

    Raises:
        UsageError: it may be one image or several grey ones.
    """
    shape = tuple(getattr(inputs, "shape", ()))
    if len(shape) != _IMAGE or shape[2] in _CHANNELS or (shape[0] == 1 and isinstance(inputs, torch.Tensor)):
        return False
    if shape[0] in _CHANNELS and (model.channels != 1 or not isinstance(inputs, torch.Tensor)):
        return False  # channels come first: read as such, or told
    if model.channels == 1 and shape[0] not in _CHANNELS:
        return True
    if isinstance(model, ImageModel) and model.channels_read in (shape[0], shape[2]) and model.channels != 1:
        return False
    raise UsageError(
        f"an array of shape {shape} may be {shape[0]} grey images or one image with {shape[2]} or {shape[0]} channels; give "
        f"grey images with an axis for their channel, {(*shape, 1)}, and one image as (height, width, channels) in a list"
    )


def _unlabelled(item: Any, model: Model) -> Any:
    """An input, or a batch of inputs, without the labels that a loader hands over with it.

    Raises:
        UsageError: it is a mapping, and which of its fields holds the inputs is not clear.
    """
    if isinstance(item, Mapping):
        return _unlabelled(item[_field(item, model)], model)
    if not isinstance(item, list | tuple) or len(item) < 2:
        return item
    first, second = item[0], item[1]
    if isinstance(first, Mapping) and not isinstance(second, Mapping):
        return _unlabelled(first, model)
    many = _count(first, model)
    if many is None:  # one input, with its label
        alone = isinstance(item, tuple) and _is_one(first, model) and (np.ndim(second) == 0 and not isinstance(second, str))
        return first if alone else item
    labels = getattr(second, "ndim", 1) <= 1 and hasattr(second, "__len__") and len(second) == many
    return first if labels and (_count(second, model) is None or isinstance(first[0], str)) else item


def _count(item: Any, model: Model) -> int | None:
    """How many inputs a batch holds: an array of images, or a list of inputs. None where it is no batch of inputs."""
    if isinstance(item, list | tuple):
        return len(item) if item and _is_one(item[0], model) and not isinstance(item[0], int | float) else None
    if not isinstance(model, ImageModel | BlackBoxImages):
        return None
    axes = getattr(item, "ndim", 0)
    return len(item) if axes == _IMAGE + 1 or (axes == _IMAGE and _is_grey_batch(item, model)) else None


def _field(item: Mapping[Any, Any], model: Model) -> Any:
    """The name of the field that holds the inputs."""
    wanted = _IMAGE_FIELDS if isinstance(model, ImageModel | BlackBoxImages) else _TEXT_FIELDS
    names = [name for name in wanted if name in item]
    others = [name for name in item if name not in _LABEL_FIELDS]
    if names:
        return names[0]
    if len(others) == 1 and others[0] != "input_ids":
        return others[0]
    tokenized = "; texts are given as they are, before they are tokenized" if "input_ids" in item else ""
    raise UsageError(
        f"which field of the batch holds the inputs is not clear: it has {', '.join(map(str, item))[:200]}, and the field "
        f"should be named {', '.join(wanted[:-1])} or {wanted[-1]}{tokenized}"
    )


def _queries(query: Any, count: int) -> list[Any]:
    if _is_query(query):
        return [query] * count
    if len(query) != count:
        raise UsageError(f"there are {len(query)} queries for {count} inputs; give one query, or one for each input")
    return list(query)


def _is_query(query: Any) -> bool:
    """Whether this is one question, and not a sequence of them.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(query, Iterable) and not isinstance(query, str):
        return False
    as_query(query)
    return True


def _read(image: Any, place: str | None) -> NDArray[np.float32]:
    """An image H×W×C in [0, 1]. An error names its place among the inputs.

    Raises:
        UsageError: it can't be read, or its channels come first, as in tensors.
    """
    try:
        read = read_image(_channels_last(image))
    except UsageError as error:
        raise UsageError(f"{place}: {error}" if place else str(error)) from None
    if read.shape[0] in _CHANNELS and read.shape[2] not in _CHANNELS:
        raise UsageError(
            f"{f'{place}: ' if place else ''}an array of an image has the shape (height, width, channels), and this one is "
            f"{read.shape}; if its channels come first, give it as image.transpose(1, 2, 0), or as a tensor of torch"
        )
    return read


def _channels_last(image: Any) -> Any:
    """An image H×W×C: that of a tensor C×H×W has its channels moved, as the axes tell."""
    if isinstance(image, torch.Tensor):
        moved = image.detach().cpu()
        if moved.ndim == _IMAGE and moved.shape[0] in _CHANNELS and moved.shape[2] not in _CHANNELS:
            moved = moved.permute(1, 2, 0)
        return moved.numpy()
    return image
