"""An ONNX file as a target, run by onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.classifier import CallableClassifier, ClassifierError, Scores
from saywhy_core.classifiers.layout import Axes, InputLayout, Numbers
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
CHANNELS = ({1, 3}, {2, 4})  # likely numbers of channels, the likeliest first


def load(
    path: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    layout: Axes | None = None,
    value_range: tuple[float, float] | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    threads: int = 0,
) -> CallableClassifier:
    """A classifier from an ONNX file with one image input of four axes and one output of scores.

    What the file says is read from it, and an option goes before it: the layout from the input's shape; the value range from
    the input's type (0 to 255 for bytes); and the file's own metadata entries `layout`, `value_range`, `mean`, `std`,
    `scores` and `class_names` (JSON). Scores are taken from the output's name where it speaks of logits, or of
    probabilities or softmax. A fixed batch size is served by padding; padding is no query.

    Args:
        path: the file.
        class_names: one name a class.
        scores: "logits" or "probabilities".
        layout: "nhwc" or "nchw".
        value_range: the values that stand for black and white, (0, 1) unless the file says otherwise.
        mean: taken off each channel after the range.
        std: divided by after that.
        threads: of onnxruntime; 0 for its own choice.

    Raises:
        UsageError: onnxruntime is missing, the file can't be read, or the model needs an option that wasn't given.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UsageError("onnx: targets need onnxruntime; install saywhy[onnx]") from None
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=onnxruntime.get_available_providers())
    except Exception as error:
        raise UsageError(f"{path} is no ONNX model that onnxruntime can run: {str(error).splitlines()[0][:200]}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        raise UsageError(f"{path} takes {len(inputs)} inputs ({', '.join(node.name for node in inputs)}); one image is wanted")
    taken = inputs[0]
    if len(taken.shape) != 4:
        raise UsageError(f"{path} takes an input of shape {taken.shape}; images need four axes (N, H, W, C) or (N, C, H, W)")
    if taken.type not in DTYPES:
        raise UsageError(f"{path} takes {taken.type}; images need one of {', '.join(DTYPES)}")
    said = _metadata(session.get_modelmeta().custom_metadata_map, path)
    axes = layout or said.get("layout") or _axes(taken.shape, path)
    if value_range is None:
        value_range = said.get("value_range") or ((0.0, 255.0) if taken.type == "tensor(uint8)" else (0.0, 1.0))
    mean, std = said.get("mean") if mean is None else mean, said.get("std") if std is None else std
    prepare = InputLayout(axes, tuple(value_range), mean, std)
    kind = scores or said.get("scores") or _kind(outputs[0].name)
    if kind is None:
        output = outputs[0].name
        raise UsageError(f"{path} doesn't say what its output {output!r} is; give scores='logits' or scores='probabilities'")
    names = class_names if class_names is not None else said.get("class_names")
    fixed = taken.shape[0] if isinstance(taken.shape[0], int) and taken.shape[0] > 0 else None
    wanted = _image_shape(taken.shape, axes)

    def predict(images: Images) -> NDArray[np.floating]:
        for have, want in zip(images.shape[1:], wanted, strict=True):
            if want is not None and have != want:
                shape = " by ".join("any" if size is None else str(size) for size in wanted)
                raise ClassifierError(f"{path} takes images of {shape} (height, width, channels), not {images.shape[1:]}")
        values = prepare(images)
        if taken.type == "tensor(uint8)":
            values = np.rint(values)
        batch = values.astype(DTYPES[taken.type], copy=False)
        if fixed is None:
            return np.asarray(session.run([outputs[0].name], {taken.name: batch})[0])
        rows = []
        for start in range(0, len(batch), fixed):
            part = batch[start : start + fixed]
            padded = np.concatenate([part, np.repeat(part[-1:], fixed - len(part), axis=0)]) if len(part) < fixed else part
            rows.append(np.asarray(session.run([outputs[0].name], {taken.name: padded})[0])[: len(part)])
        return np.concatenate(rows)

    return CallableClassifier(predict, kind, names)


def _axes(shape: list[Any], path: str) -> Axes:
    for likely in CHANNELS:
        first, last = shape[1] in likely, shape[3] in likely
        if first != last:
            return "nchw" if first else "nhwc"
        if first:
            break
    raise UsageError(
        f"{path} takes an input of shape {shape}, which doesn't say where its channels are; give layout='nhwc' or 'nchw'"
    )


def _image_shape(shape: list[Any], axes: Axes) -> tuple[int | None, ...]:
    sizes = tuple(size if isinstance(size, int) and size > 0 else None for size in shape)
    return sizes[1:] if axes == "nhwc" else (sizes[2], sizes[3], sizes[1])


def _kind(name: str) -> Scores | None:
    lower = name.lower()
    if "logit" in lower:
        return "logits"
    return "probabilities" if "prob" in lower or "softmax" in lower else None


def _metadata(entries: dict[str, str], path: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name in ("layout", "scores", "value_range", "mean", "std", "class_names"):
        if name in entries:
            try:
                said[name] = entries[name].lower() if name in ("layout", "scores") else json.loads(entries[name])
            except ValueError:
                raise UsageError(f"{path}: the metadata entry {name} is not JSON: {entries[name][:80]!r}") from None
    return said
