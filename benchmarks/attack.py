"""Measures how few changes flip real networks, with the same number of queries for this attack and for others.

Run: python benchmarks/attack.py [--quick] [--data DIR] [--only targets,cifar,euclid,guided,games,time] [--seed 0]
The networks and images are those of `shared/data` (SAYWHY_DATA, or --data). The peers are Sparse-RS with a search over k
(written anew after Croce et al. 2022), foolbox 3.3.4, and the Adversarial Robustness Toolbox if it is installed. Every peer is
credited with the nearest adversarial image among all its queries within the budget, whether or not it returns that image.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from adversarial import CallableClassifier, FeatureGuidedAttack, load_classifier  # noqa: E402
from benchmarks.peers import art_attacks  # noqa: E402
from benchmarks.peers.recorder import Recorder  # noqa: E402
from benchmarks.peers.sparse_rs import sparse_rs  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from adversarial import AttackResult

    Peer = Callable[[Recorder, int], None]

NETWORKS = {
    "MNIST": ("mnist/mnist_cnn.onnx", "mnist/mnist_test.npz"),
    "GTSRB": ("gtsrb/gtsrb_cnn.onnx", "gtsrb/gtsrb_test.npz"),
    "CIFAR-10": ("cifar10/resnet20.onnx", "cifar10/cifar10_test_png.npz"),
}
ASKED = (("MNIST", 1000, 6.3, None), ("MNIST", 3000, 5.4, 6.85), ("GTSRB", 2800, 5.1, 6.45), ("CIFAR-10", 1700, 2.9, 3.60))
CURVE = (100, 300, 1000, 3000)


@dataclass(frozen=True, eq=False)
class Set:
    """A network's function and the images it classifies correctly, in file order."""

    name: str
    predict: Callable[[NDArray[np.float32]], NDArray[np.floating]]
    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def first(self, count: int) -> Set:
        """The same network with only the first images."""
        return Set(self.name, self.predict, self.images[:count], self.labels[:count])


def read(data: Path, name: str, extra: str | None = None) -> Set:
    network, file = NETWORKS[name]
    classifier = load_classifier(f"onnx:{data / network}", threads=int(os.environ.get("OMP_NUM_THREADS", "0")))
    files = [file] if extra is None else [file, extra]
    arrays = [np.load(data / one) for one in files]
    images = np.concatenate([array["images"] for array in arrays]).astype(np.float32) / 255
    images = images if images.ndim == 4 else images[..., None]
    labels = np.concatenate([array["labels"] for array in arrays]).astype(np.int64)
    right = np.concatenate([classifier.predict(images[i : i + 64]) for i in range(0, len(images), 64)]).argmax(1) == labels
    return Set(name, classifier.predict, images[right], labels[right])


def ours(data: Set, budget: int, targets: NDArray[np.int64] | None = None, **options: object) -> list[AttackResult]:
    attack = FeatureGuidedAttack(budget=budget, **options)  # type: ignore[arg-type]
    return attack.run(CallableClassifier(data.predict), data.images, data.labels, targets=targets)


def theirs(
    data: Set, budget: int, peer: Peer, norm: str, seed: int, targets: NDArray[np.int64] | None = None
) -> list[Recorder]:
    records = []
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        target = None if targets is None else int(targets[number])
        record = Recorder(data.predict, image, int(label), target, budget, norm)
        peer(record, seed)
        records.append(record)
    return records


def row(name: str, results: Sequence[AttackResult | Recorder], best: float | None = None) -> float:
    """Print success rate, mean distance of the successes, and mean queries. Return the mean distance, inf without success."""
    distances = np.array([result.distance for result in results])
    found = np.isfinite(distances)
    mean = float(distances[found].mean()) if found.any() else float("inf")
    ratio = f"  ratio to ours {mean / best:5.2f}" if best else ""
    queries = np.mean([result.queries for result in results])
    print(f"  {name:44s} success {found.sum():3d}/{len(found)}  mean {mean:7.3f}  queries {queries:6.0f}{ratio}", flush=True)
    return mean


