"""Metrics of Quantus beside the pure forward passes, one pair at a time: `benchmarks.evaluate` runs it in Quantus's Python.

python -m benchmarks.evaluation.quantus_cost FOLDER IMAGES STEPS BATCH

First it prints the names of its rows and their batches, as one line of JSON. Then it reads the number of a row from each line
of its input, times that row beside as many forward passes, and answers with one line of JSON. Between two rows it waits, so
that the two libraries can take turns.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import quantus
import torch

from benchmarks.evaluation.pairs import SAMPLES, SINGLES, SUBSET, material, one_pair
from benchmarks.evaluation.resnet20 import load_resnet20

VALUES = 3 * 32 * 32  # of an image: Quantus spreads a map over the colours and hides values


def main() -> None:
    folder, images, steps, batch = Path(sys.argv[1]), *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    network = load_resnet20(folder)
    pictures, labels, scores = material(folder, images)
    arranged = pictures.transpose(0, 3, 1, 2).copy()
    quiet = {"disable_warnings": True, "display_progressbar": False}
    flipping = quantus.PixelFlipping(features_in_step=VALUES // steps, perturb_baseline="black", **quiet)
    size = round(SUBSET * VALUES)
    correlation = quantus.FaithfulnessCorrelation(nr_runs=SAMPLES, subset_size=size, perturb_baseline="black", **quiet)
    passes = []
    network.register_forward_hook(lambda _module, _given, output: passes.append(len(output)))
    rows = [
        ("Quantus PixelFlipping", flipping, batch, images),
        ("Quantus PixelFlipping", flipping, 1, SINGLES),
        ("Quantus FaithfulnessCorrelation", correlation, batch, images),
        ("Quantus FaithfulnessCorrelation", correlation, 1, SINGLES),
    ]
    print(json.dumps([[name, size] for name, _, size, _ in rows]), flush=True)
    for line in sys.stdin:
        _, metric, size, count = rows[int(line)]

        def run(metric=metric, size=size, count=count) -> int:
            passes.clear()
            given = {"x_batch": arranged[:count], "y_batch": labels[:count], "a_batch": scores[:count, None]}
            metric(model=network, device="cpu", batch_size=size, **given)
            return sum(passes)

        print(json.dumps(one_pair(run, network, torch.from_numpy(arranged), size)), flush=True)


if __name__ == "__main__":
    main()
