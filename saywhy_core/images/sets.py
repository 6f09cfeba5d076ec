"""Sets of image files, listed from a folder, a CSV file or a list of paths."""

from __future__ import annotations

import csv
import errno
import io
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.disk.files import protect_input
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images.array_files import ARRAYS
from saywhy_core.images.decode import PICTURES
from saywhy_core.images.reader import as_problem, read_image, well_formed
from saywhy_core.names import NameTable
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import decode_lines, decode_text, has_other_bytes
from saywhy_core.reading.raw import read_bytes
from saywhy_core.reading.regular_files import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SUFFIXES = PICTURES | ARRAYS


@dataclass(frozen=True)
class ImageSet:
    """Image files with the names of their classes, in a fixed order.

    Attributes:
        paths: the files.
        labels: the class of each file; None where the source names no classes.
        problems: records of the source, and files and folders in it, that could not be used.
        passed_over: how many files of a folder are no images by their ending, hidden files not counted.
        root: the folder that was listed, whose folders name the classes; None for other sources.
        doubt: why the folders may name something else than classes; empty where nothing speaks for that.
    """

    paths: tuple[Path, ...]
    labels: tuple[str, ...] | None
    problems: tuple[Problem, ...] = field(default=())
    passed_over: int = 0
    root: Path | None = None
    doubt: str = ""

    def __len__(self) -> int:
        return len(self.paths)

    def classes_of(self, class_names: Sequence[str]) -> NDArray[np.int64]:
        """The position of each image's class in `class_names`; -1 for an image whose class is none of them.

        Names match whatever their case, and whether spaces, underscores or hyphens join their words. In a folder, the class is
        the one folder on the way from the root to the image that has the name of a class: `dog/a.png`, `train/dog/a.png` and
        `dog/2024/a.png` are dogs, whatever the depth.

        Raises:
            UsageError: the set names no classes, several class names are like a label, or two folders on the way to an image
                have names of different classes and no depth has classes for all images.
        """
        if self.labels is None:
            raise UsageError(
                "these images name no classes: put them into one folder per class, or give a CSV with a column `label`"
            )
        table = NameTable(class_names)
        known: dict[str, int] = {}

        def number(name: str) -> int:
            if name not in known:
                found = table.find(name)
                known[name] = -1 if found is None else found
            return known[name]

        if self.root is None:
            return np.array([number(label) for label in self.labels], dtype=np.int64)
        ways = [[number(name) for name in path.relative_to(self.root).parts[:-1]] for path in self.paths]
        everywhere = [
            depth for depth in range(min(map(len, ways), default=0)) if all(way[depth] >= 0 for way in ways)
        ]  # with more than one such depth, the deepest: it tells more classes apart, as cat/tiger does
        found = np.full(len(ways), -1, dtype=np.int64)
        for place, way in enumerate(ways):
            depths = [depth for depth, one in enumerate(way) if one >= 0]
            if len({way[depth] for depth in depths}) > 1 and depths[-1] != max(everywhere, default=-1):
                first, second = (class_names[way[depth]] for depth in (depths[0], depths[-1]))
                raise UsageError(
                    f"{self.paths[place]} lies in folders of two classes, {first!r} and {second!r}; rename one of the folders, "
                    f"or give a CSV with the columns `path` and `label`"
                )
            if depths:
                found[place] = way[depths[-1]]
        return found

    def label_of(self, place: int) -> str:
        """What the source says of the class of one image: its label, or all folders on the way to it, as `train/dog`."""
        if self.root is not None:
            return self.paths[place].relative_to(self.root).parent.as_posix()
        return "" if self.labels is None else self.labels[place]

    def named(self, class_names: Sequence[str]) -> ImageSet:
        """The same images with the names of their classes as the list spells them; other labels, as `label_of`, stay.

        Raises:
            UsageError: as `classes_of`, except that images without labels stay as they are.
        """
        if self.labels is None:
            return self
        numbers = self.classes_of(class_names)
        labels = tuple(class_names[number] if number >= 0 else self.label_of(place) for place, number in enumerate(numbers))
        return replace(self, labels=labels, root=None)

    def label_indices(self, class_names: Sequence[str]) -> NDArray[np.int64]:
        """As `classes_of`, where every image must have one of the classes.

        Raises:
            UsageError: as `classes_of`, or an image's class is none of `class_names`.
        """
        found = self.classes_of(class_names)
        if (found < 0).any():
            unknown = sorted({self.label_of(place) for place in np.flatnonzero(found < 0).tolist()})
            raise UsageError(
                f"the images name {len(unknown)} class(es) that the class list does not hold, {unknown[0]!r} first; "
                f"{advice_on(unknown[0], class_names)}"
            )
        return found


