"""What may be done to a pixel in one move: to a corner of the colour cube, up or down by tau, or to a given colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.float32]
    Moves: TypeAlias = tuple[NDArray[np.float32], NDArray[np.bool_]]

MOST_CORNERS = 6  # channels; a cube of more channels has over 64 corners, more than a search can try at each pixel


class Manipulation(Protocol):
    """The moves that are open at a pixel.

    A manipulation of your own is any object like this, given as `FeatureGuidedAttack(manipulation=...)`. To be taken by name
    as well, it needs one registration: see "A manipulation of your own" in docs/attack.md.
    """

    @property
    def spec(self) -> str:
        """The text that `load_manipulation` makes the same manipulation of, such as "plus_minus_tau:0.2"."""

    @property
    def once(self) -> bool:
        """Whether a pixel that was changed can't be changed again."""

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """The J values that each pixel may take next, for many pixels at once.

        Args:
            original: (..., C) values in the original image, in [0, 1].
            current: (..., C) values now.

        Returns:
            values (..., J, C) in [0, 1], which may differ from pixel to pixel, and legal (..., J): false where a value would
            change nothing or lead back towards the original.
        """


@dataclass(frozen=True)
class Corners:
    """To any corner of the colour cube: black, white, pure red and so on; 2 values for grey, 8 for RGB."""

    spec = "corners"
    once = True

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """See `Manipulation.moves`; J is 2 to the power of C.

        Raises:
            UsageError: there are more than 6 channels.
        """
        channels = original.shape[-1]
        if channels > MOST_CORNERS:
            raise UsageError(f"the colour cube of {channels} channels has too many corners; use plus_minus_tau or colour")
        corners = np.array(np.meshgrid(*[[0, 1]] * channels, indexing="ij"), dtype=np.float32).reshape(channels, -1).T
        return _one_step(original, current, corners)


@dataclass(frozen=True)
class Colour:
    """To one given colour, such as that of a sticker; one number stands for grey in every channel.

    Raises:
        UsageError: the colour has no numbers, or one outside [0, 1].
    """

    value: tuple[float, ...]
    once = True

    def __post_init__(self) -> None:
        if not self.value or not all(0 <= part <= 1 for part in self.value):
            raise UsageError(f"a colour needs numbers in [0, 1], one per channel, not {self.value!r}")

    @property
    def spec(self) -> str:
        """See `Manipulation.spec`."""
        return "colour:" + ",".join(f"{part:g}" for part in self.value)

    def moves(self, original: Pixels, current: Pixels) -> Moves:
        """See `Manipulation.moves`; J is 1.

        Raises:
            UsageError: the colour and the image differ in their channels.
        """
        channels = original.shape[-1]
        if len(self.value) not in {1, channels}:
            raise UsageError(f"the colour has {len(self.value)} numbers but the image {channels} channels")
        return _one_step(original, current, np.broadcast_to(np.array(self.value, dtype=np.float32), (1, channels)))


@dataclass(frozen=True)
class PlusMinusTau:
    """One channel up or down by tau, cut off at 0 and 1, again and again but never back: the papers' atomic step.

    Raises:
        UsageError: tau lies outside (0, 1].
    """

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
    """The manipulation that a text names, such as "corners", "plus_minus_tau:0.2", "colour:1,0,0" or "colour:#ff0000".

    What stands after the first colon is read by the manipulation itself. A `Manipulation` is returned as it is.

    Raises:
        UsageError: the name is unknown, or the rest can't be read.
    """
    if not isinstance(spec, str):
        return spec
    start, _, rest = spec.partition(":")
    name = start.strip()
    read = MANIPULATIONS.get(name)
    try:
        with MANIPULATIONS.blame(name, ValueError):
            made = read(rest.strip())
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"the manipulation {spec!r} can't be read: {error}") from None
    if not hasattr(made, "moves"):
        raise MANIPULATIONS.misfit(name, made, "a Manipulation")
    return made


def differ(one: Pixels, other: Pixels) -> NDArray[np.bool_]:
    """(...,) whether colours (..., C) differ in any channel; channel by channel, as a reduction over a short axis is slow."""
    found = one[..., 0] != other[..., 0]
    for channel in range(1, one.shape[-1]):
        found |= one[..., channel] != other[..., channel]
    return np.asarray(found)


def _one_step(original: Pixels, current: Pixels, values: Pixels) -> Moves:
    all_values = np.broadcast_to(values, (*original.shape[:-1], *values.shape))
    untouched = ~differ(original, current)
    return all_values, untouched[..., None] & differ(all_values, original[..., None, :])


def read_corners(rest: str) -> Manipulation:
    """`Corners` of "corners".

    Raises:
        ValueError: something follows the name.
    """
    if rest:
        raise ValueError("write corners, with nothing behind it")
    return Corners()


def read_colour(rest: str) -> Manipulation:
    """`Colour` of "colour:1,0,0" or "colour:#ff0000".

    Raises:
        ValueError: the numbers can't be read.
    """
    try:
        if rest.startswith("#"):
            return Colour(tuple(part / 255 for part in bytes.fromhex(rest[1:])))
        return Colour(tuple(float(part) for part in rest.split(",")))
    except UsageError:
        raise
    except ValueError:
        raise ValueError("write for example colour:1,0,0 or colour:#ff0000") from None


def read_plus_minus_tau(rest: str) -> Manipulation:
    """`PlusMinusTau` of "plus_minus_tau" or "plus_minus_tau:0.2".

    Raises:
        ValueError: tau is no number.
    """
    try:
        return PlusMinusTau(float(rest)) if rest else PlusMinusTau()
    except UsageError:
        raise
    except ValueError:
        raise ValueError("write for example plus_minus_tau:0.1") from None


MANIPULATIONS: Registry[Callable[[str], Manipulation]] = Registry(
    "manipulation",
    "saywhy.manipulations",
    {name: f"adversarial.manipulations:read_{name}" for name in ("corners", "plus_minus_tau", "colour")},
    expects=callable,
    words="a function from a text to a Manipulation",
)
