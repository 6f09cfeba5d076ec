"""Images in array files of numpy, `.npy` and `.npz`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.images.decode import check_values, decode_array, scaled_values
from saywhy_core.reading import numpy_files
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.numpy_files import array_shape, is_archive, naming, open_arrays

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.reading.numpy_files import ArrayArchive

ARRAYS = frozenset({".npy", ".npz"})
MOST_CHANNELS = 4  # of an image: a longer last axis of three is a width
_PIXEL, _SCORE = 4, 8  # bytes of each number of an image and of a map, once they are read


def load_array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Load the one array of a `.npy` file as it is, of any shape and type but objects and records.

    Raises:
        UsageError: there is no such file, it holds several arrays or is damaged, or its numbers, at 8 bytes each, are more than
            the ceiling `array` allows.
    """
    return numpy_files.load_array(path, least=_SCORE)


def decode_arrays(path: Path) -> tuple[NDArray[np.float32], list[int] | None]:
    """Read the images of a `.npy` or `.npz` file as N×H×W×C, and the class numbers that lie beside them.

    An `.npz` file holds the images as `images`, or as its only array, and may hold `labels`, one class number per image. Two
    axes are one grey image; three are one image where the last is at most 4 long, else several grey images.

    Raises:
        UsageError: there is no such file, or it holds no images, or more than the ceiling `array` allows.
    """
    images, labels = _loaded(path)
    with naming(path):
        _check_pixels(images.shape)
        pixels = _one_by_one(decode_array(images))
    return pixels, _class_numbers(path, len(pixels), labels)


def _loaded(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The images of a file as they are there, and its array `labels`."""
    if not is_archive(path):
        return numpy_files.load_array(path, least=_PIXEL), None
    with open_arrays(path) as archive:
        images = archive.load(_images_of(archive), least=_PIXEL)
        return images, archive.load("labels") if "labels" in archive.names else None


def _class_numbers(path: Path, images: int, labels: NDArray[Any] | None) -> list[int] | None:
    if labels is None:
        return None
    if labels.shape != (images,) or labels.dtype.kind not in "iu":
        raise UsageError(
            f"{path} holds {images} images but labels of shape {labels.shape} and type {labels.dtype}; "
            "give a class number for each"
        )
    return [int(label) for label in labels]


class ImageArray:
    """The images of a `.npy` or `.npz` file, kept as the file has them and brought to floats one by one.

    See `decode_arrays` for what such a file may hold. `images[place]` is (H, W, C) float32 in [0, 1].

    Attributes:
        labels: the class number of each image; None where the file gives none.
        shape: of the array in the file.

    Raises:
        UsageError: there is no such file, or it holds no images, or more than the ceiling `array` allows, or values that
            leave their range.
    """

    def __init__(self, path: Path) -> None:
        images, labels = _loaded(path)
        with naming(path):
            _check_pixels(images.shape)
            check_values(images)
            self._images = _one_by_one(images)
        self.shape: tuple[int, ...] = images.shape
        self.labels = _class_numbers(path, len(self._images), labels)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, place: int) -> NDArray[np.float32]:
        return scaled_values(self._images[place])

    def check_channels(self, wanted: tuple[int | None, int | None, int | None]) -> None:
        """Refuse an array that was read as grey images and may be one image whose channels come first.

        Args:
            wanted: the (height, width, channels) that a classifier takes, None for each that is unknown.

        Raises:
            UsageError: as many grey images as the classifier takes channels, in its size, and no labels beside them.
        """
        if len(self.shape) != 3 or len(self) == 1 or len(self) != wanted[2] or self.labels is not None:
            return
        if all(want in (None, have) for want, have in zip(wanted[:2], self.shape[1:], strict=True)):
            raise UsageError(
                f"its array {self.shape} may be one image with its channels first or {len(self)} grey images; save it as "
                f"{(*self.shape[1:], self.shape[0])} for one image, or as {(*self.shape, 1)} for grey ones"
            )


@dataclass(frozen=True)
class ArrayLayout:
    """What the header of a `.npy` or `.npz` file says of its images.

    Attributes:
        shape: of the array.
        labelled: whether class numbers lie beside it.
    """

    shape: tuple[int, ...]
    labelled: bool = False

    @property
    def count(self) -> int:
        """How many images there are: two axes are one grey image; see `decode_arrays` for three."""
        if len(self.shape) < 3:
            return 1
        return 1 if len(self.shape) == 3 and self.shape[2] <= MOST_CHANNELS else self.shape[0]

    def check_channels(self) -> None:
        """Refuse an array that would be read as three or four grey images and may be one image whose channels come first.

        Raises:
            UsageError: it is ambiguous, and there are no labels beside it, one for each image.
        """
        if len(self.shape) == 3 and self.count in (3, 4) and not self.labelled:
            raise UsageError(
                f"its array {self.shape} may be one image with its channels first or {self.count} grey images; save it as "
                f"{(*self.shape[1:], self.shape[0])} for one image, or as {(*self.shape, 1)} for grey ones"
            )


def array_layout(path: Path) -> ArrayLayout:
    """What the header of a file of images says; no number is read.

    Raises:
        UsageError: there is no such file, it is damaged, or which of its arrays holds images is not clear.
    """
    if not is_archive(path):
        return ArrayLayout(array_shape(path))
    with open_arrays(path) as archive:
        return ArrayLayout(archive.shape(_images_of(archive)), "labels" in archive.names)


def _images_of(archive: ArrayArchive) -> str:
    names = [name for name in archive.names if name != "labels"]
    name = "images" if "images" in names else names[0] if len(names) == 1 else None
    if name is None:
        listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        raise UsageError(f"it is not clear which of the arrays {listed or '(none)'} holds images; name it 'images'")
    return name


def _check_pixels(shape: tuple[int, ...]) -> None:
    """See whether one image of an array of that shape is within the ceiling `pixels`."""
    if len(shape) in (2, 3, 4):
        height, width = shape[1:3] if len(shape) == 4 or (len(shape) == 3 and shape[2] > MOST_CHANNELS) else shape[:2]
        check_ceiling("pixels", height * width, f"an image of {height} x {width} pixels")


def _one_by_one(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 2:
        return pixels[None, :, :, None]
    if pixels.ndim == 3:
        return pixels[None] if pixels.shape[2] <= MOST_CHANNELS else pixels[:, :, :, None]
    if pixels.ndim != 4:
        raise UsageError(f"an array of shape {pixels.shape} holds no images; give (H, W, C) or (N, H, W, C)")
    return pixels