def advice_on(label: str, class_names: Sequence[str]) -> str:
    """What to do about a label that is none of the classes: the class that was meant, where one is near."""
    table = NameTable(class_names)
    near = next((near for part in (label, *label.split("/")) if (near := table.nearest(part)) is not None), None)
    return "rename it, or add it to the list" if near is None else f"is {near!r} meant? Rename it, or add it to the list"


def list_images(source: str | os.PathLike[str]) -> ImageSet:
    """List the images of a folder (one folder per class, or flat), a CSV (`path`, optionally `label`) or a list of paths.

    Relative paths in a CSV or list are taken from where that file lies. Files are in sorted order for a folder, in
    file order otherwise. A record that names no file is a problem of the result, not an error. In a folder, a file is an image
    by its ending; hidden files and folders are left out. Pipes, devices, links to nothing and, in class folders, links to
    folders are problems, and so are folders that can't be read and names that are no text.

    Raises:
        UsageError: the source does not exist, can't be read, holds no image, or more than the ceiling `records` allows; or a
            table has two columns `path` or `label`, or two labels for one file.
    """
    root = Path(source)
    try:
        if root.is_dir():
            images = _list_folder(root)
        elif not root.exists():
            raise UsageError(f"{root} does not exist: give a folder of images, a CSV with a column `path`, or a list of paths")
        elif root.suffix.lower() in {".csv", ".tsv"}:
            images = _list_csv(root)
        elif root.suffix.lower() in SUFFIXES:
            images = ImageSet((root,), None)
        else:
            images = _list_lines(root)
    except OSError as error:
        raise UsageError(f"{root} can't be read ({error.strerror}); give a source of images that you may read") from None
    except ValueError as error:
        raise error if isinstance(error, UsageError) else UsageError(f"{root!s:.200} can't be the name of a file") from None
    if not images.paths:
        first = f"; first problem: {images.problems[0]}" if images.problems else ""
        raise UsageError(f"{root} holds no image file ({', '.join(sorted(SUFFIXES))}){first}")
    for path in images.paths:
        protect_input(path)
    return images


@dataclass
class _Found:
    """What is under a folder: the files, and what can't be used of it. Hidden files and folders are left out."""

    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    passed_over: int = 0

    def walk(self, folder: Path) -> None:
        """Go through a folder and the folders in it; links to folders are not followed, since they may lead in circles."""
        todo = [folder]
        while todo:
            here = todo.pop()
            try:
                entries = [entry for entry in os.scandir(here) if not entry.name.startswith(".")]
            except OSError as error:
                self.problems.append(Problem(well_formed(here), f"the folder can't be read ({error.strerror})"))
                continue
            folders = {entry.name for entry in entries if _is_dir(entry, links=False)}
            todo.extend(self.take(entry) for entry in entries if entry.name in folders)
            for entry in entries:
                if entry.name not in folders:
                    self.take(entry)
        self.files.sort()
        self.problems.sort(key=lambda problem: problem.where)

    def take(self, entry: os.DirEntry[str]) -> Path:
        """Sort in what stands in a folder."""
        path = Path(entry.path)
        wanted = path.suffix.lower() in SUFFIXES
        if _is_dir(entry):
            if entry.is_symlink():
                self.problems.append(Problem(well_formed(path), "it is a link to a folder, and was not followed"))
        elif not wanted:
            self.passed_over += 1
        elif not _is_text(entry.name):
            self.problems.append(Problem(well_formed(path), "its name is no UTF-8 text; rename it"))
        elif _is_file(path):
            self.files.append(path)
            check_ceiling("records", len(self.files), "the folder", "images")
        else:
            self.problems.append(Problem(well_formed(path), f"it is {_what_it_is(entry)}, not a file"))
        return path


def _what_it_is(entry: os.DirEntry[str]) -> str:
    try:
        return kind_of(entry.stat().st_mode)
    except FileNotFoundError:
        return "a link to nothing"
    except OSError as error:
        return "a link that leads in a circle" if error.errno == errno.ELOOP else f"something unreadable ({error.strerror})"


def _is_dir(entry: os.DirEntry[str], *, links: bool = True) -> bool:
    """Whether an entry is a folder, or a link to one; False where that can't be found out, as of a link in a circle."""
    try:
        return entry.is_dir(follow_symlinks=links)
    except OSError:
        return False


def _is_text(name: str) -> bool:
    """Whether a name can be written to a file in UTF-8; names of files may hold any bytes."""
    return name.isprintable() or well_formed(name) == name


