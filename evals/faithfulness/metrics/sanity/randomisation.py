"""Parameter randomisation (Adebayo et al. 2018, "Sanity checks for saliency maps").

    randomisation = Spearman's rank correlation of Φ(x) under the model and under the same model with random weights

Lower is better: a map that stays the same when the model forgets all that it has learned does not show what it has learned.
All weights are drawn anew at once; the paper also draws them layer by layer. Each tensor of weights is shuffled, so that its
values keep their distribution, where the paper initializes them anew. The correlation is of signed scores. Means and variances
of normalisation layers stay. The model has its weights back afterwards, also after an error. Where a method can't explain the
model with random weights, because its scores overflow for example, the metric is not defined.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.sanity.class_sensitivity import inputs_of
from evals.faithfulness.metrics.sanity.similarity import rank_correlations
from evals.faithfulness.settings import checked_whole
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats, Query, Saliency


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    module = next(
        (one for name in ("module", "model") if isinstance(one := getattr(answers.model, name, None), nn.Module)), None
    )
    if answers.explain is None or module is None:
        raise UsageError("randomisation needs explain=, and a model whose weights are known")
    inputs = inputs_of(answers)
    queries = [one.query for one in answers.maps]
    with _random_weights(module, checked_whole("seed", settings["seed"], 0)):
        others = _explained(answers.explain, inputs, queries)
    there = [row for row, other in enumerate(others) if other is not None]
    found = np.full(len(others), np.nan)
    found[there] = rank_correlations([answers.maps[row] for row in there], [one for one in others if one is not None])
    return found


def _explained(
    explain: Callable[[list[Any], list[Query]], Sequence[Saliency]], inputs: list[Any], queries: list[Query]
) -> list[Saliency | None]:
    """All maps; where that fails, each by itself, and `None` for those that can't be made."""
    try:
        return list(explain(inputs, queries))
    except UsageError:
        if len(inputs) == 1:
            return [None]
    return [_explained(explain, [one], [query])[0] for one, query in zip(inputs, queries, strict=True)]


@contextmanager
def _random_weights(module: nn.Module, seed: int) -> Iterator[None]:
    """Inside the block, the values of each parameter stand in random places of it."""
    generator = torch.Generator().manual_seed(seed)
    kept = {name: parameter.detach().clone() for name, parameter in module.named_parameters()}
    try:
        with torch.no_grad():
            for parameter in module.parameters():
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.reshape(-1)[order].reshape(parameter.shape))
        yield
    finally:
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter.copy_(kept[name])


RANDOMISATION = Metric(
    "rank correlation with the map of the model with random weights (Adebayo et al. 2018)",
    _measure,
    higher_is_better=False,
    settings={"seed": 0},
    needs=("explain", "gradients"),
    scaled=False,
    bounds=(-1, 1),
    undefined="all scores of one of the two maps are equal, or the model with random weights can't be explained",
)