def at(results: Sequence[AttackResult], queries: int) -> NDArray[np.float64]:
    """The best distance of each result after this many queries of a longer run."""
    rows = [result.trace[result.trace[:, 0] <= queries] for result in results]
    return np.array([trace[-1, 1] if len(trace) else np.inf for trace in rows])


def targets_part(data: Path, count: int, seed: int) -> None:
    print("\nL0, first correctly classified images: this attack and the strongest peer, with the distances to reach")
    for name, budget, asked, published in ASKED:
        chosen = read(data, name).first(count)
        results = ours(chosen, budget, seed=seed)
        print(
            f" {name}, {budget} queries; to reach: at most {asked}"
            + (f"; reference for the peer: {published}" if published else "")
        )
        mean = row("this attack", results)
        row("Sparse-RS with a search over k", theirs(chosen, budget, sparse_rs, "l0", seed), mean)
        curve = "  ".join(f"{q}: {np.mean(at(results, q)):.2f}" for q in (*CURVE, budget) if q <= budget)
        print(f"  mean L0 of this run after so many queries: {curve}")


def cifar_part(data: Path, count: int, seed: int) -> None:
    from benchmarks.peers import foolbox_attacks as fb

    chosen = read(data, "CIFAR-10", "cifar10/cifar10_test_jpeg.npz").first(count)
    peers: list[tuple[str, Peer]] = [
        ("Sparse-RS with a search over k", sparse_rs),
        ("foolbox SaltAndPepperNoise", partial(fb.run, make=fb.salt_and_pepper)),
        ("foolbox Pointwise", partial(fb.run, make=fb.pointwise)),
    ]
    if art_attacks.available():
        peers.append(("ART PixelAttack (differential evolution)", partial(art_attacks.run, name="pixel")))
    else:
        print("\nART PixelAttack: skipped, because ART is not installed")
    for budget in (300, 1000, 3000):
        print(f"\nL0, CIFAR-10 ResNet-20, {len(chosen.labels)} images (20 PNG, then JPEG), {budget} queries")
        mean = row("this attack", ours(chosen, budget, seed=seed))
        for name, peer in peers:
            row(name, theirs(chosen, budget, peer, "l0", seed), mean)


def euclid_part(data: Path, count: int, seed: int) -> None:
    from benchmarks.peers import foolbox_attacks as fb

    for name in NETWORKS:
        chosen = read(data, name)
        present = np.unique(chosen.labels)  # the target is the next class of which there is an image to start from
        goals = present[(np.searchsorted(present, chosen.labels[:count]) + 1) % len(present)]
        starts = [chosen.images[np.flatnonzero(chosen.labels == goal)[-1]] for goal in goals]
        chosen = chosen.first(count)
        for budget in (1000, 3000):
            print(f"\nL2, {name}, {count} images, {budget} queries")
            mean = row("this attack", ours(chosen, budget, distance="l2", seed=seed))
            row("foolbox HopSkipJump", theirs(chosen, budget, partial(fb.run, make=fb.hop_skip_jump), "l2", seed), mean)
            row("foolbox Boundary", theirs(chosen, budget, partial(fb.run, make=fb.boundary), "l2", seed), mean)
            if art_attacks.available():
                for kind in ("simba", "square"):
                    row(f"ART {kind}", theirs(chosen, budget, partial(art_attacks.run, name=kind), "l2", seed), mean)
        print(f"\nTargeted (the next class), {name}, {count} images, 3000 queries")
        mean = row("this attack, L0", ours(chosen, 3000, goals, seed=seed))
        row("Sparse-RS with a search over k, L0", theirs(chosen, 3000, sparse_rs, "l0", seed, goals), mean)
        mean = row("this attack, L2", ours(chosen, 3000, goals, distance="l2", seed=seed))
        records = []
        for number in range(count):
            record = Recorder(chosen.predict, chosen.images[number], int(chosen.labels[number]), int(goals[number]), 3000, "l2")
            fb.run(record, seed, fb.hop_skip_jump, start=starts[number])
            records.append(record)
        row("foolbox HopSkipJump, L2, from a target's image", records, mean)