def _is_file(path: Path) -> bool:
    """Whether there is such a file; False too for a text that can't be a path, such as a very long one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _list_folder(root: Path) -> ImageSet:
    beside = _Found()
    labelled: list[tuple[Path, str]] = []
    problems: list[Problem] = []
    passed_over = 0
    for entry in sorted(os.scandir(root), key=lambda one: one.name):
        if entry.name.startswith("."):
            continue
        if not _is_dir(entry):
            beside.take(entry)
            continue
        inside = _Found()
        inside.walk(Path(entry.path))
        problems += inside.problems
        passed_over += inside.passed_over
        if inside.files and not _is_text(entry.name):
            problems.append(
                Problem(well_formed(entry.path), "the folder's name is no UTF-8 text, so it can't name a class; rename it")
            )
            continue
        labelled += [(path, entry.name) for path in inside.files]
        check_ceiling("records", len(labelled), str(root), "images")
    problems += beside.problems
    passed_over += beside.passed_over
    loose = sorted(beside.files)
    if not labelled:
        return ImageSet(tuple(loose), None, tuple(problems), passed_over)
    problems += [Problem(str(path), "it lies outside the class folders and was left out") for path in loose]
    paths, labels = tuple(path for path, _ in labelled), tuple(label for _, label in labelled)
    return ImageSet(paths, labels, tuple(problems), passed_over, root, _doubt(root, paths))


def _doubt(root: Path, paths: Sequence[Path]) -> str:
    """Why the first level of folders may hold something else than classes, such as train/ and test/.

    One of its folders has several folders with images, most images lie in such folders, and so do those of most folders: a
    stray picture beside them says nothing.
    """
    inside: dict[str, set[str]] = {}
    direct: list[str] = []
    for path in paths:
        way = path.relative_to(root).parts[:-1]
        if len(way) < 2:
            direct.append(way[0])
        else:
            inside.setdefault(way[0], set()).add(way[1])
    flat = set(direct) - inside.keys()
    if 2 * len(direct) >= len(paths) or len(flat) >= len(inside):
        return ""
    above, below = max(inside.items(), key=lambda item: len(item[1]))
    if len(below) < 2:
        return ""
    first, second = sorted(below)[:2]
    return (
        f"{root} has folders in folders ({above}/{first}, {above}/{second}), and both levels may name the classes; name the "
        f"folder above the classes, such as {root / above}, or give the list of classes"
    )


def _decoded(file: Path) -> str:
    """The text of a list, in which lines but the first may hold bytes that are no UTF-8."""
    data = read_bytes(file)
    decode_text(data.lstrip().partition(b"\n")[0], str(file))
    return decode_lines(data, str(file))


def _list_csv(file: Path) -> ImageSet:
    text = _decoded(file)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
    try:
        return _list_rows(file, rows)
    except csv.Error as error:
        raise UsageError(
            f"{file} can't be read as CSV after line {rows.line_num} ({error}); look for an open quotation mark"
        ) from None


def _list_rows(file: Path, rows: csv.DictReader[str]) -> ImageSet:
    columns = rows.fieldnames or ()
    if "path" not in columns:
        raise UsageError(f"{file} has no column `path`; its columns are {', '.join(columns) or 'none'}")
    repeated = next((column for column in ("path", "label") if columns.count(column) > 1), None)
    if repeated is not None:
        raise UsageError(f"{file} has two columns {repeated!r}, and nobody can know which counts; rename one")
    labelled = "label" in columns
    said: dict[str, tuple[str, int]] = {}
    paths: list[Path] = []
    labels: list[str] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        check_ceiling("records", number, str(file))
        if has_other_bytes("".join(cell for cell in row.values() if isinstance(cell, str))):
            problems.append(Problem(str(file), "the row is not UTF-8 text", rows.line_num))
            continue
        path = file.parent / (row["path"] or "")
        if not _is_file(path):
            problems.append(Problem(str(file), f"there is no file {row['path']!r:.200}", rows.line_num))
        elif labelled and not row["label"]:
            problems.append(Problem(str(file), "the row has no label", rows.line_num))
        else:
            label = row["label"] if labelled else ""
            before, line = said.setdefault(os.path.normpath(path), (label, rows.line_num))
            if before != label:
                raise UsageError(
                    f"{file}: lines {line} and {rows.line_num} contradict each other: {row['path']!r:.200} is {before!r:.80} "
                    f"and {label!r:.80}; leave one of them"
                )
            paths.append(path)
            labels.append(label)
    return ImageSet(tuple(paths), tuple(labels) if labelled else None, tuple(problems))


def _list_lines(file: Path) -> ImageSet:
    lines = _decoded(file).splitlines()
    check_ceiling("records", len(lines), str(file))
    paths: list[Path] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if has_other_bytes(line):
            problems.append(Problem(str(file), "the line is not UTF-8 text", number))
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
