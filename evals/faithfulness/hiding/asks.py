"""Which masked inputs a metric needs of each map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from evals.faithfulness.settings import checked_shares, checked_whole
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from verbalize.saliency import Saliency

_ROUNDING = 1e-6  # of a part: 1 - 0.9 is a little less than 0.1, and a half must be a half in both


@dataclass(frozen=True)
class Hide:
    """Inputs of which a share of the parts is hidden, in the order of the map. Metrics that ask for the same shares share them.

    Args:
        what: "top": the parts with the highest scores are hidden first; "bottom": those with the lowest scores. Hiding the
            bottom share 1-q is keeping the top share q alone: exactly the parts that hiding the top share q hides.
        shares: (S,) shares of the parts, 0..1. Of P parts, the nearest whole number to share·P is hidden. A half is rounded
            up at the top and therefore down at the bottom.
        by: what stands in the place of hidden parts; by default what the evaluation is told.

    Raises:
        UsageError: a share is not in 0..1, or `what` is neither.
    """

    what: Literal["top", "bottom"]
    shares: tuple[float, ...]
    by: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", checked_shares("shares", self.shares))
        if self.what not in ("top", "bottom"):
            raise UsageError(f'what is hidden is the "top" or the "bottom" of a map, not {self.what!r}')

    def counts(self, parts: int) -> NDArray[np.int64]:
        """(S,) how many of so many parts are hidden."""
        exact = np.asarray(self.shares) * parts
        rounded = np.floor(exact + 0.5 + _ROUNDING) if self.what == "top" else np.ceil(exact - 0.5 - _ROUNDING)
        found: NDArray[np.int64] = rounded.astype(np.int64)
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
        UsageError: `steps` is no whole number, or below 1.
    """
    count = checked_whole("steps", steps, 1)
    return tuple(step / count for step in range(count + 1))
