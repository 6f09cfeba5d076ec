"""Weights of the fitness of prompt sets, with those of the configurations that ProAPO was released with."""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass
from functools import cache
from importlib.resources import files

from saywhy_core.errors import UsageError

BACKBONES = ("ViT-B-32", "RN50")
"""Of the released configurations; a data set without a backbone means the first."""


@dataclass(frozen=True)
class FitnessWeights:
    """F = accuracy · top-1 + top5 · top-5 + entropy · mean log p(true class) + redundancy · ‖upper triangle of V Vᵀ‖.

    V are the K×D class vectors. Top-1 and top-5 are fractions here; the released files count them in per cent, so that their
    rates are a hundredth of these. Redundancy is *added*, as in the released program: vectors of classes that are alike are
    rewarded; a negative weight punishes them.

    The defaults are the weights that most of the 52 released sections agree on (nine of them, six for descriptions): top-5
    rate 0.001 per per cent, cross-entropy 10, nothing else (Qu et al., CVPR 2025, program released with the paper).
    """

    accuracy: float = 0.0
    top5: float = 0.1
    entropy: float = 10.0
    redundancy: float = 0.0

    def __post_init__(self) -> None:
        values = astuple(self)
        if not all(math.isfinite(value) for value in values):
            raise UsageError(f"the weights of the fitness must be finite numbers, not {values}")
        if min(values[:3]) < 0 or max(values[:3]) == 0:
            raise UsageError("the weights of accuracy, top-5 and entropy must not be negative, and one must be more than 0")


@dataclass(frozen=True)
class StageWeights:
    """The weights for the search over templates and for that over descriptions."""

    templates: FitnessWeights
    descriptions: FitnessWeights


@cache
def _released() -> dict[str, dict[str, dict[str, list[float]]]]:
    text = files("agents.prompting").joinpath("released_weights.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, list[float]]]] = json.loads(text)["configurations"]
    return found


def released_names() -> tuple[str, ...]:
    """The released configurations: a data set, or a data set and a backbone, such as "imagenet" and "imagenet/RN50"."""
    return tuple(name for dataset in _released() for name in (dataset, *(f"{dataset}/{each}" for each in BACKBONES)))


def fitness_weights(weights: str | FitnessWeights | StageWeights | None) -> StageWeights:
    """The weights of both stages.

    Args:
        weights: None for those that most released sections agree on; the name of a released configuration; one set of
            weights for both stages; or a set for each. A text may also be four numbers with commas between them.

    Raises:
        UsageError: no such configuration, or numbers that make no weights.
    """
    if isinstance(weights, StageWeights):
        return weights
    if weights is None or isinstance(weights, FitnessWeights):
        same = weights or FitnessWeights()
        return StageWeights(same, same)
    if "," in weights:
        try:
            accuracy, top5, entropy, redundancy = map(float, weights.split(","))
        except ValueError:
            raise UsageError(
                f"the weights {weights!r} are not four numbers: give those of accuracy, top-5, entropy and redundancy, "
                "such as 0,0.1,10,0"
            ) from None
        same = FitnessWeights(accuracy, top5, entropy, redundancy)
        return StageWeights(same, same)
    dataset, _, backbone = weights.partition("/")
    section = _released().get(dataset, {}).get(backbone or BACKBONES[0])
    if section is None:
        raise UsageError(
            f"{weights!r} is no released configuration; there are {', '.join(_released())}, each also with "
            f"{' or '.join(f'/{name}' for name in BACKBONES)} behind it"
        )
    return StageWeights(_from_percent(*section["templates"]), _from_percent(*section["descriptions"]))


def _from_percent(top1: float, top5: float, entropy: float, redundancy: float) -> FitnessWeights:
    return FitnessWeights(100 * top1, 100 * top5, entropy, redundancy)
