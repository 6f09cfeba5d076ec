"""Sets of image files, listed from a folder, a CSV file or a list of paths."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.disk.files import protect_input
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images.array_files import ARRAYS
from saywhy_core.images.decode import PICTURES
from saywhy_core.images.reader import as_problem, read_image

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

SUFFIXES = PICTURES | ARRAYS


@dataclass(frozen=True)
class ImageSet:
    """Image files with the names of their classes, in a fixed order.

    Attributes:
        paths: the files.
        labels: the class of each file; None where the source names no classes.
        problems: records of the source that could not be used.
        passed_over: how many files of a folder are no images by their ending, hidden files not counted.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...] | None
    problems: tuple[Problem, ...] = field(default=())
    passed_over: int = 0

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
    file order otherwise. A record that names no file is a problem of the result, not an error. In a folder, a file is an image
    by its ending; hidden files and folders are left out.

    Raises:
        UsageError: the source does not exist, can't be read, or holds no image.
    """
    root = Path(source)
    try:
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
    except OSError as error:
        raise UsageError(f"{root} can't be read ({error.strerror}); give a source of images that you may read") from None
    if not images.paths:
        first = f"; first problem: {images.problems[0]}" if images.problems else ""
        raise UsageError(f"{root} holds no image file ({', '.join(sorted(SUFFIXES))}){first}")
    for path in images.paths:
        protect_input(path)
    return images


def _shown_files(folder: Path) -> list[Path]:
    """The files under a folder in sorted order, without those that are hidden or lie in a hidden folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _is_file(path: Path) -> bool:
    """Whether there is such a file; False too for a text that can't be a path, such as a very long one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _list_folder(root: Path) -> ImageSet:
    shown = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    inside = [(path, folder.name) for folder in shown if folder.is_dir() for path in _shown_files(folder)]
    beside = [path for path in shown if path.is_file()]
    found = [(path, name) for path, name in inside if path.suffix.lower() in SUFFIXES]
    loose = [path for path in beside if path.suffix.lower() in SUFFIXES]
    passed_over = len(inside) + len(beside) - len(found) - len(loose)
    if not found:
        return ImageSet(tuple(loose), None, passed_over=passed_over)
    problems = tuple(Problem(str(path), "it lies outside the class folders and was left out") for path in loose)
    return ImageSet(tuple(path for path, _ in found), tuple(label for _, label in found), problems, passed_over)


def _list_csv(file: Path) -> ImageSet:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
        try:
            return _list_rows(file, rows)
        except UnicodeDecodeError:
            raise UsageError(f"{file} is no UTF-8 text; save it as CSV in UTF-8") from None
        except csv.Error as error:
            raise UsageError(
                f"{file} can't be read as CSV after line {rows.line_num} ({error}); look for an open quotation mark"
            ) from None


def _list_rows(file: Path, rows: csv.DictReader[str]) -> ImageSet:
    columns = rows.fieldnames or ()
    if "path" not in columns:
        raise UsageError(f"{file} has no column `path`; its columns are {', '.join(columns) or 'none'}")
    labelled = "label" in columns
    paths: list[Path] = []
    labels: list[str] = []
    problems: list[Problem] = []
    for row in rows:
        path = file.parent / (row["path"] or "")
        if not _is_file(path):
            problems.append(Problem(str(file), f"there is no file {row['path']!r:.200}", rows.line_num))
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
        if _is_file(path):
            paths.append(path)
        else:
            problems.append(Problem(str(file), f"there is no file {line.strip()!r:.200}", number))
    return ImageSet(tuple(paths), None, tuple(problems))


def readable(paths: Sequence[Path]) -> tuple[list[int], list[Problem]]:
    """The positions of the files that hold one image, and what is wrong with the others.

    Each file is decoded by `read_image`, one at a time, and its pixels are dropped again.
    """
    good: list[int] = []
    problems: list[Problem] = []
    for index, path in enumerate(paths):
        try:
            read_image(path, channels=3)
            good.append(index)
        except UsageError as error:
            problems.append(as_problem(path, error))
    return good, problems
