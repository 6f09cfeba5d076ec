"""What evaluating maps costs, beside the forward passes that it needs and beside Quantus.

    python -m benchmarks.evaluate [--images 20] [--rounds 5] [--steps 32]

ResNet-20 on CIFAR-10, from the folder that SAYWHY_DATA names. Each ratio is the processor time of one evaluation by that
of as many forward passes in batches of the same size, in pairs that alternate, on one thread. Quantus runs in the Python that
SAYWHY_QUANTUS names, with the same network, images and maps; without it, only this side is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

import torch

from benchmarks.evaluation.pairs import material, paired
from benchmarks.evaluation.resnet20 import CLASS_NAMES, data_folder, load_resnet20
from evals.faithfulness import evaluate, sweep
from verbalize import PixelSaliency, Query

BATCH = 64


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = data_folder()
    if folder is None:
        print("SAYWHY_DATA names no folder with cifar10/resnet20.npz, so that there is nothing to measure on.")
        return
    network = load_resnet20(folder)
    images, labels, scores = material(folder, arguments.images)
    maps = [
        PixelSaliency(score, Query(CLASS_NAMES[label]), image=image)
        for score, label, image in zip(scores, labels, images, strict=True)
    ]
    print(
        f"ResNet-20 on CIFAR-10, {len(images)} images, {arguments.steps} steps, median of {arguments.rounds} alternating pairs"
        ", one thread\n"
    )
    print("| what | batch | forwards | seconds | of the pure forwards |\n| --- | ---: | ---: | ---: | ---: |")
    batched = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    runs = (
        ("saywhy sweep (deletion)", BATCH, lambda: sweep(network, maps, steps=arguments.steps, batch_size=BATCH).forwards),
        ("saywhy sweep (deletion)", 1, lambda: sweep(network, maps[:4], steps=arguments.steps, batch_size=1).forwards),
        (
            "saywhy evaluate (all metrics)",
            BATCH,
            lambda: evaluate(network, maps, batch_size=BATCH, steps=arguments.steps).forwards,
        ),
    )
    for name, batch, run in runs:
        _row(name, batch, *paired(run, network, batched, batch, arguments.rounds))
    python = os.environ.get("SAYWHY_QUANTUS")
    if not python:
        print("\nSAYWHY_QUANTUS names no Python with Quantus, so that Quantus is left out.")
        return
    _quantus(python, folder, arguments.images, arguments.steps, arguments.rounds)


def _row(name: str, batch: int, forwards: int, seconds: float, ratio: float) -> None:
    print(f"| {name} | {batch} | {forwards} | {seconds:.2f} | {ratio:.2f} |", flush=True)


def _quantus(python: str, folder: Path, images: int, steps: int, rounds: int) -> None:
    """The same measurement in another Python, on the same network, images and maps."""
    root = Path(__file__).parent.parent
    given = [str(folder), str(images), str(steps), str(rounds), str(BATCH)]
    done = subprocess.run(
        [python, "-m", "benchmarks.evaluation.quantus_cost", *given], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"\nQuantus failed: {' '.join(done.stderr.strip().splitlines()[-1:])}")
        return
    for row in json.loads(done.stdout.strip().splitlines()[-1]):
        _row(row["name"], row["batch"], row["forwards"], row["seconds"], row["ratio"])


if __name__ == "__main__":
    main()
