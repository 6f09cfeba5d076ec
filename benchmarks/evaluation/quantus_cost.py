"""What metrics of Quantus cost, beside the pure forward passes; `benchmarks.evaluate` runs it in the environment of Quantus.

python -m benchmarks.evaluation.quantus_cost FOLDER IMAGES STEPS ROUNDS BATCH
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import quantus
import torch

from benchmarks.evaluation.pairs import material, paired
from benchmarks.evaluation.resnet20 import load_resnet20


def main() -> None:
    folder, images, steps, rounds, batch = sys.argv[1], *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    network = load_resnet20(Path(folder))
    pictures, labels, scores = material(Path(folder), images)
    arranged = pictures.transpose(0, 3, 1, 2).copy()
    quiet = {"disable_warnings": True, "display_progressbar": False}
    flipping = quantus.PixelFlipping(features_in_step=32 * 32 // steps, perturb_baseline="black", **quiet)
    correlation = quantus.FaithfulnessCorrelation(nr_runs=50, subset_size=224, perturb_baseline="black", **quiet)
    passes = []
    network.register_forward_hook(lambda _module, _given, output: passes.append(len(output)))
    rows = []
    for name, metric, size, count in (
        ("Quantus PixelFlipping", flipping, batch, len(arranged)),
        ("Quantus PixelFlipping", flipping, 1, 4),
        ("Quantus FaithfulnessCorrelation", correlation, batch, len(arranged)),
        ("Quantus FaithfulnessCorrelation", correlation, 1, 4),
    ):

        def run(metric=metric, size=size, count=count) -> int:
            passes.clear()
            given = {"x_batch": arranged[:count], "y_batch": labels[:count], "a_batch": scores[:count, None]}
            metric(model=network, device="cpu", batch_size=size, **given)
            return sum(passes)

        forwards, seconds, ratio = paired(run, network, torch.from_numpy(arranged), min(size, count), rounds)
        rows.append({"name": name, "batch": size, "forwards": forwards, "seconds": seconds, "ratio": ratio})
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
