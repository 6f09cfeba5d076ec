"""Measures attacks on classifiers that answer with nothing but their decision, beside decision-based attacks of others.

Run: python benchmarks/label_only.py [--quick] [--data DIR] [--only l0,l2,linf,price] [--networks mnist_cnn,gtsrb,resnet20]
[--seed 0]. The networks and images are those of `shared/data` (SAYWHY_DATA, or --data); the images are those at even places in
their files, because the constants were chosen on the others. Every peer is credited with the nearest adversarial image among
all its queries. The peers in L0 are foolbox's Pointwise and SaltAndPepperNoise, and SparseEvo (written anew after Vo et al.
2022) with several settings, among them starts from images of other classes, which this attack does not have; in L2 foolbox's
Boundary and HopSkipJump, CGBA (after Reza et al. 2023) with several subspaces and probes, and, where the Adversarial Robustness
Toolbox can be imported, its HopSkipJump, BoundaryAttack and SignOPT (`benchmarks/peers/art_decisions.py` says how to install
it); in L-infinity RayS (after Chen and Gu 2020).
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

from adversarial import CallableClassifier, FeatureGuidedAttack  # noqa: E402
from benchmarks.attacks.networks import SIGNS, Set, distances_at, read  # noqa: E402
from benchmarks.peers import art_attacks, art_decisions  # noqa: E402
from benchmarks.peers.cgba import cgba  # noqa: E402
from benchmarks.peers.rays import rays  # noqa: E402
from benchmarks.peers.recorder import Recorder  # noqa: E402
from benchmarks.peers.sparse_evo import Setting, sparse_evo  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Images = NDArray[np.float32]
    Peer = Callable[[Recorder, int], None]

NETWORKS = ("mnist_cnn", "gtsrb", "resnet20")
BUDGETS = (300, 1000, 3000)
PRICED = (250, 1000)
SETTINGS = (Setting(), Setting(mutation=0.1, crossover=0.9), Setting(mutation=0.1, crossover=0.9, start="image"))
CGBA_SETTINGS = ((4.0, 0.02), (2.0, 0.02), (4.0, 0.1), (2.0, 0.1), (1.0, 0.1))  # the best is not the same everywhere


def even(data: Path, name: str, count: int) -> tuple[Set, Set]:
    """The first images at even places in their files, and those at odd places, for peers that start there."""
    everything = read(data, name)
    return tuple(everything.at(np.flatnonzero(everything.places % 2 == rest)[:most]) for rest, most in ((0, count), (1, None)))  # type: ignore[return-value]


def decisions(data: Set) -> Callable[[Images], NDArray[np.float64]]:
    """The network's decisions alone, as one-hot rows."""

    def decide(images: Images) -> NDArray[np.float64]:
        scores = np.asarray(data.predict(images))
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]

    return decide


def highest(data: Set, count: int) -> Callable[[Images], NDArray[np.float64]]:
    """The network's highest probabilities, so many of them, and 0 for the other classes."""

    def answer(images: Images) -> NDArray[np.float64]:
        scores = np.asarray(data.predict(images), dtype=np.float64)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        last = np.sort(shares, axis=1)[:, [-count]]
        return np.where(shares >= last, shares, 0.0)

    return answer


def show(name: str, found: dict[int, NDArray[np.float64]]) -> None:
    """Print the successes and the mean distance of the successes after each number of queries."""
    cells = []
    for budget, distances in found.items():
        hits = distances[np.isfinite(distances)]
        mean = f"{hits.mean():8.3f}" if len(hits) else "       -"
        cells.append(f"{budget:5d}: {mean} ({len(hits)}/{len(distances)})")
    print(f"  {name:52s}{'   '.join(cells)}", flush=True)


def peer_row(name: str, data: Set, peer: Callable[[Recorder, int], None], norm: str, seed: int) -> None:
    """Run a peer on every image and show it."""
    records = []
    for image, label in zip(data.images, data.labels, strict=True):
        record = Recorder(decisions(data), image, int(label), None, BUDGETS[-1], norm)
        peer(record, seed)
        records.append(record)
    show(name, {budget: distances_at(records, budget) for budget in BUDGETS})  # type: ignore[arg-type]


