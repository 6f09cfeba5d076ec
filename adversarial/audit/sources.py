"""Which images an audit has: listed without holding any of them, and read one by one."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import list_images, read_image
from saywhy_core.images.array_files import ARRAYS, ImageArray
from saywhy_core.images.decode import set_channels
from saywhy_core.images.reader import as_problem, well_formed
from saywhy_core.names import class_index, read_lines
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.classifiers import ImageShape

FOLDERS, CLASSIFIER = "folders", "classifier"
"""Where labels come from besides a file: the names of the images' folders, or what the classifier sees."""
NO_TEXT = "its name is no UTF-8 text; rename it"
"""What is wrong with a file whose name holds other bytes."""
_TABLES = frozenset({".csv", ".tsv"})


@dataclass(frozen=True)
class Source:
    """Where one image of an audit is read from.

    Attributes:
        name: a name that no other image of the audit has.
        path: the file.
        part: its place in the file, counted from 0; None for a picture.
        label: the number of the class that it shows; None for the class that the classifier sees.
        error: why it can't be used, or "".
    """

    name: str
    path: str
    part: int | None = None
    label: int | None = None
    error: str = ""


@dataclass(frozen=True)
class _Listed:
    """A file with what its source says of it: the class by name, or by number."""

    path: Path
    name: str
    part: int | None = None
    said: str | int | None = None
    folder: str | None = None
    error: str = ""


class NoImagesError(UsageError):
    """There are no images where they should be, for the reasons that `problems` tell; an audit that has others goes on."""

    def __init__(self, message: str, problems: Sequence[Problem]) -> None:
        super().__init__(message)
        self.problems = problems


def list_sources(
    paths: Sequence[str | os.PathLike[str]],
    *,
    labels: str | os.PathLike[str] | None = None,
    label: str | int | None = None,
    class_names: Sequence[str] | None = None,
    shape: ImageShape = (None, None, None),
) -> tuple[list[Source], list[Problem]]:
    """List the images of files, folders, tables and arrays.

    A folder gives the pictures and arrays in it and in the folders below; where these have names of classes, they are the
    labels. A `.csv` or `.tsv` file with a column `path` gives the files that it names, and labels from its column `label`. A
    `.npy` or `.npz` file gives each of its images, with the numbers in its array `labels`. Anything else is a picture.

    Args:
        paths: the files and folders.
        labels: "folders" for the names of the folders, "classifier" for what the classifier sees, or a file: a table with
            the columns `path` (or `name`, with the file's ending or without) and `label`, or one label per line in the order
            of the images. None for whatever label the images come with, and else what the classifier sees.
        label: the class of all images.
        class_names: one name per class, where they are known.
        shape: the (height, width, channels) that the classifier takes, None for each that is unknown: an array (C, H, W) of
            this size can't be used, since it may be one image or several grey ones.

    Returns:
        The images in their order, those that can't be used with their `error`, and what else was wrong with the sources.

    Raises:
        UsageError: there are no images, or a file of labels can't be read, fits no image, has another number of lines, or
            gives one image two labels.
    """
    if label is not None and labels is not None:
        raise UsageError("give one label for all images or a file of labels, not both")
    listed: list[_Listed] = []
    problems: list[Problem] = []
    for path in paths:
        found, wrong = _listed(Path(path), shape)
        listed += found
        problems += wrong
    if not listed:
        first = f"; first problem: {problems[0]}" if problems else ""
        raise NoImagesError(f"there are no images to audit{first}", problems)
    named = _with_unique_names(listed)
    if labels in (None, FOLDERS):
        named = _labelled_by_folder(named, class_names, asked=labels is not None)
    elif labels == CLASSIFIER:
        named = [replace(one, said=None) for one in named]
    elif labels is not None:
        named = _labelled_by_file(named, Path(labels))
    where = "the label of all images" if label is not None else "its label"
    return [_as_source(one if label is None else replace(one, said=label), class_names, where) for one in named], problems


def read_source(source: Source, channels: int | None) -> NDArray[np.float32]:
    """The pixels (H, W, C) of an image, float32 in [0, 1].

    Args:
        source: where it is.
        channels: how many channels the classifier takes, 1 or 3; None leaves them as they are.

    Raises:
        UsageError: it can't be read any more, or not as an image.
    """
    wanted = channels if channels in (1, 3) else None
    if source.part is None:
        return read_image(Path(source.path), channels=wanted)
    return set_channels(_array(source.path, _stamp(source.path))[source.part], wanted)


