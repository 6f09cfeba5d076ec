"""The Square attack for L2 and L-infinity, written anew after its paper, with a search over the radius.

Andriushchenko, Croce, Flammarion and Hein, "Square Attack: a query-efficient black-box adversarial attack via random search",
ECCV 2020, algorithms 1 to 3: a perturbation on the border of the ball; each query, a square of it is replaced (L-infinity:
each channel of the square is plus or minus the radius; L2: a bump of concentric squares of opposite halves takes the mass of
another square); kept if the margin falls. The side of the square follows the published steps, from a share of 0.05
(L-infinity) or 0.1 (L2) of the pixels.

The paper fixes the radius. Here it starts large and is doubled while nothing flips. At each success the perturbation is
shortened along its line by bisection, the radius falls a little below that, and the search goes on from the perturbation
found, brought to the new radius. The steps of the schedule follow the queries of the whole run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.margins import margins
from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = ((10, 1), (50, 2), (200, 4), (500, 8), (1000, 16), (2000, 32), (4000, 64), (6000, 128), (8000, 256))
LAST = 512
SHARES = {"linf": 0.05, "l2": 0.1}


@dataclass(frozen=True)
class Radii:
    """The constants of the search over the radius, chosen on images at even places.

    Attributes:
        first: the first radius in L-infinity; in L2, relative to the root of the number of values.
        fall: the share of the shortened length that is the next radius.
        halvings: queries of the bisection along the line.
        patience: share of the budget after which the radius is doubled, while nothing has flipped.
    """

    first: float = 0.1
    fall: float = 0.9
    halvings: int = 4
    patience: float = 0.1


def square(recorder: Recorder, seed: int, norm: str, setting: Radii = Radii()) -> None:
    """Spend the recorder's budget in a norm, "l2" or "linf"."""
    rng = np.random.default_rng(seed)
    image = recorder.image.astype(np.float64)
    root = np.sqrt(image.size) if norm == "l2" else 1.0
    radius, found, begun = setting.first * root, False, 0

    def at(change: Floats) -> Floats:
        return np.clip(image + change, 0, 1)

    def ask(tried: Floats) -> float:
        return float(margins(recorder, recorder(tried[None].astype(np.float32)))[0])

    make, step = (_bumps, _moved_bump) if norm == "l2" else (_stripes, _new_square)
    try:
        best = at(make(rng, image.shape, radius))
        margin = ask(best)
        while True:
            change = best - image
            if margin < 0:
                found = True
                share = _shortest(ask, image, change, setting.halvings)
                length = share * (np.linalg.norm(change) if norm == "l2" else np.abs(change).max())
                radius = setting.fall * float(length)
                if radius < 1e-6:
                    return
                best = at(_brought(change, radius, norm))
                margin = ask(best)
                continue
            if not found and recorder.queries - begun >= setting.patience * recorder.budget and radius < root:
                radius, begun = min(2 * radius, root), recorder.queries
                best = at(_brought(change, radius, norm))
                margin = ask(best)
                continue
            side = _side(recorder, image.shape, SHARES[norm], least=3 if norm == "l2" else 1)
            tried = at(step(rng, image, best, radius, side))
            value = ask(tried)
            if value < margin:
                best, margin = tried, value
    except BudgetSpent:
        return


def _side(recorder: Recorder, shape: tuple[int, ...], share: float, least: int) -> int:
    scaled = recorder.queries / recorder.budget * 10_000
    share /= next((by for until, by in STEPS if scaled <= until), LAST)
    side = max(round(np.sqrt(share * shape[0] * shape[1])), least)
    side += least == 3 and side % 2 == 0
    return int(min(side, max(1, min(shape[:2]) - 1)))


def _shortest(ask: object, image: Floats, change: Floats, halvings: int) -> float:
    low, high = 0.0, 1.0
    for _ in range(halvings):
        middle = (low + high) / 2
        if ask(image + middle * change) < 0:  # type: ignore[operator]
            high = middle
        else:
            low = middle
    return high


def _brought(change: Floats, radius: float, norm: str) -> Floats:
    """The perturbation with another radius: longer or shorter in L2, and of the same signs in L-infinity."""
    if norm == "l2":
        return change * (radius / max(float(np.linalg.norm(change)), 1e-12))
    return np.clip(change * 1e9, -radius, radius)


def _stripes(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> Floats:
    return np.broadcast_to(rng.choice([-radius, radius], size=(1, shape[1], shape[2])), shape).copy()


def _new_square(rng: np.random.Generator, image: Floats, best: Floats, radius: float, side: int) -> Floats:
    change = best - image
    row, column = (rng.integers(0, max(1, size - side + 1)) for size in image.shape[:2])
    window = np.s_[row : row + side, column : column + side]
    for _ in range(20):  # a square that changes nothing is drawn again, as in the authors' code
        change[window] = rng.choice([-radius, radius], size=(1, 1, image.shape[2]))
        if np.abs(np.clip(image[window] + change[window], 0, 1) - best[window]).max() > 1e-7:
            break
    return change


def _concentric(rows: int, columns: int) -> Floats:
    """A bump of squares about the middle, the n-th with 1 / n squared."""
    bump = np.zeros((rows, columns))
    top, left = rows // 2, columns // 2
    for number in range(max(rows, columns) // 2 + 1):
        across = np.s_[max(top - number, 0) : top + number + 1, max(left - number, 0) : left + number + 1]
        bump[across] += 1 / (number + 1) ** 2
    return bump


def _bump(rng: np.random.Generator, side: int) -> Floats:
    bump = np.zeros((side, side))
    if side < 2:
        return np.ones((side, side))
    half = side // 2
    bump[:half] = _concentric(half, side)
    bump[half:] = -_concentric(side - half, side)
    bump /= np.linalg.norm(bump)
    return bump.T if rng.random() > 0.5 else bump


def _bumps(rng: np.random.Generator, shape: tuple[int, ...], radius: float) -> Floats:
    change = np.zeros(shape)
    side = max(1, min(shape[:2]) // 5)
    for row in range((shape[0] % side) // 2, shape[0] - side + 1, side):
        for column in range((shape[1] % side) // 2, shape[1] - side + 1, side):
            signs = rng.choice([-1.0, 1.0], size=(1, 1, shape[2]))
            change[row : row + side, column : column + side] += _bump(rng, side)[..., None] * signs
    return change * (radius / np.linalg.norm(change))


def _moved_bump(rng: np.random.Generator, image: Floats, best: Floats, radius: float, side: int) -> Floats:
    """One square takes a new bump, with its own mass, that of a second square, and what clipping has left over."""
    change = best - image
    places = [[int(rng.integers(0, max(1, size - side + 1))) for size in image.shape[:2]] for _ in range(2)]
    first, second = (np.s_[row : row + side, column : column + side] for row, column in places)
    both = np.zeros(image.shape[:2], dtype=bool)
    both[first] = both[second] = True
    room = max(radius**2 - float((change**2).sum()), 0.0) / image.shape[2]
    mass = np.sqrt(room + (change[both] ** 2).sum(axis=0))
    old = change[first]
    bump = _bump(rng, side)[..., None] * rng.choice([-1.0, 1.0], size=(1, 1, image.shape[2]))
    new = bump[: old.shape[0], : old.shape[1]] + old / (1e-10 + np.sqrt((old**2).sum(axis=(0, 1))))
    new *= mass / np.maximum(np.sqrt((new**2).sum(axis=(0, 1))), 1e-12)
    change[second] = 0
    change[first] = new
    return change * (radius / max(float(np.linalg.norm(change)), 1e-12))
