"""Max-sensitivity (Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations").

    sensitivity = max over |u| <= radius of ‖Φ(x + u) - Φ(x)‖ / ‖Φ(x)‖

Lower is better. Dividing by ‖Φ(x)‖ is captum's. Φ explains images that are changed by uniform noise of at most `radius` per
value; captum's `sensitivity_max` draws the same noise. The changed images stay in 0..1, which captum does not care for. The
map of x is the one that is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric
from evals.faithfulness.settings import checked_number, checked_whole
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


_TOGETHER = 64  # changed images that are explained in one call


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    count = checked_whole("perturbations", settings["perturbations"], 1)
    radius = checked_number("radius", settings["radius"], 0)
    seed = checked_whole("seed", settings["seed"], 0)
    explain, images = answers.explain, [getattr(one, "image", None) for one in answers.maps]
    if explain is None or any(image is None for image in images):
        raise UsageError("max_sensitivity needs explain= and maps with images")
    jobs = [(row, sample) for row in range(len(images)) for sample in range(count)]
    worst = np.zeros(len(images))
    for start in range(0, len(jobs), _TOGETHER):
        some = jobs[start : start + _TOGETHER]
        noisy = [changed(np.asarray(images[row]), radius, (seed, sample)) for row, sample in some]
        explained = explain(noisy, [answers.maps[row].query for row, _ in some])
        for (row, _), other in zip(some, explained, strict=True):
            own = answers.maps[row].scores
            if other.scores.shape != own.shape:
                raise UsageError(f"explain returned a map of shape {other.scores.shape} for an image of {own.shape}")
            length = np.linalg.norm(own)
            distance = np.linalg.norm(other.scores - own) / length if length > 0 else np.nan
            worst[row] = np.maximum(worst[row], distance)
    return worst


def changed(image: NDArray[np.float32], radius: float, seed: tuple[int, ...]) -> NDArray[np.float32]:
    """An image with uniform noise of at most `radius` added, within 0..1."""
    noise = np.random.default_rng(seed).uniform(-radius, radius, image.shape)
    return np.clip(image + noise, 0.0, 1.0).astype(np.float32)


MAX_SENSITIVITY = Metric(
    "how much the map changes at most where the image changes imperceptibly (Yeh et al. 2019)",
    _measure,
    higher_is_better=False,
    settings={"perturbations": 10, "radius": 0.02, "seed": 0},
    inputs=("pixels",),
    needs=("explain",),
    scaled=False,
    undefined="all scores of the map are zero",
    bounds=(0, float("inf")),
)