@lru_cache(maxsize=2)  # an audit goes through a file from its first image to its last
def _array(path: str, _stamp: tuple[int, int]) -> ImageArray:
    return ImageArray(Path(path))


def _stamp(path: str) -> tuple[int, int]:
    """What tells a file from what it was: an array that was changed is read anew."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    return found.st_mtime_ns, found.st_size


def _listed(path: Path, shape: ImageShape) -> tuple[list[_Listed], list[Problem]]:
    suffix = path.suffix.lower()
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for names that are too long
        if not os.path.exists(path):  # noqa: PTH110
            what = "it is a link that leads nowhere" if os.path.islink(path) else "there is no such file or folder"  # noqa: PTH114
            return [], [Problem(well_formed(path), what)]
        if suffix in _TABLES:
            found = list_images(path)
            said: Sequence[str | None] = found.labels or [None] * len(found)
            pairs = zip(found.paths, said, strict=True)
            return [one for file, label in pairs for one in _parts(file, file.parent, shape, said=label)], list(found.problems)
        return list(_parts(path, path.parent, shape)), []
    try:
        found = list_images(path)
    except UsageError as error:
        return [], [as_problem(path, error)]
    unnamed = [problem for problem in found.problems if problem.what == NO_TEXT]
    loose = [one for one in found.problems if "outside the class folders" not in one.what and one not in unnamed]
    files = sorted({*found.paths, *_loose_files(path, found.problems)})
    good = [one for file in files for one in _parts(file, path, shape, folder=_class_folder(file, path))]
    return [*good, *(one for problem in unnamed for one in _unnamed(Path(problem.where), Path(well_formed(path))))], loose


def _unnamed(file: Path, root: Path) -> Iterator[_Listed]:
    """A file that no database can name: the row of an image that failed."""
    name = file.relative_to(root).with_suffix("").as_posix() if root in file.parents else file.stem
    yield _Listed(file, name, error=NO_TEXT)


def _loose_files(root: Path, problems: Sequence[Problem]) -> Iterator[Path]:
    """Files that lie beside class folders: images without a label, for an audit."""
    for problem in problems:
        if "outside the class folders" in problem.what and Path(problem.where).parent == root:
            yield Path(problem.where)


def _class_folder(file: Path, root: Path) -> str | None:
    return None if file.parent == root else file.relative_to(root).parts[0]


def _parts(
    file: Path, root: Path, shape: ImageShape, *, said: str | None = None, folder: str | None = None
) -> Iterator[_Listed]:
    name = well_formed(file.relative_to(root).with_suffix("").as_posix() if root in file.parents else file.stem)
    if well_formed(file) != os.fspath(file):
        yield from _unnamed(Path(well_formed(file)), Path(well_formed(root)))
        return
    if file.suffix.lower() not in ARRAYS:
        yield _Listed(file, name, None, said, folder)
        return
    try:
        images = _array(os.fspath(file), _stamp(os.fspath(file)))
        images.check_channels(shape)
    except UsageError as error:
        yield _Listed(file, name, None, said, folder, as_problem(file, error).what)
        return
    width = len(str(len(images) - 1))
    for part in range(len(images)):
        own = said if images.labels is None else images.labels[part]
        yield _Listed(file, name if len(images) == 1 else f"{name}-{part:0{width}d}", part, own, folder)


def _with_unique_names(listed: list[_Listed]) -> list[_Listed]:
    """Images of one name get the ending, or the folders before them, as many as tell them apart, or at last a number."""
    listed = _with_endings(listed)
    for depth in range(1, 7):
        shared = Counter(one.name for one in listed)
        if max(shared.values()) == 1:
            return listed
        listed = [one if shared[one.name] == 1 else replace(one, name=_deeper(one, depth)) for one in listed]
    seen: Counter[str] = Counter()
    made = []
    for one in listed:
        seen[one.name] += 1
        made.append(one if seen[one.name] == 1 else replace(one, name=f"{one.name} ({seen[one.name]})"))
    return made


def _with_endings(listed: list[_Listed]) -> list[_Listed]:
    """Pictures of one name and several endings, such as a.png and a.tif, get their endings."""
    shared = Counter(one.name for one in listed)
    full = Counter(f"{one.name}{one.path.suffix}" for one in listed)
    return [
        one
        if shared[one.name] == 1 or one.part is not None or full[f"{one.name}{one.path.suffix}"] > 1
        else replace(one, name=well_formed(f"{one.name}{one.path.suffix}"))
        for one in listed
    ]


def _deeper(one: _Listed, depth: int) -> str:
    stem = one.name.rpartition("/")[2]
    parents = [parent.name for parent in one.path.absolute().parents if parent.name][:depth]
    return well_formed("/".join([*reversed(parents), stem]))


def _labelled_by_folder(listed: list[_Listed], class_names: Sequence[str] | None, *, asked: bool) -> list[_Listed]:
    """Labels from folders: where they were asked for, or where the folders have names of classes."""
    folders = {one.folder for one in listed if one.folder is not None}
    known = set(class_names or ())
    if not asked and not any(folder in known for folder in folders):
        return listed
    if asked and not folders:
        raise UsageError(
            "the images lie in no folders that could name their classes; give the folder above those of the classes"
        )
    return [replace(one, said=one.folder) if one.folder is not None and (one.said is None or asked) else one for one in listed]


def _labelled_by_file(listed: list[_Listed], file: Path) -> list[_Listed]:
    """Labels from a table with the columns path (or name) and label, or from one line per image."""
    if file.suffix.lower() in _TABLES:
        return _labelled_by_table(listed, file)
    lines = read_lines(file)
    if len(lines) != len(listed):
        raise UsageError(f"{file} holds {len(lines)} labels for {len(listed)} images; give one per line, in their order")
    return [replace(one, said=text) for one, (_, text) in zip(listed, lines, strict=True)]


def _labelled_by_table(listed: list[_Listed], file: Path) -> list[_Listed]:
    text = read_text(file, holds="the columns path and label")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
    columns = rows.fieldnames or ()
    key = next((column for column in ("path", "name") if column in columns), None)
    if key is None or "label" not in columns:
        raise UsageError(f"{file} needs the columns path (or name) and label; its columns are {', '.join(columns) or 'none'}")
    repeated = next((column for column in (key, "label") if columns.count(column) > 1), None)
    if repeated is not None:
        raise UsageError(f"{file} has two columns {repeated!r}, and nobody can know which counts; rename one")
    said: dict[str, tuple[str, int]] = {}
    for row in rows:
        place, label = row[key] or "", row["label"] or ""
        found = said.setdefault(place if key == "name" else _real(file.parent / place), (label, rows.line_num))
        if found[0] != label:
            raise UsageError(
                f"{file}: lines {found[1]} and {rows.line_num} contradict each other: {place!r:.200} is {found[0]!r:.80} and "
                f"{label!r:.80}; leave one of them"
            )
    labels = [_looked_up(said, one, key) for one in listed]
    if all(label is None for label in labels):
        here = listed[0].name if key == "name" else os.path.relpath(listed[0].path, file.parent)
        how = "an image's name is" if key == "name" else "paths are taken from where the table lies, so that it must be"
        raise UsageError(f"{file} names none of the images in its column {key!r}; {how} such as {here!r}")
    missing, empty = "its table of labels does not name it", "its label in the table of labels is empty"
    return [
        replace(one, said=label) if label else replace(one, error=one.error or (missing if label is None else empty))
        for one, label in zip(listed, labels, strict=True)
    ]


def _looked_up(said: Mapping[str, tuple[str, int]], one: _Listed, key: str) -> str | None:
    """The label of an image; its name in a table may have the ending of the file or not."""
    keys = (one.name, one.name + one.path.suffix) if key == "name" else (_real(one.path),)
    return next((said[place][0] for place in keys if place in said), None)


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _as_source(one: _Listed, class_names: Sequence[str] | None, where: str) -> Source:
    error, label = one.error, None
    if not error and one.said is not None:
        try:
            label = class_index(str(one.said), class_names, where)
        except UsageError as wrong:
            error = str(wrong)
    return Source(one.name, well_formed(one.path), one.part, label, error)
