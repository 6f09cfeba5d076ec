"""A cache of embeddings on disk, so that no text and no image is encoded twice."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.protocol import scale_of
from saywhy_core.disk.sqlite import naming_file, open_database, transaction
from saywhy_core.errors import UsageError
from saywhy_core.images.decode import POLICY
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.disk.sqlite import Database
    from saywhy_core.images.reader import Images, OneImage

FORMAT = 1
QUERY_KEYS = 500  # keys per query; SQLite takes 999 of them in its older releases
_BLOCK = 2**20  # bytes of a file that are read at a time
_FLAGS = {b"0": 0, b"1": 1}
_WHAT = "cache of embeddings"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, vector BLOB NOT NULL, cut INTEGER NOT NULL) WITHOUT ROWID
"""


class CachedEncoder:
    """An encoder with a cache: embeddings are kept in an SQLite file under the encoder's identity and the content's SHA-256.

    Several processes may share the folder. Everything that was encoded before an interruption is kept. A stored vector
    that is damaged is computed again, and a warning says so.

    Args:
        encoder: an encoder with an `identity`.
        folder: the folder of the file `embeddings.sqlite`; made if there is none.
        batch: how many texts or images are looked up and stored at a time.

    Attributes:
        computed: how many distinct texts and images this object had to encode.
        truncated: how many of the requested texts were too long and were cut, those from the cache included.

    Raises:
        UsageError: the encoder has no identity, or the file is not a cache of this version.
    """

    def __init__(self, encoder: ImageTextEncoder, folder: str | os.PathLike[str], *, batch: int = 256) -> None:
        identity = getattr(encoder, "identity", None)
        if not identity:
            raise UsageError("this encoder has no identity to keep embeddings under; give one, or leave out the cache")
        self.inner = encoder
        self.identity = str(identity)
        self.scale = scale_of(encoder)
        self.computed = 0
        self.truncated = 0
        self._told = False
        self._batch = batch
        self.path = Path(folder) / "embeddings.sqlite"
        self._open().close()  # a file that is no cache raises here, not after the first batch

    def _open(self) -> Database:
        return open_database(self.path, what=_WHAT, schema=_SCHEMA, version=FORMAT, durable=False)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1; those encoded before come from the disk."""
        counting = getattr(self.inner, "encode_texts_counting", None)

        def compute(chosen: list[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
            if counting is not None:
                rows, cut = counting(chosen)
                return rows, cut
            return self.inner.encode_texts(chosen), np.zeros(len(chosen), dtype=bool)

        distinct = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(distinct)}
        rows = self._through(distinct, lambda text: b"text\0" + text.encode("utf-8", "surrogatepass"), compute)
        if not texts:
            return self.inner.encode_texts([])
        return rows[[place[text] for text in texts]]

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """Encode images (an array, or a sequence of arrays or paths) to N×D float32 rows of length 1, as above."""
        if not len(images):
            return self.inner.encode_images(images)
        return self._through(
            images, _image_content, lambda chosen: (self.inner.encode_images(chosen), np.zeros(len(chosen), dtype=bool))
        )

    def _through(
        self,
        items: Sequence[Any] | NDArray[Any],
        content: Callable[[Any], bytes],
        compute: Callable[[list[Any]], tuple[NDArray[np.float32], NDArray[np.bool_]]],
    ) -> NDArray[np.float32]:
        parts: list[NDArray[np.float32]] = []
        prefix = hashlib.sha256(self.identity.encode())
        database = self._open()
        try:
            for start in range(0, len(items), self._batch):
                chunk = list(items[start : start + self._batch])
                keys: list[bytes] = []
                for item in chunk:
                    digest = prefix.copy()
                    digest.update(content(item))
                    keys.append(digest.digest())
                with naming_file(self.path, _WHAT):
                    known = self._known(database, keys)
                wanted = {key: index for index, key in enumerate(keys) if key not in known}
                if wanted:
                    rows, cut = compute([chunk[index] for index in wanted.values()])
                    rows = np.ascontiguousarray(rows, dtype=np.float32)
                    self.computed += len(rows)
                    fresh = {key: (row.tobytes(), int(flag)) for key, row, flag in zip(wanted, rows, cut, strict=True)}
                    with naming_file(self.path, _WHAT), transaction(database):
                        database.executemany(
                            "REPLACE INTO embeddings VALUES (?, ?, ?)",
                            [(key, vector, flag) for key, (vector, flag) in fresh.items()],
                        )
                    known.update(fresh)
                self.truncated += sum(known[key][1] for key in keys)
                parts.append(self._rows([known[key][0] for key in keys]))
        finally:
            database.close()
        if len({part.shape[1] for part in parts}) > 1:
            raise self._several_lengths()
        return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)

    def _rows(self, vectors: list[bytes]) -> NDArray[np.float32]:
        length = len(vectors[0])
        if any(len(one) != length for one in vectors):
            raise self._several_lengths()
        return np.frombuffer(b"".join(vectors), dtype=np.float32).reshape(len(vectors), -1)

    def _several_lengths(self) -> UsageError:
        return UsageError(f"the {_WHAT} {self.path} is damaged: its vectors have several lengths; delete it")

    def _known(self, database: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, tuple[bytes, int]]:
        """What is stored under these keys; a row that can't be one of ours counts as missing."""
        found = self._read(database, keys)
        sound = {key: row for key, row in found.items() if _is_sound(*row)}
        if sound:
            (usual, _), *_ = Counter(len(vector) for vector, _ in sound.values()).most_common(1)
            sound = {key: row for key, row in sound.items() if len(row[0]) == usual}
        if len(sound) < len(found) and not self._told:
            self._told = True
            warnings.warn(f"the {_WHAT} {self.path} holds damaged vectors, which are computed again", stacklevel=2)
        return sound

    @staticmethod
    def _read(database: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, tuple[Any, Any]]:
        known: dict[bytes, tuple[Any, Any]] = {}
        for start in range(0, len(keys), QUERY_KEYS):
            part = keys[start : start + QUERY_KEYS]
            marks = ",".join("?" * len(part))
            # as bytes, because SQLite's text need not be UTF-8 where somebody else wrote it
            query = f"SELECT key, CAST(vector AS BLOB), CAST(cut AS BLOB) FROM embeddings WHERE key IN ({marks})"  # noqa: S608
            known.update((key, (vector, _FLAGS.get(cut))) for key, vector, cut in database.execute(query, part))
        return known


def _is_sound(vector: Any, cut: Any) -> bool:
    if cut is None or not vector or len(vector) % 4:
        return False
    return bool(np.isfinite(np.frombuffer(vector, dtype=np.float32)).all())


def _image_content(image: OneImage) -> bytes:
    if isinstance(image, (str, os.PathLike)):
        digest = hashlib.sha256()
        with open_regular(image) as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return f"file {POLICY}\0".encode() + digest.digest()
    array = np.ascontiguousarray(image)
    return f"array\0{array.shape}{array.dtype}".encode() + hashlib.sha256(array.view(np.uint8).data).digest()
