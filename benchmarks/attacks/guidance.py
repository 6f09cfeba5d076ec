"""What guidance brings in L0: the mixture against a uniform density, and what earlier images taught against nothing."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import CallableClassifier, FeatureGuidedAttack
from benchmarks.attacks.contenders import OURS
from benchmarks.attacks.keeping import state
from benchmarks.attacks.networks import Set, read

if TYPE_CHECKING:
    import argparse

    from numpy.typing import NDArray

    from benchmarks.attacks.keeping import Kept

BUDGETS = (100, 300, 1000)
HARD = 0.25  # of the images: those with the most queries to the first flip, or the largest changes, in the mean of both ways
WAYS: dict[str, dict[str, Any]] = {
    "mixture": {"density": "sift"},
    "uniform": {"density": "uniform"},
    "learned": {"learn": True},
}
PAIRS = (("mixture", "uniform"), ("learned", "mixture"))  # the standard search has the mixture and learns nothing
DRAWS = 5000


def show(chosen: argparse.Namespace, kept: Kept) -> None:
    """Print differences with 95 % intervals over images, after means over seeds, for each network."""
    known = {one.name for one in fields(FeatureGuidedAttack)}
    ways = {name: options for name, options in WAYS.items() if set(options) <= known}
    halves = ("even", "odd") if chosen.half == "both" else (chosen.half,)
    for network in chosen.networks:
        for half in halves:
            data = read(chosen.data, network).half(half).first(chosen.images)
            if not len(data.labels):
                continue
            for budget in BUDGETS:
                counts = f"{len(data.labels)} images, {len(chosen.seeds)} seeds, {budget} queries"
                print(f"\nguidance, {network}, {half} positions: {counts}")
                found = {name: _measured(kept, data, name, options, budget, chosen.seeds) for name, options in ways.items()}
                for one, other in PAIRS:
                    if one in found and other in found:
                        _difference(one, other, found[one], found[other], data)


def _measured(kept: Kept, data: Set, name: str, options: dict[str, Any], budget: int, seeds: list[int]) -> NDArray[np.float64]:
    """(seeds, images, 2) queries to the first flip and distance; both infinite where nothing flips.

    A run that learns goes over all its images, in their order, so that it is kept only as a whole.
    """
    found = np.zeros((len(seeds), len(data.labels), 2))
    for place, seed in enumerate(seeds):
        keys = [
            ("guidance", data.name, f"{name} of {len(data.labels)}", seed, int(position), budget) for position in data.positions
        ]
        if not all(key in kept.rows for key in keys):
            attack = FeatureGuidedAttack(budget=budget, seed=seed, **options)
            results = attack.run(CallableClassifier(data.predict), data.images, data.labels)
            kept.add(
                dict(zip(("part", "network", "attack", "seed", "position", "budget"), key, strict=True))
                | {
                    "distance": result.distance if math.isfinite(result.distance) else None,
                    "first": float(result.trace[0, 0]) if len(result.trace) else None,
                    "queries": result.queries, "survives": None, "code": state(OURS),
                }
                for key, result in zip(keys, results, strict=True)
            )  # fmt: skip
        for image, key in enumerate(keys):
            row = kept.rows[key]
            found[place, image] = [math.inf if row[what] is None else row[what] for what in ("first", "distance")]
    return found


def _difference(one: str, other: str, first: NDArray[np.float64], second: NDArray[np.float64], data: Set) -> None:
    """No image is left out: a failure counts as the latest first flip of either way, and as all pixels.

    The hard images are chosen by what both ways found together: chosen by one of them, the other would seem better by chance.
    """
    rng = np.random.default_rng(0)
    flipped = [f"{name} {np.isfinite(values[..., 1]).mean():.3f}" for name, values in ((one, first), (other, second))]
    print(f"  share of images flipped: {', '.join(flipped)}")
    for what, column, most in (("queries to the first flip", 0, None), ("L0", 1, data.images[0].size // data.images.shape[-1])):
        pair = np.stack([first[..., column], second[..., column]])
        ceiling = most if most is not None else np.max(pair[np.isfinite(pair)], initial=1.0)
        means = np.minimum(pair, ceiling).mean(axis=1)  # over seeds
        differences = means[0] - means[1]
        hardest = np.argsort(-means.mean(axis=0), kind="stable")[: max(2, round(HARD * len(differences)))]
        for which, some in (("", np.arange(len(differences))), (f", the {len(hardest)} hardest images", hardest)):
            draws = rng.choice(differences[some], (DRAWS, len(some))).mean(axis=1)
            low, high = np.percentile(draws, (2.5, 97.5))
            print(
                f"  {what}{which}: {one} {means[0, some].mean():.1f}, {other} {means[1, some].mean():.1f}; difference "
                f"{differences[some].mean():+.2f}, 95 % interval {low:+.2f} to {high:+.2f} (paired bootstrap over images)",
                flush=True,
            )
