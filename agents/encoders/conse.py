"""ConSE: an image-text encoder made of any image classifier and any sentence encoder, `conse:TARGET+TEXT`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from agents.encoders.fitting import default_resize, fit_image
from agents.encoders.vectors import unit_rows
from saywhy_core.classifiers import TARGETS, as_probabilities, ask_some_again, load_classifier, split_spec, target_options
from saywhy_core.errors import UsageError
from saywhy_core.images import image_batches
from saywhy_core.trust import may_run_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from saywhy_core.images.reader import Images

    Probabilities = Callable[[NDArray[np.float32]], NDArray[np.floating]]


class TextEncoder(Protocol):
    """Anything that turns texts into rows of length 1."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32."""
        ...


def load(where: str, /, *, device: str | None = None, batch: int = 64, trust: bool = False) -> ConvexSemanticEncoder:
    """Make a `ConvexSemanticEncoder` from `TARGET+TEXT`.

    TARGET names an image classifier, as for `saywhy_core.classifiers.load_classifier`; `FILE.onnx?...` is short for
    `onnx:FILE.onnx?...`, and a folder or name without a kind for `transformers:...`. Where the classifier takes images of one
    size, all images are brought to it: the shorter side is scaled, and the size is cut out of the middle. One option between
    the question mark and the sign + belongs to the encoder: `resize=PIXELS` is the length of the scaled shorter side, by
    default 256 for classifiers of 200 to 256 pixels and the classifier's own size for others.

    TEXT is `minilm`, or the name or folder of a sentence encoder.

    Args:
        where: the text.
        device: where both models run, as far as they can be told; None for the GPU where there is one.
        batch: the largest number of images or texts per forward pass.
        trust: whether code that comes with the two models may run.

    Raises:
        TrustError: one of the two needs code to be run, and `trust` is false.
        UsageError: one of the two can't be loaded, the classifier's class names are unknown or it answers with its decision
            alone, or `resize` is wrong.
    """
    from agents.encoders.sentences import load as load_text_encoder

    target, plus, text = where.rpartition("+")
    if not plus or not target or not text:
        raise UsageError(f"conse:{where} names no text encoder; write conse:TARGET+minilm")
    address, options = split_spec(target)
    resize = options.pop("resize", None)
    kind, spec = _with_kind(address)
    known = target_options(kind)
    if device is not None and (known is None or "device" in known):
        options.setdefault("device", device)
    if "trust" in options:
        raise UsageError(
            f"conse:{where}: trust can't be given in the name of an encoder; give --trust, or trust=True in Python"
        )
    trusted = trust and may_run_code(TARGETS.get(kind))
    classifier = load_classifier(spec, trust=trusted, **options)
    if classifier.class_names is None:
        raise UsageError(f"conse:{where}: the classifier's class names are unknown; add names=FILE, as in {address}?names=FILE")
    if classifier.scores == "label":
        raise UsageError(f"conse:{where}: the classifier answers with its decision alone, and ConSE needs probabilities")
    height, width, channels = classifier.image_shape
    size = None if height is None or width is None else (height, width)
    if resize is not None and size is None:
        raise UsageError(f"conse:{where}: resize has no effect, because the classifier takes images of any size")
    if resize is not None and (not isinstance(resize, int) or resize < 1):
        raise UsageError(f"conse:{where}: resize must be a number of pixels, not {resize!r}")

    def probabilities(images: NDArray[np.float32]) -> NDArray[np.float64]:
        # not from the classifier's memory: finding images there costs time, and embeddings have a cache of their own
        return as_probabilities(ask_some_again(classifier, images, len(images)), classifier.scores)

    return ConvexSemanticEncoder(
        probabilities,
        classifier.class_names,
        load_text_encoder(text.removeprefix("text:"), device=device, batch=batch, trust=trust),
        batch=batch,
        identity=classifier.identity,
        channels=channels or 3,
        size=size,
        resize=resize,
    )


def _with_kind(address: str) -> tuple[str, str]:
    """The kind of a target, and its address with the kind, where a file or folder may stand without."""
    kind, colon, _ = address.partition(":")
    if colon and kind in (*TARGETS, "callable"):
        return ("python" if kind == "callable" else kind), address
    if Path(address).suffix.lower() == ".onnx" and (not colon or Path(address).exists()):
        return "onnx", f"onnx:{address}"
    if colon and not Path(address).exists():
        return "python", address
    return "transformers", f"transformers:{address}"


