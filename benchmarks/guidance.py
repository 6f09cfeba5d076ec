"""Tests whether the mixture can guide the search in L2 (or L1, L-infinity): the same search with and without it.

Run: python benchmarks/guidance.py [--data DIR] [--count 12] [--distance l2] [--queries 300,1000] [--quick]
The images are the demo's signs, and road signs of GTSRB from position 100 on, because the search was tuned on some of the
first 100. The mixture can shape the search directions in two ways:

- *prior*: the linear model expects steeper slopes where the mixture is dense (a weighted projection instead of a plain one);
- *windows*: the waves are multiplied by a window that is high where the mixture is dense.

The last rows replace the mixture by another map: the slopes that an unguided search with the same budget found. No user has
that map beforehand; it shows how much a correct map would help.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from adversarial import keypoint_mixture, load_classifier  # noqa: E402
from adversarial.attacks.tuning import STANDARD  # noqa: E402
from adversarial.attacks.waves import Waves, WaveSearch, projection  # noqa: E402
from adversarial.distances import DISTANCES  # noqa: E402
from adversarial.query_log import BudgetSpent, QueryLog  # noqa: E402
from saywhy import signs  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Predict = Callable[[NDArray[np.float32]], NDArray[np.floating]]
    Run = tuple[float, NDArray[np.float64]]

POSITION = 100  # of the first GTSRB image
# powers of the map by which the slopes' expected squares and the waves are multiplied
WAYS = {"weak prior": (0.5, 0.0), "prior": (1.0, 0.0), "windows": (0.0, 0.5), "prior and windows": (1.0, 0.5)}


class GuidedWaves(WaveSearch):
    """The search along waves with a map that shapes its directions.

    The map is mixed half and half with a uniform one, so that no pixel is excluded.
    """

    factors: NDArray[np.float64] | None = None

    def guide(self, density: NDArray[np.float64], *, prior: float, windows: float) -> None:
        """Let powers of a map (H, W) shape the prior of the model and the waves; a power of 0 changes nothing."""
        raised = np.repeat(0.5 + 0.5 * density.ravel() / density.mean(), self.image.shape[2])
        if prior:
            factors = raised ** (prior / 2)
            self.factors = factors / np.sqrt((factors**2).mean())
        if windows:
            window = (raised**windows).astype(np.float32)
            self.waves = Waves(self.image.shape, self.waves.length, STANDARD.waves.room, window)

    def correction(self, moves: NDArray[np.float64], wrong: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `WaveSearch.correction`."""
        if self.factors is None:
            return super().correction(moves, wrong)
        # the smallest correction, where slopes are measured relative to the slopes that the map predicts
        scaled = projection(moves * self.factors, wrong, self.tuning.ridge * self.waves.length**2)
        return self.factors[:, None] * scaled


def run(
    predict: Predict, image: NDArray[np.float32], label: int, distance: str, budget: int, way: str = "",
    density: NDArray[np.float64] | None = None,
) -> Run:  # fmt: skip
    """The distance that one search found, and the steepness of its model at each pixel."""
    found = DISTANCES.get(distance)
    log = QueryLog(image, label, None, distance=found, budget=budget, kind="logits")
    search = GuidedWaves(log, found, np.random.default_rng(0), budget)
    if density is not None:
        prior, windows = WAYS[way]
        search.guide(density, prior=prior, windows=windows)
    steps = search.steps()
    try:
        asked = next(steps)
        while True:
            asked = steps.send(np.asarray(predict(asked), dtype=np.float64))
    except (StopIteration, BudgetSpent):
        return log.distance, search.evidence()


def row(name: str, distances: NDArray[np.float64], plain: NDArray[np.float64]) -> None:
    """Print the mean and the geometric mean of the ratios to the unguided search, with a bootstrap interval over images."""
    ratios = np.log(distances / plain)
    rng = np.random.default_rng(0)
    means = rng.choice(ratios, (5000, len(ratios))).mean(axis=1)
    low, high = np.exp(np.percentile(means, (2.5, 97.5)))
    print(
        f"  {name:34s} mean {distances.mean():8.4f}  ratio {np.exp(ratios.mean()):5.3f}, 95 % {low:5.3f} to {high:5.3f}",
        flush=True,
    )


def compare(
    name: str, predict: Predict, images: NDArray[np.float32], labels: NDArray[np.int64], distance: str, budget: int
) -> None:
    """Print one table: without guidance, with the mixture, and with the slopes that a first search found."""
    print(f"\n{distance}, {name}, {len(images)} images, {budget} queries; ratios are to the search without guidance")
    go = partial(run, predict, distance=distance, budget=budget)
    plain = [go(image=image, label=int(label)) for image, label in zip(images, labels, strict=True)]
    found = np.array([distance for distance, _ in plain])
    print(f"  {'without guidance':34s} mean {found.mean():8.4f}")
    mixtures = [keypoint_mixture(image).density for image in images]
    for what, maps in (("mixture", mixtures), ("slopes of a first search", [evidence for _, evidence in plain])):
        for way in WAYS:
            guided = [
                go(image=image, label=int(label), way=way, density=density)[0]
                for image, label, density in zip(images, labels, maps, strict=True)
            ]
            row(f"{what}, {way}", np.array(guided), found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")))
    parser.add_argument("--count", type=int, default=12, help="images per set")
    parser.add_argument("--distance", default="l2", help="l1, l2 or linf")
    parser.add_argument("--queries", default="300,1000", help="queries per image, with commas between")
    parser.add_argument("--quick", action="store_true", help="two images and 100 queries, to see that it runs; not for results")
    arguments = parser.parse_args()
    count = 2 if arguments.quick else arguments.count
    budgets = [100] if arguments.quick else [int(text) for text in arguments.queries.split(",")]
    pictures, labels = signs.samples()
    sets = [("the demo's signs", signs.load().predict, pictures[:count], labels[:count])]
    if (arguments.data / "gtsrb").is_dir():
        network = load_classifier(f"onnx:{arguments.data / 'gtsrb' / 'gtsrb_cnn.onnx'}", threads=1)
        stored = np.load(arguments.data / "gtsrb" / "gtsrb_test.npz")
        images, classes = stored["images"][POSITION:].astype(np.float32) / 255, stored["labels"][POSITION:]
        right = np.flatnonzero(network.predict(images[: 3 * count]).argmax(axis=1) == classes[: 3 * count])[:count]
        sets.insert(0, ("GTSRB", network.predict, images[right], classes[right]))
    else:
        print(f"GTSRB: skipped, because it is not in {arguments.data}; only the demo's signs are used")
    for name, predict, images, classes in sets:
        for budget in budgets:
            compare(name, predict, images, classes, arguments.distance, budget)


if __name__ == "__main__":
    main()
