"""Images that a search or a classifier has seen, recognised again: by their bytes, and as the same photo in another format."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.vectors import unit_rows
from saywhy_core.errors import UsageError
from saywhy_core.images import read_image, resize_image

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

CORRELATED = 0.99
"""Correlation of two small grey pictures from which they are one photo. JPEG of quality 20, GIF and half size stay above 0.998,
a tenth brighter above 0.995; no two different images of Pets, CIFAR-10, GTSRB and MNIST that were tried are above it."""

NEAR = 0.97
"""Cosine of the embeddings from which small pictures may also be compared by their difference."""

SAME = 0.9999
"""Cosine from which embeddings are those of one image where no pictures are known: two photos may be as near as 0.99."""

SIDE = 16
"""Pixels of the small pictures that are compared: so many that two photos differ, so few that compression leaves no trace."""

ALIKE = 0.015
"""Mean difference of the small pictures, of 1, below which they are one photo if their embeddings are near, too. This holds for
pictures with so little contrast that rounding spoils their correlation; dark photos of different things may be as near."""

CHUNK = 4096  # images whose embeddings are compared at a time


@dataclass(frozen=True, eq=False)
class SeenImages:
    """What recognises M images again.

    Attributes:
        digests: the SHA-256 of each file, in hexadecimal digits; none where the files are unknown.
        small: M×16×16×3 uint8, each image made small; None where only the same bytes are to be recognised.
        rows: M×D embeddings of length 1, which say what pictures are worth comparing; None as `small`.
        encoder: the identity of what made the embeddings; None if unknown.
    """

    digests: tuple[str, ...]
    small: NDArray[np.uint8] | None = None
    rows: NDArray[np.float32] | None = None
    encoder: str | None = None

    @classmethod
    def of(
        cls,
        paths: Sequence[str | os.PathLike[str]] | None,
        rows: NDArray[np.floating] | None = None,
        encoder: object = None,
    ) -> SeenImages:
        """Those of M image files.

        Args:
            paths: the files; None where only embeddings are known, by which copies without loss are recognised.
            rows: M×D embeddings; without them only the same bytes are recognised.
            encoder: what made them; its `identity` is kept, where it has one.
        """
        digests = tuple(_digest(path) for path in paths or ())
        if rows is None or not len(rows):
            return cls(digests)
        small = None if paths is None else np.stack([_small(path) for path in paths])
        return cls(digests, small, unit_rows(np.asarray(rows, dtype=np.float32)), _identity(encoder))

    def can_tell(
        self,
        paths: Sequence[str | os.PathLike[str]] | None,
        rows: NDArray[np.floating] | None = None,
        encoder: object = None,
    ) -> bool:
        """Whether anything is known of both sides by which an image could be recognised; the arguments are those of `among`."""
        return (paths is not None and bool(self.digests)) or self._comparable(rows, encoder) is not None

    def among(
        self,
        paths: Sequence[str | os.PathLike[str]] | None,
        rows: NDArray[np.floating] | None = None,
        encoder: object = None,
    ) -> NDArray[np.bool_]:
        """Whether each of N files is one of these: the same bytes or, with embeddings, the same photo saved anew.

        A photo is recognised in another format, size or quality, and somewhat brighter or darker; not where it was mirrored,
        or cropped by more than a hundredth. Names do not matter. Without files, only equal embeddings are recognised.

        Args:
            paths: the N files; None where they are unknown.
            rows: N×D embeddings.
            encoder: what made them.
        """
        if paths is not None:
            known = frozenset(self.digests)
            found = np.array([bool(known) and _digest(path) in known for path in paths], dtype=bool)
        elif rows is not None:
            found = np.zeros(len(rows), dtype=bool)
        else:
            raise UsageError("give the files of the images, or their embeddings")
        if rows is None:
            return found
        own = self._comparable(rows, encoder)
        for start in range(0, len(found), CHUNK):
            left = start + np.flatnonzero(~found[start : start + CHUNK])
            if not left.size:
                continue
            cosines = None if own is None else unit_rows(np.asarray(rows, dtype=np.float32)[left]) @ own.T
            if self.small is not None and paths is not None:
                found[left] = _copied(np.stack([_small(paths[int(place)]) for place in left]), self.small, cosines)
            elif cosines is not None:
                found[left] = cosines.max(axis=1) >= SAME
        return found

    def to_dict(self) -> dict[str, Any]:
        """What recognises the images, as a dictionary that can be written as JSON; arrays are Base64, embeddings float16."""
        return {
            "encoder": self.encoder,
            "digests": list(self.digests),
            "pictures": [] if self.small is None else [_text(one.tobytes()) for one in self.small],
            "embeddings": [] if self.rows is None else [_text(one.astype("<f2").tobytes()) for one in self.rows],
        }

    @classmethod
    def from_dict(cls, content: object, name: str) -> SeenImages:
        """What `to_dict` made.

        Args:
            content: the dictionary.
            name: of the file that holds it, for the error.

        Raises:
            UsageError: it is something else, or its parts do not fit together.
        """
        wrong = UsageError(
            f"{name}: what it says of its labelled images does not fit together; write it again with saywhy improve"
        )
        if not isinstance(content, dict):
            raise wrong
        digests, pictures, embeddings = (content.get(key) for key in ("digests", "pictures", "embeddings"))
        told = (digests, pictures, embeddings)
        encoder = content.get("encoder")
        if not all(isinstance(one, list) for one in told) or not isinstance(encoder, (str, type(None))):
            raise wrong
        try:
            small = [np.frombuffer(_raw(one), np.uint8).reshape(SIDE, SIDE, 3) for one in pictures or ()]
            rows = [np.frombuffer(_raw(one), "<f2").astype(np.float32) for one in embeddings or ()]
            wide = np.stack(rows) if rows else None
        except (TypeError, ValueError) as error:
            raise wrong from error
        lengths = {len(one) for one in (digests, pictures, embeddings) if one}
        finite = wide is None or bool(np.isfinite(wide).all())
        if len(lengths) > 1 or not finite or not all(isinstance(one, str) for one in digests or ()):
            raise wrong
        return cls(tuple(digests or ()), np.stack(small) if small else None, wide, encoder)

    def _comparable(self, rows: NDArray[np.floating] | None, encoder: object) -> NDArray[np.float32] | None:
        """The embeddings, where others can be held against them."""
        identity = _identity(encoder)
        other = identity is not None and self.encoder is not None and identity != self.encoder
        if rows is None or self.rows is None or other or np.shape(rows)[1:] != self.rows.shape[1:]:
            return None
        return self.rows


def _copied(pictures: NDArray[np.uint8], others: NDArray[np.uint8], cosines: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """Whether each of N small pictures is one of M."""
    found: NDArray[np.bool_] = np.any(_standardised(pictures) @ _standardised(others).T >= CORRELATED, axis=1)
    near = np.ones((len(pictures), len(others)), dtype=bool) if cosines is None else np.asarray(cosines >= NEAR)
    for index in np.flatnonzero(near.any(axis=1) & ~found):
        apart = np.abs(pictures[index].astype(np.int16) - others[near[index]]).mean(axis=(1, 2, 3))
        found[index] = bool((apart < ALIKE * 255).any())
    return found


def _standardised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """N grey pictures in 256 numbers of mean 0 and length 1; zeros for one without contrast, which is like no other."""
    grey = pictures.astype(np.float32).mean(axis=3).reshape(len(pictures), -1)
    grey -= grey.mean(axis=1, keepdims=True)
    length = np.linalg.norm(grey, axis=1, keepdims=True)
    found: NDArray[np.float32] = np.where(length > SIDE, grey / np.maximum(length, 1e-6), 0.0).astype(np.float32)
    return found


def _identity(encoder: object) -> str | None:
    identity = getattr(encoder, "identity", None)
    return None if identity is None else str(identity)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError
    return base64.b64decode(text, validate=True)


def _small(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    picture = np.asarray(resize_image(read_image(path, channels=3), (SIDE, SIDE)), dtype=np.float32)
    found: NDArray[np.uint8] = np.rint(np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8)
    return found


def _digest(path: str | os.PathLike[str]) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
