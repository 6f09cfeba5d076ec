"""Does the mere look of the explanations tell the label: their length, how many words they name or shade?

A leak of this kind names nothing. If texts about negative reviews are twice as long, whoever counts words does well without
understanding any of them, and the study measures that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evals.study.items import Item, Stimulus

_LEAST = 16
"""Items. Of fewer, chance alone tells labels from lengths too often."""
_DRAWS = 500
_ALPHA = 0.01  # several conditions are looked at, and a false alarm costs the researcher an hour
_MARGIN = 0.1  # points of accuracy above the most frequent label below which nobody could use it
_EXPLANATION = "Explanation: "


def surface_hints(items: Sequence[Item], conditions: Sequence[str], seed: int) -> list[str]:
    """A sentence for each condition whose looks tell the label better than chance.

    From what can be counted of an explanation, each item's label is guessed as that of the nearest mean of the other items; the
    share of right guesses is held against the same with labels at random places.

    Args:
        items: the items that are analysed.
        conditions: the names of the conditions.
        seed: of the draws.
    """
    labels = [item.predicted for item in items]
    known = sorted(set(labels))
    if len(items) < _LEAST or len(known) < 2:
        return []
    chosen = np.array([known.index(label) for label in labels])
    most = float(np.bincount(chosen).max() / len(chosen))
    found = []
    for name in conditions:
        features = np.array([_counted(item.stimuli[name]) for item in items])
        accuracy, p = _accuracy(features, chosen, seed)
        if p <= _ALPHA and accuracy >= most + _MARGIN:
            found.append(
                f"{name}: what can be counted of the explanations (their length, the words that they name or shade) tells the "
                f"label of {accuracy:.0%} of the items, where always guessing the most frequent tells {most:.0%} "
                f"(p = {p:.3f}), so that people can count instead of read; take other items (--study-seed), texts of one "
                "length, or report it beside the accuracy"
            )
    return found


def _counted(stimulus: Stimulus) -> tuple[float, ...]:
    _, _, said = stimulus.text.partition(_EXPLANATION)
    html = stimulus.html
    return (
        len(said),
        len(said.split()),
        len(re.findall(r"\d", said)),
        len(re.findall(r"['\"“‘«]", said)),
        html.count("<li>"),
        html.count("<mark>"),
        len(re.findall(r'<span class="[hm]\+?\d', html)),
        len(re.findall(r'<span class="h-\d', html)),
    )


def _accuracy(features: NDArray[np.float64], chosen: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """The share of right guesses, and how often labels at random places do as well."""
    varied = features[:, features.std(axis=0) > 0]
    if not varied.shape[1]:
        return 0.0, 1.0
    scaled = (varied - varied.mean(axis=0)) / varied.std(axis=0)
    kinds = int(chosen.max()) + 1
    have = _guessed(scaled, chosen, kinds)
    draws = np.random.default_rng(seed)
    as_good = sum(_guessed(scaled, draws.permutation(chosen), kinds) >= have - 1e-12 for _ in range(_DRAWS))
    return have, (1 + as_good) / (1 + _DRAWS)


def _guessed(scaled: NDArray[np.float64], chosen: NDArray[np.int64], kinds: int) -> float:
    """The share of items that are nearest to the mean of the other items of their label."""
    member = np.eye(kinds)[chosen]
    sums, counts = member.T @ scaled, member.sum(axis=0)
    means = sums / np.maximum(counts, 1)[:, None]
    distances = ((scaled[:, None, :] - means) ** 2).sum(axis=2)
    distances[:, counts == 0] = np.inf
    own = (sums[chosen] - scaled) / np.maximum(counts[chosen] - 1, 1)[:, None]
    distances[np.arange(len(chosen)), chosen] = np.where(counts[chosen] > 1, ((scaled - own) ** 2).sum(axis=1), np.inf)
    return float((distances.argmin(axis=1) == chosen).mean())
