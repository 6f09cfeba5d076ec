"""A torch module as its users run it: images in, one row of scores per image out, in evaluation mode."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SCORES = "a proof needs scores as one tensor (N, K), for N images and K classes"


def plain_module(module: nn.Module) -> nn.Module:
    """The module that `torch.compile` was given, for one that it returned; else the module itself."""
    while isinstance(inner := getattr(module, "_orig_mod", None), nn.Module):
        module = inner
    return module


class RunningModule:
    """Calls a module on images; its mode and numbers stay as they are.

    A list or tuple stands for its first entry, as in `read_module`, and a dictionary for its only one. Where a module takes
    one image at a time alone, images are handed to it one by one.

    Args:
        module: it takes N x C x H x W.
        image_shape: (H, W, C), of the images that it is called on.

    Raises:
        UsageError: it can't be called on such an image, or returns other things than scores.
    """

    def __init__(self, module: nn.Module, image_shape: tuple[int, int, int]) -> None:
        self._module, self._shape = module, image_shape
        numbers = next((one for one in (*module.parameters(), *module.buffers()) if one.is_floating_point()), None)
        self._like = torch.zeros(()) if numbers is None else numbers
        example = np.zeros((2, *image_shape), dtype=np.float32)
        self._classes = self._called(example[:1]).shape[1]
        try:
            self._together = self._called(example).shape == (2, self._classes)
        except UsageError:
            self._together = False

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        """(N, H, W, C) -> (N, K) scores."""
        if self._together:
            return self._called(images)
        return np.concatenate([self._called(images[at : at + 1]) for at in range(len(images))])

    def _called(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        # a copy, as a module may change its input in place, and with the strides of an array that was never transposed, as
        # torch takes those of one channel for channels last, and gives them on to results, which then can't be viewed flat
        given = torch.from_numpy(np.array(images.transpose(0, 3, 1, 2), dtype=np.float32, order="C"))
        with _evaluating(self._module), torch.no_grad():
            try:
                result = self._module(given.to(device=self._like.device, dtype=self._like.dtype))
            except Exception as error:  # whatever the module's own code may raise
                raise UsageError(self._failed(error)) from error
        scores = self._scores(result)
        if scores.ndim == 0 or (len(scores) != len(images) and len(images) > 1):
            raise UsageError(
                f"the module {self._name} returns an array of shape {tuple(scores.shape)} for {len(images)} images; {SCORES}"
            )
        found = scores.detach().to("cpu")
        whole = found if found.dtype in {torch.float32, torch.float64} else found.float()
        return cast("NDArray[np.floating]", whole.reshape(len(images), -1).numpy())

    @property
    def _name(self) -> str:
        return type(self._module).__name__

    def _scores(self, result: Any) -> torch.Tensor:
        found = result
        while not isinstance(found, torch.Tensor):
            if isinstance(found, dict) and len(found) == 1:
                found = next(iter(found.values()))
            elif isinstance(found, list | tuple) and found:
                found = found[0]
            elif isinstance(found, dict):
                names = ", ".join(f"{name!r:.40}" for name in list(found)[:8])
                raise UsageError(f"the module {self._name} returns a dictionary of {names or 'nothing'}; {SCORES}")
            else:
                raise UsageError(f"the module {self._name} returns {type(found).__name__}; {SCORES}")
        return found

    def _failed(self, error: Exception) -> str:
        height, width, channels = self._shape
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        first = next((one for one in self._module.modules() if isinstance(one, nn.Conv2d)), None)
        why = f"the module {self._name} can't be run on an image of {height} x {width} pixels with "
        why += "1 channel" if channels == 1 else f"{channels} channels"
        if first is not None and first.in_channels != channels:
            why += f", as its first convolution takes {first.in_channels}"
        return f"{why}; give images (height, width, channels) of the size that it takes (it says: {said})"


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    training = [(one, one.training) for one in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for one, was in training:
            one.training = was