def guided_part(data: Path, count: int, seed: int) -> None:
    """Queries to the first flip, and L0, with the mixture and with a uniform density, on images after the first 20."""
    chosen = read(data, "GTSRB")
    chosen = Set(chosen.name, chosen.predict, chosen.images[20 : 20 + count], chosen.labels[20 : 20 + count])
    runs = {density: ours(chosen, 1000, density=density, seed=seed) for density in ("sift", "uniform")}
    rng = np.random.default_rng(seed)
    print(f"\nThe mixture against a uniform density, GTSRB, {count} images (after the first 20), 1000 queries")
    for budget in (100, 200, 300, 1000):
        found = {name: np.isfinite(at(results, budget)).mean() for name, results in runs.items()}
        print(f"  flipped after {budget:4d} queries: mixture {found['sift']:.2f}, uniform {found['uniform']:.2f}")
    first = {name: np.array([result.trace[0, 0] for result in results]) for name, results in runs.items()}
    ends = {name: np.array([min(result.distance, 99) for result in results]) for name, results in runs.items()}
    for what, values in (("queries to the first flip", first), ("L0 at the end", ends)):
        differences = values["sift"] - values["uniform"]
        means = [rng.choice(differences, len(differences)).mean() for _ in range(5000)]
        low, high = np.percentile(means, (2.5, 97.5))
        print(
            f"  {what}: mixture {values['sift'].mean():.1f}, uniform {values['uniform'].mean():.1f}; "
            f"difference {differences.mean():+.2f}, 95 % interval {low:+.2f} to {high:+.2f} (paired bootstrap over images)"
        )


def games_part(data: Path, count: int, seed: int) -> None:
    for name in NETWORKS:
        chosen = read(data, name).first(count)
        print(f"\nThe games, {name}, {count} images, 1000 queries")
        games = {
            player: ours(chosen, 1000, player_two=player, seed=seed) for player in ("cooperative", "competitive", "random")
        }
        for player, results in games.items():
            row(player, results)
        pairs = zip(games["cooperative"], games["competitive"], strict=True)
        better = sum(two.distance < one.distance for one, two in pairs)
        print(f"  the competitive game is better than the cooperative one on {better} images (must be 0)")
        row('engine="mcts", cooperative, 300 queries', ours(chosen.first(5), 300, engine="mcts", seed=seed))
        row("the standard search, same images and queries", ours(chosen.first(5), 300, seed=seed))


def time_part(data: Path, count: int, seed: int) -> None:
    chosen = read(data, "CIFAR-10").first(count)
    inside, sizes = [0.0], []

    def timed(images: NDArray[np.float32]) -> NDArray[np.floating]:
        start = time.perf_counter()
        scores = chosen.predict(images)
        inside[0] += time.perf_counter() - start
        sizes.append(len(images))
        return scores

    for distance in ("l0", "l2"):
        inside[0] = 0.0
        sizes.clear()
        start = time.perf_counter()
        FeatureGuidedAttack(budget=1000, distance=distance, seed=seed).run(
            CallableClassifier(timed), chosen.images, chosen.labels
        )
        wall = time.perf_counter() - start
        print(
            f"\nTime, ResNet-20, batch 64, {distance}: {100 * inside[0] / wall:.0f} % of {wall:.1f} s inside the classifier "
            f"(to reach: 80 %), mean batch {np.mean(sizes):.0f}"
        )


PARTS = {
    "targets": targets_part,
    "cifar": cifar_part,
    "euclid": euclid_part,
    "guided": guided_part,
    "games": games_part,
    "time": time_part,
}
COUNTS = {"targets": (20, 5), "cifar": (50, 5), "euclid": (10, 2), "guided": (100, 6), "games": (10, 2), "time": (20, 5)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few images, to see that it runs; not for results")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if not (arguments.data / NETWORKS["MNIST"][0]).is_file():
        sys.exit(f"no networks in {arguments.data}: give --data or SAYWHY_DATA")
    for part in arguments.only.split(","):
        if part not in PARTS:
            sys.exit(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        PARTS[part](arguments.data, COUNTS[part][arguments.quick], arguments.seed)


if __name__ == "__main__":
    main()
