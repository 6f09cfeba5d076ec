"""Colours in words: the eleven basic colour terms of English, and turquoise."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Prototypes of each term. Most are named colours of CSS Color Module Level 4 (section 6.1); some are added where CSS has
# none. CSS's "brown" (a52a2a) is a prototype of red, because people who see it by itself call it red.
_PROTOTYPES = {
    "black": "000000 101010 1c1c1c 222222 0a0a14 140a0a 0a140a",
    "white": "ffffff f5f5f5 e4e4e4 dcdcdc fffafa f0fff0 f8f8ff fffff0 fff5ee faf0e6 f0f8ff fff0f5 faebd7",
    "grey": "808080 696969 a9a9a9 c0c0c0 c8c8c8 484848 58585c 778899 708090 8f8a85",
    "red": "ff0000 dc143c b22222 8b0000 800000 cd5c5c ff2020 e03030 c04040 600000 f04040 a52a2a a52030 902828 b03030",
    "orange": "ffa500 ff8c00 ff7f50 ff6347 ff4500 f4a460 ffb347 e08020 ff7000 ffa07a c85000",
    "yellow": "ffff00 ffd700 f0e68c ffffe0 fffacd fafad2 eee8aa ffdb58 d8c820 ffff80 c8b800",
    "green": "008000 00ff00 006400 228b22 2e8b57 32cd32 3cb371 90ee90 98fb98 8fbc8f 6b8e23 556b2f 808000 9acd32 adff2f 7cfc00"
    " 00ff7f 00fa9a 103810 a0c060 406040 7f9f60 d0ffc0",
    "turquoise": "40e0d0 48d1cc 00ced1 20b2aa 008b8b 008080 00ffff afeeee 7fffd4 66cdaa 5f9ea0",
    "blue": "0000ff 0000cd 00008b 000080 191970 4169e1 6495ed 1e90ff 00bfff 87ceeb 87cefa add8e6 b0c4de 4682b4 b0e0e6 7b9fd0"
    " 204060 4060a0 5a7da0 101040 0040e0 3050d8 203880 102a60 e0ffff d0f8ff",
    "purple": "800080 4b0082 9400d3 8a2be2 9932cc ba55d3 9370db 8b008b 663399 6a5acd d8bfd8 dda0dd e6e6fa b090d0 502060"
    " 7a4a7a 280034",
    "pink": "ffc0cb ffb6c1 ff69b4 ff1493 db7093 ff00ff ee82ee da70d6 c71585 ffe4e1 f08080 e8a0b0 fa8fa0 d06090",
    "brown": "8b4513 a0522d d2691e cd853f 654321 5c4033 3d2b1f bc8f8f d2b48c deb887 b8860b 7b5b3a 967969 c19a6b 4a3018"
    " 8b7355 6f4e37 f5deb3",
}
TERMS = tuple(_PROTOTYPES)
_ENOUGH = 1 / 3  # a colour is dominant only if it holds at least this share of the weight
_STEPS = 16  # cells per channel in the look-up table


def colour_in_words(rgb: ArrayLike) -> str:
    """The basic colour term for one colour, e.g. "red".

    It is the term of the nearest prototype in CIE 1976 L*a*b* (D65). Most prototypes are named colours of CSS. The terms are
    the eleven basic terms of Berlin & Kay (1969), and "turquoise" for colours between blue and green.

    Args:
        rgb: three numbers (or one, a grey): integers in 0..255, or floats in [0, 1].

    Raises:
        UsageError: the values are not a colour.
    """
    colour = np.asarray(rgb)
    if colour.shape not in ((), (1,), (3,)):
        raise UsageError(f"a colour is three numbers (red, green, blue) or one grey, not an array of shape {colour.shape}")
    value = colour.astype(np.float64) / (255.0 if np.issubdtype(colour.dtype, np.integer) else 1.0)
    if not (np.isfinite(value).all() and (value >= 0).all() and (value <= 1).all()):
        raise UsageError(f"a colour is integers in 0..255 or floats in [0, 1], not {colour.tolist()}")
    return TERMS[int(_nearest_terms(np.broadcast_to(value.reshape(-1), (3,))[None])[0])]


def dominant_colour(pixels: NDArray[np.float32], weights: NDArray[np.float64]) -> str | None:
    """The colour term that holds most of the weight; "many-coloured" if none holds a third, `None` if the weights are all 0.

    Each pixel votes for its term. A mean colour would make red and white stripes pink.

    Args:
        pixels: (N, C) in [0, 1].
        weights: (N,), not negative.
    """
    total = float(weights.sum())
    if not total:
        return None
    channels = pixels[:, :3] if pixels.shape[1] >= 3 else np.repeat(pixels[:, :1], 3, axis=1)
    cells = np.minimum((channels * _STEPS).astype(np.intp), _STEPS - 1)
    votes = np.bincount(_table()[cells[:, 0], cells[:, 1], cells[:, 2]], weights=weights, minlength=len(TERMS))
    best = int(np.argmax(votes))
    return TERMS[best] if votes[best] >= _ENOUGH * total else "many-coloured"


@cache
def _table() -> NDArray[np.intp]:
    """(S, S, S) index of the term of each cell of the RGB cube."""
    centres = (np.arange(_STEPS) + 0.5) / _STEPS
    grid = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), axis=-1).reshape(-1, 3)
    return _nearest_terms(grid).reshape(_STEPS, _STEPS, _STEPS)


@cache
def _prototypes() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    colours = [(bytes.fromhex(code), index) for index, codes in enumerate(_PROTOTYPES.values()) for code in codes.split()]
    rgb = np.array([list(code) for code, _ in colours], dtype=np.float64) / 255.0
    return _lab(rgb), np.array([index for _, index in colours], dtype=np.intp)


def _nearest_terms(rgb: NDArray[np.float64]) -> NDArray[np.intp]:
    points, terms = _prototypes()
    lab = _lab(rgb)
    distance = (points**2).sum(axis=1) - 2.0 * lab @ points.T  # (N, P), without |lab|^2: it is the same for all P
    nearest: NDArray[np.intp] = terms[np.argmin(distance, axis=1)]
    return nearest


def _lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """SRGB in [0, 1] to CIE L*a*b* under D65 (IEC 61966-2-1; CIE 15)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)
