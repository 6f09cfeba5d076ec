"""Measures the regions of pictures: how much they hold and fill, how often noise is taken for structure, and how long it takes.

Run: python benchmarks/regions.py [--seeds 50]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

# A module of this folder has the name of the package `verbalize`, so the folder goes to the end of the path.
HERE = Path(__file__).resolve().parent
sys.path[:] = [*(entry for entry in sys.path if Path(entry or ".").resolve() != HERE), str(HERE)]

from verbalize import PixelSaliency, Query, find_regions  # noqa: E402, I001
from verbalize.parts import stands_out  # noqa: E402
from real_maps import CIFAR, DATA, resnet20  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

QUERY = Query("cat")
SIDES = (96, 224)
MISTAKEN = 0.05  # kinds of noise above this share are listed


def noises(rng: np.random.Generator, side: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Noise of several kinds: white, blurred, and enlarged from a coarse grid as class activation maps are."""
    yield "white, normal", rng.normal(size=(side, side))
    yield "white, uniform", rng.random((side, side))
    yield "white, exponential", rng.exponential(size=(side, side))
    for width in (1, 2, 4, 6):
        yield f"blurred by {width} pixels", cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), width)
    ways = (("linear", cv2.INTER_LINEAR), ("nearest", cv2.INTER_NEAREST), ("cubic", cv2.INTER_CUBIC))
    for cells in (7, 8, 14):
        for how, flag in ways:
            yield f"{cells} x {cells}, {how}", cv2.resize(rng.normal(size=(cells, cells)), (side, side), interpolation=flag)


def false_alarms(seeds: int) -> None:
    """Print how often something is said to stand out in noise: signed, cut off at 0, and counted from its lowest value."""
    found: dict[str, list[bool]] = defaultdict(list)
    for side in SIDES:
        for seed in range(seeds):
            for name, scores in noises(np.random.default_rng(1000 + seed), side):
                for saliency in (
                    PixelSaliency(scores, QUERY),
                    PixelSaliency(np.maximum(scores - np.median(scores), 0.0), QUERY, signed=False),
                    PixelSaliency(scores - scores.min(), QUERY, signed=False),
                ):
                    found[name].append(stands_out(saliency))
    shares = {name: float(np.mean(hits)) for name, hits in found.items()}
    asked = sum(map(len, found.values()))
    print(f"noise: something stands out in {np.mean([hit for hits in found.values() for hit in hits]):.1%} of {asked} maps")
    for name, share in sorted(shares.items(), key=lambda one: -one[1]):
        if share > MISTAKEN or name == max(shares, key=lambda kind: shares[kind]):
            print(f"  {name}: {share:.1%}")


def cams() -> Iterator[tuple[str, PixelSaliency]]:
    """Class activation maps of the sign classifier and, if its files are here, of a CIFAR-10 network."""
    from saywhy import signs
    from saywhy.demo.pictures import LAST_LAYER, clear_signs
    from verbalize.attribution import attribute_cam

    classifier = signs.load()
    for image in clear_signs().values():
        for method in ("grad_cam", "layer_cam"):
            found = attribute_cam(
                classifier.module(), image, layer=LAST_LAYER, class_names=classifier.class_names, method=method
            )
            yield f"signs, {method}", found
    path = DATA / "cifar10" / "cifar10_test_png.npz"
    if not path.exists():
        print(f"({path} is not here: no maps of CIFAR-10)")
        return
    network = resnet20(Path(path).parent / "resnet20.npz")
    for image in np.load(path)["images"]:
        for layer, method in (("layer3", "grad_cam"), ("layer3", "layer_cam"), ("layer2", "layer_cam")):
            yield f"CIFAR-10, {layer}, {method}", attribute_cam(network, image, layer=layer, class_names=CIFAR, method=method)


def real() -> None:
    """Print in how many class activation maps something stands out, and what their strongest regions hold and fill."""
    found: dict[str, list[bool]] = defaultdict(list)
    rows = []
    for name, saliency in cams():
        found[name].append(stands_out(saliency))
        if regions := find_regions(saliency):
            by_mass = find_regions(saliency, mass=0.6)
            rows.append((regions[0].share, regions[0].area, sum(region.share for region in regions), by_mass[0].share))
    for name, hits in found.items():
        print(f"{name}: something stands out in {sum(hits)} of {len(hits)} maps")
    titles = ("share of the strongest region", "area of the strongest region", "share of all regions", "share with mass=0.6")
    print(f"{len(rows)} class activation maps           10 %   25 %   50 %   75 %   90 %")
    for title, column in zip(titles, np.transpose(rows), strict=True):
        print(f"  {title:32}" + "  ".join(f"{value:5.2f}" for value in np.quantile(column, (0.1, 0.25, 0.5, 0.75, 0.9))))


def speed() -> None:
    """Print how long it takes to find the regions of a map, and to test it for noise, by its size."""
    for side in (112, 224, 500, 1000):
        scores = np.abs(np.random.default_rng(0).normal(size=(side, side)))
        times = []
        for work in (find_regions, stands_out):
            saliency = PixelSaliency(scores, QUERY, signed=False)
            stands_out(PixelSaliency(scores + 0.1, QUERY, signed=False))  # noise of this size is made once
            start = time.thread_time()
            work(saliency)
            times.append(1000 * (time.thread_time() - start))
        print(f"{side} x {side}: regions in {times[0]:.0f} ms, test for noise in {times[1]:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="noise maps of each kind, size and form")
    false_alarms(parser.parse_args().seeds)
    real()
    speed()
