"""What a map costs, in passes of the network: each method beside one forward and one backward pass, in turns, on one thread.

Run: SAYWHY_DATA=DIR python benchmarks/evaluation/attribution_cost.py [--methods eigen_cam,norm_grad] [--batch 32] [--pairs 21]

The network is ResNet-20 on CIFAR-10 (`cifar10/` in the folder of SAYWHY_DATA, or --data); without these weights it is the
network of the road signs, and the first line says so. The unit is what a plain gradient costs: the logits of a batch and the
gradient of their largest back to the pixels. A method is timed as users call it, `attribute(model, images, method=...)`, with
reading the images, the prediction and making the maps; "method alone" leaves these out. Each pair times the unit, then the
method; the table shows the median and the middle half of the ratios of the pairs.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.evaluation.resnet20 import data_folder, load_cifar10, load_resnet20  # noqa: E402
from saywhy import signs  # noqa: E402
from verbalize import attribute  # noqa: E402
from verbalize.attribution.image_question import ask_all, joined  # noqa: E402
from verbalize.attribution.method import METHODS  # noqa: E402
from verbalize.models import as_model  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TARGET = 1.3  # times a forward and a backward pass, for Eigen-CAM and NormGrad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", default="eigen_cam,norm_grad", help="names of METHODS, with commas between")
    parser.add_argument("--batch", type=int, default=32, help="images in a batch")
    parser.add_argument("--pairs", type=int, default=21, help="pairs of measurements")
    parser.add_argument("--data", type=Path, help="the folder with cifar10/resnet20.npz; SAYWHY_DATA if not given")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    network, images = _network(data_folder(chosen.data), chosen.batch)
    pure = unit(network, images)
    print(f"unit: forward and backward to the pixels, batch of {len(images)}: {1000 * _seconds(pure):.0f} ms, one thread")
    print(f"{'method':<20} {'as called':>22} {'method alone':>22}")
    within = True
    for name in chosen.methods.split(","):
        called = partial(attribute, network, images, method=name, batch_size=len(images))
        runs = (called, alone(network, images, name))
        ratios = [_ratios(pure, run, chosen.pairs) for run in runs]
        within &= np.median(ratios[0]) <= TARGET or name not in ("eigen_cam", "norm_grad")
        print(f"{name:<20} " + " ".join(f"{_summary(one):>22}" for one in ratios))
    print(f"Eigen-CAM and NormGrad at most {TARGET} times the unit as called: {'yes' if within else 'no'}")
    return 0 if within else 1


def _network(folder: Path | None, count: int) -> tuple[Any, NDArray[np.float32]]:
    if folder is not None:
        images, _ = load_cifar10(folder, jpeg=True)
        print("network: ResNet-20 on CIFAR-10")
        return load_resnet20(folder), images[:count]
    print("network: the road signs of saywhy (no cifar10/resnet20.npz was found; name its folder with SAYWHY_DATA)")
    labels = [index % len(signs.CLASS_NAMES) for index in range(count)]
    return as_model(signs.load().module(), signs.CLASS_NAMES), signs.draw_signs(labels, seed=0)


def unit(network: Any, images: NDArray[np.float32]) -> Callable[[], Any]:
    """What a plain gradient costs: one forward and one backward pass of the batch, to the pixels."""
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    logits = as_model(network).logits

    def run() -> Any:
        pixels = batch.clone().requires_grad_()
        return torch.autograd.grad(logits(pixels).amax(dim=1).sum(), pixels)

    return run


def alone(network: Any, images: NDArray[np.float32], name: str) -> Callable[[], Any]:
    """The method itself, asked about images whose predictions are known."""
    model, explainer = as_model(network), METHODS.get(name).pixels
    nothing = [None] * len(images)
    questions = ask_all(model, list(images), nothing, nothing)  # type: ignore[arg-type]
    together = [joined(model, questions)] if explainer.batched else questions  # type: ignore[arg-type, union-attr]
    return lambda: [explainer.explain(question) for question in together]  # type: ignore[union-attr]


def _seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _ratios(unit: Callable[[], Any], run: Callable[[], Any], pairs: int) -> list[float]:
    _seconds(unit), _seconds(run)  # the first calls set up what later ones find ready
    times = [(_seconds(unit), _seconds(run)) for _ in range(pairs)]
    return [second / first for first, second in times]


def _summary(ratios: list[float]) -> str:
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    sys.exit(main())
