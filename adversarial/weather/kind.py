"""What a kind of weather is: a name, five strengths with their values, and the change itself."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError, argument
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.float32]
    Change: TypeAlias = Callable[[Image, float, np.random.Generator], NDArray[np.floating]]

SEVERITIES = 5  # as many as Hendrycks & Dietterich (2019) have
STANDARD_SEVERITIES = (1, 3, 5)
"""The severities that are asked about where nobody says which: the weakest, the middle one and the strongest."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """An ordinary change of an image, such as a blur, in five severities.

    Attributes:
        name: the name in the registry, such as "rotation".
        title: the name in tables and headings, such as "Rotation".
        values: five numbers, the strength of each severity from 1 to 5.
        change: `change(image, value, draw) -> image`: a float32 image (H, W, C) in [0, 1], one of the values, and a generator
            for all chance, to an image of the same shape. What leaves [0, 1] is cut off. It must not change its argument.
        phrase: the change in a sentence; `{value}` and `{percent}` (a hundred times the value) are filled in.

    Raises:
        UsageError: there are not five values, or the phrase names something else.
    """

    name: str
    title: str
    values: tuple[float, ...]
    change: Change
    phrase: str

    def __post_init__(self) -> None:
        for what in ("name", "title", "phrase"):
            if not isinstance(getattr(self, what), str):
                raise UsageError(f"a kind of weather needs a text as its {what}, not {getattr(self, what)!r}")
        if not self.name.strip():
            raise UsageError(f"a kind of weather needs a name that is not empty, not {self.name!r}")
        if re.search(r"[,\s]", self.name):
            raise UsageError(
                f"the name of a kind of weather has no space and no comma, as {self.name!r} has: lists are written so"
            )
        if not callable(self.change):
            raise UsageError(f"the weather {self.name!r} needs a function change(image, value, draw), not {self.change!r}")
        if len(self.values) != SEVERITIES:
            raise UsageError(f"the weather {self.name!r} needs {SEVERITIES} values, one per severity, not {len(self.values)}")
        if not all(map(_finite, self.values)):
            raise UsageError(f"the weather {self.name!r} needs finite numbers as its values, not {self.values!r:.80}")
        if set(re.findall(r"\{([^{}]*)\}", self.phrase)) - {"value", "percent"}:
            raise UsageError(
                f"the phrase of the weather {self.name!r} may name {{value}} and {{percent}} only: {self.phrase!r}"
            )
        try:
            self.in_words(0.0)
        except (ValueError, IndexError, KeyError) as error:
            raise UsageError(f"the phrase of the weather {self.name!r} is no format ({error}): {self.phrase!r}") from None

    def in_words(self, value: float) -> str:
        """The change at a strength, for sentences: "a rotation by 10 degrees"."""
        return self.phrase.format(value=f"{value:.4g}", percent=f"{100 * value:.4g}")


def _finite(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and math.isfinite(float(value))


_ROOMS = {
    "brightness": "light",
    "contrast": "light",
    "blur": "quality",
    "noise": "quality",
    "jpeg": "quality",
    "rotation": "position",
    "shift": "position",
    "scale": "position",
    "patch": "covering",
    "darkness": "light",
    "pixelate": "quality",
    "keypoint-patch": "covering",
}

WEATHERS: Registry[Weather] = Registry(
    "kind of weather",
    "saywhy.weathers",
    {name: f"adversarial.weather.{room}:{name.upper().replace('-', '_')}" for name, room in _ROOMS.items()},
    expects=Weather,
)

STANDARD_KINDS = ("brightness", "contrast", "blur", "noise", "jpeg", "rotation", "shift", "scale", "patch")
"""The kinds that are asked about where nobody says which."""


def chosen_kinds(kinds: Sequence[str] | None) -> dict[str, Weather]:
    """The kinds of these names, in their order; `STANDARD_KINDS` where there is None.

    Raises:
        UsageError: a name is unknown or comes twice, or there are none.
    """
    names = STANDARD_KINDS if kinds is None else tuple(kinds)
    if isinstance(kinds, str) or not names:
        raise UsageError(f"{argument('kinds')} must be a list of kinds of weather, such as {STANDARD_KINDS[:2]}, not {kinds!r}")
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise UsageError(f"{argument('kinds')} names {twice!r} twice; name each kind of weather once")
    return {name: WEATHERS.get(name) for name in names}


def chosen_severities(severities: Sequence[int]) -> tuple[int, ...]:
    """The severities, each a whole number from 1 to 5.

    Raises:
        UsageError: one is something else or comes twice, or there are none.
    """
    try:
        found = tuple(severities)
    except TypeError:
        found = ()
    whole = all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= SEVERITIES for one in found)
    if not found or not whole or len(set(found)) < len(found):
        raise UsageError(
            f"{argument('severities')} must be different whole numbers from 1 to {SEVERITIES}, such as (1, 3, 5), "
            f"not {severities!r}"
        )
    return found
