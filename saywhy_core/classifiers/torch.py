"""A torch module as a target: `torch:FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import ANY_SHAPE
from saywhy_core.classifiers.identity import check_model_file, file_identity
from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.errors import UsageError
from saywhy_core.trust import require_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.layout import Axes, Numbers

    Images: TypeAlias = NDArray[np.float32]


class TorchClassifier(CallableClassifier):
    """A torch module as a black box. No gradients are computed.

    Args:
        module: a module, or any function of a float32 tensor, that returns (N, K) scores. A module is put into evaluation
            mode and moved to the device.
        scores: "logits" or "probabilities".
        class_names: one name per class.
        layout: "nchw", which is usual in torch, or "nhwc".
        value_range: the module's values for black and white.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        device: where the module runs; None for the GPU where there is one.
        batch_size: the largest number of images per call of the module.
        image_shape: (height, width, channels) that the module takes, None for each number that is unknown or free.
        identity: a text that changes whenever the answers may change, for caches.

    Raises:
        UsageError: an argument is wrong.
    """

    def __init__(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        *,
        scores: Scores = "logits",
        class_names: Sequence[str] | None = None,
        layout: Axes = "nchw",
        value_range: Sequence[float] = (0.0, 1.0),
        mean: Numbers | None = None,
        std: Numbers | None = None,
        device: str | None = None,
        batch_size: int | None = None,
        image_shape: Sequence[int | None] | None = None,
        identity: str | None = None,
    ) -> None:
        import torch

        prepare = InputLayout(layout, value_range, mean, std)
        try:
            place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except (RuntimeError, TypeError) as error:
            raise UsageError(f"there is no device {device!r}: {str(error).splitlines()[0][:160]}") from None
        if isinstance(module, torch.nn.Module):
            network: torch.nn.Module = module
            network.to(place)
            if not isinstance(network, torch.fx.GraphModule):  # an exported program was fixed in one mode when it was saved
                network.eval()

        def predict(images: Images) -> NDArray[np.floating]:
            with torch.inference_mode():
                answer = module(torch.from_numpy(prepare(images)).to(place))
            return np.asarray(answer.float().cpu().numpy())

        super().__init__(
            predict, scores, class_names, batch_size=batch_size, image_shape=image_shape or ANY_SHAPE, identity=identity
        )
        self.module = module


def load(
    path: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    layout: Axes = "nchw",
    value_range: Sequence[float] = (0.0, 1.0),
    mean: Numbers | None = None,
    std: Numbers | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    image_shape: Sequence[int | None] | None = None,
    trust: bool = False,
) -> TorchClassifier:
    """A classifier from a program of `torch.export` (`.pt2`), or from a TorchScript file.

    Programs are read by `saywhy_core.classifiers.exported`, which runs nothing of the file. TorchScript is code, and needs
    `trust`. Pickled modules and state dictionaries are refused: pickles can run code, and state dictionaries hold no
    network.

    Args:
        path: the file.
        class_names: one name per class.
        scores: "logits" or "probabilities". Required: the file doesn't say.
        layout: "nchw", which is usual in torch, or "nhwc".
        value_range: the network's values for black and white.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        device: where the network runs; None for the GPU where there is one.
        batch_size: the largest number of images per call of the network.
        image_shape: (height, width, channels) that the network takes, None for each number that is unknown or free.
        trust: whether TorchScript may run, which is a program.

    Raises:
        TrustError: the file is TorchScript, and `trust` is false.
        UsageError: the file is missing or of another kind, `scores` is missing, or an option has a wrong value.
    """
    check_model_file(path)
    if scores is None:
        raise UsageError(f"{path} doesn't say what its scores are; give scores='logits' or scores='probabilities'")
    from saywhy_core.classifiers.exported.read import is_exported, read_exported

    module = read_exported(path) if is_exported(path) or Path(path).suffix == ".pt2" else _script(path, trust=trust)
    return TorchClassifier(
        module, scores=scores, class_names=class_names, layout=layout, value_range=value_range, mean=mean, std=std,
        device=device, batch_size=batch_size, image_shape=image_shape,
        identity=file_identity("torch", path, scores, InputLayout(layout, value_range, mean, std).key),
    )  # fmt: skip


def _script(path: str, *, trust: bool) -> Any:
    """The module in a TorchScript file."""
    with Path(path).open("rb") as stream:
        if stream.read(2) != b"PK":  # whatever it is, it is no TorchScript, and trust would change nothing
            raise UsageError(
                f"{path} is neither an exported program nor TorchScript; save the network with torch.export.save as a .pt2 file"
            )
    require_trust(
        f"torch:{path} runs the program in a TorchScript file", trust=trust,
        instead="or have the network saved with torch.export.save as a .pt2 file, which needs no trust",
    )  # fmt: skip
    import torch

    try:
        return torch.jit.load(path, map_location="cpu")
    except Exception as error:  # noqa: BLE001 - torch raises almost anything on damaged bytes
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise UsageError(
            f"{path} is neither TorchScript nor an exported program ({why}); save the network with torch.export.save"
        ) from None
