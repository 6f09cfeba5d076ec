"""The database of an audit: one row per image, one per image and weather, and the settings that all of them share."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from zipfile import BadZipFile

import numpy as np

from adversarial.audit.records import STATUSES, ImageArrays, ImageRecord, ProofRecord, WeatherRecord, wrong_field
from adversarial.findings.record import compact_map
from saywhy_core.disk.destinations import check_own
from saywhy_core.disk.files import atomic_open
from saywhy_core.disk.sqlite import naming_file, open_database, transaction
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import UsageError
from saywhy_core.secrets import redact, redacted

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from numpy.typing import NDArray

    from adversarial.audit.records import Status
    from saywhy_core.disk.sqlite import Database

DATABASE, IMAGES, ANSWERS = "audit.sqlite", "images", "answers"
FORMAT = 1
"""The version of the database. 1: the first."""
MADE_BY_AUDIT: Final = "audit run"
MADE_BY_ATTACK: Final = "attack"
"""Which command a database is of, `about["settings"]["made_by"]`: each goes on with its own alone."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS images (
 id INTEGER PRIMARY KEY, name TEXT UNIQUE, path TEXT, part INTEGER, status TEXT, label INTEGER, label_name TEXT,
 predicted INTEGER, predicted_name TEXT, adversarial_label INTEGER, adversarial_name TEXT, confidence REAL,
 norm TEXT, distance REAL, distances TEXT, queries INTEGER, search_queries INTEGER, found_after INTEGER, trace TEXT,
 changed_pixels INTEGER, place TEXT, sentence TEXT, touched TEXT, survives TEXT,
 height INTEGER, width INTEGER, channels INTEGER, pixels TEXT, digest TEXT, note TEXT, error TEXT, file TEXT);
