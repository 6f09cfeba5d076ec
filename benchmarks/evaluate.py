"""What attributing and evaluating maps costs, beside Quantus, and how faithful the maps of many methods are to real models.

Run: python benchmarks/evaluate.py [--tables] [--inputs 30] [--models minilm resnet20 vit] [--images 16] [--rounds 5]

SAYWHY_DATA names the folder with `cifar10/` and `smv_crowd/`; without it, costs are left out, and so is ResNet-20. Costs are
the processor time of one thread, divided by that of as many forward passes in batches of the same size, or by what the table
says. Quantus runs in the Python that SAYWHY_QUANTUS names, with the same network, images and maps and as many masked inputs
per image, and takes turns with saywhy; without it, only this side is measured. It hides the 3,072 values of an image in equal
steps whose size divides 1,024, which is why only some numbers of --steps can be had.

With --tables, methods x metrics are measured on three models as well (`benchmarks/evaluation/tables.py`), for pointwise and for
contrastive questions; --only-tables leaves the costs out.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Python puts this folder first on the path; the packages are in the one above
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]]

import torch  # noqa: E402

from benchmarks.evaluation.costs import QUANTUS_STEPS, print_costs  # noqa: E402
from benchmarks.evaluation.resnet20 import data_folder  # noqa: E402
from benchmarks.evaluation.tables import MODELS, print_tables  # noqa: E402


def main() -> int:
    """Measure, and print tables in Markdown; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", action="store_true", help="methods x metrics on three models, too")
    parser.add_argument("--only-tables", action="store_true", help="without the costs")
    parser.add_argument("--inputs", type=int, default=30, help="texts or images of each table")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="the models of the tables")
    parser.add_argument("--images", type=int, default=16, help="images, and the batch, for costs")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which each row of costs is timed once")
    parser.add_argument("--steps", type=int, default=48, choices=QUANTUS_STEPS, help="steps of deletion, for costs")
    options = parser.parse_args()
    began, folder, reached = time.perf_counter(), data_folder(), True
    if options.only_tables:
        pass
    elif folder is None:
        print("SAYWHY_DATA names no folder with cifar10/resnet20.npz, so that costs are left out.")
    else:
        print("## Cost\n")
        reached = print_costs(folder, options.images, options.rounds, options.steps, os.environ.get("SAYWHY_QUANTUS"))
    if options.tables or options.only_tables:
        torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
        print("\n## Methods and metrics")
        print_tables(folder, options.inputs, options.models)
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
