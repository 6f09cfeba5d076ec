"""ConSE: an image-text encoder out of any image classifier and any sentence encoder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

from agents.encoders.vectors import unit_rows
from saywhy_core.errors import UsageError
from saywhy_core.images import image_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from saywhy_core.images import Images

    Probabilities = Callable[[NDArray[np.float32]], NDArray[np.floating]]


class TextEncoder(Protocol):
    """Anything that turns texts into rows of length 1."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32."""
        ...


class ConvexSemanticEncoder:
    """The convex combination of the embeddings of an image's most probable classes (Norouzi et al. 2014, eq. 3).

    An image's embedding is Σ p(c) · s(c) over its `top` most probable classes c, where s(c) is the sentence embedding
    of the class's name in the template; it is brought to length 1, so the paper's division by Σ p(c) changes nothing.

    Args:
        probabilities: takes N×H×W×C float32 images in [0, 1], returns N×K class probabilities.
        class_names: the K names of the classes that `probabilities` knows.
        text_encoder: has `encode_texts`.
        top: how many of the most probable classes to combine; the paper's T.
        template: the sentence a class name is put into.
        batch: images a call of `probabilities`.
        identity: names the classifier for the embedding cache; by default no two objects share one.
        channels: how many channels the classifier takes: 3 (RGB), or 1 (grey). Images are read as such.

    Raises:
        UsageError: on encoding, where `probabilities` returns another shape or values that are no probabilities.
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
    ) -> None:
        if not class_names:
            raise UsageError("the classifier's class names are missing: ConSE combines the embeddings of those names")
        if top < 1:
            raise UsageError(f"top must be at least 1, not {top}")
        if "{}" not in template:
            raise UsageError(f"the template {template!r} has no {{}} to put the class name into")
        self._probabilities = probabilities
        self._text_encoder = text_encoder
        self._batch, self._channels = batch, channels
        self._top = min(top, len(class_names))
        texts = [template.format(name) for name in class_names]
        self._class_embeddings = np.asarray(text_encoder.encode_texts(texts), dtype=np.float32)
        self.scale = float(getattr(text_encoder, "scale", 100.0))
        recipe = hashlib.sha256(repr((texts, self._top, identity or id(self))).encode()).hexdigest()[:16]
        self.identity: str | None = f"conse:{recipe}+{getattr(text_encoder, 'identity', '')}" if identity is not None else None

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
