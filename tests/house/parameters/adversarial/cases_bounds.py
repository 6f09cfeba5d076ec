"""Bounds: three smooth classes over four pixels."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.networks import (
    NAMES,
)

from adversarial.bounds import Bound, LipschitzConstant, grid_bound

SMALL = np.full((2, 2, 1), 0.5, np.float32)
EVERY = [(y, x) for y in range(2) for x in range(2)]
PULL = np.array([[0.6, -0.4, 0.3, 0.2], [-0.1, 0.2, 0.1, 0.4], [0.2, 0.1, -0.5, 0.1]])


def three_classes(images):
    moved = images.reshape(len(images), -1).astype(float) - 0.5
    return np.array([1.0, 0.3, 0.1]) + moved @ PULL.T + 2.0 * (moved @ PULL.T) ** 3  # steeper the further away


def turned(images):
    return three_classes(1 - images)


LIPSCHITZ = {"classifier": later(lambda tools: tools.counting(three_classes)), "image": SMALL, "pixels": EVERY}
case(
    "adversarial.bounds.estimate_lipschitz",
    LIPSCHITZ,
    classifier=turned,
    pixels=EVERY[:2],
    norm="l2",
    label=1,
    radius=0.1,
    samples=8,
    batch_size=5,
    seed=1,
)
case("adversarial.bounds.estimate_lipschitz", {**LIPSCHITZ, "radius": 0.3, "target": 1}, image=SMALL + 0.2, target=2)
GRID = {**LIPSCHITZ, "tau": 0.25, "lipschitz": 1.0}
case(
    "adversarial.bounds.grid_bound",
    GRID,
    classifier=turned,
    image=SMALL + 0.2,
    pixels=EVERY[:2],
    tau=0.2,
    norm="l2",
    lipschitz=0.2,
    label=1,
    target=2,
    radius=0.1,
    adversarial=SMALL + 0.4,
    batch_size=5,
    max_images=10,
)
case("adversarial.bounds.grid_bound", {**GRID, "max_images": 40, "partial": True}, partial=False)
record("adversarial.bounds.LipschitzConstant", {"value": 1.0}, value=2.0, estimated=True, norm="l2", note="n")
BOUND = grid_bound(three_classes, SMALL, EVERY, tau=0.25, lipschitz=LipschitzConstant(1.0))
BOUND_FIELDS = {name: getattr(BOUND, name) for name in BOUND.__dataclass_fields__}
record(
    "adversarial.bounds.Bound",
    BOUND_FIELDS,
    radius=0.11,
    upper=0.12,
    norm="l1",
    constant=LipschitzConstant(2.0),
    constant_norm="l1",
    largest_constant=3.0,
    free_if=0.13,
    searched=0.14,
    exhaustive=not BOUND.exhaustive,
    refuted=0.15,
    evaluations=1,
    margin=0.16,
    tau=0.17,
    pixels=((0, 0),),
    label=1,
    target=2,
    example=SMALL,
    beyond=0.18,
)
TARGETED = Bound(**{**BOUND_FIELDS, "radius": 0.1, "refuted": None, "margin": 1.0, "target": 1})
for told in ("to_json", "statement"):
    case(f"adversarial.bounds.Bound.{told}", {"self": TARGETED, "class_names": NAMES}, class_names=NAMES[::-1])
