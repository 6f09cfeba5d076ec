"""Array files of numpy, `.npy` and `.npz`, damaged ones too."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images.decode import decode_array

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

ARRAYS = frozenset({".npy", ".npz"})


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Make one kind of error of all that numpy, zipfile, zlib and Python's parser raise on damaged bytes."""
    try:
        yield
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - there is no list of what may be raised, and it differs between versions
        said = str(error) or type(error).__name__
        raise UsageError(f"{path} can't be read as an array file ({said}); save it again") from None


def load_array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Load the one array of a `.npy` file as it is, of any shape and type but objects.

    Raises:
        UsageError: there is no such file, it holds several arrays, or it is damaged.
    """
    with _damage_told(Path(path)):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            raise UsageError("it is an archive of arrays where one array is wanted; save it as .npy")


def decode_arrays(path: Path) -> tuple[NDArray[np.float32], list[int] | None]:
    """Read the images of a `.npy` or `.npz` file as N×H×W×C, and the class numbers that lie beside them.

    An `.npz` file holds the images as `images`, or as its only array, and may hold `labels`, one class number per image. Two
    axes are one grey image; three are one image where the last is at most 4 long, else several grey images.

    Raises:
        UsageError: there is no such file, or it holds no images.
    """
    with _damage_told(path):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            images, labels = loaded, None
        else:
            with loaded:
                images = _only_images(loaded)
                labels = np.asarray(loaded["labels"]) if "labels" in loaded.files else None
    try:
        pixels = _one_by_one(decode_array(images))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    if labels is not None and (labels.shape != (len(pixels),) or labels.dtype.kind not in "iu"):
        raise UsageError(
            f"{path} holds {len(pixels)} images but labels of shape {labels.shape} and type {labels.dtype}; "
            "give a class number for each"
        )
    return pixels, None if labels is None else [int(label) for label in labels]


def _only_images(archive: np.lib.npyio.NpzFile) -> NDArray[np.generic]:
    names = [name for name in archive.files if name != "labels"]
    name = "images" if "images" in names else names[0] if len(names) == 1 else None
    if name is None:
        raise UsageError(f"it is not clear which of the arrays {', '.join(names) or '(none)'} holds images; name it 'images'")
    return np.asarray(archive[name])


def _one_by_one(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    if pixels.ndim == 2:
        return pixels[None, :, :, None]
    if pixels.ndim == 3:
        return pixels[None] if pixels.shape[2] <= 4 else pixels[:, :, :, None]
    if pixels.ndim != 4:
        raise UsageError(f"an array of shape {pixels.shape} holds no images; give (H, W, C) or (N, H, W, C)")
    return pixels
