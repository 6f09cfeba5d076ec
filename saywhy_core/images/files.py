"""What the commands share in reading images: PNG, JPEG and arrays become float32 (H, W, C) in [0, 1], RGB or grey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

ARRAYS = (".npy", ".npz")


@dataclass(frozen=True, eq=False)
class Picture:
    """An image and where it comes from; `label` is the class number that its file gives with it."""

    name: str
    pixels: NDArray[np.float32]
    label: int | None = None


@dataclass(frozen=True)
class Unread:
    """A file, or an image in one, that could not be read, and why."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def read_pictures(paths: Sequence[Path], *, channels: int | None = None) -> Iterator[Picture | Unread]:
    """The images of files in order; what can't be read is given as `Unread` in its place.

    PNG, JPEG and whatever else Pillow reads hold one image: turned as its EXIF data say, transparency dropped. `.npy` and
    `.npz` (array `images`, or the only one; `labels` beside it) hold one (H, W) or (H, W, C) or several (N, H, W, C); three
    axes of which the last is longer than 4 are several grey images. Whole numbers are 0..255, floats 0..1.

    Args:
        paths: the files.
        channels: how many the classifier takes, where it is known: 1 turns colour pictures grey, 3 grey ones into colour.
    """
    for path in paths:
        try:
            pictures = _arrays(path) if path.suffix.lower() in ARRAYS else [Picture(path.stem, _picture(path, channels))]
        except UsageError as error:
            yield Unread(str(path), str(error))
            continue
        for picture in pictures:
            if channels == 3 and picture.pixels.shape[2] == 1:
                yield Picture(picture.name, np.repeat(picture.pixels, 3, axis=2), picture.label)
            else:
                yield picture


def resized(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The image at (height, width): averaged over areas where it shrinks, cubic where it grows, kept in [0, 1]."""
    import cv2

    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    made = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(made.reshape(*size, image.shape[2]), 0, 1).astype(np.float32)


def _picture(path: Path, channels: int | None) -> NDArray[np.float32]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.mode.startswith("I;16"):
                return (np.asarray(upright).astype(np.float32) / np.float32(65535))[:, :, None]
            grey = channels == 1 or (channels is None and upright.mode in ("1", "L", "LA"))
            values = np.asarray(upright.convert("L" if grey else "RGB")).astype(np.float32) / np.float32(255)
            return values.reshape(upright.height, upright.width, -1)
    except FileNotFoundError:
        raise UsageError("there is no such file") from None
    except UnidentifiedImageError:
        raise UsageError("this is no picture that can be read; use PNG, JPEG, NPY or NPZ") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"the picture can't be read: {error}") from None


def _arrays(path: Path) -> list[Picture]:
    labels: NDArray[np.int64] | None = None
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            images = loaded
        else:
            with loaded:
                images = _chosen(loaded)
                labels = np.asarray(loaded["labels"]) if "labels" in loaded.files else None
    except FileNotFoundError:
        raise UsageError("there is no such file") from None
    except UsageError:
        raise
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UsageError(f"the array can't be read: {error}") from None
    pixels = _scaled(images)
    if images.ndim == 2:
        pixels = pixels[None, :, :, None]
    elif images.ndim == 3 and images.shape[2] <= 4:
        pixels = pixels[None]
    elif images.ndim == 3:
        pixels = pixels[:, :, :, None]
    elif images.ndim != 4:
        raise UsageError(f"an array of shape {images.shape} holds no images; give (H, W, C) or (N, H, W, C)")
    if labels is not None and (labels.shape != (len(pixels),) or labels.dtype.kind not in "iu"):
        raise UsageError(f"there are {len(pixels)} images but labels of shape {labels.shape}; give a class number for each")
    wide = len(str(len(pixels) - 1))
    return [
        Picture(
            path.stem if len(pixels) == 1 else f"{path.stem}-{index:0{wide}d}",
            image,
            None if labels is None else int(labels[index]),
        )
        for index, image in enumerate(pixels)
    ]


def _chosen(archive: np.lib.npyio.NpzFile) -> NDArray[np.generic]:
    names = [name for name in archive.files if name != "labels"]
    name = "images" if "images" in names else names[0] if len(names) == 1 else None
    if name is None:
        raise UsageError(f"it is not clear which of the arrays {', '.join(names) or '(none)'} holds images; name it 'images'")
    return np.asarray(archive[name])


def _scaled(images: NDArray[np.generic]) -> NDArray[np.float32]:
    if images.dtype.kind not in "uif" or not images.size:
        raise UsageError(f"an array of {images.dtype} with shape {images.shape} holds no images")
    values = images.astype(np.float32) / np.float32(255 if images.dtype.kind in "ui" else 1)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise UsageError("the values leave the range: give floats in 0..1 or whole numbers in 0..255")
    return values
