"""The images of an audit: read, brought to the classifier's size where that is asked for, and checked against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from adversarial.attack import check_attacked
from saywhy_core.errors import Problem, UsageError, argument
from saywhy_core.images import read_images, resize_image
from saywhy_core.images.array_files import ARRAYS, ImageArray
from saywhy_core.images.reader import as_problem
from saywhy_core.names import class_index, read_lines
from saywhy_core.reading.ceilings import CeilingError, ceiling

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.classifiers import ImageShape
    from saywhy_core.images.reader import NamedImage

Size: TypeAlias = tuple[int, int] | Literal["auto"] | None
_SIZE = re.compile(r"\s*([1-9][0-9]{0,8})\s*[xX×]\s*([1-9][0-9]{0,8})\s*")


@dataclass(frozen=True, eq=False)
class AuditImage:
    """One image to attack.

    Attributes:
        name: what it is called in messages, and the name of its folder.
        pixels: (H, W, C) float32 in [0, 1].
        label: the number of the class that it shows; None for the class that the classifier predicts.
        source: the file that it was read from, which tells it from others of its name; "" where there is none.
    """

    name: str
    pixels: NDArray[np.float32]
    label: int | None = None
    source: str = ""


def gather_images(
    paths: Sequence[str | os.PathLike[str]],
    *,
    shape: ImageShape = (None, None, None),
    class_names: Sequence[str] | None = None,
    size: Size = None,
    label: str | int | None = None,
    labels: str | os.PathLike[str] | None = None,
) -> tuple[list[AuditImage], list[Problem]]:
    """Read images, and say which of them can't be attacked.

    Args:
        paths: PNG, JPEG and other pictures; `.npy` and `.npz` files with one image or several.
        shape: the (height, width, channels) that the classifier takes, None for each that is unknown or free
            (`classifier.image_shape`). Grey images are repeated into three channels, and colour images made grey, as it asks.
        class_names: one name per class, where they are known.
        size: (height, width) to resize the images to; "auto" for the size in `shape`; None leaves them as they are.
        label: the class of all images, by name or number.
        labels: a text file with the class of each image, by name or number, one per line in the order of the images. Without
            `label` and `labels`, the class numbers in `.npz` files count.

    Returns:
        The images that can be attacked, and a `Problem` for each file or image that can't.

    Raises:
        UsageError: there is no such class, the labels are more or fewer than the images, no size is known, or the size is over
            the ceiling `attacked`.
    """
    if label is not None and labels is not None:
        raise UsageError("give one label for all images or a file of labels, not both")
    channels = shape[2]
    size = size_for(size, shape)
    if size is not None:
        _check_size(size)
    wanted = channels if channels in (1, 3) else None
    items = [(str(path), item) for path in paths for item in _read(Path(path), wanted, shape)]
    lines = None if labels is None else read_lines(labels)
    if lines is not None and len(lines) != len(items):
        raise UsageError(f"{labels} holds {len(lines)} labels for {len(items)} images; give one per line, in their order")
    images: list[AuditImage] = []
    problems: list[Problem] = []
    for place, (source, item) in enumerate(items):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        pixels = item.pixels if size is None else resize_image(item.pixels, size)
        own = item.label
        if label is not None:
            own = class_index(str(label), class_names, "the label of all images")
        elif lines is not None:
            own = class_index(lines[place][1], class_names, f"{labels}, line {lines[place][0]}")
        wrong = misfit(pixels.shape, own, shape, class_names)
        if wrong is None:
            images.append(AuditImage(item.name, pixels, own, source))
        else:
            problems.append(Problem(item.name, wrong))
    return images, problems


def _read(path: Path, channels: int | None, shape: ImageShape) -> Sequence[NamedImage | Problem]:
    found = list(read_images([path], channels=channels))
    if path.suffix.lower() in ARRAYS and len(found) > 1 and len(found) == shape[2]:
        try:
            ImageArray(path).check_channels(shape)
        except UsageError as error:
            return [as_problem(path, error)]
    return found


def read_size(text: str | None) -> Size:
    """(height, width) of a text such as "48x64"; "auto" and None stay as they are.

    Raises:
        UsageError: the text is no size.
    """
    if text is None:
        return None
    if text.strip().lower() == "auto":
        return "auto"
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{argument('resize')} takes HEIGHTxWIDTH, such as 48x48, each of at most nine digits, or auto, not {text!r}"
        )
    return int(match[1]), int(match[2])


def size_for(size: Size, shape: ImageShape) -> tuple[int, int] | None:
    """(height, width) that images are brought to: "auto" is the size in `shape`.

    Raises:
        UsageError: that is not known.
    """
    if size != "auto":
        return size
    height, width, _ = shape
    if height is None or width is None:
        raise UsageError("the classifier doesn't say what size it takes; give the size, such as --resize 48x48")
    return height, width


def _check_size(size: tuple[int, int]) -> None:
    """Hold the size that images are brought to against the ceiling, before memory is taken for it."""
    have, most = size[0] * size[1], ceiling("attacked")
    if have > most:
        raise CeilingError(
            f"images of {size[0]} x {size[1]} have {have:,} pixels, and images of at most {most:,} are attacked; "
            f"give a smaller size, or raise the ceiling with --ceiling attacked={have}"
        )


def misfit(have: tuple[int, ...], label: int | None, want: ImageShape, class_names: Sequence[str] | None) -> str | None:
    """Why an image can't be given to the classifier, None where it can."""
    wrong = [wanted is not None and given != wanted for given, wanted in zip(have, want, strict=True)]
    if any(wrong[:2]):
        sides = " x ".join("any" if side is None else str(side) for side in want[:2])
        return f"the image is {have[0]} x {have[1]} (height x width) but the classifier takes {sides}; use --resize auto"
    try:
        check_attacked(have[0], have[1])
    except CeilingError as error:
        return str(error)
    if wrong[2]:
        return f"the image has {have[2]} channels but the classifier takes {want[2]}"
    if label is not None and class_names is not None and not 0 <= label < len(class_names):
        return f"its label {label} is no class; there are {len(class_names)}, counted from 0"
    return None