CREATE TABLE IF NOT EXISTS weather (
 image INTEGER, kind TEXT, severity INTEGER, value REAL, predicted INTEGER, confidence REAL, flipped INTEGER,
 PRIMARY KEY (image, kind, severity));
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)
"""
# both are made when they are first written to: earlier databases of this version have none
_FILES = "CREATE TABLE IF NOT EXISTS files (image INTEGER PRIMARY KEY, size INTEGER, touched INTEGER)"
_PROOFS = """CREATE TABLE IF NOT EXISTS proofs (
 image INTEGER PRIMARY KEY, lower INTEGER, upper INTEGER, sentence TEXT, condition TEXT, network TEXT, asked INTEGER,
 allowed REAL, ended INTEGER, finished INTEGER, share REAL, blocks INTEGER, seconds REAL, rounding REAL,
 adversarial_label INTEGER, adversarial_name TEXT, changed TEXT, digest TEXT DEFAULT '')"""
_WHAT = "database of an audit"
_JSON = ("distances", "trace", "survives")


class AuditStore:
    """The database of an audit.

    Args:
        directory: the audit's folder.
        write: whether it will be written to; it is made where there is none. Readers and one writer don't block each other.

    Raises:
        UsageError: there is no such database, it is something else, or was written by a later release.
    """

    def __init__(self, directory: str | os.PathLike[str], *, write: bool = False) -> None:
        self.directory = Path(directory)
        self.path = self.directory / DATABASE
        if not write and not self.path.is_file():
            what = "holds no audit (there is no audit.sqlite in it)" if self.directory.is_dir() else "is no folder"
            raise UsageError(f"{self.directory} {what}; give the folder that `saywhy audit run` or `saywhy attack` wrote")
        self._database: Database = open_database(
            self.path, what=_WHAT, schema=_SCHEMA, version=FORMAT, read_only=not write, durable=False, any_thread=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def about(self) -> dict[str, Any]:
        """What holds for the whole audit: `format`, `saywhy` (the release), `settings`, `class_names`, `created`."""
        found = {name: self._parsed(name, value) for name, value in self._rows("SELECT name, value FROM about")}
        if not isinstance(found.get("settings", {}), dict):
            raise self._damaged("its settings are no JSON object")
        return found

    @property
    def made_by(self) -> Literal["audit run", "attack"] | None:
        """Which command made the database; None where it holds nothing yet."""
        settings = self.about.get("settings")
        if settings is None:
            return None
        # databases of before it was written down: only `saywhy audit run` has a list of images
        made_by = settings.get("made_by", MADE_BY_AUDIT if "images" in settings else MADE_BY_ATTACK)
        return "attack" if made_by == MADE_BY_ATTACK else "audit run"

    def tell(self, **values: Any) -> None:
        """Keep values that hold for the whole audit, as JSON; keys of endpoints are taken out."""
        with naming_file(self.path, _WHAT), transaction(self._database):
            self._database.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)",
                [(name, json.dumps(redacted(value))) for name, value in values.items()],
            )

    def images(self, *statuses: Status) -> Iterator[ImageRecord]:
        """The images in their order, those of some statuses alone where any are named. Memory does not grow with them.

        Raises:
            UsageError: there is no such status. Or (on the way) the database is damaged.
        """
        unknown = [status for status in statuses if status not in STATUSES]
        if unknown:
            raise UsageError(f"there is no status {unknown[0]!r}; there are {', '.join(STATUSES)}")
        return self._images(statuses)

    def _images(self, statuses: tuple[Status, ...]) -> Iterator[ImageRecord]:
        chosen = f"AND status IN ({', '.join('?' * len(statuses))})" if statuses else ""
        last = 0
        while True:
            query = f"SELECT {', '.join(_COLUMNS)} FROM images WHERE id > ? {chosen} ORDER BY id LIMIT 500"  # noqa: S608
            rows = self._rows(query, (last, *statuses))
            if not rows:
                return
            yield from map(self._record, rows)
            last = rows[-1][0]

    def image(self, number: int) -> ImageRecord:
        """The image with that `id`.

        Raises:
            KeyError: there is none.
        """
        for row in self._rows(f"SELECT {', '.join(_COLUMNS)} FROM images WHERE id = ?", (number,)):  # noqa: S608
            return self._record(row)
        raise KeyError(number)

    def weather(self) -> Iterator[WeatherRecord]:
        """What the weather did, image by image."""
        query = (
            "SELECT image, kind, severity, value, predicted, confidence, flipped FROM weather "
            "WHERE image BETWEEN ? AND ? ORDER BY image, kind, severity"
        )
        highest = self._rows("SELECT max(image) FROM weather")[0][0] or 0
        for start in range(0, highest + 1, 500):
            for image, kind, severity, value, predicted, confidence, flipped in self._rows(query, (start, start + 499)):
                record = WeatherRecord(
                    image=image, kind=kind, severity=severity, value=value, predicted=predicted, confidence=confidence,
                    flipped=bool(flipped),
                )  # fmt: skip
                wrong = wrong_field(record)
                if wrong:
                    raise self._damaged(f"{wrong} in the weather of image {image!r}")
                yield record

    def counts(self) -> dict[Status, int]:
        """How many images have each status."""
        found = Counter(dict(self._rows("SELECT status, count(*) FROM images GROUP BY status")))
        unknown = [status for status in found if status not in STATUSES]
        if unknown:
            raise self._damaged(f"an image has the status {unknown[0]!r}")
        return {status: found[status] for status in STATUSES}

    def last(self) -> int:
        """The highest `id`; 0 where there are no images."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM images")[0][0])

    def queries(self) -> int:
        """The queries of all images that are done with."""
        return int(self._rows("SELECT coalesce(sum(queries), 0) FROM images")[0][0])

    def stamps(self) -> dict[int, tuple[int, int]]:
        """By the `id` of an image: size and time of its file when it was read, as far as they were noted."""
        if not self._has("files"):
            return {}
        return {image: (size, touched) for image, size, touched in self._rows("SELECT image, size, touched FROM files")}

    def stamp(self, stamps: Mapping[int, tuple[int, int]]) -> None:
        """Note the size and time of images' files. Where they are not noted, the files are compared by their pixels."""
        if stamps:
            with naming_file(self.path, _WHAT), transaction(self._database):
                self._database.execute(_FILES)
                rows = [(image, *stamp) for image, stamp in stamps.items()]
                self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)

    def proofs(self) -> Iterator[ProofRecord]:
        """The proofs of the images that have one, in the order of the images.

        Raises:
            UsageError: (on the way) the database is damaged.
        """
        if not self._has("proofs"):
            return
        names = _PROVED if self._digests() else tuple(name for name in _PROVED if name != "digest")
        for row in self._rows(f"SELECT {', '.join(names)} FROM proofs ORDER BY image"):  # noqa: S608
            values = dict(zip(names, row, strict=True))
            record = ProofRecord(**{**values, "ended": bool(values["ended"]), "finished": bool(values["finished"])})
            wrong = wrong_field(record)
            if wrong:
                raise self._damaged(f"{wrong} in the proof of image {record.image!r}")
            yield record

    def write_proof(self, record: ProofRecord) -> None:
        """Keep what was proved about an image, in the place of what was proved before."""
        row = [redact(value) if isinstance(value, str) else value for value in asdict(record).values()]
        with naming_file(self.path, _WHAT), transaction(self._database):
            self._database.execute(_PROOFS)
            if not self._digests():
                self._database.execute("ALTER TABLE proofs ADD COLUMN digest TEXT DEFAULT ''")
            places = ", ".join("?" * len(_PROVED))
            self._database.execute(f"INSERT OR REPLACE INTO proofs ({', '.join(_PROVED)}) VALUES ({places})", row)  # noqa: S608

    def _digests(self) -> bool:
        """Whether proofs have their digests: earlier databases of this version have none."""
        return any(column[1] == "digest" for column in self._rows("PRAGMA table_info(proofs)"))

    def _has(self, table: str) -> bool:
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)))

    def arrays(self, record: ImageRecord) -> ImageArrays | None:
        """The pictures of an image; None where none were kept, or the file is gone or damaged."""
        if record.file is None:
            return None
        file = self.directory / record.file
        try:
            with np.load(file, allow_pickle=False) as kept:
                found = {name: _as_floats(kept[name]) for name in kept.files}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
            return None
        return ImageArrays(**found) if "original" in found else None

    def add(self, records: Iterable[ImageRecord]) -> None:
        """Add images that are waiting; one whose name is there already is left as it is."""
        rows = (_row(record) for record in records)
        with naming_file(self.path, _WHAT), transaction(self._database):
            self._database.executemany(
                f"INSERT OR IGNORE INTO images ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608
                rows,
            )

    def write(
        self, record: ImageRecord, weather: Iterable[WeatherRecord] = (), arrays: ImageArrays | None = None
    ) -> ImageRecord:
        """Keep what became of an image: its arrays first, then its rows, all at once. Returns the record with its file.

        An earlier proof about the image is dropped, see `write_proof`.
        """
        if arrays is not None:
            file = self.directory / IMAGES / f"{record.id:06d}.npz"
            self._save(file, arrays)
            record = ImageRecord(**{**_values(record), "file": f"{IMAGES}/{file.name}"})
        proved = self._has("proofs")
        with naming_file(self.path, _WHAT), transaction(self._database):
            self._database.execute(
                f"INSERT OR REPLACE INTO images ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608
                _row(record),
            )
            self._database.execute("DELETE FROM weather WHERE image = ?", (record.id,))
            if proved:
                self._database.execute("DELETE FROM proofs WHERE image = ?", (record.id,))
            self._database.executemany(
                "INSERT INTO weather VALUES (:image, :kind, :severity, :value, :predicted, :confidence, :flipped)",
                [asdict(one) for one in weather],
            )
        return record

    def move(self, record: ImageRecord, path: str, part: int | None) -> None:
        """Note that the file of an image lies elsewhere now."""
        with naming_file(self.path, _WHAT), transaction(self._database):
            values = (redact(path), part, record.id)
            self._database.execute("UPDATE images SET path = ?, part = ? WHERE id = ?", values)

    def _save(self, file: Path, arrays: ImageArrays) -> None:
        check_own(file, self.directory)
        named = {name: getattr(arrays, name) for name in ("original", "adversarial", "density", "touched")}
        kept = {
            name: _compact(values, exact=name in ("original", "adversarial"))
            for name, values in named.items()
            if values is not None
        }
        with atomic_open(file, "wb") as stream:
            np.savez_compressed(stream, **kept)  # type: ignore[arg-type]

    def answers_file(self, record: ImageRecord) -> Path:
        """Where the answers about an image are kept while it is on its way."""
        return self.directory / ANSWERS / f"{record.id:06d}.bin"

    def tidy(self) -> None:
        """Remove the folder of answers where it is empty."""
        with suppress(OSError):
            (self.directory / ANSWERS).rmdir()

    def _record(self, row: tuple[Any, ...]) -> ImageRecord:
        values = dict(zip(_COLUMNS, row, strict=True))
        for name in _JSON:
            empty = "[]" if name == "trace" else "{}"
            values[name] = self._parsed(f"{name} of the image {values['name']!r}", values[name] or empty)
        if isinstance(values["trace"], list):
            values["trace"] = tuple(tuple(pair) if isinstance(pair, list) else pair for pair in values["trace"])
        record = ImageRecord(**values)
        wrong = wrong_field(record)
        if wrong:
            raise self._damaged(f"{wrong} in the row of the image {record.name!r}")
        return record

    def _parsed(self, name: str, text: Any) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise self._damaged(f"its {name} can't be read") from None

    def _damaged(self, how: str) -> UnusableFileError:
        return UnusableFileError(
            f"the {_WHAT} {self.path} is damaged: {how}; bring back a copy of it, or begin anew in another folder"
        )

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with naming_file(self.path, _WHAT):
            return self._database.execute(query, values).fetchall()


_COLUMNS = tuple(one.name for one in fields(ImageRecord))
_PROVED = tuple(one.name for one in fields(ProofRecord))


def _values(record: ImageRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _COLUMNS}


def _row(record: ImageRecord) -> tuple[Any, ...]:
    values = _values(record)
    for name in _JSON:
        values[name] = json.dumps(dict(values[name]) if name != "trace" else [list(pair) for pair in values[name]])
    return tuple(redact(value) if isinstance(value, str) else value for value in values.values())


def _compact(values: NDArray[Any], *, exact: bool) -> NDArray[Any]:
    """Pictures on the 8-bit grid as bytes, others as they are; maps in half precision, scaled to 1."""
    if not exact:
        return compact_map(values)
    values = np.asarray(values, dtype=np.float32)
    levels = np.rint(values * 255)
    whole = bool(((levels / np.float32(255)).astype(np.float32) == values).all())
    return levels.astype(np.uint8) if whole else values


def _as_floats(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype == np.uint8:
        return (values.astype(np.float32) / np.float32(255)).astype(np.float32)
    return values.astype(np.float32)
