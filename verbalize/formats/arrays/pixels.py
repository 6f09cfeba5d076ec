"""Pixel maps from arrays and tensors in memory, array files, and grey pictures (unsigned, 0 to 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import Problem, UsageError, argument
from saywhy_core.images import read_image
from saywhy_core.images.decode import PICTURES
from saywhy_core.reading.documents import DEEPEST
from verbalize.formats.arrays.axes import numbers, planes
from verbalize.formats.arrays.files import LOADERS, load
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.query import check_held, check_scores
from verbalize.saliency import PixelSaliency, Query, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_PICTURES = tuple(sorted(PICTURES))  # every picture that is read may be a map, where it is grey
_TENSORS = ("torch.", "tensorflow.", "jax.", "jaxlib.", "cupy.", "PIL.")
_BESIDE = {"image": ("image", "images", "picture"), "label": ("label", "labels", "class", "classes"), "id": ("id",)}
"""What may stand beside the maps in a file of named arrays, by the names that it is known by."""
_MAPS = ("scores", "attributions", "attribution", "saliency", "heatmap", "relevance", "cam")  # of rows of numbers in JSON
_KNOWN = frozenset(name for names in _BESIDE.values() for name in names)
ROUNDING = 1e-6  # a negative score of at most this share of the largest is noise of float32 and not a sign


def _matches(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind != "O")
    if isinstance(value, dict):
        names = [name for name, one in value.items() if _is_array(one) or (name in _MAPS and _is_table(one))]
        return bool(names) and all(isinstance(name, str) and (name in names or name in _KNOWN) for name in value)
    return _is_array(value) or _is_table(value)


def _is_array(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return True
    return type_name(value).startswith(_TENSORS) and (hasattr(value, "shape") or hasattr(value, "getbands"))


def _is_table(value: object) -> bool:
    """Whether this is a list of lists of numbers, as JSON holds arrays; `planes` says what is wrong with their lengths."""
    depth = 0
    while isinstance(value, list) and value and depth < DEEPEST:
        value, depth = value[0], depth + 1
    return depth > 1 and (value is None or isinstance(value, (int, float)))


def _read(value: Any, options: ReadOptions) -> Iterator[PixelSaliency | Problem]:
    if type_name(value).startswith("PIL."):
        yield from _from_grey(_picture(value), "the picture", None, options)
    else:
        yield from _from_arrays(value if isinstance(value, dict) else {"": value}, None, options)


def _read_file(path: Path, options: ReadOptions) -> Iterator[PixelSaliency | Problem]:
    """Read the pixel maps in a file, and the picture they belong to where the options name one.

    Raises:
        SaliencyError: an unreadable file, a picture in colour, arrays that are no maps.
    """
    if path.suffix.lower() in LOADERS:
        unreadable: list[Problem] = []
        arrays = load(path, lambda name, error: unreadable.append(Problem(str(path), str(error), None, name)))
        yield from unreadable
        try:
            yield from _from_arrays(arrays, path.stem, options)
        except SaliencyError as error:
            raise SaliencyError(f"{path}: {error}") from None
    else:
        yield from _from_grey(_picture(path), repr(str(path)), path.stem, options)


def _from_grey(pixels: NDArray[np.float32], name: str, stem: str | None, options: ReadOptions) -> Iterator[PixelSaliency]:
    if not (pixels == pixels[:, :, :1]).all():
        raise SaliencyError(f"{name} is in colour; a map is grey (colours can't be read back into numbers)")
    signed = options.is_signed(default=False)  # a grey picture holds no negative numbers
    yield pixel_map(pixels[:, :, 0].astype(np.float64), options.query(), picture_given(options), signed, stem, options)


def _from_arrays(arrays: Mapping[str, Any], stem: str | None, options: ReadOptions) -> Iterator[PixelSaliency | Problem]:
    """The maps of named arrays; pictures and labels among them belong to the maps."""
    beside = _companions(arrays)
    found = {name: value for name, value in arrays.items() if name not in beside.values()}
    if unread := [name for name, value in found.items() if isinstance(value, (str, int, float, type(None)))]:
        found = {name: value for name, value in found.items() if name not in unread}
        options.note(f"not read, since they are no arrays: {', '.join(map(repr, unread))}")
    if not found:
        raise SaliencyError(f"of the arrays {', '.join(map(repr, arrays))} none holds maps; name it 'scores'")
    stem = str(arrays[beside["id"]]) if "id" in beside else stem
    pictures = _pictures(arrays[beside["image"]], options) if "image" in beside else None
    if "image" in beside and vars(options)["image"] is not None:
        raise SaliencyError(f"the picture stands in the record ({beside['image']!r}); leave out {argument('image', ...)}")
    labels = _labels(arrays[beside["label"]], options) if "label" in beside else None
    given = None if "image" in beside else picture_given(options)
    for name, value in found.items():
        key = ".".join(part for part in (stem, name if len(found) > 1 else "") if part) or None
        try:
            yield from _from_array(value, key, given, pictures, labels, options)
        except SaliencyError as error:
            if len(found) == 1:
                raise
            yield Problem("the arrays", str(error), None, name)


def _from_array(
    value: Any,
    key: str | None,
    image: NDArray[np.float32] | None,
    pictures: list[NDArray[np.float32]] | None,
    labels: list[object] | None,
    options: ReadOptions,
) -> Iterator[PixelSaliency | Problem]:
    names = vars(options)["class_names"] if labels is None else None
    known = image if image is not None else pictures[0] if pictures else None
    maps, axes = planes(value, options.axes, None if known is None else known.shape[:2], len(labels or names or ()) or None)
    count = len(maps)
    check_scores(maps.shape[1], maps.shape[2])  # before work is done on them, which takes eight bytes for each
    if axes == "chw" and options.axes is None and numbers(value).shape[0] > 1:
        options.note(
            f"three planes were read as the colours of one map, and summed; for three maps say {argument('axes', 'nhw')}"
        )
    if "n" in axes and names is not None and len(names) == count:
        labels = [options.class_name(number) for number in range(count)]
    for what, others in (("labels", labels), ("pictures", pictures)):
        if others is not None and len(others) not in (1, count):
            raise SaliencyError(f"there are {count} maps and {len(others)} {what}; give one for each")
    signed = _sign(maps, options)
    if not signed:
        maps = np.maximum(maps, 0) if maps.dtype.kind == "f" else maps
    queries = _queries(labels, count, options)
    width = len(str(count - 1))
    for number, query in queries:
        own = image if pictures is None else pictures[number if len(pictures) == count else 0]
        name = key if count == 1 else f"{key}-{number:0{width}d}" if key else f"{number:0{width}d}"
        try:
            yield pixel_map(np.asarray(maps[number], dtype=np.float64), query, own, signed, name, options)
        except SaliencyError as error:
            if count == 1:
                raise
            yield Problem("the array", str(error), None, name)


def _sign(maps: NDArray[Any], options: ReadOptions) -> bool:
    if maps.dtype.kind == "b":
        return options.is_signed(False)
    negative = bool((maps < -_rounding(maps)).any())
    if not negative and options.signed is None:
        options.note(
            "no score is below 0, so the maps are read as unsigned: they say what matters, not what speaks for or against; "
            f"say {argument('signed', True)} if a negative score would speak against the label"
        )
    signed = options.is_signed(default=negative)
    if negative and not signed:
        raise SaliencyError(f"some scores are below 0, so the map has signs; leave out {argument('signed', False)}")
    return signed


def _rounding(maps: NDArray[Any]) -> float:
    """How far below 0 a score may be that is no sign but noise of float32."""
    return ROUNDING * float(maps.max()) if maps.dtype.kind == "f" and np.isfinite(maps).all() else 0.0


def _queries(labels: list[object] | None, count: int, options: ReadOptions) -> Iterator[tuple[int, Query]]:
    """The number of each map to read and its query. A label chooses among maps of several labels."""
    if labels is None or len(labels) == 1:
        query = options.query(None if labels is None else labels[0])
        yield from ((number, query) for number in range(count))
        return
    names = [options.class_name(label) for label in labels]
    for number in options.chosen(names):
        yield number, options.query(names[number])


def pixel_map(
    scores: NDArray[np.float64],
    query: Query,
    image: NDArray[np.float32] | None,
    signed: bool,
    name: str | None,
    options: ReadOptions,
    method: str | None = None,
) -> PixelSaliency:
    """The map of H×W scores; they are resized to the picture where it has another size."""
    if image is not None and image.shape[:2] != scores.shape:
        check_scores(image.shape[0], image.shape[1], "the map, at the size of its picture,")
        scores = _resized(scores, image.shape[:2], options)
    return PixelSaliency(scores, query, image=image, signed=signed, id=name, method=method)


def _resized(scores: NDArray[np.float64], shape: tuple[int, ...], options: ReadOptions) -> NDArray[np.float64]:
    """The map at the size of its picture: bilinear where it grows, the mean of the pixels where it shrinks.

    Raises:
        SaliencyError: a score is not finite: resizing would spread it.
    """
    import cv2

    if not np.isfinite(scores).all():
        raise SaliencyError("every score must be a finite number, but this map holds NaN or infinity")
    grows = scores.shape[0] <= shape[0] and scores.shape[1] <= shape[1]
    options.note(
        f"the map of {scores.shape[0]} x {scores.shape[1]} pixels was {'enlarged' if grows else 'resized'} to the "
        f"{shape[0]} x {shape[1]} of its picture"
    )
    resized = cv2.resize(scores, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR if grows else cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.float64).reshape(shape)


def picture_given(options: ReadOptions) -> NDArray[np.float32] | None:
    """The picture that the caller names, in RGB; None where there is none."""
    return None if options.image is None else _picture(options.image, 3)


def _picture(source: Any, channels: int | None = None) -> NDArray[np.float32]:
    try:
        return read_image(source, channels=channels)
    except UsageError as error:
        raise SaliencyError(str(error)) from None


def _companions(arrays: Mapping[str, Any]) -> dict[str, str]:
    """The names of the arrays that are pictures and labels, where there are others."""
    if len(arrays) == 1:
        return {}
    found = {what: [name for name in names if name in arrays] for what, names in _BESIDE.items()}
    for what, names in found.items():
        if len(names) > 1:
            raise SaliencyError(f"both {names[0]!r} and {names[1]!r} may be the {what} of the maps; leave one of them out")
    return {what: names[0] for what, names in found.items() if names}


def _pictures(value: Any, options: ReadOptions) -> list[NDArray[np.float32]] | None:
    """The pictures beside the maps; None where it is not known which of their values is white."""
    array = numbers(value)
    listed = [_channels_last(one) for one in (array if array.ndim == 4 else array[None])]
    if listed[0].ndim > 1:
        height, width = listed[0].shape[:2]
        check_held("pixels", height * width, f"the picture of {height} x {width} pixels beside the maps")
        check_scores(height, width, "the map, at the size of its picture,")
    try:
        return [_picture(one, 3) for one in listed]
    except SaliencyError as error:
        options.note(f"the pictures beside the maps are not shown: {error}")
        return None


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    first = array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3)
    return np.moveaxis(array, 0, -1) if first else array


def _labels(value: Any, options: ReadOptions) -> list[object]:
    listed = np.atleast_1d(np.asarray(value if isinstance(value, (np.ndarray, str)) else numbers(value)))
    if listed.ndim != 1 or listed.dtype.kind not in "iuU":
        raise SaliencyError(f"labels must be class numbers or names, one per map, not {listed.dtype} of shape {listed.shape}")
    return [options.class_name(one) for one in listed.tolist()]


FORMAT = Format(
    "pixels",
    "arrays and tensors, NPY, NPZ and PT files of one or many maps; a grey picture",
    _matches,
    _read,
    suffixes=(*LOADERS, *_PICTURES),
    read_file=_read_file,
)
