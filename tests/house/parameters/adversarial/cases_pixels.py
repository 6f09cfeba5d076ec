"""The fewest pixels that flip a decision: what a bound holds, and how it is told."""

from __future__ import annotations

from functools import partial

import numpy as np
from parameters.harness import case, later, record

from adversarial import FeatureGuidedAttack, PixelBound, PixelProof
from adversarial.audit import Audit, AuditImage, AuditSettings
from adversarial.bounds import LipschitzConstant, grid_bound
from saywhy_core.classifiers import CallableClassifier, TorchClassifier

PROOF = {
    "pixels": 2, "asked": 3, "finished": False, "share": 0.5, "blocks": 7, "seconds": 1.5, "rounding": 1e-5,
    "network": "this ONNX file",
}  # fmt: skip
BOUND = {"lower": 3, "upper": 5.0, "label": 0, "witness": np.zeros((2, 2, 1), np.float32), "witness_label": 1}
record(
    "adversarial.PixelProof", PROOF, pixels=1, asked=2, finished=True, share=0.75, blocks=8, seconds=2.0, rounding=1e-4,
    network="this torch module", image_pixels=2, digest="0a1b",
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


def module(tools, scale=1.0):
    """Three classes over 4 x 4 grey pixels."""
    import torch

    torch.manual_seed(3)
    made = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(27, 3)).eval()
    with torch.no_grad():
        made[-1].weight *= scale
    return made


def small(tools, scale=1.0):
    return TorchClassifier(module(tools, scale), identity="small", device="cpu")


GREY = np.random.default_rng(0).random((4, 4, 1)).astype(np.float32)
SEEN = int(small(None)(GREY[None])[0].argmax())


def bounds(bound, tools, arguments):
    held = sorted(path.name for path in tools.folder.iterdir())
    return bound.lower, bound.upper, bound.proof.asked, round(bound.proof.rounding, 9), held, len(tools.recorded)


FEWEST = {"network": later(module), "image": GREY, "label": SEEN, "at_most": 1, "seconds": 5.0}
case(
    "adversarial.fewest_pixels", FEWEST, bounds, network=later(partial(module, scale=-3.0)), image=GREY[:3],
    label=(SEEN + 1) % 3, at_most=2, seconds=0, adversarial=GREY, journal=later(lambda tools: tools.folder / "journal"),
    earlier=PixelBound(**BOUND, proof=PixelProof(**PROOF)), progress=later(lambda tools: tools.record), threads=0,
    device="meta", seed=-1,
)  # fmt: skip
case(
    "adversarial.audit.AuditSettings.prover", {"self": AuditSettings(prove=1.0), "classifier": later(small)},
    lambda prover, tools, arguments: prover.seconds,
    classifier=later(lambda tools: CallableClassifier(lambda images: images.mean((1, 2)))),
)  # fmt: skip
QUICK = {"prove": 5.0, "prove_pixels": 1}
case(
    "adversarial.audit.audit_images",
    {
        "classifier": later(small), "images": [AuditImage("a", GREY, SEEN)], "out": later(lambda tools: tools.folder / "out"),
        "attack": FeatureGuidedAttack(budget=20, levels=None), **QUICK,
    },
    lambda outcome, tools, arguments: len(tools.recorded) > 0,
    on_proof=later(lambda tools: tools.record), on_proving=later(lambda tools: tools.record),
)  # fmt: skip


def files(tools):
    np.savez(tools.folder / "a.npz", images=GREY[None], labels=np.array([SEEN]))
    return [tools.folder / "a.npz"]


case(
    "adversarial.audit.Audit.run",
    {
        "self": later(lambda tools: Audit(tools.folder / "audit")), "images": later(files), "target": later(small), "budget": 20,
        "weather": (), "survival": False, **QUICK,
    },
    lambda status, tools, arguments: len(tools.recorded) > 0,
    on_proof=later(lambda tools: tools.record), on_proving=later(lambda tools: tools.record),
)  # fmt: skip
