"""Texts and images out of files, as inputs to explain: each with an id and, where its file names one, a correct label."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import list_images, read_images
from saywhy_core.images.array_files import ARRAYS, array_layout
from saywhy_core.names import read_lines
from saywhy_core.reading.ceilings import CeilingError, check_ceiling
from verbalize.texts import iter_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

STREAM = "-"
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".npy", ".npz")
_RECORDS = (".jsonl", ".ndjson", ".json")
_RECORD = re.compile(rb'(?:\xef\xbb\xbf)?\s*[\[{]\s*(?:"|\{|\})')


@dataclass(frozen=True, eq=False)
class InputRecord:
    """One input of a model.

    Attributes:
        id: the id of its map.
        content: the text, or the image as H×W×C float32 in [0, 1].
        label: the correct label: a name, or the number of a class; None where it is not known.
        where: the file that it comes from.
        line: its line in the file, counted from 1.
    """

    id: str
    content: str | NDArray[np.float32]
    label: str | int | None = None
    where: str = ""
    line: int | None = None

    def problem(self, what: object) -> Problem:
        """What is wrong with it."""
        return Problem(self.where, str(what), self.line, self.id)


def read_text_inputs(sources: Sequence[str]) -> Iterator[InputRecord | Problem]:
    """The texts of files in order; a record that can't be read gives a `Problem` in its place.

    A file is JSON Lines or a JSON list of records with `text`, and optionally `id` and `label` (the correct one); or a plain
    text with one input per line. Where a record has no id, it is that of its file with the number of the line. A second record
    with the same id is a problem.

    Args:
        sources: the files; "-" stands for standard input.

    Raises:
        UsageError: a file can't be read, holds no texts, or is a picture or a folder.
    """
    yield from _once(one for source in sources for one in _texts(source))


def read_image_inputs(sources: Sequence[str], *, channels: int | None = None) -> Iterator[InputRecord | Problem]:
    """The images of files in order; one that can't be read gives a `Problem` in its place.

    An array of three axes is one image where the last is at most 4 long, else that many grey images. Where there would be three
    or four of these, it may as well be one image with its channels first: such a file is a problem.

    Args:
        sources: pictures, `.npy` and `.npz` files with one image or several, folders (the names of folders in it are the
            correct labels), and tables with a column `path`, as `saywhy_core.images.list_images` takes them. The id of an image
            is the name of its file, with a number where that is taken.
        channels: 1 or 3, for models that take that many alone; grey images are repeated and colour images made grey.

    Raises:
        UsageError: a source does not exist or holds no image.
    """
    taken: dict[str, int] = {}
    for source in sources:
        found = list_images(source)
        yield from found.problems
        for number, path in enumerate(found.paths):
            problem = _ambiguous(path)
            if problem is not None:
                yield problem
                continue
            for image in read_images([path], channels=channels):
                if isinstance(image, Problem):
                    yield image
                    continue
                taken[image.name] = taken.get(image.name, 0) + 1
                name = image.name if taken[image.name] == 1 else f"{image.name}-{taken[image.name]}"
                label = image.label if found.labels is None else found.labels[number]
                yield InputRecord(name, image.pixels, label, str(path))


def count_images(sources: Sequence[str]) -> int | None:
    """How many images the files hold, as the headers of arrays say; None where one of these can't be read.

    Raises:
        UsageError: a source does not exist or holds no image.
    """
    paths = [path for source in sources for path in list_images(source).paths]
    try:
        return sum(array_layout(path).count if path.suffix.lower() in ARRAYS else 1 for path in paths)
    except UsageError:  # told when its turn comes
        return None


def _ambiguous(path: Path) -> Problem | None:
    """What is wrong with a file of arrays whose images can't be told from channels."""
    if path.suffix.lower() not in ARRAYS:
        return None
    with suppress(UsageError):  # what can't be read at all is told by the reader
        layout = array_layout(path)
        try:
            layout.check_channels()
        except UsageError as error:
            return Problem(str(path), str(error))
    return None


def _texts(source: str) -> Iterator[InputRecord | Problem]:
    if source != STREAM and (Path(source).is_dir() or Path(source).suffix.lower() in _PICTURES):
        raise UsageError(
            f"{source} is a {'folder' if Path(source).is_dir() else 'picture'}, and this model reads texts; give a file of "
            "texts, or name a model of images"
        )
    stem = "text" if source == STREAM else Path(source).stem
    if source != STREAM and not _holds_records(Path(source)):
        for number, line in read_lines(source):
            yield _held(InputRecord(f"{stem}-{number}", line, None, source, number))
        return
    problems: list[Problem] = []
    for place, record in enumerate(iter_texts(source, problems.append), 1):
        yield from problems
        problems.clear()
        where = "standard input" if source == STREAM else source
        if record.line is None and record.id is None and source == STREAM:  # a plain text
            for number, line in enumerate(record.text.splitlines(), 1):
                if line.strip():
                    yield _held(InputRecord(f"{stem}-{number}", line.strip(), None, where, number))
            continue
        name = record.id or f"{stem}-{record.line or place}"
        yield InputRecord(name, record.text, record.label, where, record.line)
    yield from problems


def _holds_records(path: Path) -> bool:
    if path.suffix.lower() in _RECORDS or not path.is_file():  # what is no file is told by the reader of records
        return True
    with path.open("rb") as stream:
        return _RECORD.match(stream.read(100)) is not None


def _held(record: InputRecord) -> InputRecord | Problem:
    try:
        check_ceiling("text", len(record.content), "it")
    except CeilingError as error:
        return record.problem(error)
    return record


def _once(found: Iterator[InputRecord | Problem]) -> Iterator[InputRecord | Problem]:
    seen: set[str] = set()
    for one in found:
        if isinstance(one, InputRecord) and one.id in seen:
            yield one.problem("an earlier record has this id; it is left out")
            continue
        if isinstance(one, InputRecord):
            seen.add(one.id)
        yield one


def label_of(record: InputRecord, class_names: Sequence[str]) -> str | None:
    """The name of the correct label, where it is known.

    Raises:
        IndexError: it is the number of no class.
    """
    if record.label is None or isinstance(record.label, str):
        return record.label
    if not 0 <= record.label < len(class_names):
        raise IndexError(f"its label {record.label} is no class; there are {len(class_names)}, counted from 0")
    return class_names[record.label]