class ConvexSemanticEncoder:
    """The convex combination of the embeddings of an image's most probable classes (Norouzi et al. 2014, eq. 3).

    An image's embedding is Σ p(c) · s(c) over its `top` most probable classes c, where s(c) is the sentence embedding
    of the class's name in the template. It is then scaled to length 1, so the paper's division by Σ p(c) changes nothing.

    Args:
        probabilities: takes N×H×W×C float32 images in [0, 1], returns N×K class probabilities.
        class_names: the K names of the classes that `probabilities` knows.
        text_encoder: has `encode_texts`.
        top: how many of the most probable classes are combined; the paper's T.
        template: the sentence into which a class name is put.
        batch: the largest number of images per call of `probabilities`.
        identity: a text that changes whenever `probabilities` may change. Caches of embeddings need it; None for no caching.
        channels: how many channels `probabilities` takes: 3 (RGB), or 1 (grey). Images are read as such.
        size: (height, width) to which every image is brought; None to leave images as they are.
        resize: the length in pixels to which the shorter side is scaled before `size` is cut out of the middle; by default
            256 for sizes of 200 to 256 pixels, and the shorter side of `size` for others.

    Raises:
        UsageError: an argument is wrong; or, on encoding, `probabilities` returns another shape or values that are no
            probabilities.
    """

    def __init__(
        self,
        probabilities: Probabilities,
        class_names: Sequence[str],
        text_encoder: TextEncoder,
        *,
        top: int = 10,
        template: str = "a photo of a {}.",
        batch: int = 64,
        identity: str | None = None,
        channels: int = 3,
        size: tuple[int, int] | None = None,
        resize: int | None = None,
    ) -> None:
        if not class_names:
            raise UsageError("the classifier's class names are missing: ConSE combines the embeddings of those names")
        if top < 1:
            raise UsageError(f"top must be at least 1, not {top}")
        if "{}" not in template:
            raise UsageError(f"the template {template!r} has no {{}} to put the class name into")
        if size is None and resize is not None:
            raise UsageError("resize has no effect without size")
        if size is not None and resize is not None and resize < min(size):
            raise UsageError(
                f"resize={resize} makes images smaller than the {size[0]}×{size[1]} pixels that the classifier takes"
            )
        self._probabilities = probabilities
        self._text_encoder = text_encoder
        self._batch, self._channels = batch, channels
        self._size = size
        self._resize = resize or (0 if size is None else default_resize(size))
        self._top = min(top, len(class_names))
        texts = [template.format(name) for name in class_names]
        self._class_embeddings = np.asarray(text_encoder.encode_texts(texts), dtype=np.float32)
        self.scale = float(getattr(text_encoder, "scale", 100.0))
        self.identity: str | None = None
        if identity is not None:
            recipe: tuple[Any, ...] = (texts, self._top, identity, channels, size, self._resize)
            digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]
            self.identity = f"conse:{digest}+{getattr(text_encoder, 'identity', '')}"

    @property
    def truncated(self) -> int:
        """How many texts the sentence encoder cut because they were too long."""
        return int(getattr(self._text_encoder, "truncated", 0))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1, by the sentence encoder alone."""
        return np.asarray(self._text_encoder.encode_texts(texts), dtype=np.float32)

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """Encode images (an N×H×W×C array, or a sequence of arrays or paths) to N×D float32 rows of length 1."""
        parts = [self._encode_batch(part) for part in image_batches(images, self._batch, channels=self._channels)]
        return np.concatenate(parts) if parts else np.empty((0, self._class_embeddings.shape[1]), dtype=np.float32)

    def _encode_batch(self, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        if self._size is not None:
            images = [fit_image(image, self._resize, self._size) for image in images]
        probabilities = np.empty((len(images), len(self._class_embeddings)), dtype=np.float64)
        shapes: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            shapes.setdefault(image.shape, []).append(index)
        for members in shapes.values():
            probabilities[members] = self._checked(np.stack([images[index] for index in members]))
        if self._top < probabilities.shape[1]:
            # A stable sort keeps the lower class index where probabilities tie, on every machine.
            rest = np.argsort(-probabilities, axis=1, kind="stable")[:, self._top :]
            np.put_along_axis(probabilities, rest, 0.0, axis=1)
        return unit_rows(probabilities @ self._class_embeddings.astype(np.float64))

    def _checked(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        values = np.asarray(self._probabilities(images), dtype=np.float64)
        wanted = (len(images), len(self._class_embeddings))
        if values.shape != wanted:
            raise UsageError(
                f"the classifier returned shape {values.shape} for {wanted[0]} images and {wanted[1]} class names; "
                f"it must return one probability for each name"
            )
        sums = values.sum(axis=1)
        if not (np.isfinite(values).all() and values.min() >= -1e-6 and np.abs(sums - 1).max() <= 1e-2):
            raise UsageError(
                f"the classifier's values are no probabilities (smallest {values.min():.3g}, sums from {sums.min():.3g} "
                f"to {sums.max():.3g}); apply softmax to its logits"
            )
        return values
