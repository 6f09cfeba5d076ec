"""Prompts that do harm, or nothing, are taken out of a set at the end of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agents.prompting.fitness import Scorer

TIE = 1e-9
"""Fitness that counts as none: far above what float64 sums differ by, far below what one prompt changes."""


def pruned(scorer: Scorer, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The set K×M without the prompts whose removal lowers neither fitness nor accuracy on the labelled images.

    Class by class, every prompt is left out once, and the one without which the fitness is highest goes, until each that is
    left is needed. Where leaving out changes nothing, the later prompt goes. A class keeps at least one prompt, a pinned image
    stays right, and the accuracy never falls.
    """
    found = mask.copy()
    for index in range(len(found)):
        found[index] = _pruned_class(scorer, found, index)
    return found


def _pruned_class(scorer: Scorer, mask: NDArray[np.bool_], index: int) -> NDArray[np.bool_]:
    now = mask.copy()
    while (members := np.flatnonzero(now[index])[::-1]).size > 1:
        base = scorer.cosines(now[None])
        vectors = scorer.vectors(now[None])[0] if scorer.weights.redundancy else None
        before = scorer.rate(base, None if vectors is None else scorer.redundancy(now[None]))
        without = np.repeat(now[None, index : index + 1], len(members), axis=0)
        without[np.arange(len(members)), 0, members] = False
        after = scorer.rate_edits(base[0], without, np.array([index]), vectors)
        value = np.where(after.accuracy < before.accuracy[0] - TIE, -np.inf, after.value)
        best = int(value.argmax())
        if value[best] < before.value[0] - TIE:
            break
        now[index, members[best]] = False
    result: NDArray[np.bool_] = now[index]
    return result
