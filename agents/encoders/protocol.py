"""What every image-text encoder can do, and what is taken of one that does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.images import Images


@runtime_checkable
class ImageTextEncoder(Protocol):
    """Puts images and texts into one space, where the cosine says how well they fit.

    Encoders of this package also have `identity` (names the weights; None where the object cannot know), `scale`
    (logits are `scale` times cosines) and `truncated` (texts cut so far); an encoder without them works all the same.
    """

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """Encode an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths, to N×D rows of length 1."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1."""
        ...


def scale_of(encoder: object) -> float:
    """What the encoder multiplies cosines with to get logits; 100, CLIP's value, where it does not say."""
    return float(getattr(encoder, "scale", 100.0))


def truncated_of(encoder: object) -> int:
    """How many texts the encoder has cut so far; 0 where it does not count."""
    return int(getattr(encoder, "truncated", 0))
