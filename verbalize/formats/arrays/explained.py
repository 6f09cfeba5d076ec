"""shap's and LIME's explanations of pictures, as the libraries return them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import read_image
from saywhy_core.reading.ceilings import CeilingError
from verbalize.formats.arrays.axes import numbers
from verbalize.formats.arrays.pixels import picture_given, pixel_map
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.saliency import PixelSaliency, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_UNKNOWN_RANGE = (
    "the pictures in the explanation are not shown, as it is not known which of their values is white; give image=..."
)


def _matches_shap(value: object) -> bool:
    if not type_name(value).startswith("shap.") or type(value).__name__ != "Explanation":
        return False
    data = getattr(value, "data", None)
    return getattr(data, "ndim", 0) >= 3 and getattr(value, "values", None) is not None


def _read_shap(explanation: Any, options: ReadOptions) -> Iterator[PixelSaliency | Problem]:
    """The Shapley values of pictures (N×H×W×C, of several outputs N×H×W×C×K), summed over the channels.

    Raises:
        SaliencyError: the values do not have the shape of the pictures, or names and outputs differ in number.
    """
    data, values = numbers(explanation.data), numbers(explanation.values)
    if data.ndim == 3:  # one picture, as `explanation[0]` gives it
        data, values = data[None], values[None]
    if values.shape[:4] != data.shape or values.ndim not in (4, 5):
        raise SaliencyError(f"the values have shape {values.shape}, which is not that of the pictures, {data.shape}")
    columns = values[..., None] if values.ndim == 4 else values
    names = _output_names(explanation.output_names, columns.shape[-1], options)
    signed = options.is_signed(True)
    for number, (pixels, scores) in enumerate(zip(data, columns.sum(axis=3), strict=True)):
        image = picture_given(options)
        image = _picture(pixels, options) if image is None else image
        for column in options.chosen([str(name) for name in names]) if len(names) > 1 else [0]:
            parts = [str(number)] if len(data) > 1 else []
            parts += [str(column)] if len(names) > 1 else []
            try:
                query = options.query(names[column])
                yield pixel_map(scores[..., column], query, image, signed, ".".join(parts) or None, options, method="shap")
            except SaliencyError as error:
                yield Problem("shap.Explanation", str(error), None, ".".join(parts) or None)


def _output_names(names: Any, count: int, options: ReadOptions) -> list[str | None]:
    if names is None:
        return [None] if count == 1 else [options.class_name(number) for number in range(count)]
    listed = np.atleast_1d(np.asarray(names))
    if listed.ndim > 1:
        if not (listed == listed[:1]).all():
            raise SaliencyError("the explanation has other outputs for each picture (ranked outputs); explain the same for all")
        listed = listed[0]
    if len(listed) != count:
        raise SaliencyError(f"there are {count} outputs but {len(listed)} output names")
    return [options.class_name(name) for name in listed.tolist()]


def _matches_lime(value: object) -> bool:
    return type_name(value) == "lime.lime_image.ImageExplanation"


def _read_lime(explanation: Any, options: ReadOptions) -> Iterator[PixelSaliency]:
    """One map for each label that was explained (Ribeiro et al. 2016).

    The weight of a superpixel is shared out among its pixels, so that it is the sum of their scores, as that of a word is.

    Raises:
        SaliencyError: nothing was explained.
    """
    segments = numbers(explanation.segments)
    labels = list(explanation.local_exp)
    if not labels:
        raise SaliencyError("the explanation holds no label; explain one first")
    names = [options.class_name(label) for label in labels]
    image = picture_given(options)
    image = _picture(explanation.image, options) if image is None else image
    signed = options.is_signed(True)
    for place in options.chosen(names) if len(names) > 1 else [0]:
        scores = np.zeros(segments.shape)
        for segment, weight in explanation.local_exp[labels[place]]:
            inside = segments == segment
            scores[inside] = float(weight) / max(1, int(inside.sum()))
        name = str(labels[place]) if len(names) > 1 else None
        yield pixel_map(scores, options.query(names[place]), image, signed, name, options, method="lime")


def _picture(pixels: Any, options: ReadOptions) -> NDArray[np.float32] | None:
    """The picture that stands in an explanation, often in floats from 0 to 255; None where its white is not known."""
    array = numbers(pixels)
    if array.dtype.kind == "f" and array.min() >= 0 and 1 < array.max() <= 255 and (array == array.round()).all():
        array = array.astype(np.uint8)
    try:
        return read_image(array, channels=3)
    except CeilingError as error:
        raise SaliencyError(str(error)) from None
    except UsageError:
        options.note(_UNKNOWN_RANGE)
        return None


SHAP = Format("shap-pictures", "shap.Explanation objects over pictures", _matches_shap, _read_shap)
LIME = Format("lime-pictures", "LIME's ImageExplanation objects", _matches_lime, _read_lime)
