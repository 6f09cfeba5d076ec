"""Drawing what an attack found: the original, the adversarial image, their difference and the density."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from verbalize.draw.raster import encode, enlarged, to_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

PICTURES = ("panel.png", "original.png", "adversarial.png", "difference.png", "density.png")  # all that a folder may hold
SMALLEST_SIDE = 256  # pictures are enlarged in whole steps until their shorter side is at least this long
FEW = 60  # changed pixels; with more of them, frames would hide the picture
_FRAME = "#d05c0a"  # the orange that the heatmaps use
_INK = "#1b1d22"
_SOURCES = {"sift": "from SIFT keypoints", "gradient": "from gradient energy", "uniform": "uniform", "map": "from a given map"}


def difference_picture(original: NDArray[np.float32], adversarial: NDArray[np.float32]) -> tuple[Rgb, float]:
    """The change on a grey ground, (H, W, 3), and its amplification: the largest change becomes black or white."""
    change = adversarial.astype(np.float64) - original
    largest = float(np.abs(change).max())
    strength = 1.0 / largest if largest > 0 else 1.0
    return to_rgb((0.5 + 0.5 * strength * change).astype(np.float32)), strength


def density_picture(density: NDArray[np.float64]) -> Rgb:
    """The density, from dark (0) to bright (its largest value); its square root is shown, so that small values can be seen."""
    from matplotlib import colormaps

    top = float(density.max())
    shares = np.sqrt(density / top) if top > 0 else density
    return np.round(colormaps["viridis"](shares)[:, :, :3] * 255).astype(np.uint8)


def picture_files(
    original: NDArray[np.float32], adversarial: NDArray[np.float32] | None, density: NDArray[np.float64] | None
) -> dict[str, bytes]:
    """PNG files by name: original.png, and adversarial.png, difference.png and density.png where there is something to show."""
    pictures = {"original": to_rgb(original)}
    if adversarial is not None:
        pictures["adversarial"] = to_rgb(adversarial)
        pictures["difference"] = difference_picture(original, adversarial)[0]
    if density is not None:
        pictures["density"] = density_picture(density)
    return {f"{name}.png": encode(enlarged(picture, SMALLEST_SIDE)) for name, picture in pictures.items()}


def panel_png(
    original: NDArray[np.float32],
    adversarial: NDArray[np.float32] | None,
    changed: NDArray[np.bool_],
    *,
    before: str,
    after: str | None,
    density: tuple[NDArray[np.float64], str] | None = None,
) -> bytes:
    """The pictures side by side with titles, as the bytes of a PNG file; the changed pixels are framed where they are few.

    `before` and `after` name the classes (`after` is None where nothing was found); `density` comes with its source, and is
    None where none guided the search.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = original.shape[:2]
    tall = min(2.0, max(0.5, height / width))
    figure = Figure(figsize=(9 if density is None else 12, 3 * tall + 0.75), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3 if density is None else 4)
    _show(axes[0], to_rgb(original), "original", before)
    if adversarial is None:
        for place, title in ((1, "adversarial"), (2, "difference")):
            _blank(axes[place], title, "none found" if place == 1 else "")
    else:
        count = int(changed.sum())
        _show(axes[1], to_rgb(adversarial), "adversarial", after or "")
        picture, strength = difference_picture(original, adversarial)
        note = f"{count:,} {'pixel' if count == 1 else 'pixels'} changed"
        _show(axes[2], picture, "difference", note if strength < 1.05 else f"{note}, contrast × {strength:.3g}")
        if 0 < count <= FEW:
            for axis in axes[1:3]:
                _frame(axis, changed)
    if density is not None:
        _show(axes[3], density_picture(density[0]), "density", _SOURCES.get(density[1], density[1]))
        if 0 < int(changed.sum()) <= FEW:
            _frame(axes[3], changed)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _show(axis: Axes, picture: Rgb, title: str, note: str) -> None:
    axis.imshow(picture, interpolation="nearest")
    _label(axis, title, note)


def _blank(axis: Axes, title: str, note: str) -> None:
    axis.set_facecolor("#f2f2f0")
    axis.set_box_aspect(1)
    axis.text(0.5, 0.5, note, ha="center", va="center", color=_INK, transform=axis.transAxes)
    _label(axis, title, "")


def _label(axis: Axes, title: str, note: str) -> None:
    axis.set_title(title, fontsize=10, color="#575c66", loc="left")
    axis.set_xlabel(note if len(note) <= 44 else note[:43] + "…", fontsize=11, color=_INK, parse_math=False)
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_color("#c9ccd1")


def _frame(axis: Axes, changed: NDArray[np.bool_]) -> None:
    """Draw a border around the changed pixels, along their edges, so that their colours can still be seen."""
    from matplotlib.collections import LineCollection

    padded = np.pad(changed, 1)
    y, x = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])  # an edge above row y
    across = np.stack([np.stack([x - 0.5, y - 0.5], axis=1), np.stack([x + 0.5, y - 0.5], axis=1)], axis=1)
    y, x = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])  # an edge left of column x
    down = np.stack([np.stack([x - 0.5, y - 0.5], axis=1), np.stack([x - 0.5, y + 0.5], axis=1)], axis=1)
    edges = np.concatenate([across, down])
    for colour, wide in (("white", 2.6), (_FRAME, 1.3)):
        axis.add_collection(LineCollection(list(edges), colors=colour, linewidths=wide, capstyle="projecting", clip_on=False))
