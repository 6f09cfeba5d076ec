"""Image classifiers as functions from images to class probabilities, for ConSE."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.names import read_class_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Probabilities = Callable[[NDArray[np.float32]], NDArray[np.float32]]

OPTIONS = frozenset({"names", "scores", "resize", "mean", "std"})


def load_probabilities(spec: str, *, device: str | None = None) -> tuple[Probabilities, list[str], str]:
    """Load an image classifier as (function from N×H×W×C images in [0, 1] to N×K probabilities, names, identity).

    `spec` is a folder or name of a transformers image classifier, or `FILE.onnx` with options after a question mark,
    joined by `&`:

    - `names=FILE.json`: the K class names, a JSON list. Needed.
    - `scores=logits` or `scores=probabilities`: what the network returns. Needed unless its output bears that name.
    - `resize=SIDE`: the shorter side is scaled to SIDE, then the network's size is cut out of the middle. By default 256
      for networks of 200 to 256 pixels, the network's own size for others.
    - `mean=R,G,B` and `std=R,G,B`: subtracted and divided by before the network.

    Raises:
        UsageError: a file or option is missing or wrong.
    """
    path, _, query = spec.partition("?")
    if Path(path).suffix.lower() == ".onnx":
        return _onnx(Path(path), _options(spec, query))
    if query:
        raise UsageError(f"{spec}: options after a question mark belong to .onnx classifiers only")
    return _transformers(path, device)


def _options(spec: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - OPTIONS)
    if unknown:
        raise UsageError(f"{spec}: unknown option {unknown[0]!r}; there are {', '.join(sorted(OPTIONS))}")
    return options


def _onnx(path: Path, options: dict[str, str]) -> tuple[Probabilities, list[str], str]:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError("an .onnx classifier needs onnxruntime: pip install 'saywhy[onnx]'") from None
    if not path.is_file():
        raise UsageError(f"{path} does not exist")
    if "names" not in options:
        raise UsageError(f"{path}: say where its class names are, {path.name}?names=NAMES.json")
    names = read_class_names(options["names"])
    try:
        session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    except (RuntimeError, ValueError, onnxruntime.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise UsageError(f"{path} is no ONNX network that can be run ({str(error).splitlines()[0][:150]})") from None
    entry, output = session.get_inputs()[0], session.get_outputs()[0]
    scores = options.get("scores", output.name)
    if scores not in {"logits", "probabilities"}:
        raise UsageError(
            f"{path}: its output is called {output.name!r}; say whether it holds logits or probabilities with "
            f"scores=logits or scores=probabilities"
        )
    channels_last, height, width = _layout(path, entry.shape)
    resize = int(options.get("resize") or (256 if 200 <= min(height, width) <= 256 else min(height, width)))
    mean = np.array([float(value) for value in options.get("mean", "0").split(",")], dtype=np.float32)
    std = np.array([float(value) for value in options.get("std", "1").split(",")], dtype=np.float32)

    def probabilities(images: NDArray[np.float32]) -> NDArray[np.float32]:
        batch = (np.stack([fit_image(image, resize, (height, width)) for image in images]) - mean) / std
        if not channels_last:
            batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        values = session.run([output.name], {entry.name: batch.astype(np.float32)})[0].reshape(len(images), -1)
        return softmax(values) if scores == "logits" else values.astype(np.float32)

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return probabilities, names, f"onnx:{digest[:16]}:{scores}:{resize}:{mean.tolist()}:{std.tolist()}"


def _layout(path: Path, shape: list[Any]) -> tuple[bool, int, int]:
    if len(shape) == 4 and shape[3] in (1, 3) and isinstance(shape[1], int) and isinstance(shape[2], int):
        return True, shape[1], shape[2]
    if len(shape) == 4 and shape[1] in (1, 3) and isinstance(shape[2], int) and isinstance(shape[3], int):
        return False, shape[2], shape[3]
    raise UsageError(f"{path} takes input of shape {shape}; it must take N×H×W×C or N×C×H×W images of a fixed size")


def fit_image(image: NDArray[np.float32], resize: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale an image's shorter side to `resize` and cut `size` (height, width) out of the middle."""
    height, width = image.shape[:2]
    shorter = min(height, width)
    if shorter != resize:
        import cv2

        target = (max(size[1], round(width * resize / shorter)), max(size[0], round(height * resize / shorter)))
        way = cv2.INTER_AREA if resize < shorter else cv2.INTER_CUBIC
        image = cv2.resize(image, target, interpolation=way).reshape(target[1], target[0], -1).clip(0, 1)
        height, width = image.shape[:2]
    if height < size[0] or width < size[1]:
        raise UsageError(f"resize={resize} makes images smaller than the {size[0]}×{size[1]} that the network takes")
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return image[top : top + size[0], left : left + size[1]]


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probabilities out of logits, row by row."""
    shifted = np.asarray(logits, dtype=np.float64)
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
    return probabilities


def _transformers(name: str, device: str | None) -> tuple[Probabilities, list[str], str]:
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from agents.encoders.sentences import fingerprint, from_hub
    from saywhy_core.images import as_picture

    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    processor = from_hub(AutoImageProcessor, name, "image processor", backend="pil")
    model = from_hub(AutoModelForImageClassification, name, "image classifier").eval().to(where)
    names = [str(model.config.id2label[index]) for index in range(model.config.num_labels)]

    def probabilities(images: NDArray[np.float32]) -> NDArray[np.float32]:
        pixels = processor(images=[as_picture(image) for image in images], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            logits = model(pixel_values=pixels.to(where)).logits.float().cpu().numpy()
        return softmax(logits)

    return probabilities, names, f"transformers:{fingerprint(model)}"