def evolve(record: Recorder, seed: int, setting: Setting, others: Set) -> None:
    """SparseEvo, with up to 20 images of other classes to start from."""
    starts = others.images[others.labels != record.label]
    sparse_evo(record, seed, setting, list(starts[:: max(1, len(starts) // 20)][:20]))


def l0_part(data: Path, names: list[str], count: int, seed: int) -> None:
    from benchmarks.peers import foolbox_attacks as fb

    for name in names:
        chosen, others = even(data, name, count)
        print(f"\nL0 from decisions alone, {name}, {len(chosen.labels)} images at even places")
        attack = FeatureGuidedAttack(distance="l0", budget=BUDGETS[-1], seed=seed)
        results = attack.run(CallableClassifier(decisions(chosen), "label"), chosen.images, chosen.labels)
        show("this attack", {budget: distances_at(results, budget) for budget in BUDGETS})
        for setting in SETTINGS:
            title = f"SparseEvo, {setting.start} start, mutation {setting.mutation}, crossover {setting.crossover}"
            peer_row(title, chosen, partial(evolve, setting=setting, others=others), "l0", seed)
        peer_row("foolbox SaltAndPepperNoise", chosen, partial(fb.run, make=fb.salt_and_pepper), "l0", seed)
        peer_row("foolbox Pointwise", chosen, partial(fb.run, make=fb.pointwise), "l0", seed)


def ours_row(data: Set, distance: str, seed: int) -> None:
    """Run this package's label-only attack on every image and show it."""
    attack = FeatureGuidedAttack(distance=distance, budget=BUDGETS[-1], seed=seed)
    results = attack.run(CallableClassifier(decisions(data), "label"), data.images, data.labels)
    show("this attack", {budget: distances_at(results, budget) for budget in BUDGETS})


def l2_part(data: Path, names: list[str], count: int, seed: int) -> None:
    from benchmarks.peers import foolbox_attacks as fb

    for name in names:
        chosen, _ = even(data, name, count)
        print(f"\nL2 from decisions alone, {name}, {len(chosen.labels)} images at even places")
        ours_row(chosen, "l2", seed)
        for reduction, sigma in CGBA_SETTINGS:
            title = f"CGBA, 1/{reduction:g} of each side's frequencies, probes of {sigma:g}"
            peer_row(title, chosen, partial(cgba, reduction=reduction, sigma=sigma), "l2", seed)
        peer_row("foolbox HopSkipJump", chosen, partial(fb.run, make=fb.hop_skip_jump), "l2", seed)
        peer_row("foolbox Boundary", chosen, partial(fb.run, make=fb.boundary), "l2", seed)
        if not art_attacks.available():
            print("  the Adversarial Robustness Toolbox is not installed")
            continue
        for kind in art_decisions.KINDS:
            peer_row(f"ART {kind}", chosen, partial(art_decisions.run, kind=kind), "l2", seed)


def linf_part(data: Path, names: list[str], count: int, seed: int) -> None:
    for name in names:
        chosen, _ = even(data, name, count)
        print(f"\nL-infinity from decisions alone, {name}, {len(chosen.labels)} images at even places")
        ours_row(chosen, "linf", seed)
        peer_row("RayS", chosen, rays, "linf", seed)


def price_part(data: Path, names: list[str], count: int, seed: int) -> None:
    """What each kind of answer costs: mean distance of the successes, with their number, at each number of queries allowed."""
    sets = {name: even(data, name, count)[0] for name in names}
    sets["the demo's signs"] = read(data, SIGNS).first(count)
    for name, chosen in sets.items():
        kinds = {
            "logits": CallableClassifier(chosen.predict, "logits"),
            "top-5": CallableClassifier(highest(chosen, 5), "top-k"),
            "top-1": CallableClassifier(highest(chosen, 1), "top-k"),
            "decision": CallableClassifier(decisions(chosen), "label"),
        }
        for budget in PRICED:
            print(f"\nThe price of each kind of answer, {name}, {len(chosen.labels)} images, {budget:,} queries")
            for distance in ("l0", "l2", "linf"):
                cells = []
                for kind, classifier in kinds.items():
                    attack = FeatureGuidedAttack(distance=distance, budget=budget, seed=seed)
                    ends = np.array([one.distance for one in attack.run(classifier, chosen.images, chosen.labels)])
                    hits = ends[np.isfinite(ends)]
                    cells.append(f"{kind} {hits.mean() if len(hits) else np.nan:8.4f} ({len(hits)}/{len(ends)})")
                print(f"  {distance:5s} {'   '.join(cells)}", flush=True)


PARTS = {"l0": l0_part, "l2": l2_part, "linf": linf_part, "price": price_part}
COUNTS = {"l0": (12, 2), "l2": (20, 2), "linf": (20, 2), "price": (8, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="few images, to see that it runs; not for results")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")))
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="networks, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if not (arguments.data / "mnist" / "mnist_cnn.onnx").is_file():
        sys.exit(f"no networks in {arguments.data}: give --data or SAYWHY_DATA")
    names = arguments.networks.split(",")
    for part in arguments.only.split(","):
        if part not in PARTS:
            sys.exit(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        PARTS[part](arguments.data, names, COUNTS[part][arguments.quick], arguments.seed)


if __name__ == "__main__":
    main()
