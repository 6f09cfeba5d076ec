"""What every image-text encoder can do, and the values assumed for encoders that do not state theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.images.reader import Images


@runtime_checkable
class ImageTextEncoder(Protocol):
    """Maps images and texts to vectors in one space, in which the cosine measures how well they fit.

    Encoders of this package also have `identity` (a text that changes with the weights; None where it is unknown), `scale`
    (the factor from cosines to logits) and `truncated` (how many texts were cut so far). An encoder works without them.
    """

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """Encode an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths, to N×D rows of length 1."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1."""
        ...


def scale_of(encoder: object) -> float:
    """The factor from the encoder's cosines to logits; 100, which is CLIP's, where the encoder does not state one."""
    return float(getattr(encoder, "scale", 100.0))


def truncated_of(encoder: object) -> int:
    """How many texts the encoder has cut so far because they were too long; 0 where it does not count them."""
    return int(getattr(encoder, "truncated", 0))
