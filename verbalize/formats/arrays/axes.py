"""What the axes of an array are: one map or several, with or without channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import Bare, argument
from saywhy_core.reading.records import in_words
from verbalize.query import check_scores
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = ("hw", "chw", "hwc", "nhw", "nchw", "nhwc")
"""Orders of axes: n maps, c channels, h rows, w columns."""
_COLOURS = 3  # channels of a picture; with one channel there is nothing to sum
ANY_NUMBERS = "buif"  # kinds of numpy types


def planes(
    value: Any, axes: str | None = None, picture: tuple[int, ...] | None = None, names: int | None = None
) -> tuple[NDArray[Any], str]:
    """The maps in an array as N×H×W, with their channels summed, and the axes that it was read with.

    Where the shape leaves open what the axes are, the size of the picture decides; then that one of three channels is meant by
    an axis of length 3, unless the caller has a name for each of three maps. Three planes without a negative score are left to
    the caller: attributions of colours have signs, three heatmaps often have none.

    Args:
        value: an array, a tensor or nested lists of numbers, with two to four axes.
        axes: one of `AXES`; None guesses.
        picture: (height, width) of the picture that the maps belong to, where it is known.
        names: how many maps the caller has names for.

    Raises:
        SaliencyError: these are no numbers, the axes don't fit, or it can't be told what they are.
    """
    array = numbers(value)
    _check_size(array.shape)
    if axes is not None:
        if axes not in AXES:
            raise SaliencyError(f"{argument('axes')} must be one of {', '.join(AXES)}, not {axes!r}")
        if len(axes) != array.ndim:
            raise SaliencyError(f"the array has shape {array.shape}, which does not fit {argument('axes', Bare(axes))}")
        return _summed(array, axes), axes
    found = _guess(array, picture, names)
    return _summed(array, found), found


def _check_size(shape: tuple[int, ...]) -> None:
    """See whether one map of an array of that shape may be small enough, whatever its axes are.

    Raises:
        SaliencyError: even the smallest two axes make too many scores for one map.
    """
    if len(shape) == 2 or (len(shape) > 2 and len(shape) <= 4):
        rows, columns = sorted(shape)[:2] if len(shape) > 2 else shape
        check_scores(rows, columns)


def numbers(value: Any) -> NDArray[Any]:
    """The array of a value that holds numbers, of any shape but not empty.

    Raises:
        SaliencyError: it holds none.
    """
    try:
        array = to_numpy(value)
    except (TypeError, ValueError) as error:
        raise SaliencyError(f"a map is an array of numbers: {in_words(error)}") from None
    if array.dtype.kind not in ANY_NUMBERS:
        what = {"O": "objects", "U": "texts", "S": "bytes"}.get(array.dtype.kind, str(array.dtype))
        raise SaliencyError(f"a map is an array of numbers, but these are {what}")
    if not array.size:
        raise SaliencyError(f"the array has shape {array.shape}: it is empty")
    return array


def _guess(array: NDArray[Any], picture: tuple[int, ...] | None, names: int | None) -> str:
    """The axes of an array.

    Raises:
        SaliencyError: they can't be told.
    """
    able = [axes for axes in AXES if _fits(array.shape, axes)]
    if picture is not None and len(able) > 1:
        able = [axes for axes in able if _size(array.shape, axes) == picture] or able
    if not able:
        words = "; scores of words come with their words: [(word, score), ...]" if array.ndim == 1 else ""
        heads = "; sum or average over the other axes (heads, layers, classes) first" if array.ndim > 3 else ""
        raise SaliencyError(
            f"the array has shape {array.shape}; a map is (height, width), several are (number, height, width){words}{heads}"
        )
    if names is not None and names > 1:
        able = [axes for axes in able if "n" in axes and array.shape[axes.index("n")] == names] or able
    coloured = [axes for axes in able if "c" in axes and array.shape[axes.index("c")] == _COLOURS]
    if len(able) > 1 and (len(coloured) != 1 or (coloured == ["chw"] and not _negative(array))):
        listed = " or ".join(able)
        raise SaliencyError(
            f"the array has shape {array.shape}, which may be several maps or the channels of one; "
            f"say {argument('axes', Bare(listed))} (n is the number of maps, c the channels, which are summed)"
        )
    return coloured[0] if len(able) > 1 else able[0]


def _fits(shape: tuple[int, ...], axes: str) -> bool:
    if len(shape) != len(axes):
        return False
    if len(shape) == 3 and 1 in (shape[0], shape[-1]):  # one plane, whatever the other axes are
        return axes == ("chw" if shape[0] == 1 else "hwc")
    return "c" not in axes or shape[axes.index("c")] in (1, _COLOURS)


def _size(shape: tuple[int, ...], axes: str) -> tuple[int, int]:
    return (shape[axes.index("h")], shape[axes.index("w")])


def _negative(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "if" and bool((array < 0).any())


def _summed(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """N×H×W; the sum over the channels keeps the signs, so that attributions stay complete."""
    if "c" in axes:
        channel = axes.index("c")
        array = array.sum(axis=channel, dtype=np.float64) if array.shape[channel] > 1 else array.take(0, axis=channel)
    return array if "n" in axes else array[None]
