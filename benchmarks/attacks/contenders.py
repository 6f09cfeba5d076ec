"""Who takes part: this package's attack and its peers, for each distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import CallableClassifier, FeatureGuidedAttack
from benchmarks.attacks.networks import NETWORKS, SIGNS, Set
from benchmarks.peers.brusle import brusle
from benchmarks.peers.cgba import cgba
from benchmarks.peers.rays import rays
from benchmarks.peers.recorder import Recorder
from benchmarks.peers.sparse_rs import sparse_rs
from benchmarks.peers.sparse_rs_warm import sparse_rs_warm
from benchmarks.peers.square import square
from benchmarks.peers.surfree import surfree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Peer = Callable[[Recorder, int], None]

OURS, PRECISE, REFERENCE = "this attack", "unrounded", "sigma-zero"
STEPS = 1000  # of the reference, whatever the budget of the others
LEVELS = 255  # steps of an 8-bit channel


@dataclass(frozen=True)
class Part:
    """What is compared: a distance, with or without targets.

    Attributes:
        norm: the distance.
        targeted: whether the next class is to be reached.
        precise: whether this attack is also run without 8-bit levels.
    """

    norm: str
    targeted: bool = False
    precise: bool = False


PARTS = {
    "l0": Part("l0"),
    "targeted": Part("l0", targeted=True),
    "l2": Part("l2", precise=True),
    "linf": Part("linf", precise=True),
}
PLANNED: dict[str, dict[str, Peer]] = {  # peers that plan by their budget: one run for each
    "l0": {"Sparse-RS": sparse_rs, "warm Sparse-RS": sparse_rs_warm, "BruSLeAttack": brusle},
    "l2": {"Square": partial(square, norm="l2")},
    "linf": {"Square": partial(square, norm="linf")},
}
ANYTIME: dict[str, dict[str, Peer]] = {  # peers that don't: one run to the largest budget, read on its way
    "l0": {},
    "l2": {
        "SurFree": surfree,
        "CGBA": cgba,
        "CGBA 1/2": partial(cgba, reduction=2.0, sigma=0.1),  # better than the paper's subspace on small colour images
        "HopSkipJump": lambda record, seed: _hop_skip_jump(record, seed),
    },
    "linf": {"RayS": rays},
}


def names(part: str) -> list[str]:
    """The contenders of a part, this attack first, the reference last."""
    norm = PARTS[part].norm
    own = [OURS, PRECISE] if PARTS[part].precise else [OURS]
    return [*own, *PLANNED[norm], *ANYTIME[norm], *([REFERENCE] if part == "l0" else [])]


def is_peer(name: str) -> bool:
    """Whether a contender is a black box of others."""
    return name not in (OURS, PRECISE, REFERENCE)


def run(data: Path, chosen: Set, part: str, name: str, budgets: tuple[int, ...], seed: int) -> list[dict[str, Any]]:
    """Run one contender on the only image of a set.

    Returns:
        One row for each budget: `budget`, `distance` (None where nothing was found), `queries`, and `survives`: whether the
        finding is still one after rounding to 8 bits (None where nothing was found, or not known).
    """
    image, label = chosen.images[0], int(chosen.labels[0])
    target = (label + 1) % chosen.predict(image[None]).shape[1] if PARTS[part].targeted else None
    norm = PARTS[part].norm
    if name in (OURS, PRECISE):
        return [_ours(chosen, norm, name, budget, seed, target) for budget in budgets]

    def recorder(budget: int) -> Recorder:
        return Recorder(chosen.predict, image, label, target, budget, norm)

    if name == REFERENCE:
        from benchmarks.peers.sigma_zero import sigma_zero

        record = recorder(STEPS)
        sigma_zero(record, seed, differentiable(data, chosen.name))
        return [_row(record, STEPS, chosen)]
    if name in PLANNED[norm]:
        rows = []
        for budget in budgets:
            record = recorder(budget)
            PLANNED[norm][name](record, seed)
            rows.append(_row(record, budget, chosen))
        return rows
    record = recorder(max(budgets))
    ANYTIME[norm][name](record, seed)
    rows = []
    for budget in budgets:
        until = record.trace[record.trace[:, 0] <= budget]
        row = _row(record, budget, chosen)
        if budget < max(budgets):
            row |= {"distance": float(until[-1, 1]) if len(until) else None, "survives": None}
        rows.append(row)
    return rows


def _ours(chosen: Set, norm: str, name: str, budget: int, seed: int, target: int | None) -> dict[str, Any]:
    options: dict[str, Any] = {"levels": None} if name == PRECISE else {}
    attack = FeatureGuidedAttack(distance=norm, budget=budget, seed=seed, **options)
    targets = None if target is None else np.array([target])
    result = attack.run(CallableClassifier(chosen.predict), chosen.images[:1], chosen.labels[:1], targets=targets)[0]
    distance = result.distance if math.isfinite(result.distance) else None
    survives = _survives(chosen, result.adversarial, int(chosen.labels[0]), target)
    return {"budget": budget, "distance": distance, "queries": result.queries, "survives": survives}


def _row(record: Recorder, budget: int, chosen: Set) -> dict[str, Any]:
    distance = record.distance if math.isfinite(record.distance) else None
    survives = _survives(chosen, record.best, record.label, record.target)
    return {"budget": budget, "distance": distance, "queries": min(record.queries, budget), "survives": survives}


def _survives(chosen: Set, image: Any, label: int, target: int | None) -> bool | None:
    if image is None:
        return None
    rounded = (np.rint(np.asarray(image, dtype=np.float64) * LEVELS) / LEVELS).astype(np.float32)
    winner = int(np.asarray(chosen.predict(rounded[None]))[0].argmax())
    return winner != label if target is None else winner == target


def _hop_skip_jump(record: Recorder, seed: int) -> None:
    from benchmarks.peers import foolbox_attacks

    foolbox_attacks.run(record, seed, foolbox_attacks.hop_skip_jump)


@cache
def differentiable(data: Path, name: str) -> Any:
    """(N, H, W, C) float64 tensors -> (N, K), with gradients: the network itself, for white boxes."""
    if name == SIGNS:
        from saywhy import signs

        module = signs.load().module().double()
        return lambda images: module(images.permute(0, 3, 1, 2))
    from adversarial.bounds.networks import evaluate, read_onnx

    graph = read_onnx(data / NETWORKS[name][0])
    return lambda images: evaluate(graph, images)
