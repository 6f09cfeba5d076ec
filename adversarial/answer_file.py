"""The answers about one image in a file that survives a kill at any moment."""

from __future__ import annotations

import json
import os
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.answers import look_up
from saywhy_core.arrays import image_keys
from saywhy_core.classifiers import ClassifierError
from saywhy_core.disk.troubles import UnusableFileError, unwritable
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from saywhy_core.reading.regular_files import MeteredFile

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

RELEASED = b'{"answers": '  # how the header begins in all releases
START = RELEASED + b"3, "  # the version of the form; in each one images had other keys
FORMER_VERSION = 2  # is read as well, and added to
LONGEST_HEADER = 4096  # bytes
KEY, CHECKSUM = 16, 4  # bytes before and after the scores of a record
MOST = 2**28  # bytes of one file: 3,000 answers of 11,000 classes; what is answered after that is asked anew after a kill


class AnswerFile:
    """Answers about images, appended to a file as they come (an `AnswerMemory`).

    The file holds a header of one line (JSON: what it is about, and the number of classes), and one record per answer: 16
    bytes for the image, K float64 numbers, and a checksum. A record is handed to the operating system before `keep` returns,
    so a kill loses none; what a power cut tore is left out from the first damaged record on, and asked anew. The file takes
    8 K + 20 bytes per answer, and stops growing at 256 MB. It has no lock of its own.

    Args:
        path: the file; it is made, with its folder, when the first answer is kept.
        about: what all answers depend on (the model, the image, ...), as texts. A file about something else is not read, and
            replaced when the first answer is kept.
        notes: what else the header of a new file says, for its readers; it is not compared.

    Raises:
        UnusableFileError: on construction, `path` holds something other than answers, or can't be read; on `keep`, it can't be
            written to.
        ClassifierError: on `keep`, there are more or fewer classes than in the answers before.
    """

    def __init__(self, path: str | os.PathLike[str], about: Mapping[str, str], notes: Mapping[str, str] | None = None) -> None:
        self.path, self.about, self.notes = Path(path), dict(about), dict(notes or {})
        self._places: dict[bytes, int] = {}
        self._classes = 0
        self._former = False  # whether images have the keys of earlier releases in what was read
        self._end = 0  # behind the last whole record
        self._handle: int | None = None
        self._lock = threading.RLock()  # answers come in several threads
        self._read()

    def __len__(self) -> int:
        return len(self._places)

    def recall(self, images: Images) -> list[Floats | None]:
        """See `AnswerMemory.recall`."""
        if not self._places:
            return [None] * len(images)
        with self._lock:
            places = look_up(self._places, images, former=self._former)
            return [None if place is None else self._scores(place) for place in places]

    def keep(self, images: Images, scores: Floats) -> None:
        """See `AnswerMemory.keep`."""
        self.add(image_keys(images), scores)

    def add(self, keys: Sequence[bytes], scores: Floats) -> None:
        """Keep the scores (N, K) of the images with these keys (`adversarial.answers.image_key`), see `keep`."""
        with self._lock:
            self._add(keys, scores)

    def _add(self, keys: Sequence[bytes], scores: Floats) -> None:
        classes = scores.shape[1]
        if self._places and classes != self._classes:
            had = self._classes
            self.forget()
            raise ClassifierError(
                f"the classifier returned {classes} scores per image and {had} before; what it answered then is forgotten"
            )
        records, places = [], {}
        end = self._end
        if not self._places:
            self._classes = classes
            records.append(self._header())
            end = len(records[0])
        for key, row in zip(keys, np.asarray(scores, dtype="<f8"), strict=True):
            if key in self._places or key in places or end > MOST:
                continue
            record = key + row.tobytes()
            places[key] = end
            records.append(record + zlib.crc32(record).to_bytes(CHECKSUM, "little"))
            end += len(records[-1])
        if places:
            self._append(b"".join(records), end)
            self._places |= places

    def answers(self) -> dict[bytes, Floats]:
        """All that is kept: the scores (K,) by the key of their image."""
        with self._lock:
            return {key: self._scores(place) for key, place in self._places.items()}

    def forget(self) -> None:
        """See `AnswerMemory.forget`; the file is deleted."""
        with self._lock:
            self.close()
            self._places, self._classes, self._end, self._former = {}, 0, 0, False
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file; the next answer opens it again."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def _header(self) -> bytes:
        about = json.dumps({"classes": self._classes, **self.notes, **self.about}, sort_keys=True)
        return START + about[1:].encode() + b"\n"

    def _append(self, content: bytes, end: int) -> None:
        start = end - len(content)
        try:
            if start == 0 and self._handle is None:
                self.path.unlink(missing_ok=True)  # what is there is replaced, under whatever other name it is known, too
            handle = self._open()
            os.ftruncate(handle, start)
            os.lseek(handle, start, os.SEEK_SET)
            while content:
                content = content[os.write(handle, content) :]
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._end = end

    def _open(self) -> int:
        if self._handle is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._handle = os.open(self.path, flags, 0o666)
        return self._handle

    def _scores(self, place: int) -> Floats:
        handle, size = self._open(), self._classes * 8
        os.lseek(handle, place + KEY, os.SEEK_SET)
        content = os.read(handle, size)
        if len(content) < size:
            raise UnusableFileError(f"{self.path} was cut while it was read; start again")
        return np.frombuffer(content, dtype="<f8").astype(np.float64)

    def _read(self) -> None:
        header = read_header(self.path)
        if header is None or any(header.get(name) != value for name, value in self.about.items()):
            return
        self._classes, self._former = header["classes"], header["answers"] == FORMER_VERSION
        size = KEY + 8 * self._classes
        with _readable(self.path) as stream:
            self._end = len(stream.readline(LONGEST_HEADER))
            while self._end <= MOST:
                record, check = stream.read(size), stream.read(CHECKSUM)
                if len(check) < CHECKSUM or zlib.crc32(record) != int.from_bytes(check, "little"):
                    break
                self._places[record[:KEY]] = self._end
                self._end += size + CHECKSUM


