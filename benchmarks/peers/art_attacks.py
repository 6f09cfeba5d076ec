"""Score-based attacks of the Adversarial Robustness Toolbox, where it is installed (it is no dependency).

`pip install --no-deps adversarial-robustness-toolbox six cma` is enough for these.
"""

from __future__ import annotations

import warnings

import numpy as np

from benchmarks.peers.recorder import BudgetSpent, Recorder


def available() -> bool:
    """Whether the toolbox can be imported."""
    try:
        import art  # noqa: F401
    except ImportError:
        return False
    return True


def _classifier(recorder: Recorder, scale: float) -> object:
    import torch
    from art.estimators.classification import PyTorchClassifier

    class Asking(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            array = np.clip(images.detach().permute(0, 2, 3, 1).numpy() / scale, 0, 1).astype(np.float32)
            scores = np.asarray(recorder(array), dtype=np.float32)
            return torch.softmax(torch.from_numpy(scores), dim=1)

    height, width, channels = recorder.image.shape
    return PyTorchClassifier(
        Asking(), loss=None, input_shape=(channels, height, width), nb_classes=recorder.predict(recorder.image[None]).shape[1],
        clip_values=(0, scale), channels_first=True, device_type="cpu",
    )  # fmt: skip


def run(recorder: Recorder, seed: int, name: str) -> None:
    """Run "pixel" (Su et al. 2019 with a search over the number of pixels), "simba" or "square" (both in L2)."""
    from art.attacks.evasion import PixelAttack, SimBA, SquareAttack

    np.random.seed(seed)  # noqa: NPY002 - the toolbox draws from it
    classes = recorder.predict(recorder.image[None]).shape[1]
    scale = 255.0 if name == "pixel" else 1.0
    classifier = _classifier(recorder, scale)
    label = np.eye(classes, dtype=np.float32)[[recorder.label if recorder.target is None else recorder.target]]
    image = (recorder.image.transpose(2, 0, 1)[None] * scale).astype(np.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name == "pixel":
                PixelAttack(classifier, th=None, es=1, max_iter=20, targeted=recorder.target is not None).generate(image, label)
            elif name == "simba":
                SimBA(
                    classifier,
                    attack="dct",
                    epsilon=0.2,
                    max_iter=recorder.budget,
                    targeted=recorder.target is not None,
                    verbose=False,
                ).generate(image, label)
            else:
                for eps in (4.0, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25):  # Square fixes its radius: a falling row of them
                    SquareAttack(classifier, norm=2, eps=eps, max_iter=recorder.budget // 8, verbose=False).generate(
                        image, label
                    )
    except BudgetSpent:
        return
