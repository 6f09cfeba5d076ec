"""What evaluating and making maps costs, divided by the passes of the network that it needs; Quantus takes turns with saywhy.

Every row is timed in rounds: one pair of each row after the other, so that a machine that gets slower does so for all. A pair
is one run and as many pure passes of the network, in batches of the same size.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.evaluation.attribution_cost import alone, unit
from benchmarks.evaluation.pairs import SAMPLES, SINGLES, SUBSET, material, one_pair
from benchmarks.evaluation.resnet20 import CLASS_NAMES, load_resnet20
from evals.faithfulness import METRICS, evaluate, sweep
from verbalize import PixelSaliency, Query, attribute

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEP, RFXG, MAPS = 1.15, 1.1, 1.3  # the targets: at most so many times what is needed
REPEATS = 5  # pairs in one round of a row that takes a fraction of a second
FRAMES = ("ccs", "cgc", "pgs", "cgs")
GROUPS = {"vehicles": ["airplane", "automobile", "ship", "truck"], "animals": ["bird", "cat", "deer", "dog", "frog", "horse"]}
QUANTUS_STEPS = tuple(3 * 1024 // size for size in (256, 128, 64, 32, 16))  # it hides 2^k of the 3·1024 values at a time


@dataclass
class Row:
    """A line of the table: what is timed, and what it was divided by in each round."""

    name: str
    batch: int
    unit: str
    target: float | None
    pair: Callable[[], tuple[int, float, float]]
    found: list[tuple[int, float, float]] = field(default_factory=list)

    def line(self) -> str:
        """The row in Markdown: the median of the ratios and their middle half."""
        count, seconds, _ = np.median(np.array(self.found, dtype=float), axis=0)
        ratios = [run / pure for _, run, pure in self.found]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        aim = "" if self.target is None else f"{self.target:.2f}"
        ratio = f"{middle:.2f} ({low:.2f} to {high:.2f})"
        return f"| {self.name} | {self.batch} | {count:.0f} | {seconds:.2f} | {self.unit} | {ratio} | {aim} |"


def print_costs(folder: Path, images: int, rounds: int, steps: int, python: str | None) -> bool:
    """Measure, print a table in Markdown, and say whether all targets are reached."""
    torch.set_num_threads(1)
    rows = [*evaluation_rows(folder, images, steps), *attribution_rows(folder, images)]
    quantus = Quantus(python, folder, images, steps) if python else None
    if quantus is not None:
        rows += quantus.rows()
    for row in rows:
        row.pair()  # the first run sets up what later ones find ready
    for _ in range(rounds):
        for row in rows:
            row.found.append(row.pair())
    if quantus is not None:
        quantus.close()
    print(
        f"ResNet-20 on CIFAR-10, {images} images ({SINGLES} where the batch is 1), {steps} steps of deletion, {SAMPLES} random"
        f" sets; median and middle half of {rounds} rounds, processor seconds, one thread\n"
    )
    print("| what | batch | inputs run | seconds | divided by | ratio | target |")
    print("| --- | ---: | ---: | ---: | --- | ---: | ---: |")
    for row in rows:
        print(row.line())
    if quantus is None:
        print("\nSAYWHY_QUANTUS names no Python with Quantus, so that Quantus is left out.")
    held = [row for row in rows if row.target is not None]
    missed = [row.name for row in held if np.median([run / pure for _, run, pure in row.found]) > (row.target or 0)]
    print(f"\n{len(held) - len(missed)} of {len(held)} targets reached{': not ' + ', '.join(missed) if missed else ''}")
    return not missed


def evaluation_rows(folder: Path, images: int, steps: int) -> list[Row]:
    """Sweeps and metrics over pure forward passes, and the metrics of RFxG with deletion over deletion."""
    network = load_resnet20(folder)
    pictures, labels, scores = material(folder, images)
    maps = [
        PixelSaliency(score, Query(CLASS_NAMES[label]), image=image)
        for score, label, image in zip(scores, labels, pictures, strict=True)
    ]
    batched = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    random = {"samples": SAMPLES, "subset": SUBSET, "metrics": ["faithfulness_correlation"]}
    few, many = maps[:SINGLES], {"batch_size": images}
    runs: list[tuple[str, int, Callable[[], int]]] = [
        ("sweep, deletion", images, lambda: sweep(network, maps, steps=steps, **many).forwards),
        ("sweep, deletion", 1, lambda: sweep(network, few, steps=steps, batch_size=1).forwards),
        ("evaluate, faithfulness correlation", images, lambda: evaluate(network, maps, **many, **random).forwards),
        ("evaluate, faithfulness correlation", 1, lambda: evaluate(network, few, batch_size=1, **random).forwards),
        ("evaluate, all without truth and method", images, lambda: evaluate(network, maps, steps=steps, **many).forwards),
    ]
    rows = [
        Row(f"saywhy {name}", batch, "pure forwards", SWEEP, partial(one_pair, run, network, batched, batch))
        for name, batch, run in runs
    ]
    frames = [name for frame in FRAMES for name in (frame, f"{frame}_contrast")]
    assert all(name in METRICS for name in frames)

    def both() -> tuple[int, float, float]:
        began = time.process_time()
        evaluate(network, maps, metrics=["deletion"], batch_size=images)
        between = time.process_time()
        found = evaluate(network, maps, metrics=["deletion", *frames], groups=GROUPS, batch_size=images)
        return found.forwards, time.process_time() - between, between - began

    return [*rows, Row("saywhy evaluate, deletion and all of RFxG", images, "deletion alone", RFXG, both)]


def attribution_rows(folder: Path, images: int) -> list[Row]:
    """Eigen-CAM and NormGrad over one forward and one backward pass."""
    network = load_resnet20(folder)
    pictures = material(folder, images)[0]
    pure = unit(network, pictures)

    def pair(run: Callable[[], Any]) -> tuple[int, float, float]:
        spent = np.zeros(2)
        for _ in range(REPEATS):
            began = time.process_time()
            pure()
            between = time.process_time()
            run()
            spent += time.process_time() - between, between - began
        return images, *(spent / REPEATS).tolist()

    rows = []
    for name, shown in (("eigen_cam", "Eigen-CAM"), ("norm_grad", "NormGrad")):
        called = partial(attribute, network, pictures, method=name, batch_size=images)
        rows.append(Row(f"saywhy {shown}, as called", images, "forward and backward", MAPS, partial(pair, called)))
        own = partial(pair, alone(network, pictures, name))
        rows.append(Row(f"saywhy {shown}, method alone", images, "forward and backward", None, own))
    return rows


class Quantus:
    """Quantus in a Python of its own, which times one row whenever it is asked."""

    def __init__(self, python: str, folder: Path, images: int, steps: int) -> None:
        command = [python, "-m", "benchmarks.evaluation.quantus_cost", str(folder), str(images), str(steps), str(images)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            command, cwd=Path(__file__).resolve().parents[2], env={**os.environ, **threads}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def rows(self) -> list[Row]:
        """A row for each metric and batch."""
        named = self._answer()
        return [
            Row(name, batch, "pure forwards", None, partial(self._pair, index)) for index, (name, batch) in enumerate(named)
        ]

    def close(self) -> None:
        """End the other Python."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()

    def _pair(self, index: int) -> tuple[int, float, float]:
        self._process.stdin.write(f"{index}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        forwards, seconds, pure = self._answer()
        return forwards, seconds, pure

    def _answer(self) -> Any:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise RuntimeError(f"Quantus's Python ended with status {self._process.wait()}; does SAYWHY_QUANTUS name one?")
        return json.loads(line)
