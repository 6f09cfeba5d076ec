"""Shows what a search itself costs: microseconds of processor time per query beside the classifier's own, and where they go.

Run: python benchmarks/search_cost.py [--data DIR] [--distance l0,l1,l2,linf] [--images 20] [--budget 1000] [--remembered]
The images are those of the traffic signs in `shared/data` (SAYWHY_DATA, or --data), or random ones where these are missing. The
classifier is one small product of matrices, so that nearly all that is left is ours. Processor time is counted, not time on the
clock, so that other programs disturb little; the shares are of the main thread, as cProfile sees them.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from adversarial import AnswerFile, CallableClassifier, FeatureGuidedAttack  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Images = NDArray[np.float32]

SIDE = 2  # pixels of the squares whose means the classifier looks at
LAYERS = (
    ("answer file", "adversarial/answer_file.py"),
    ("queries and findings", "adversarial/query_log.py"),
    ("search", "adversarial/attacks/"),
    ("search", "adversarial/distances/"),
    ("features", "adversarial/features.py"),
    ("driver", "adversarial/"),
    ("hashing", "saywhy_core/arrays.py"),
    ("classifier's checks and memory", "saywhy_core/"),
)
"""Layers by the places of their code; what numpy and Python do counts for whoever calls them."""


class Light:
    """A classifier that costs little, and notes what it costs."""

    def __init__(self, shape: tuple[int, ...], classes: int = 10) -> None:
        rng = np.random.default_rng(5)
        seen = (shape[0] // SIDE) * (shape[1] // SIDE) * shape[2]
        self.inner, self.outer = (
            rng.normal(size=size).astype(np.float32) / np.float32(np.sqrt(size[0])) for size in ((seen, 32), (32, classes))
        )
        self.seconds = 0.0

    def __call__(self, images: Images) -> Images:
        """The scores (N, K) of images (N, H, W, C), whose sides must be multiples of `SIDE`."""
        start = time.process_time()
        count, height, width, channels = images.shape
        squares = images.reshape(count, height // SIDE, SIDE, width // SIDE, SIDE, channels)
        flat = squares.mean(axis=(2, 4)).reshape(count, -1)
        scores = np.tanh((flat - 0.5) @ self.inner * 4) @ self.outer
        self.seconds += time.process_time() - start
        return np.asarray(scores)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", "")), help="the folder shared/data")
    parser.add_argument("--distance", default="l0,l1,l2,linf", help="distances, with commas between")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--budget", type=int, default=1000)
    parser.add_argument("--remembered", action="store_true", help="keep each answer in a file, as audits do")
    chosen = parser.parse_args()
    images = _images(chosen.data, chosen.images)
    print("distance | queries | microseconds per query | of these")
    for distance in chosen.distance.split(","):
        _run(images[:1], distance, min(chosen.budget, 100), None)  # imports
        with tempfile.TemporaryDirectory() as folder:
            keep = Path(folder) if chosen.remembered else None
            queries, ours = _run(images, distance, chosen.budget, keep)
        profile = cProfile.Profile(time.thread_time)
        with tempfile.TemporaryDirectory() as folder:
            keep = Path(folder) if chosen.remembered else None
            profile.runcall(_run, images, distance, chosen.budget, keep)
        shares = ", ".join(f"{layer} {share:.0%}" for layer, share in _shares(profile))
        print(f"{distance} | {queries:,} | {ours / queries * 1e6:.0f} | {shares}", flush=True)
    return 0


def _run(images: Images, distance: str, budget: int, folder: Path | None) -> tuple[int, float]:
    """Queries, and seconds of processor time beside the classifier's."""
    light = Light(images.shape[1:])
    classifier = CallableClassifier(light)
    memory: Callable[[int], AnswerFile] | None = None
    if folder is not None:
        memory = lambda number: AnswerFile(folder / f"{number}.bin", {"image": str(number)})  # noqa: E731
    start = time.process_time()
    FeatureGuidedAttack(distance=distance, budget=budget).run(classifier, images, memory=memory)
    return classifier.queries, time.process_time() - start - light.seconds


def _images(data: Path, count: int) -> Images:
    file = data / "gtsrb" / "gtsrb_test.npz"
    if file.is_file():
        with np.load(file) as kept:
            return np.asarray(kept["images"][:count].astype(np.float32) / 255)
    return np.random.default_rng(0).random((count, 48, 48, 3)).astype(np.float32)


def _shares(profile: cProfile.Profile) -> list[tuple[str, float]]:
    """The share of each layer, the largest first; a function of a library counts for the layers that call it."""
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    blamed: dict[tuple[str, int, str], Counter[str]] = {}

    def layers(function: tuple[str, int, str], above: tuple[tuple[str, int, str], ...] = ()) -> Counter[str]:
        """By whom a function was called, in shares of its calls that sum to 1."""
        place = function[0].replace(os.sep, "/")
        if place.endswith("search_cost.py"):
            return Counter()  # the classifier
        for layer, part in LAYERS:
            if f"/{part}" in place and "site-packages" not in place:
                return Counter({layer: 1.0})  # type: ignore[dict-item]
        if function in blamed:
            return blamed[function]
        found: Counter[str] = Counter()
        callers = {one: timed for one, timed in stats[function][4].items() if one not in above and one != function}
        total = sum(timed[2] for timed in callers.values())
        for one, timed in callers.items():
            for layer, share in layers(one, (*above, function)).items():
                found[layer] += share * timed[2] / total if total else 0
        if not above:
            blamed[function] = found
        return found

    seconds: Counter[str] = Counter()
    for function, (_, _, own, _, _) in stats.items():
        for layer, share in layers(function).items():
            seconds[layer] += own * share  # type: ignore[assignment]
    total = sum(seconds.values())
    return [(layer, value / total) for layer, value in seconds.most_common()]


if __name__ == "__main__":
    sys.exit(main())
