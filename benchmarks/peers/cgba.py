"""CGBA for L2, written anew after the paper.

Reza, Rahmati, Wu and Dai, "CGBA: Curvature-aware Geometric Black-box Attack", ICCV 2023, algorithms 1 and 2: noise added to the
image until the class flips, and bisected; then, step by step, the normal of the boundary is estimated from the answers at the
boundary point plus small noise in a low-frequency subspace of the cosine transform, and the next boundary point is looked for
on the semicircle over the line from the image to the boundary point, in the plane of that line and the normal. Step t has
`first` * sqrt(t) probes. The paper's subspace has a 16th of the dimensions (`reduction` 4) for images of 224 by 224; smaller
images may want another, so that the benchmark tries several and tells the best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import idctn

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TOLERANCE = 1e-3  # of a bisection, relative to its interval
STARTS = 20  # noises of growing strength that are tried as a start


def cgba(recorder: Recorder, seed: int, reduction: float = 4.0, sigma: float = 0.02, first: int = 30) -> None:
    """Spend the recorder's budget.

    Args:
        recorder: the image and its count.
        seed: of all chance.
        reduction: each side of the subspace has a side of the image divided by this many frequencies.
        sigma: Euclidean length of a probe, relative to the length of the present perturbation.
        first: probes of the first step.
    """
    rng = np.random.default_rng(seed)
    image = recorder.image.astype(np.float64)
    rows, columns = (max(1, int(np.ceil(side / reduction))) for side in image.shape[:2])

    def flips(images: Floats) -> NDArray[np.bool_]:
        winner = recorder(np.clip(images, 0, 1).astype(np.float32)).argmax(axis=1)
        return np.asarray(winner != recorder.label if recorder.target is None else winner == recorder.target)

    def noise(count: int) -> Floats:
        spectrum = np.zeros((count, *image.shape))
        spectrum[:, :rows, :columns] = rng.standard_normal((count, rows, columns, image.shape[2]))
        waves = np.asarray(idctn(spectrum, axes=(1, 2), norm="ortho"))
        return waves / np.sqrt((waves**2).sum(axis=(1, 2, 3), keepdims=True))

    try:
        boundary = _bisected(flips, image, _start(flips, image, rng))
        step = 0
        while True:
            step += 1
            length = float(np.linalg.norm(boundary - image))
            if length < 1e-6:
                return
            probes = noise(int(first * np.sqrt(step)))
            signs = np.where(flips(boundary + sigma * length * probes), 1.0, -1.0)
            if abs(signs.mean()) < 1:  # the variance is less without the mean, as in HopSkipJump
                signs -= signs.mean()
            normal = np.tensordot(signs, probes, axes=1)
            boundary = _on_semicircle(flips, image, boundary, normal)
    except BudgetSpent:
        return


def _start(flips: object, image: Floats, rng: np.random.Generator) -> Floats:
    for strength in np.linspace(0, 1, STARTS)[1:]:
        tried = np.clip((1 - strength) * image + strength * rng.random(image.shape), 0, 1)
        if flips(tried[None])[0]:  # type: ignore[operator]
            return np.asarray(tried)
    while True:
        tried = rng.random(image.shape)
        if flips(tried[None])[0]:  # type: ignore[operator]
            return np.asarray(tried)


def _bisected(flips: object, image: Floats, far: Floats) -> Floats:
    low, high = 0.0, 1.0
    while high - low > TOLERANCE:
        middle = (low + high) / 2
        if flips((image + middle * (far - image))[None])[0]:  # type: ignore[operator]
            high = middle
        else:
            low = middle
    return image + high * (far - image)


def _on_semicircle(flips: object, image: Floats, boundary: Floats, normal: Floats) -> Floats:
    """The boundary point on the semicircle over the line from the image to the boundary point, nearest to the image."""
    along = boundary - image
    length = float(np.linalg.norm(along))
    along = along / length
    across = normal - (normal * along).sum() * along
    across /= max(float(np.linalg.norm(across)), 1e-12)

    def at(angle: float) -> Floats:
        return np.asarray(image + length * np.cos(angle) * (np.cos(angle) * along + np.sin(angle) * across))

    low, high = 0.0, np.pi / 2
    best = boundary
    while high - low > TOLERANCE * np.pi / 2:
        middle = (low + high) / 2
        point = at(middle)
        if flips(point[None])[0]:  # type: ignore[operator]
            low, best = middle, point
        else:
            high = middle
    return np.asarray(np.clip(best, 0, 1))
