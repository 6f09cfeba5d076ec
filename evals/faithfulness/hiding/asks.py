"""Which masked inputs a metric needs of each map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class Hide:
    """Inputs of which a share of the parts is hidden, in the order of the map. Metrics that ask for the same shares share them.

    Args:
        what: "top": the parts with the highest scores are hidden first; "bottom": those with the lowest scores. Hiding the
            bottom share q is keeping the top share 1-q alone.
        shares: (S,) shares of the parts, 0..1. Of P parts, the nearest whole number to share·P is hidden, half rounded up.
        by: what stands in the place of hidden parts; by default what the evaluation is told.

    Raises:
        UsageError: a share is not in 0..1, or `what` is neither.
    """

    what: Literal["top", "bottom"]
    shares: tuple[float, ...]
    by: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", tuple(float(share) for share in self.shares))
        if self.what not in ("top", "bottom"):
            raise UsageError(f'what is hidden is the "top" or the "bottom" of a map, not {self.what!r}')
        if not self.shares or not all(0 <= share <= 1 for share in self.shares):
            raise UsageError(f"shares must be numbers from 0 to 1, not {self.shares!r:.80}")

    def counts(self, parts: int) -> NDArray[np.int64]:
        """(S,) how many of so many parts are hidden."""
        found: NDArray[np.int64] = np.floor(np.asarray(self.shares) * parts + 0.5).astype(np.int64)
        return found


@dataclass(frozen=True)
class Keep:
    """Inputs under masks of the metric's own. Equal requests of two metrics are one request, so they share the masked inputs.

    Args:
        make: called as `make(saliency, *arguments)`, returns (M, P) truth values: which parts stay. It must return the same
            masks each time, so what is random in it takes a seed from `arguments`. M may differ between maps.
        arguments: further arguments of `make`, which can be hashed.
        by: what stands in the place of hidden parts; by default what the evaluation is told.
    """

    make: Callable[..., NDArray[np.bool_]]
    arguments: tuple[Any, ...] = ()
    by: str | None = None

    def masks(self, saliency: Saliency) -> NDArray[np.bool_]:
        """(M, P) which parts stay.

        Raises:
            UsageError: the function returned something of another shape.
        """
        kept = np.asarray(self.make(saliency, *self.arguments), dtype=bool)
        parts = saliency.scores.size
        if kept.ndim != 2 or kept.shape[1] != parts:
            raise UsageError(f"masks of a map with {parts} parts must have shape (M, {parts}), not {kept.shape}")
        return kept


Ask: TypeAlias = Hide | Keep
WHOLE = Hide("top", (0.0,))
"""The inputs of which nothing is hidden."""


def steps_of(steps: int) -> tuple[float, ...]:
    """The shares 0, 1/steps, ..., 1.

    Raises:
        UsageError: there is no step.
    """
    if steps < 1:
        raise UsageError(f"steps must be 1 or more, not {steps}")
    return tuple(step / steps for step in range(steps + 1))
