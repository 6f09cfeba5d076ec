"""Picks the method: by held-out shots where there are some, else by a stated rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

USUAL = ("anchored-probe", "prompts+prototype", "prompts", "template")
"""What is used where held-out shots do not decide, the first that breaks no pinned image. The anchored probe uses texts and
images, changes only what the shots contradict, and is never far from the best in docs/few-shot.md. The template is last: it is
what pinned images are held against, and breaks none."""

ERRORS = 2.0
"""How many standard errors of the difference another method must be ahead by: about the 5 % level. By chance alone, the best of
nine is often ahead by one."""


def pick(right: Mapping[str, NDArray[np.float64]] | None, allowed: Sequence[str]) -> tuple[str, str]:
    """The name of the method to use, and why, in a sentence.

    The first of `USUAL` is used unless another method is ahead of it by more than the noise. Where it may not be picked, the
    best on held-out shots is.

    Args:
        right: method -> how often each held-out shot was right; None where no shot could be held out.
        allowed: the methods that may be picked.
    """
    usual = next((name for name in USUAL if name in allowed), allowed[0])
    if right is None:
        return (
            usual,
            f"{usual} was picked by rule: with one image per class no shot can be held out",
        )
    if usual != USUAL[0]:  # which is preferred because it is never far from the best; of the others that can't be said
        best = max(allowed, key=lambda name: (right[name].mean(), -_rank(name)))
        return best, f"{best} was picked: of the methods that may be, it does best on held-out shots"
    ahead = {name: _lead(right[name], right[usual]) for name in allowed if name != usual}
    # of those that are surely better the one with the best accuracy, the earlier of equals
    better = [name for name, lead in ahead.items() if lead > ERRORS]
    if not better:
        return usual, f"{usual} was picked: no other method does better on held-out shots by more than the noise"
    best = max(better, key=lambda name: right[name].mean())
    return best, f"{best} was picked: on held-out shots it does better than {usual} by more than the noise"


def _rank(name: str) -> int:
    return USUAL.index(name) if name in USUAL else len(USUAL)


def _lead(values: NDArray[np.float64], usual: NDArray[np.float64]) -> float:
    """The mean difference in standard errors; 0 where there is none."""
    gain = values - usual
    if len(gain) < 2 or not gain.any():
        return 0.0
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    return float(gain.mean() / error) if error > 0 else float(np.sign(gain.mean()) * np.inf)