def read_header(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """What a file of answers is about, with the number of classes; None where there is no such file, or its header was torn.

    Raises:
        UnusableFileError: the file is there and holds something else, or can't be read.
    """
    if not os.path.lexists(path):
        return None
    with _readable(path) as stream:
        line, size = stream.read(LONGEST_HEADER), stream.size
    if not line.startswith((START, RELEASED + b"%d, " % FORMER_VERSION)):
        if line.startswith(RELEASED) or START.startswith(line) or not line.strip(b"\0"):
            return None  # of another release, or torn
        raise UnusableFileError(f"{path} is not what it should be, the answers of a classifier; move it away")
    header, ended, _ = line.partition(b"\n")
    try:
        found = parse_json(header)
    except UsageError:
        return None
    classes = found.get("classes")
    return found if ended and type(classes) is int and 0 < classes <= size // 8 else None


def count_answers(path: str | os.PathLike[str]) -> int:
    """How many answers a file holds, by its size; 0 where there is no such file.

    Raises:
        UnusableFileError: see `read_header`.
    """
    header = read_header(path)
    if header is None:
        return 0
    with _readable(path) as stream:
        return max(stream.size - len(stream.readline(LONGEST_HEADER)), 0) // (KEY + 8 * int(header["classes"]) + CHECKSUM)


@contextmanager
def _readable(path: str | os.PathLike[str]) -> Iterator[MeteredFile]:
    try:
        with open_regular(path) as stream:
            yield stream
    except UnusableFileError:
        raise
    except OSError as error:
        raise UnusableFileError(f"{path} can't be read: {error.strerror}") from None
    except UsageError as error:
        raise UnusableFileError(str(error)) from None
