"""What may be done to a pixel in one move of the game: to the corners of the colour cube, ± tau, to a given colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.float32]
    Moves: TypeAlias = tuple[NDArray[np.float32], NDArray[np.bool_]]

MOST_CORNERS = 6  # channels; a cube of more has over 64 corners a pixel


class Manipulation(Protocol):
    """The moves open at a pixel."""

    @property
    def spec(self) -> str:
        """The words that `load_manipulation` makes the same manipulation of."""

    @property
    def once(self) -> bool:
        """Whether a pixel that was changed can't be changed again."""

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """The J values each pixel may take next, for many pixels at once.

        Args:
            original: (..., C) values in the original image, in [0, 1].
            current: (..., C) values now.

        Returns:
            values (..., J, C) in [0, 1], and legal (..., J): false where a value would change nothing or lead back.
        """


@dataclass(frozen=True)
class Corners:
    """To any corner of the colour cube: black, white, pure red and so on; 2 values for grey, 8 for RGB."""

    spec = "corners"
    once = True

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """See `Manipulation.moves`; J is 2 to the power of C."""
        channels = original.shape[-1]
        if channels > MOST_CORNERS:
            raise UsageError(f"the colour cube of {channels} channels has too many corners; use plus_minus_tau or colour")
        corners = np.array(np.meshgrid(*[[0, 1]] * channels, indexing="ij"), dtype=np.float32).reshape(channels, -1).T
        return _one_step(original, current, corners)


@dataclass(frozen=True)
class Colour:
    """To one given colour, such as that of a sticker; one number stands for grey in every channel."""

    value: tuple[float, ...]
    once = True

    def __post_init__(self) -> None:
        if not self.value or not all(0 <= part <= 1 for part in self.value):
            raise UsageError(f"a colour needs numbers in [0, 1], one a channel, not {self.value!r}")

    @property
    def spec(self) -> str:
        """See `Manipulation.spec`."""
        return "colour:" + ",".join(f"{part:g}" for part in self.value)

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """See `Manipulation.moves`; J is 1."""
        channels = original.shape[-1]
        if len(self.value) not in {1, channels}:
            raise UsageError(f"the colour has {len(self.value)} numbers but the image {channels} channels")
        return _one_step(original, current, np.broadcast_to(np.array(self.value, dtype=np.float32), (1, channels)))


@dataclass(frozen=True)
class PlusMinusTau:
    """One channel up or down by tau, cut off at 0 and 1, again and again but never back: the papers' atomic step."""

    tau: float = 0.1
    once = False

    def __post_init__(self) -> None:
        if not 0 < self.tau <= 1:
            raise UsageError(f"tau must lie above 0 and be at most 1, not {self.tau!r}")

    @property
    def spec(self) -> str:
        """See `Manipulation.spec`."""
        return f"plus_minus_tau:{self.tau:g}"

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """See `Manipulation.moves`; J is 2 C."""
        channels = original.shape[-1]
        steps = np.float32(self.tau) * np.concatenate([np.eye(channels), -np.eye(channels)]).astype(np.float32)
        values = np.clip(current[..., None, :] + steps, 0, 1).astype(np.float32)
        away = np.abs(values - original[..., None, :]).sum(axis=-1)
        return values, away > np.abs(current - original).sum(axis=-1)[..., None]


def load_manipulation(spec: str | Manipulation) -> Manipulation:
    """The manipulation named by "corners", "plus_minus_tau", "plus_minus_tau:0.2", "colour:1,0,0" or "colour:#ff0000".

    Raises:
        UsageError: the name is unknown or the numbers do not fit.
    """
    if not isinstance(spec, str):
        return spec
    name, _, rest = spec.partition(":")
    kind = KINDS.get(name.strip())
    if kind is None:
        raise UsageError(f"there is no manipulation {spec!r}; use one of {', '.join(sorted(KINDS))}")
    try:
        return kind(rest.strip())
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"the manipulation {spec!r} can't be read; write for example {EXAMPLES[name.strip()]!r}") from None


def _one_step(original: Pixels, current: Pixels, values: Pixels) -> Moves:
    all_values = np.broadcast_to(values, (*original.shape[:-1], *values.shape))
    untouched = (original == current).all(axis=-1)
    return all_values, untouched[..., None] & (all_values != original[..., None, :]).any(axis=-1)


def _corners(rest: str) -> Manipulation:
    if rest:
        raise ValueError(rest)
    return Corners()


def _colour(rest: str) -> Manipulation:
    if rest.startswith("#"):
        return Colour(tuple(part / 255 for part in bytes.fromhex(rest[1:])))
    return Colour(tuple(float(part) for part in rest.split(",")))


def _plus_minus_tau(rest: str) -> Manipulation:
    return PlusMinusTau(float(rest)) if rest else PlusMinusTau()


KINDS: dict[str, Callable[[str], Manipulation]] = {
    "corners": _corners,
    "plus_minus_tau": _plus_minus_tau,
    "colour": _colour,
}
EXAMPLES = {"corners": "corners", "plus_minus_tau": "plus_minus_tau:0.1", "colour": "colour:1,0,0"}
