"""The fewest pixels that flip a decision: what a bound holds, and how it is told."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record

from adversarial import PixelBound, PixelProof

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
