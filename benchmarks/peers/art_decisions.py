"""Decision-based attacks of the Adversarial Robustness Toolbox, where it is installed (it is no dependency).

`pip install --no-deps --target DIR adversarial-robustness-toolbox six`, and DIR on the PYTHONPATH, is enough for these, and
leaves the environment as it is. Measured with version 1.20.1, with its standard settings. Its GeoDA is not among them: it calls
`numpy.mat`, which NumPy 2 does not have.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("HopSkipJump", "BoundaryAttack", "SignOPT")
STARTS = 100  # images of noise that are tried as a start, as in the toolbox


def run(recorder: Recorder, seed: int, kind: str) -> None:
    """Spend the recorder's budget on the attack of that name, untargeted and in L2."""
    from art.attacks.evasion import BoundaryAttack, HopSkipJump, SignOPTAttack
    from art.estimators.classification import BlackBoxClassifier

    np.random.seed(seed)  # noqa: NPY002 - the toolbox draws from it
    classes = recorder.predict(recorder.image[None]).shape[1]

    def decide(images: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(recorder(np.clip(images, 0, 1).astype(np.float32)))

    classifier = BlackBoxClassifier(decide, recorder.image.shape, classes, clip_values=(0.0, 1.0))
    image, label = recorder.image[None].astype(np.float32), np.array([recorder.label])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "SignOPT":
                SignOPTAttack(classifier, targeted=False, verbose=False).generate(image, label)
                return
            start = _start(recorder, seed)
            attack = HopSkipJump if kind == "HopSkipJump" else BoundaryAttack
            attack(classifier, targeted=False, verbose=False).generate(image, label, x_adv_init=start)
    except BudgetSpent:
        return


def _start(recorder: Recorder, seed: int) -> NDArray[np.float32] | None:
    """Noise that flips: these two attacks draw their own from a generator that cannot be seeded."""
    rng = np.random.default_rng(seed)
    for _ in range(STARTS):
        noise = rng.random((1, *recorder.image.shape)).astype(np.float32)
        if recorder(noise).argmax() != recorder.label:
            return noise
    return None
