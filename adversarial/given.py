"""What users hand to an attack: images of every usual form, their labels and the classes to reach."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from saywhy_core.images.decode import check_values, decode_pil, scaled_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from saywhy_core.classifiers import ImageShape

    Image: TypeAlias = NDArray[np.float32]

CHANNELS = (1, 3, 4, 2)  # how many channels images usually have
FIRST = (1, 3, 4)  # how many an image by itself has where they come first; two grey images are likelier than two channels
MOST_CHANNELS = 16  # as the last axis; more are rather rows or columns
SMALLEST = 8  # rows and columns of an image that has as few rows as images have channels


class GivenImagesWarning(UserWarning):
    """Images were not float, (N, H, W, C) and in [0, 1], and were brought to that form."""


def given_images(images: Any, shape: ImageShape, *, count: int | None = None) -> list[Image]:
    """The images, each (H, W, C) float32 in [0, 1], whatever they came as.

    Arrays, tensors of other libraries and nested lists hold one image, (H, W) or (H, W, C), or several, (N, H, W) or
    (N, H, W, C); channels may come first. A list may also hold images of several sizes, each in one of these forms or a picture
    of Pillow. Unsigned whole numbers are scaled, so that 255 (65,535 in 16 bits) becomes 1. What was changed is told by one
    `GivenImagesWarning`; nothing is told of images in another type of floats.

    Args:
        images: the images.
        shape: the (height, width, channels) that the classifier takes, None for each number that is unknown. It decides what
            could mean several things.
        count: how many labels came with them, None where that is not known; it decides as well.

    Raises:
        UsageError: these are no images, or nobody can know which of several things they are. It says what was seen.
    """
    changes: dict[str, None] = {}
    if _is_picture(images):
        images = [images]
    several = isinstance(images, list | tuple) and any(_is_one(one) for one in images)
    array = None if several else _array(images)
    if array is None:
        if not len(images):
            raise UsageError("there is no image in the list; give at least one")
        found = [_single(one, number, shape, changes) for number, one in enumerate(images)]
    else:
        found = list(_batch(array, shape, count, changes))
    found = [_fitting_channels(one, shape, changes) for one in found]
    if changes:
        warnings.warn(f"the images {', and '.join(changes)}", GivenImagesWarning, stacklevel=3)
    return found


def given_classes(values: Any, count: int, what: str) -> list[int | None]:
    """One class number per image, None where none was given.

    Args:
        values: class numbers, or one for all targets, or None.
        count: how many images there are.
        what: "labels" or "targets".

    Raises:
        UsageError: there are more or fewer, or other things than class numbers.
    """
    if values is None:
        return [None] * count
    if isinstance(values, list | tuple) and any(value is None for value in values):
        known = given_classes([0 if value is None else value for value in values], count, what)
        return [None if value is None else number for value, number in zip(values, known, strict=True)]
    try:
        array = to_numpy(values)
    except (TypeError, ValueError):
        array = np.asarray("?")
    alone = count == 1 or array.ndim == 0
    wanted = f"{what} must be {'a class number' if count == 1 else f'{count} class numbers'} of 0 or more, one per image"
    if array.ndim == 0 and (what == "targets" or count == 1):
        array = np.full(count, array)
    if array.shape != (count,) or array.dtype.kind not in "iufb":
        raise UsageError(f"{wanted}, not {array.dtype} of shape {array.shape}")
    if array.dtype.kind in "iu":
        wrong = array < 0
    else:
        wrong = (array.dtype.kind == "b") | ~np.isfinite(array) | (array != np.rint(array)) | (array < 0)
    if wrong.any():
        first = int(wrong.argmax())
        value = array[first].item()
        raise UsageError(f"{wanted}, not {value}" if alone else f"{wanted}; that of image {first} is {value}")
    return [int(value) for value in array]


def _is_picture(one: Any) -> bool:
    return type(one).__module__.partition(".")[0] == "PIL"


def _is_one(one: Any) -> bool:
    """Whether an entry of a list is an image by itself, rather than numbers of one."""
    return _is_picture(one) or isinstance(one, str | os.PathLike) or getattr(one, "ndim", 0) > 1


def _array(images: Any) -> NDArray[Any] | None:
    """The array that the images are; None for a list whose images have several shapes."""
    if isinstance(images, str | os.PathLike):
        raise UsageError(_no_path(images))
    try:
        array = to_numpy(images)
    except (TypeError, ValueError) as error:
        if isinstance(images, list | tuple) and not isinstance(error, TypeError):
            return None
        raise UsageError(f"images must be an array (N, H, W, C): {str(error)[:160]}") from None
    if array.dtype.kind == "O" and array.ndim == 1 and array.size:
        return None
    return array


def _no_path(one: Any) -> str:
    return (
        f"images must be arrays, tensors or pictures, not the name of a file ({os.fspath(one)!r:.80}); read it with "
        "saywhy_core.images.read_image, or many with adversarial.audit.gather_images"
    )


def _single(one: Any, number: int, shape: ImageShape, changes: dict[str, None]) -> Image:
    """One image of a list."""
    if isinstance(one, str | os.PathLike):
        raise UsageError(_no_path(one))
    if _is_picture(one):
        return decode_pil(one)
    try:
        array = to_numpy(one)
    except (TypeError, ValueError) as error:
        raise UsageError(f"image {number} is no array: {str(error)[:160]}") from None
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim not in (2, 3) or not array.size:
        raise UsageError(f"image {number} of the list must have the shape (H, W, C), not {array.shape}")
    values = _values(array, f"image {number}: ", changes)
    if values.ndim == 2:
        return values[:, :, None]
    last: Image = _channels_last(values[None], shape, f"image {number} of the list", changes)[0]
    return last


def _batch(array: NDArray[Any], shape: ImageShape, count: int | None, changes: dict[str, None]) -> Image:
    """Images (N, H, W, C) of one array."""
    if array.ndim not in (2, 3, 4) or not array.size:
        raise UsageError(f"images must be an array (N, H, W, C) with at least one image, not of shape {array.shape}")
    values = _values(array, "", changes)
    if values.ndim == 2:
        changes["are one grey image (H, W)"] = None
        return values[None, :, :, None]
    if values.ndim == 3:
        return _three_axes(values, shape, count, changes)
    return _channels_last(values, shape, "images", changes)


def _values(array: NDArray[Any], where: str, changes: dict[str, None]) -> Image:
    try:
        check_values(array)
    except UsageError as error:
        more = ""
        if array.dtype.kind == "f" and array.size and np.isfinite(array).all() and array.min() < 0:
            more = "; images are wanted as they were before a mean was subtracted"
        raise UsageError(f"{where}images must be finite and lie in [0, 1]: {error}{more}") from None
    if array.dtype.kind in "iu":
        top = 65535 if array.dtype.kind == "u" and array.dtype.itemsize == 2 else 255
        changes[f"are {array.dtype}, so that their values were divided by {top:,}"] = None
    elif array.dtype.kind == "b":
        changes["are booleans, so that False became 0 and True 1"] = None
    return np.array(scaled_values(array), dtype=np.float32)


def _three_axes(values: Image, shape: ImageShape, count: int | None, changes: dict[str, None]) -> Image:
    """One image with channels, or several grey ones: what the axes, the classifier and the labels allow."""
    first, rows, columns = values.shape
    readings: dict[str, Image] = {}
    if columns in CHANNELS or columns == shape[2]:
        readings["are one image (H, W, C)"] = values[None]
    if (first in FIRST or first == shape[2]) and min(rows, columns) >= SMALLEST:
        readings["are one image with its channels first, (C, H, W), which were put last"] = values.transpose(1, 2, 0)[None]
    if min(rows, columns) > max(CHANNELS) or not readings:
        readings["are grey, (N, H, W)"] = values[..., None]
    fitting = {name: read for name, read in readings.items() if _fits(read, shape, strictly=True)}
    fitting = fitting or {name: read for name, read in readings.items() if _fits(read, shape)} or readings
    if len(fitting) > 1 and count is not None:
        fitting = {name: read for name, read in fitting.items() if len(read) == count} or fitting
    if len(fitting) > 1 and first == 1:  # one image either way
        fitting = {"are grey, (N, H, W)": values[..., None]}
    if len(fitting) > 1:
        either = ", or ".join(fitting)
        raise UsageError(
            f"images of shape {values.shape} {either}: nobody can know which; give one image as array[None] with its channels "
            "last, and grey images as array[..., None]"
        )
    ((name, read),) = fitting.items()
    changes[name] = None
    return np.ascontiguousarray(read)


def _channels_last(values: Image, shape: ImageShape, what: str, changes: dict[str, None]) -> Image:
    """Images (N, H, W, C), with the channels put last where they come first."""
    _, second, _, last = values.shape
    turned = values.transpose(0, 2, 3, 1)
    known = shape[2] is not None
    as_they_are = last == shape[2] if known else last in CHANNELS
    first = second == shape[2] if known else second in CHANNELS
    if first and not (as_they_are and _fits(values, shape)) and (not as_they_are or _fits(turned, shape)):
        changes["have their channels first, which were put last"] = None
        return np.ascontiguousarray(turned)
    if not known and not as_they_are and last > MOST_CHANNELS:
        raise UsageError(
            f"{what} of shape {values.shape[what != 'images' :]} have no axis that can be the channels; give (N, H, W, C) with "
            "1 channel for grey and 3 for colour"
        )
    return values


def _fits(values: Image, shape: ImageShape, *, strictly: bool = False) -> bool:
    """Whether images have the size that the classifier takes; grey may be repeated where that isn't meant strictly."""
    height, width, channels = values.shape[1:]
    same = all(want is None or have == want for have, want in zip((height, width), shape[:2], strict=True))
    return same and (shape[2] is None or channels == shape[2] or (not strictly and channels == 1 and shape[2] == 3))


def _fitting_channels(image: Image, shape: ImageShape, changes: dict[str, None]) -> Image:
    if image.shape[2] == 1 and shape[2] == 3:
        changes["are grey, which was repeated for the three channels that the classifier takes"] = None
        return np.repeat(image, 3, axis=2)
    return image
