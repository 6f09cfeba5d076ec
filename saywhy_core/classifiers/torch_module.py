"""A torch module as a target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from saywhy_core.classifiers.classifier import CallableClassifier, Scores
from saywhy_core.classifiers.layout import Axes, InputLayout, Numbers
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]


class TorchClassifier(CallableClassifier):
    """A module (or any function of tensors) that returns (N, K) scores, as a black box. Gradients are never taken.

    Args:
        module: called with a float32 tensor. A module is put into evaluation mode and moved to the device.
        scores: "logits" or "probabilities".
        class_names: one name a class.
        layout: "nchw", torch's usual one, or "nhwc".
        value_range: the values that stand for black and white.
        mean: taken off each channel after the range.
        std: divided by after that.
        device: where it runs; None for the GPU where there is one.
        batch_size: the most images it takes at once.
    """

    def __init__(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        *,
        scores: Scores = "logits",
        class_names: Sequence[str] | None = None,
        layout: Axes = "nchw",
        value_range: tuple[float, float] = (0.0, 1.0),
        mean: Numbers | None = None,
        std: Numbers | None = None,
        device: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        prepare = InputLayout(layout, value_range, mean, std)
        place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if isinstance(module, torch.nn.Module):
            network: torch.nn.Module = module
            network.to(place)
            if not isinstance(network, torch.fx.GraphModule):  # an exported program is what it is, and has no modes
                network.eval()

        def predict(images: Images) -> NDArray[np.floating]:
            with torch.inference_mode():
                answer = module(torch.from_numpy(prepare(images)).to(place))
            return np.asarray(answer.float().cpu().numpy())

        super().__init__(predict, scores, class_names, batch_size=batch_size)
        self.module = module


def load(
    path: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    layout: Axes = "nchw",
    value_range: tuple[float, float] = (0.0, 1.0),
    mean: Numbers | None = None,
    std: Numbers | None = None,
    device: str | None = None,
) -> TorchClassifier:
    """A classifier from a TorchScript file, or from a program of `torch.export` (`.pt2`).

    Pickled modules and state dicts are refused: the first can run code, the second hold no network.

    Raises:
        UsageError: the file is missing or of another kind, or `scores` is missing.
    """
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}")
    if scores is None:
        raise UsageError(f"{path} doesn't say what its scores are; give scores='logits' or scores='probabilities'")
    try:
        if Path(path).suffix == ".pt2":
            module = torch.export.load(path).module()
        else:
            module = torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise UsageError(
            f"{path} is neither TorchScript nor an exported program ({why}); "
            "save the model with torch.jit.save or torch.export.save"
        ) from None
    return TorchClassifier(
        module, scores=scores, class_names=class_names, layout=layout, value_range=value_range, mean=mean, std=std,
        device=device,
    )  # fmt: skip
