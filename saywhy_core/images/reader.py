"""The reader of images: one of any source, or all of several files, by the policy of docs/images.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images.array_files import ARRAYS, decode_arrays
from saywhy_core.images.decode import decode_array, decode_file, decode_pil, set_channels
from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

OneImage: TypeAlias = "NDArray[np.generic] | Image | str | os.PathLike[str]"
Images: TypeAlias = "NDArray[np.generic] | Sequence[OneImage]"


@dataclass(frozen=True, eq=False)
class NamedImage:
    """An image out of a file.

    Attributes:
        name: the file's name without its ending; with the image's place where the file holds several.
        pixels: H×W×C float32 in [0, 1].
        label: the class number that the file gives with the image; None where it gives none.
    """

    name: str
    pixels: NDArray[np.float32]
    label: int | None = None


def read_image(source: OneImage | ArrayLike, *, channels: int | None = None) -> NDArray[np.float32]:
    """Read one image as H×W×C float32 in [0, 1], RGB or grey.

    The same picture gives the same array whether it comes as a file, as a Pillow image or as an array; docs/images.md has
    the table of what is done with rotation, 16 bits, transparency and the rest. Grey pictures have one channel unless
    `channels` asks for three.

    Args:
        source: a path of a picture or of a `.npy` or `.npz` file with one image; a Pillow image; or an array H×W or H×W×C,
            float in [0, 1] or whole numbers. An array that needs no change is returned itself, not copied.
        channels: 3 repeats grey into RGB, 1 makes colour grey; None leaves the channels as they are.

    Raises:
        CeilingError: it has more pixels than the ceiling `pixels`, wherever it comes from.
        UsageError: there is no such file, it holds no image or several, or the values leave their range.
    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.suffix.lower() not in ARRAYS:
            return set_channels(decode_file(path), channels)
        images, _ = decode_arrays(path)
        if len(images) != 1:
            raise UsageError(f"{path} holds {len(images)} images where one is wanted")
        return set_channels(images[0], channels)
    return set_channels(_given(source), channels)


def read_images(paths: Sequence[Path], *, channels: int | None = None) -> Iterator[NamedImage | Problem]:
    """Read the images of files in order; a file that can't be read gives a `Problem` in its place.

    A picture file holds one image, a `.npy` or `.npz` file one or several; an `.npz` file may bring class numbers in an array
    `labels`.

    Args:
        paths: the files.
        channels: as for `read_image`.
    """
    for path in paths:
        stem = well_formed(path.stem)
        try:
            if path.suffix.lower() not in ARRAYS:
                yield NamedImage(stem, read_image(path, channels=channels))
                continue
            images, labels = decode_arrays(path)
            set_channels(images[0], channels)  # raises for the first what it would raise for all
        except UsageError as error:
            yield as_problem(path, error)
            continue
        width = len(str(len(images) - 1))
        for index, image in enumerate(images):
            name = stem if len(images) == 1 else f"{stem}-{index:0{width}d}"
            yield NamedImage(name, set_channels(image, channels), None if labels is None else labels[index])


def well_formed(name: str | os.PathLike[str]) -> str:
    """The name of a file as text that can be written in UTF-8: bytes in it that are no text become escapes."""
    return os.fspath(name).encode("utf-8", "backslashreplace").decode("utf-8")


def as_problem(path: Path, error: UsageError) -> Problem:
    """The error about a file as a problem, which names the file by itself."""
    return Problem(well_formed(path), str(error).removeprefix(f"{path}: ").removeprefix(f"{path} "))


def image_batches(images: Images, batch: int, *, channels: int | None = 3) -> Iterator[list[NDArray[np.float32]]]:
    """Read images `batch` at a time, so that memory does not grow with their number."""
    for start in range(0, len(images), batch):
        yield [read_image(image, channels=channels) for image in images[start : start + batch]]


def _given(source: Any) -> NDArray[np.float32]:
    """The pixels of a Pillow image, an array, or whatever numpy makes an array of."""
    from PIL import Image

    if isinstance(source, Image.Image):
        return decode_pil(source)
    try:
        array = to_numpy(source)
    except (TypeError, ValueError) as error:
        raise UsageError(f"an image must be an array of numbers: {error}") from None
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise UsageError(f"an image must be an array (height, width, channels), but this one has shape {array.shape}")
    check_ceiling("pixels", array.shape[0] * array.shape[1], f"an image of {array.shape[0]} x {array.shape[1]} pixels")
    return decode_array(array)
