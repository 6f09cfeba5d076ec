"""The network that computes a classifier's scores, for those who need to look into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from saywhy_core.classifiers.classifier import Classifier
    from saywhy_core.classifiers.layout import InputLayout

READABLE = "an ONNX file (onnx:FILE), a torch module (torch:FILE.pt2, TorchClassifier) or demo:signs"
_DECIDE = ("logits", "probabilities")  # the greatest score of the network is the decision


@dataclass(frozen=True, eq=False)
class ScoreNetwork:
    """What computes the scores of a classifier.

    Attributes:
        network: the path of an ONNX file, or a torch module. It takes images in [0, 1], channels first or last.
        unlike: why it does not compute the scores of such an image, in words; "" where it does.
    """

    network: Any
    unlike: str = ""


def score_network(classifier: Classifier) -> Any:
    """The network whose greatest score is the decision about an image in [0, 1]: the path of an ONNX file, or a torch module.

    Args:
        classifier: a classifier, see `load_classifier`.

    Raises:
        UsageError: it has none that can be looked into, or something else lies between the image, it and the decision.
    """
    known: ScoreNetwork | None = getattr(classifier, "network", None)
    if known is None:
        raise UsageError(f"the network of this target can't be looked into; give {READABLE}")
    if classifier.scores not in _DECIDE:
        raise UsageError(
            f"with scores={classifier.scores} the network's greatest score is not what decides; give a network of "
            f"{' or '.join(_DECIDE)}"
        )
    if known.unlike:
        raise UsageError(known.unlike)
    return known.network


def changed_before(prepare: InputLayout) -> tuple[str, ...]:
    """The options of a target by which the values of an image are changed before the network."""
    usual = (
        ("value_range", tuple(prepare.value_range) == (0, 1)),
        ("mean", prepare.mean is None),
        ("std", prepare.std is None),
        ("channels", prepare.channels == "rgb"),
    )
    return tuple(name for name, unchanged in usual if not unchanged)


def of_file(path: str, prepare: InputLayout, dtype: str) -> ScoreNetwork:
    """The network in an ONNX file that takes values of a type, such as "tensor(float)"."""
    changed = changed_before(prepare)
    unlike = ""
    if changed:
        named = " and ".join(changed)
        unlike = (
            f"{path}: the {'option' if len(changed) == 1 else 'options'} {named} would change the image before the file; save "
            "a file that does this itself, as its first step"
        )
    elif dtype not in ("tensor(float)", "tensor(double)"):
        unlike = f"{path} takes {dtype}, and only networks of 32-bit numbers can be looked into"
    return ScoreNetwork(path, unlike)


def of_module(module: Any, prepare: InputLayout) -> ScoreNetwork:
    """The network that a torch module is; `mean`, `std` and `value_range` become its first step."""
    import torch

    changed = changed_before(prepare)
    if isinstance(module, torch.jit.ScriptModule):
        return ScoreNetwork(module, "TorchScript can't be looked into; save the network with torch.export.save as a .pt2 file")
    if "channels" in changed:
        return ScoreNetwork(module, "the option channels=bgr turns the colours before the network; save one that takes rgb")
    if not changed:
        return ScoreNetwork(module)
    if prepare.axes == "nhwc":
        return ScoreNetwork(module, f"with layout=nhwc, the option {changed[0]} can't be made a part of the network")
    import numpy as np

    def column(values: Any) -> torch.Tensor:
        return torch.as_tensor(np.atleast_1d(np.asarray(values, np.float32))).reshape(1, -1, 1, 1)

    class Prepared(torch.nn.Module):  # type: ignore[misc]  # torch's types are not followed
        """The module behind the changes of its images' values."""

        def __init__(self) -> None:
            super().__init__()
            low, high = prepare.value_range
            self.inner = module
            self.register_buffer("scale", column(high - low))
            self.register_buffer("mean", column(0.0 if prepare.mean is None else prepare.mean) - column(low))
            self.register_buffer("std", column(1.0 if prepare.std is None else prepare.std))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.inner((images * self.scale - self.mean) / self.std)
            return scores

    return ScoreNetwork(Prepared().eval())
