"""Draws how proofs about pixels come along with time, and what they cost against t, the pixels and the layers.

Run: python benchmarks/attacks/proof_curve.py [--network MNIST_ConvSmallPGD] [--images 8] [--seconds 120] [--at-most 4]
[--keep FILE] [--out docs/figures/proof-curve.svg] [--data DIR]

The first two panels show the first correctly classified images of a network for proofs: the mean of the lower and upper bounds
after each time, and how long each t took. The others show random networks of 8-channel convolutions whose label leads by three
times as much as a random pixel ever took from it, so that a proof about one pixel succeeds: the time it takes against the side
of the image, and against the number of convolutions. All times contain the look for an example. With --keep, what was measured
is kept and not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from adversarial import fewest_pixels  # noqa: E402
from benchmarks.attacks.networks import NETWORKS, read  # noqa: E402

mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import nn

    Curve = list[tuple[float, int, float | None]]  # seconds, lower bound, upper bound

SIDES, DEPTHS, DRAWN = (8, 12, 16, 20, 24, 28), (1, 2, 3, 4, 5), (0, 1, 2)
SIDE, DEPTH = 16, 2  # of the networks that the other one is varied of
LEAD = 3.0  # times the largest change of a score's lead that one random pixel made
LOWER, UPPER = "#1f6fb4", "#c8502d"


def watched(network: Any, image: np.ndarray, label: int, at_most: int, seconds: float) -> Curve:
    """The bounds of a proof on one thread after 1, 2, 4, ... seconds, each part going on from the journal of the one before."""
    curve: Curve = []
    with tempfile.TemporaryDirectory() as folder:
        part = 1.0
        while True:
            bound = fewest_pixels(
                network, image, label, at_most=at_most, seconds=part, threads=1, journal=Path(folder) / "journal"
            )
            spent = bound.proof.seconds
            curve.append((spent, bound.lower, None if np.isinf(bound.upper) else float(bound.upper)))
            if bound.proof.finished or spent >= seconds:
                return curve
            part = min(max(spent, 1.0), max(seconds - spent, 0.1))


def random_network(side: int, depth: int, seed: int) -> tuple[nn.Module, np.ndarray, int]:
    """A random network, an image, and its label, which leads by `LEAD` times the most that a random pixel took from it."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for number in range(depth):
        layers += [nn.Conv2d(1 if number == 0 else 8, 8, 3, stride=2 if number == 0 else 1, padding=1), nn.ReLU()]
    last = nn.Linear(8 * (-(-side // 2)) ** 2, 10)
    module = nn.Sequential(*layers, nn.Flatten(), last).eval()
    image = np.random.default_rng(seed).random((side, side, 1)).astype(np.float32)
    tried = np.repeat(image.reshape(1, -1), 2 * side * side, axis=0)
    tried[np.arange(len(tried)), np.tile(np.arange(side * side), 2)] = np.repeat([0.0, 1.0], side * side)
    with torch.no_grad():
        scores = module(torch.from_numpy(image.reshape(1, 1, side, side)))[0]
        label = int(scores.argmax())
        moved = module(torch.from_numpy(tried.reshape(-1, 1, side, side))) - scores
        taken = float((moved - moved[:, [label]]).max())
        last.bias[label] += LEAD * taken
    return module, image, label


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Everything that is drawn, as far as it is not in the file."""
    kept: dict[str, Any] = {}
    if chosen.keep is not None and chosen.keep.exists():
        kept = json.loads(chosen.keep.read_text(encoding="utf-8"))

    def once(key: str, *arguments: Any) -> Curve:
        if key not in kept:
            kept[key] = watched(*arguments)
            if chosen.keep is not None:
                chosen.keep.write_text(json.dumps(kept), encoding="utf-8")
            print(f"{key}: no {kept[key][-1][1] - 1} pixels after {kept[key][-1][0]:.1f} s", flush=True)
        return kept[key]

    data = read(chosen.data, chosen.network).first(chosen.images)
    path = chosen.data / NETWORKS[chosen.network][0]
    found: dict[str, Any] = {"curves": []}
    for place, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        key = f"{chosen.network} image {place}, {chosen.at_most} pixels, {chosen.seconds:g} s"
        found["curves"].append(once(key, path, image, int(label), chosen.at_most, chosen.seconds))
    for what, values in (("side", SIDES), ("depth", DEPTHS)):
        found[what] = []
        for value in values:
            side, depth = (value, DEPTH) if what == "side" else (SIDE, value)
            times = []
            for seed in DRAWN:
                curve = once(f"random, side {side}, depth {depth}, seed {seed}", *random_network(side, depth, seed), 1, 60.0)
                times.append(next((seconds for seconds, lower, _ in curve if lower > 1), np.nan))
            found[what].append(times)
    return found


def bounds_against_time(axes: Axes, curves: list[Curve]) -> None:
    """The mean lower and upper bound over the images after each time; an upper bound that one lacks is not drawn."""
    end = max(curve[-1][0] for curve in curves)
    times = np.geomspace(0.1, 1.5 * max(end, 0.2), 300)  # a little beyond the end, so that the last step is seen
    lower, upper = np.ones((len(curves), len(times))), np.full((len(curves), len(times)), np.nan)
    for row, curve in enumerate(curves):
        for seconds, low, high in curve:
            lower[row, times >= seconds] = low
            upper[row, times >= seconds] = np.nan if high is None else high
    axes.step(times, upper.mean(axis=0), where="post", color=UPPER, label="upper: an example is known")
    axes.step(times, lower.mean(axis=0), where="post", color=LOWER, label="lower: no fewer suffice")
    axes.set(xscale="log", xlabel="seconds on one thread", ylabel=f"pixels, mean of {len(curves)} images")
    axes.legend(frameon=False)


def cost_against_t(axes: Axes, curves: list[Curve]) -> None:
    """The seconds after which each t was proven, image by image, and their median over all images."""
    most = max(curve[-1][1] for curve in curves) - 1
    for t in range(1, most + 1):
        times = [next((seconds for seconds, lower, _ in curve if lower > t), np.inf) for curve in curves]
        done = [one for one in times if np.isfinite(one)]
        axes.plot([t] * len(done), done, "o", color=LOWER, alpha=0.4)
        axes.annotate(f"{len(done)}/{len(curves)}", (t, max(done)), xytext=(0, 5), textcoords="offset points", ha="center")
        if np.isfinite(np.median(times)):
            axes.plot([t - 0.2, t + 0.2], [np.median(times)] * 2, color=LOWER)
    axes.set(yscale="log", xlabel="t: pixels that were proven not to suffice", ylabel="seconds")
    axes.set_xticks(range(1, max(most, 1) + 1))
    axes.margins(y=0.15)


def cost_of_random(axes: Axes, values: tuple[int, ...], times: list[list[float]], label: str) -> None:
    """The seconds that one pixel took, for each random network and their median."""
    for value, row in zip(values, times, strict=True):
        axes.plot([value] * len(row), row, "o", color=LOWER, alpha=0.4)
    axes.plot(values, [np.median(row) for row in times], color=LOWER)
    axes.set(yscale="log", xlabel=label, ylabel="seconds for t = 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--network", default="MNIST_ConvSmallPGD", choices=sorted(NETWORKS))
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120.0, help="for each image")
    parser.add_argument("--at-most", type=int, default=4, help="pixels to prove")
    parser.add_argument("--keep", type=Path, help="a JSON file where what was measured is kept")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures" / "proof-curve.svg", help=".svg or .png")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")))
    chosen = parser.parse_args()
    if not (chosen.data / NETWORKS[chosen.network][0]).is_file():
        sys.exit(f"no networks in {chosen.data}: give --data or SAYWHY_DATA")
    found = measure(chosen)
    plt.rcParams["svg.hashsalt"] = "saywhy"  # so that a figure of the same data is the same file
    figure, ((first, second), (third, fourth)) = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    bounds_against_time(first, found["curves"])
    first.set_title(chosen.network)
    cost_against_t(second, found["curves"])
    second.set_title(chosen.network)
    cost_of_random(third, SIDES, found["side"], f"rows and columns of the image ({DEPTH} convolutions)")
    cost_of_random(fourth, DEPTHS, found["depth"], f"convolutions ({SIDE} by {SIDE} pixels)")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(chosen.out, metadata={"Date": None} if chosen.out.suffix == ".svg" else None, dpi=150)
    print(f"{chosen.out} is drawn")


if __name__ == "__main__":
    main()
