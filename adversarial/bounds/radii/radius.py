"""A radius free of adversarial examples, by a Lipschitz constant: what holds for the images that no search looked at.

**Theorem** (Wicker, Huang and Kwiatkowska 2018; Wu et al. 2020, section 4). Let m(x) be the gap between the
label's score and the best other score (for a target: between the best other score and the target's). Let L be such that
|m(x) - m(y)| ≤ L ‖x - y‖ for all images x, y that differ from the original in the chosen pixels only. Lay a grid of step τ
through the original along those pixels. Each image y lies in the cell of a grid image z, at most half a step from it in
each coordinate, so that ‖y - z‖ ≤ h(z). If m(z) > L h(z), then m(y) ≥ m(z) - L h(z) > 0: no image in the cell of z is
adversarial.

It follows that an adversarial example can only lie in a cell with m(z) ≤ L h(z), and that no adversarial example is nearer
to the original than the nearest point of the nearest such cell. That distance is the radius. Moreover, none is nearer than
m(original) / L, by the definition of L.

In L0 the radius is a number of pixels. An image that differs from the original in k pixels differs from its grid image in
those k only, so that h grows with k; L is still a constant in L1, L2 or L-infinity, since a pixel counts as a whole in L0
however little it changes.

Departures from the papers: they ask every grid image of a ball for the gap that the largest h demands and answer yes or no
for the ball; here every cell is judged by its own h (cells at the border of [0, 1] are smaller), and the answer is the
largest radius. Rounding errors inside the classifier are not accounted for.

Where the network itself is there, `adversarial.fewest_pixels` bounds the number of pixels over all of the image, without a
constant and with rounding accounted for; `adversarial.bounds.larger_lower_bound` says which of both is better in L0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.bounds.numbers import counted
from adversarial.bounds.radii.grid import Axis, Grid, make_axis, norm_of
from adversarial.bounds.radii.judge import Judge
from adversarial.bounds.radii.lipschitz import LipschitzConstant
from adversarial.bounds.radii.probe import Evaluator, check_classes, check_options, checked_image, read_pixels
from adversarial.bounds.radii.verdict import Bound
from adversarial.distances.distance import DISTANCES
from adversarial.margins import margin
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]

MOST_IMAGES = 200_000  # a grid of more images takes hours with a usual network; it must be asked for


def grid_bound(
    classifier: Predict,
    image: ArrayLike,
    pixels: Sequence[tuple[int, int]] | NDArray[np.bool_],
    *,
    tau: float,
    norm: str = "linf",
    lipschitz: LipschitzConstant | float | None = None,
    label: int | None = None,
    target: int | None = None,
    radius: float | None = None,
    adversarial: ArrayLike | None = None,
    batch_size: int = 256,
    max_images: int = MOST_IMAGES,
    partial: bool = False,
) -> Bound:
    """Evaluate the τ-grid over chosen pixels and say which radius is free of adversarial examples.

    The theorem is stated at the head of this module.

    Args:
        classifier: (N, H, W, C) float32 -> (N, K) scores.
        image: (H, W, C) in [0, 1].
        pixels: (y, x) each, or an (H, W) mask. The grid grows exponentially with their number.
        tau: the step of the grid in each coordinate, in (0, 1].
        norm: the distance in which the radius is measured: "l0", or one that is a p-norm ("l1", "l2", "linf").
        lipschitz: the constant; a plain number counts as known, not estimated. Without it, the result says up to which
            constant the grid would be enough.
        label: the class of the image; None for the predicted one.
        target: an image is adversarial where it is classified as the target; without a target, where it is classified as
            anything but `label`.
        radius: how far the grid goes; None for the whole of [0, 1]. A number of pixels in L0.
        adversarial: an example that an attack found, (H, W, C). One query is spent on checking it.
        batch_size: images per call of the classifier.
        max_images: the most grid images to evaluate.
        partial: evaluate as far as `max_images` allows, rather than raise an error; the result says how far.

    Raises:
        UsageError: the grid is too large, or an argument is out of range.
    """
    original = checked_image(image)
    places = read_pixels(pixels, original.shape)
    check_options(tau, norm, radius, batch_size)
    if max_images < 1:
        raise UsageError(f"max_images must be at least 1, not {max_images}")
    constant = LipschitzConstant(float(lipschitz)) if isinstance(lipschitz, int | float) else lipschitz
    constant_norm = (constant.norm if constant else None) or ("linf" if norm == "l0" else norm)
    wanted = math.inf if radius is None else float(radius)
    grid = _grid(original, places, tau, norm, wanted)
    if grid.size > max_images:
        if not partial:
            raise UsageError(
                f"the grid over {counted(len(places), 'pixel')} with {original.shape[2]} channels holds {grid.size:.4g} "
                f"images, more than {max_images}; choose fewer pixels, a larger tau, a smaller radius, or partial=True"
            )
        grid = _shrunk(original, places, tau, norm, wanted, max_images)
    evaluate = Evaluator(classifier, original, places, batch_size)
    scores = evaluate.images(original[None])
    own = int(scores[0].argmax()) if label is None else label
    check_classes(own, target, scores.shape[1])
    start = float(margin(scores, own, target)[0])
    judge = Judge(norm, constant, constant_norm, start, grid, original, places, tau)
    if start > 0:
        for cells in grid.cells():
            judge.add(cells, margin(evaluate.values(cells.values), own, target), evaluate.scale)
    lower, upper, example = judge.radius(), judge.upper, judge.example
    beyond = None
    if adversarial is not None and start > 0:
        given = checked_image(adversarial)
        if given.shape != original.shape:
            raise UsageError(f"the adversarial example has shape {given.shape}, the image {original.shape}")
        gap = float(margin(evaluate.images(given[None]), own, target)[0])
        if gap >= 0:
            raise UsageError("the adversarial example given is none: the classifier does not flip on it")
        difference = (given - original).astype(np.float64)
        distance = float(DISTANCES.get(norm).measure(difference[None])[0])
        outside = (difference != 0).any(axis=2)
        outside[places[:, 0], places[:, 1]] = False
        if outside.any():
            beyond = distance
        else:
            judge.see(np.array([gap]), norm_of(difference[None], constant_norm), evaluate.scale)
            lower = judge.radius()
            if distance < upper:
                upper, example = distance, given
    free_if, largest_constant = judge.best_pair()
    return Bound(
        radius=lower if constant is not None and judge.refuted is None else 0.0,
        upper=upper,
        norm=norm,
        constant=constant,
        constant_norm=constant_norm,
        largest_constant=largest_constant,
        free_if=free_if,
        searched=grid.radius,
        exhaustive=grid.radius >= wanted,
        refuted=judge.refuted,
        evaluations=evaluate.count,
        margin=start,
        tau=tau,
        pixels=tuple((int(y), int(x)) for y, x in places),
        label=own,
        target=target,
        example=example,
        beyond=beyond,
    )


def _grid(original: NDArray[np.float32], places: NDArray[np.int64], tau: float, norm: str, radius: float) -> Grid:
    reach = math.inf if norm == "l0" else radius
    axes: tuple[tuple[Axis, ...], ...] = tuple(
        tuple(make_axis(float(value), tau, reach) for value in original[y, x]) for y, x in places
    )
    return Grid(axes, norm, radius)


def _shrunk(original: NDArray[np.float32], places: NDArray[np.int64], tau: float, norm: str, wanted: float, most: int) -> Grid:
    """The largest grid that fits: in L0 with fewer pixels at once, else with a smaller radius, in half steps."""
    if norm == "l0":
        radii = [float(k) for k in range(int(min(wanted, len(places))), -1, -1)]
    else:
        radii = [tau * k / 2 for k in range(math.ceil(2 / tau), 0, -1) if tau * k / 2 < wanted]
    grids = (_grid(original, places, tau, norm, radius) for radius in radii)
    return next(grid for grid in grids if grid.size <= most)  # the last of them holds the original alone
