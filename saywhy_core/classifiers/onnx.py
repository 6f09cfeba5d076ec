"""An ONNX file as a target, run by onnxruntime: `onnx:FILE`."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.bounded.room import in_parts
from saywhy_core.bounded.turns import OVERLAPPING
from saywhy_core.classifiers.answers.advice import say_scores
from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.identity import check_model_file, file_identity
from saywhy_core.classifiers.inside.score_networks import of_file
from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.classifiers.onnx_session import Session
from saywhy_core.classifiers.spec import first_given
from saywhy_core.errors import UsageError, argument
from saywhy_core.names import check_class_names
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import NotJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.classifier import ImageShape, Scores
    from saywhy_core.classifiers.layout import Axes, Channels, Numbers

    Images: TypeAlias = NDArray[np.float32]

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
CHANNELS = ({1, 3}, {2, 4})  # numbers of channels by which the channel axis is recognised, the most usual ones first
METADATA = ("layout", "scores", "value_range", "mean", "std", "channels", "class_names")


def load(
    path: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    classes: int | None = None,
    layout: Axes | None = None,
    value_range: Sequence[float] | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    channels: Channels | None = None,
    threads: int = 0,
    batch_size: int | None = None,
) -> CallableClassifier:
    """A classifier from an ONNX file with one image input of four axes; its first output holds the scores.

    What an option doesn't say is read from the file: from its metadata entries `layout`, `scores`, `channels` (texts),
    `value_range`, `mean`, `std` and `class_names` (JSON); then the layout and the image size from the input's shape, the
    value range from the input's type (0 to 255 for bytes), and the kind of scores from the output's name, where that contains
    "logit", "prob", "softmax" or "sigmoid". A network with a fixed batch size gets padded batches; the padding does not
    count as queries.

    Args:
        path: the file.
        class_names: one name per class.
        scores: "logits", "probabilities", "sigmoid", "top-k" or "label" (see `CallableClassifier`).
        classes: how many classes there are, where they have no names and the answers don't show it.
        layout: "nhwc" or "nchw".
        value_range: the network's values for black and white, (0, 1) by default.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the network takes, "rgb" (the default) or "bgr".
        threads: how many threads onnxruntime uses; 0 for its own choice.
        batch_size: the largest number of images per call.

    Raises:
        UsageError: onnxruntime is missing, the file can't be read, or an option is wrong or missing.
    """
    if find_spec("onnxruntime") is None:
        raise UsageError("onnx: targets need onnxruntime; install saywhy[onnx]")
    check_model_file(path)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise UsageError(f"{argument('threads')} must be a whole number of at least 0, not {threads!r}")
    session = Session(path, threads)
    if len(session.inputs) != 1:
        names = ", ".join(name for name, _, _ in session.inputs)
        raise UsageError(f"{path} takes {len(session.inputs)} inputs ({names:.200}); one image is wanted")
    ((_, shape, dtype),) = session.inputs
    if len(shape) != 4:
        raise UsageError(f"{path} takes an input of shape {shape}; images need four axes (N, H, W, C) or (N, C, H, W)")
    if dtype not in DTYPES:
        raise UsageError(f"{path} takes {dtype}; images need one of {', '.join(DTYPES)}")
    said = _metadata(session.metadata, path)
    axes: Axes | None = first_given(layout, said.get("layout"))
    if axes is None:
        axes = _axes(shape, path)
    value_range = first_given(value_range, said.get("value_range"), (0.0, 255.0) if dtype == "tensor(uint8)" else (0.0, 1.0))
    mean, std = first_given(mean, said.get("mean")), first_given(std, said.get("std"))
    prepare = InputLayout(axes, value_range, mean, std, first_given(channels, said.get("channels"), "rgb"))
    prepare.check_channels(_image_shape(shape, axes)[2])
    kind: Scores | None = first_given(scores, said.get("scores"), _kind(session.output))
    if kind is None:
        raise UsageError(say_scores(path, f"its output {session.output!r:.80} is"))
    fixed = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
    if fixed is not None:
        _check_batch(fixed, shape, axes, np.dtype(DTYPES[dtype]).itemsize, path)

    def run(batch: NDArray[Any]) -> NDArray[np.floating]:
        answer = np.asarray(session(batch))
        # some networks keep the two axes of the image, with one value each, after global pooling
        return answer.reshape(answer.shape[:2]) if answer.ndim > 2 and answer[0].size == answer.shape[1] else answer

    parted = in_parts(run)

    def predict(images: Images) -> NDArray[np.floating]:
        values = prepare(images)
        if dtype == "tensor(uint8)":
            values = np.rint(values)
        batch = values.astype(DTYPES[dtype], copy=False)
        if fixed is None:
            return np.asarray(parted(batch))
        one = batch[0].nbytes
        check_ceiling("array", fixed * one, f"{path}: its batch of {fixed:,} images")  # where the image's size is free
        rows = []
        for start in range(0, len(batch), fixed):
            part = batch[start : start + fixed]
            padded = part
            if len(part) < fixed:
                padded = np.empty((fixed, *part.shape[1:]), part.dtype)
                padded[: len(part)], padded[len(part) :] = part, part[-1]
            rows.append(run(padded)[: len(part)])
        return np.concatenate(rows)

    classifier = CallableClassifier(
        predict, kind, class_names if class_names is not None else said.get("class_names"), classes=classes,
        batch_size=batch_size, image_shape=_image_shape(shape, axes),
        identity=file_identity("onnx", path, kind, prepare.key),
    )  # fmt: skip
    classifier.concurrency = OVERLAPPING
    classifier.network = of_file(path, prepare, dtype)
    return classifier


def _check_batch(images: int, shape: list[Any], axes: Axes, number: int, path: str) -> None:
    """See that a batch of the fixed size may be made: it is filled up to that size, however few images there are.

    Raises:
        CeilingError: it takes more bytes than the ceiling on arrays.
    """
    sizes = [size if size is not None else 1 for size in _image_shape(shape, axes)]
    check_ceiling("array", images * math.prod(sizes) * number, f"{path}: its batch of {images:,} images")


def _axes(shape: list[Any], path: str) -> Axes:
    for likely in CHANNELS:
        first, last = shape[1] in likely, shape[3] in likely
        if first != last:
            return "nchw" if first else "nhwc"
        if first:
            break
    raise UsageError(
        f"{path} takes an input of shape {shape}, which doesn't say where its channels are; "
        f"give {argument('layout', 'nhwc')} or {argument('layout', 'nchw')}"
    )


def _image_shape(shape: list[Any], axes: Axes) -> ImageShape:
    _, first, second, third = (size if isinstance(size, int) and size > 0 else None for size in shape)
    return (first, second, third) if axes == "nhwc" else (second, third, first)


def _kind(name: str) -> Scores | None:
    lower = name.lower()
    if "logit" in lower:
        return "logits"
    if "prob" in lower or "softmax" in lower:
        return "probabilities"
    return "sigmoid" if "sigmoid" in lower else None


def _metadata(entries: dict[str, str], path: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in METADATA:
        if name in entries:
            try:
                said[name] = entries[name].lower() if name in ("layout", "scores", "channels") else parse_json(entries[name])
            except NotJsonError:
                raise UsageError(f"{path}: the metadata entry {name} is not JSON: {entries[name][:80]!r}") from None
            except UsageError as error:
                raise UsageError(f"{path}: the metadata entry {name} can't be used: {error}") from None
    names = said.get("class_names")
    if names is not None:
        where = f"{path}: the metadata entry class_names"
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"{where} must be a JSON list of texts")
        said["class_names"] = check_class_names(names, where)
    return said
