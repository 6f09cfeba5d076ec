"""Drawing what an attack found: the original, the adversarial image, their difference and the density."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from verbalize.draw.raster import encode, to_rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

PICTURES = ("panel.png", "original.png", "adversarial.png", "difference.png", "density.png")  # all that a folder may hold
MOST_CHANNELS = 4  # of a PNG file
FEW = 60  # changed pixels; with more of them, frames would hide the picture
_FRAME = "#d05c0a"  # the orange that the heatmaps use
_INK = "#1b1d22"
_DPI = 100
_CELL, _GAP = 300, 10  # dots of a panel: the width of one picture's place, and what stays free at each side of the picture
_HEAD, _FOOT = 34, 38  # dots above a picture for its title, and below it for its note
_LONGEST = 44  # characters of a note; of longer ones the end is cut off
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
    """PNG files by name: original.png, and adversarial.png, difference.png and density.png where there is something to show.

    Each has the image's size, so that a classifier can be asked about the first two as they are. These have its channels as
    well, up to four (grey, grey with alpha, red, green, blue, and alpha); of an image with more channels, three are shown.
    """
    pictures = {"original": _as_is(original)}
    if adversarial is not None:
        pictures["adversarial"] = _as_is(adversarial)
        pictures["difference"] = difference_picture(original, adversarial)[0]
    if density is not None:
        pictures["density"] = density_picture(density)
    return {f"{name}.png": encode(picture) for name, picture in pictures.items()}


def _as_is(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image in [0, 1] as bytes, with all channels that a PNG file can hold."""
    if image.shape[2] > MOST_CHANNELS:
        return to_rgb(image)
    pixels = np.round(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)
    return pixels[:, :, 0] if image.shape[2] == 1 else pixels


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
    count = int(changed.sum())
    size = (9 if density is None else 12, 3 * tall + 0.75)
    figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    sides = _fitted(width, height, round(size[1] * _DPI) - _HEAD - _FOOT)
    places = [_Place(figure, _CELL * number, sides, (width, height)) for number in range(3 if density is None else 4)]
    places[0].show(to_rgb(original), "original", before)
    if adversarial is None:
        places[1].blank("adversarial", "none found")
        places[2].blank("difference", "")
    else:
        places[1].show(to_rgb(adversarial), "adversarial", after or "")
        picture, strength = difference_picture(original, adversarial)
        note = f"{count:,} {'pixel' if count == 1 else 'pixels'} changed"
        places[2].show(picture, "difference", note if strength < 1.05 else f"{note}, contrast × {strength:.3g}")
    if density is not None:
        places[3].show(density_picture(density[0]), "density", _SOURCES.get(density[1], density[1]))
    if 0 < count <= FEW:
        for place in places[1:] if adversarial is not None else places[3:]:
            place.frame(changed)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _fitted(width: int, height: int, room: int) -> tuple[int, int]:
    """Width and height in dots of a picture that fits into its place."""
    scale = min((_CELL - 2 * _GAP) / width, room / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


class _Place:
    """The place of one picture in a panel. Dots are counted from the lower left corner.

    Matplotlib's axes are not used: to make and arrange four of them takes eight times as long as the rest of the panel.
    """

    def __init__(self, figure: Figure, left: int, sides: tuple[int, int], pixels: tuple[int, int]) -> None:
        self.figure, self.cell, self.sides, self.pixels = figure, left, sides, pixels
        self.left = left + (_CELL - sides[0]) // 2
        self.bottom = _FOOT + (round(figure.bbox.height) - _HEAD - _FOOT - sides[1]) // 2

    def show(self, picture: Rgb, title: str, note: str) -> None:
        """A picture, its title above it, and a note below it."""
        width, height = self.sides
        rows = np.arange(height) * picture.shape[0] // height
        columns = np.arange(width) * picture.shape[1] // width
        self.figure.figimage(picture[rows][:, columns], self.left, self.bottom, origin="upper")
        self._label(title)
        if note:
            self._note(note if len(note) <= _LONGEST else note[: _LONGEST - 1] + "…", self.bottom - 0.6 * _FOOT)

    def blank(self, title: str, note: str) -> None:
        """A grey area in the place of a picture that there is not, with a note in it."""
        self._label(title, "#f2f2f0")
        if note:
            self._note(note, self.bottom + self.sides[1] / 2)

    def frame(self, changed: NDArray[np.bool_]) -> None:
        """Draw a border around the changed pixels, along their edges, so that their colours can still be seen."""
        from matplotlib.collections import LineCollection
        from matplotlib.transforms import IdentityTransform

        padded = np.pad(changed, 1)
        y, x = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])  # an edge above row y
        across = np.stack([np.stack([x, y], axis=1), np.stack([x + 1, y], axis=1)], axis=1)
        y, x = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])  # an edge left of column x
        down = np.stack([np.stack([x, y], axis=1), np.stack([x, y + 1], axis=1)], axis=1)
        scale = np.array(self.sides) / self.pixels
        edges = np.concatenate([across, down]) * scale
        edges[..., 1] = self.sides[1] - edges[..., 1]
        edges += (self.left, self.bottom)
        for colour, wide in (("white", 2.6), (_FRAME, 1.3)):
            lines = LineCollection(
                list(edges), colors=colour, linewidths=wide, capstyle="projecting", transform=IdentityTransform()
            )
            self.figure.add_artist(lines, clip=False)

    def _label(self, title: str, ground: str = "none") -> None:
        from matplotlib.patches import Rectangle
        from matplotlib.transforms import IdentityTransform

        border = Rectangle(
            (self.left, self.bottom), *self.sides, facecolor=ground, edgecolor="#c9ccd1", transform=IdentityTransform()
        )
        self.figure.add_artist(border)
        self.figure.text(
            self.left, self.bottom + self.sides[1] + 0.2 * _HEAD, title,
            fontsize=10, color="#575c66", transform=IdentityTransform(),
        )  # fmt: skip

    def _note(self, note: str, height: float) -> None:
        from matplotlib.transforms import IdentityTransform

        text = self.figure.text(
            self.cell + _CELL / 2, height, note,
            ha="center", va="center", fontsize=11, color=_INK, parse_math=False, transform=IdentityTransform(),
        )  # fmt: skip
        wide = text.get_window_extent().width
        if wide > _CELL - _GAP:
            text.set_fontsize(11 * (_CELL - _GAP) / wide)
