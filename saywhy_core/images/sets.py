"""Sets of image files, listed from a folder, a CSV file or a list of paths."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})


@dataclass(frozen=True)
class ImageSet:
    """Image files with the names of their classes, in a fixed order.

    Attributes:
        paths: the files.
        labels: the class of each file; None where the source names no classes.
        problems: records of the source that could not be used.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...] | None
    problems: tuple[Problem, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.paths)

    def label_indices(self, class_names: Sequence[str]) -> NDArray[np.int64]:
        """The position of each image's class in `class_names`; spelling is matched exactly.

        Raises:
            UsageError: the set names no classes, or one that `class_names` does not hold.
        """
        if self.labels is None:
            raise UsageError(
                "these images name no classes: put them into one folder per class, or give a CSV with a column `label`"
            )
        position = {name: index for index, name in enumerate(class_names)}
        unknown = sorted(set(self.labels) - position.keys())
        if unknown:
            raise UsageError(
                f"the images name {len(unknown)} class(es) that the class list does not hold, {unknown[0]!r} first; "
                f"rename the folder or add the class to the list"
            )
        return np.array([position[label] for label in self.labels], dtype=np.int64)


def list_images(source: str | os.PathLike[str]) -> ImageSet:
    """List the images of a folder (one folder per class, or flat), a CSV (`path`, optionally `label`) or a list of paths.

    Relative paths in a CSV or list are taken from where that file lies. Files are in sorted order for a folder, in
    file order otherwise. A record that names no file is a problem of the result, not an error.

    Raises:
        UsageError: the source does not exist or holds no image.
    """
    root = Path(source)
    if root.is_dir():
        images = _list_folder(root)
    elif not root.is_file():
        raise UsageError(f"{root} does not exist: give a folder of images, a CSV with a column `path`, or a list of paths")
    elif root.suffix.lower() in {".csv", ".tsv"}:
        images = _list_csv(root)
    elif root.suffix.lower() in SUFFIXES:
        images = ImageSet((root,), None)
    else:
        images = _list_lines(root)
    if not images.paths:
        first = f"; first problem: {images.problems[0]}" if images.problems else ""
        raise UsageError(f"{root} holds no image file ({', '.join(sorted(SUFFIXES))}){first}")
    return images


def _image_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def _list_folder(root: Path) -> ImageSet:
    classes = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = [(path, folder.name) for folder in classes for path in _image_files(folder)]
    loose = sorted(path for path in root.iterdir() if path.is_file() and path.suffix.lower() in SUFFIXES)
    if not found:
        return ImageSet(tuple(loose), None)
    problems = tuple(Problem(str(path), "it lies outside the class folders and was left out") for path in loose)
    return ImageSet(tuple(path for path, _ in found), tuple(label for _, label in found), problems)


def _list_csv(file: Path) -> ImageSet:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
        columns = rows.fieldnames or ()
        if "path" not in columns:
            raise UsageError(f"{file} has no column `path`; its columns are {', '.join(columns) or 'none'}")
        labelled = "label" in columns
        paths: list[Path] = []
        labels: list[str] = []
        problems: list[Problem] = []
        for row in rows:
            path = file.parent / (row["path"] or "")
            if not path.is_file():
                problems.append(Problem(str(file), f"there is no file {row['path']!r}", rows.line_num))
            elif labelled and not row["label"]:
                problems.append(Problem(str(file), "the row has no label", rows.line_num))
            else:
                paths.append(path)
                labels.append(row["label"] if labelled else "")
    return ImageSet(tuple(paths), tuple(labels) if labelled else None, tuple(problems))


def _list_lines(file: Path) -> ImageSet:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{file} is neither an image nor a UTF-8 list of paths") from None
    paths: list[Path] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        path = file.parent / line.strip()
        if path.is_file():
            paths.append(path)
        else:
            problems.append(Problem(str(file), f"there is no file {line.strip()!r}", number))
    return ImageSet(tuple(paths), None, tuple(problems))


def readable(paths: Sequence[Path]) -> tuple[list[int], list[Problem]]:
    """The positions of the files that open as images, and what is wrong with the others; pixels are not decoded."""
    from PIL import Image, UnidentifiedImageError

    good: list[int] = []
    problems: list[Problem] = []
    for index, path in enumerate(paths):
        try:
            with Image.open(path) as opened:
                opened.verify()
            good.append(index)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            problems.append(Problem(str(path), f"it is no image that can be read ({error})"))
    return good, problems
