"""Images in the weather: each kind at each severity, the same for the same image and seed."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from adversarial.weather.grid import check_levels, checked, on_grid
from adversarial.weather.kind import STANDARD_SEVERITIES, WEATHERS, chosen_kinds, chosen_severities
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from adversarial.weather.kind import Weather


class WeatherImage(NamedTuple):
    """An image, or a batch of images, in one kind of weather.

    Attributes:
        kind: the name of the kind.
        severity: from 1 to 5.
        value: the strength of that severity, in the kind's own unit.
        image: (H, W, C) float32 in [0, 1]; (N, H, W, C) where a batch was given.
    """

    kind: str
    severity: int
    value: float
    image: NDArray[np.float32]


def weather_images(
    image: ArrayLike,
    kinds: Sequence[str] | None = None,
    severities: Sequence[int] = STANDARD_SEVERITIES,
    *,
    seed: int = 0,
    levels: int | None = None,
) -> list[WeatherImage]:
    """An image in each kind of weather at each severity, the severities of one kind together.

    All chance is drawn from the seed, the kind and the image's own values: an image gets the same weather in every batch and in
    every run. The severities of one kind share what is drawn, so that a stronger one goes farther in the same direction.

    Args:
        image: (H, W, C) floats in [0, 1], or a batch (N, H, W, C).
        kinds: names in `WEATHERS`; None for `STANDARD_KINDS`.
        severities: from 1 to 5. The values of each stand in docs/weather.md.
        seed: of all chance.
        levels: round to this number of levels, such as 256 for an endpoint that takes pictures of 8 bits; None for no rounding.

    Raises:
        UsageError: an argument is wrong, or a kind of another distribution fails.
    """
    found = np.asarray(image)
    if found.ndim != 4:
        return list(each_weather(found, kinds, severities, seed=seed, levels=levels))
    if not len(found):
        raise UsageError("a batch needs at least one image")
    each = [list(each_weather(one, kinds, severities, seed=seed, levels=levels)) for one in found]
    return [first._replace(image=np.stack([made.image for made in row])) for first, row in
            ((row[0], row) for row in zip(*each, strict=True))]  # fmt: skip


def weather_queries(
    kinds: Sequence[str] | None = None, severities: Sequence[int] = STANDARD_SEVERITIES
) -> int:  # fmt: skip
    """How many images are asked about per image.

    Raises:
        UsageError: a kind is unknown, or a severity is none.
    """
    return len(chosen_kinds(kinds)) * len(chosen_severities(severities))


def each_weather(
    image: ArrayLike, kinds: Sequence[str] | None, severities: Sequence[int], *, seed: int, levels: int | None
) -> Iterator[WeatherImage]:
    """`weather_images` of one image, made one by one as they are taken; arguments are checked at once."""
    chosen, strengths = chosen_kinds(kinds), chosen_severities(severities)
    check_levels(levels)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UsageError(f"{argument('seed')} must be a whole number of 0 or more, not {seed!r}")
    return _each(checked(image), chosen, strengths, seed, levels)


def _each(
    image: NDArray[np.float32], kinds: dict[str, Weather], severities: tuple[int, ...], seed: int, levels: int | None
) -> Iterator[WeatherImage]:
    digest = blake2b(image.tobytes(), digest_size=16, key=repr(image.shape).encode()[:64]).digest()
    for name, weather in kinds.items():
        chance = [seed, int.from_bytes(digest, "big"), int.from_bytes(name.encode(), "big")]
        for severity in severities:
            value = float(weather.values[severity - 1])
            with WEATHERS.blame(name):
                made = np.asarray(weather.change(image.copy(), value, np.random.default_rng(chance)))
            if made.shape != image.shape or made.dtype.kind != "f" or not np.isfinite(made).all():
                has = (
                    "NaN or infinite values"
                    if made.dtype.kind == "f" and made.shape == image.shape
                    else (f"{made.dtype} of shape {made.shape}")
                )
                raise UsageError(
                    f"the kind of weather {name!r} returned an image with {has}; it must return finite floats of "
                    f"the image's shape {image.shape}"
                )
            yield WeatherImage(name, severity, value, on_grid(made, levels))
