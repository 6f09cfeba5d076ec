"""Images whose pixels are hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.masking.fills import IMAGE_FILLS, filled
from verbalize.models.image_models import ImageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from verbalize.models.image_models import BlackBoxImages
    from verbalize.saliency import Floats


class MaskedImages:
    """Runs an image model on images, all of one shape H×W×C, in which pixels are hidden.

    Args:
        model: the model.
        images: N images, each H×W×C.

    Raises:
        UsageError: there are no images, an image can't be read, or their shapes differ.
    """

    fills: tuple[str, ...] = IMAGE_FILLS

    def __init__(self, model: ImageModel | BlackBoxImages, images: Sequence[ArrayLike]) -> None:
        pixels = [np.asarray(read_image(image)) for image in images]
        if not pixels or any(image.shape != pixels[0].shape for image in pixels):
            raise UsageError("give one image or more, all of one height, width and number of channels")
        device = model.device if isinstance(model, ImageModel) else torch.device("cpu")
        self._model = model
        self._images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous().to(device)
        self._filled: dict[str, torch.Tensor] = {}
        self.parts = (pixels[0].shape[0] * pixels[0].shape[1],) * len(pixels)
        if not model.class_names:  # those of a bare module are known from its first answer on
            with torch.no_grad():
                model.logits(self._images[:1])
        self.class_names = model.class_names

    def __call__(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str) -> Floats:
        """(B, K) logits of the images `rows`, in which the pixels `kept` (B, H·W) stay."""
        if fill not in self._filled:
            self._filled[fill] = filled(self._images, fill)
        which = torch.from_numpy(rows).to(self._images.device)
        mask = torch.from_numpy(kept).to(self._images.device).reshape(len(rows), 1, *self._images.shape[2:])
        with torch.no_grad():
            found = self._model.logits(torch.where(mask, self._images[which], self._filled[fill][which]))
        answers: Floats = found.cpu().double().numpy()
        return answers

    def contents(self, rows: NDArray[np.intp], kept: NDArray[np.bool_], fill: str) -> None:
        """Nothing: to compare the pixels of masked images would cost more than it saves."""
        del rows, kept, fill
