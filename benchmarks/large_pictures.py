"""Shows what a search costs on large pictures beside the classifier: time per query, share of the classifier, and memory.

Run: python benchmarks/large_pictures.py [--quick] [--data DIR] [--sizes 227,512] [--distance l0,l2,linf,l1] [--light]
The network is the SqueezeNet of `shared/data` (SAYWHY_DATA, or --data) on photographs of pets, at 512 square the same network
on enlarged ones; where these files are missing, a residual network of random weights on random pictures. Each row is measured
in a process of its own, on one thread: processor time outside the classifier's function, divided by the queries, and the
largest memory that the process held beyond what it held after the network had answered a batch. The bounds are 2 ms per query
at 227 square and 8 ms at 512, 1 GB, and nine tenths of the time in the classifier. `--light` takes a network that costs next to
nothing, which is quicker where only the overhead and the memory matter.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Images = NDArray[np.float32]
    Predict = Callable[[Images], NDArray[np.floating]]

MODES = ("untargeted", "targeted", "competitive")
BATCH = 16  # images that the network computes at once: larger batches take its own memory, not the search's
BOUND_MS = {256: 2.0, 512: 8.0}
"""Milliseconds beside the classifier per query, by the longest side up to which they hold."""
BOUND_MB = 1000.0
BOUND_SHARE = 0.9


class Timed:
    """A function that notes how much processor time it takes, in batches of at most `BATCH` images."""

    def __init__(self, predict: Predict) -> None:
        self.predict, self.seconds = predict, 0.0

    def __call__(self, images: Images) -> NDArray[np.floating]:
        """The scores (N, K) of images (N, H, W, C)."""
        start = time.process_time()
        scores = np.concatenate([self.predict(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])
        self.seconds += time.process_time() - start
        return scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", "")), help="the folder shared/data")
    parser.add_argument("--sizes", default="227,512", help="sides of the square pictures, with commas between")
    parser.add_argument("--distance", default="l0,l2,linf,l1", help="distances, with commas between")
    parser.add_argument("--modes", default=",".join(MODES), help="of untargeted, targeted and competitive")
    parser.add_argument("--budgets", default="", help="two numbers of queries, with a comma between: 1000,4000")
    parser.add_argument("--picture", type=int, default=0, help="the number of the photograph")
    parser.add_argument("--light", action="store_true", help="a network that costs next to nothing")
    parser.add_argument("--quick", action="store_true", help="budgets of 200 and 800 queries, untargeted")
    parser.add_argument("--profile", action="store_true", help="the functions of a search that take most time, to stderr")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(_measure(chosen.data, **json.loads(chosen.one))))
        return 0
    budgets = [int(part) for part in (chosen.budgets or ("200,800" if chosen.quick else "1000,4000")).split(",")]
    modes = MODES[:1] if chosen.quick and chosen.modes == ",".join(MODES) else chosen.modes.split(",")
    print("distance | goal | side | queries | ms beside the classifier (of the bound) | its share | MB | distance")
    for size in map(int, chosen.sizes.split(",")):
        for distance in chosen.distance.split(","):
            for mode in modes:
                for budget in budgets:
                    one = {
                        "size": size, "distance": distance, "mode": mode, "budget": budget, "light": chosen.light,
                        "picture": chosen.picture, "profile": chosen.profile,
                    }  # fmt: skip
                    _print_row(one, _apart(one, chosen.data))
    return 0


def _print_row(one: dict[str, object], told: dict[str, float]) -> None:
    bound = next((most for side, most in BOUND_MS.items() if int(str(one["size"])) <= side), math.inf)
    print(
        f"{one['distance']} | {one['mode']} | {one['size']} | {told['queries']:,.0f} | {told['ms']:.2f} "
        f"({told['ms'] / bound:.2f}) | {told['share']:.1%} (asked {BOUND_SHARE:.0%}) | {told['mb']:.0f} "
        f"({told['mb'] / BOUND_MB:.2f}) | {told['distance']:.6g}",
        flush=True,
    )


def _apart(one: dict[str, object], data: Path) -> dict[str, float]:
    """What a process of its own measures."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--one", json.dumps(one), *(["--data", str(data)] if str(data) != "." else [])]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **threads}, check=False)
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise SystemExit(done.returncode)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _measure(
    data: Path, *, size: int, distance: str, mode: str, budget: int, light: bool, picture: int, profile: bool
) -> dict[str, float]:
    from adversarial import CallableClassifier, FeatureGuidedAttack

    timed = Timed(_light(size) if light else _network(data, size))
    image = _picture(data, size, picture)
    scores = timed(np.repeat(image[None], BATCH, axis=0))[0]
    order = np.argsort(-scores)
    attack = FeatureGuidedAttack(
        distance=distance, budget=budget, player_two="competitive" if mode == "competitive" else "cooperative"
    )
    targets = order[1:2] if mode == "targeted" else None
    # imports and what numpy keeps: a search of its own, on a small picture, which has another network
    small = _picture(Path(), 32, 0)
    FeatureGuidedAttack(distance=distance, budget=60).run(CallableClassifier(_light(32)), small[None])
    classifier = CallableClassifier(timed)
    timed.seconds = 0.0
    before, start = _peak(), time.process_time()
    if profile:
        result = _profiled(lambda: attack.run(classifier, image[None], order[:1], targets=targets))[0]
    else:
        result = attack.run(classifier, image[None], order[:1], targets=targets)[0]
    taken = time.process_time() - start
    return {
        "queries": classifier.queries,
        "ms": (taken - timed.seconds) / max(1, classifier.queries) * 1e3,
        "share": timed.seconds / taken,
        "mb": _peak() - before,
        "distance": result.distance,
    }


