"""The fewest pixels that flip a decision: what a bound holds, and how it is told."""

from __future__ import annotations

from functools import partial

import numpy as np
from parameters.harness import case, later, record

from adversarial import PixelBound, PixelProof
from adversarial.bounds import LipschitzConstant, grid_bound

PROOF = {
    "pixels": 2, "asked": 3, "finished": False, "share": 0.5, "blocks": 7, "seconds": 1.5, "rounding": 1e-5,
    "network": "this ONNX file",
}  # fmt: skip
BOUND = {"lower": 3, "upper": 5.0, "label": 0, "witness": np.zeros((2, 2, 1), np.float32), "witness_label": 1}
record(
    "adversarial.PixelProof", PROOF, pixels=1, asked=2, finished=True, share=0.75, blocks=8, seconds=2.0, rounding=1e-4,
    network="this torch module",
)  # fmt: skip
record(
    "adversarial.PixelBound", {**BOUND, "proof": PixelProof(**PROOF)}, lower=2, upper=4.0, label=2, witness=None, witness_label=2,
    proof=PixelProof(**{**PROOF, "share": 0.25}),
)  # fmt: skip
SELF = {"self": later(lambda tools: PixelBound(**BOUND, proof=PixelProof(**PROOF)))}
case("adversarial.PixelBound.statement", SELF, class_names=["stop", "yield"])
case("adversarial.PixelBound.to_json", SELF, class_names=["stop", "yield"])


def led(images, by=1.2):
    """Class 0 leads by less, the more a pixel differs from grey."""
    gap = by - np.abs(images - 0.5).sum(axis=(1, 2, 3))
    return np.stack([gap, np.zeros_like(gap)], axis=1)


GRID = partial(
    grid_bound, led, np.full((1, 3, 1), 0.5, np.float32), [(0, 0), (0, 1), (0, 2)], tau=0.1,
    lipschitz=LipschitzConstant(3.0, norm="linf"),
)  # fmt: skip
case(
    "adversarial.bounds.larger_lower_bound",
    {"proved": PixelBound(**{**BOUND, "lower": 2}, proof=PixelProof(**PROOF)), "grid": GRID(norm="l0"), "pixels": 3},
    proved=PixelBound(**{**BOUND, "lower": 4}, proof=PixelProof(**PROOF)),
    grid=GRID(norm="linf"),
    pixels=4,
)
