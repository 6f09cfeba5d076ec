"""Encodes each text once, where the same texts come again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.protocol import scale_of, truncated_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.images.reader import Images


class RememberingEncoder:
    """An encoder that keeps the vectors of texts in memory: folds and draws of controls ask for the same texts again."""

    def __init__(self, encoder: ImageTextEncoder) -> None:
        self.inner = encoder
        self.identity = getattr(encoder, "identity", None)
        self.scale = scale_of(encoder)
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def truncated(self) -> int:
        """How many texts the encoder has cut."""
        return truncated_of(self.inner)

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """As the encoder does it."""
        return self.inner.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does it, new texts only."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self.inner.encode_texts(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self.inner.encode_texts([])