def _profiled(run: Callable[[], list[object]]) -> list[object]:
    import cProfile
    import pstats

    profile = cProfile.Profile(time.process_time)
    found = profile.runcall(run)
    told = io.StringIO()
    pstats.Stats(profile, stream=told).sort_stats("tottime").print_stats(28)
    sys.stderr.write(told.getvalue())
    return found


def _peak() -> float:
    """Megabytes that this process has held at most."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _picture(data: Path, size: int, number: int) -> Images:
    """(size, size, 3): the centre of a photograph, or smooth noise where there is none."""
    from PIL import Image

    file = data / "pets" / "pets_images.zip"
    if file.is_file():
        with zipfile.ZipFile(file) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
            with Image.open(io.BytesIO(archive.read(names[number]))) as opened:
                photo = opened.convert("RGB")
        if size <= 256:
            edge = (256 - size) // 2
            photo = photo.crop((edge, edge, edge + size, edge + size))
        else:
            photo = photo.resize((size, size), Image.Resampling.BICUBIC)
        return np.asarray(photo, dtype=np.float32) / np.float32(255)
    coarse = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(smooth, dtype=np.float32) / np.float32(255)


def _network(data: Path, size: int) -> Predict:
    file = data / "pets" / "squeezenet.onnx"
    return _squeezenet(file, size) if file.is_file() else _residual()


def _squeezenet(file: Path, size: int) -> Predict:
    """The network for pictures of another size: all its layers but the mean at the end are convolutions."""
    import onnx

    from adversarial import load_classifier

    model = onnx.load(str(file))
    for place in (1, 2):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_value = size
    del model.graph.value_info[:]
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, str(Path(folder) / "network.onnx"))
        return load_classifier(f"onnx:{folder}/network.onnx", threads=1).predict


def _residual() -> Predict:
    """A residual network of the cost of ResNet-18, with random weights."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)

    class Block(nn.Module):
        def __init__(self, taken: int, given: int, stride: int) -> None:
            super().__init__()
            self.first = nn.Conv2d(taken, given, 3, stride, 1)
            self.second = nn.Conv2d(given, given, 3, 1, 1)
            self.beside = nn.Conv2d(taken, given, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.second(torch.relu(self.first(images))) + self.beside(images))

    widths = (64, 64, 128, 128, 256, 256, 512, 512)
    blocks = [Block(before, after, 1 if before == after else 2) for before, after in zip((64, *widths), widths, strict=False)]
    layers = [nn.Conv2d(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers, nn.Linear(512, 100)).eval()

    def predict(images: Images) -> NDArray[np.floating]:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy())

    return predict


def _light(size: int) -> Predict:
    """The scores of 10 classes by the means of squares of the picture, of a network that costs next to nothing."""
    cells = 16
    rng = np.random.default_rng(5)
    inner = rng.normal(size=(cells * cells * 3, 32)).astype(np.float32) / np.float32(cells * math.sqrt(3))
    outer = rng.normal(size=(32, 10)).astype(np.float32) / np.float32(math.sqrt(32))
    edges = np.linspace(0, size, cells + 1).astype(np.int64)[:-1]
    area = np.float32((size / cells) ** 2)

    def predict(images: Images) -> NDArray[np.floating]:
        means = np.add.reduceat(np.add.reduceat(images, edges, axis=1), edges, axis=2) / area
        return np.asarray(np.tanh((means.reshape(len(images), -1) - 0.5) @ inner * 4) @ outer)

    return predict


if __name__ == "__main__":
    sys.exit(main())
