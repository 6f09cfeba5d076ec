"""The file of a few-shot classifier: plain arrays in `.npz`, with its classes and its encoder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.seen import SIDE, SeenImages
from agents.few_shot.classifier import FewShotClassifier
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.names import NameTable
from saywhy_core.reading.documents import parse_json
from saywhy_core.reading.numpy_files import load_arrays

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FORMAT = 1
ARRAYS = ("about", "weights", "bias", "keys", "key_labels")
SEEN = ("seen_digests", "seen_small", "seen_rows")
"""Arrays that recognise the labelled images; files of earlier releases lack them."""


@dataclass(frozen=True, eq=False)
class ClassifierFile:
    """A few-shot classifier with what must be known to use it.

    Attributes:
        classifier: the classifier.
        class_names: the K classes, in the order of its scores.
        encoder: the identity of the encoder in whose space it classifies; None if unknown.
        method: the name of the method that made it.
        seen: the labelled images that it was made of, on which nothing can be claimed for it; None where the file does not say.
    """

    classifier: FewShotClassifier
    class_names: tuple[str, ...]
    encoder: str | None
    method: str
    seen: SeenImages | None = None

    def scores(self, embeddings: NDArray[np.floating], class_names: Sequence[str], encoder: object) -> NDArray[np.float64]:
        """N×K scores of N×D embeddings, in the order of `class_names`.

        Args:
            embeddings: image embeddings of `encoder`.
            class_names: the classes of the file, in any order; case, underscores and hyphens do not count.
            encoder: what embedded the images; its `identity` is held against the file's.

        Raises:
            UsageError: the classes or the encoder are others than the file's, or the embeddings have another width.
        """
        known, given = NameTable(self.class_names), NameTable(class_names)
        places = [place for name in class_names if (place := known.find(name)) is not None]
        if len(set(places)) < len(self.class_names) or len(class_names) != len(self.class_names):
            lacking = [name for name in class_names if known.find(name) is None]
            odd = next(iter(sorted([*lacking, *(name for name in self.class_names if given.find(name) is None)])), None)
            raise UsageError(
                f"the classifier knows {len(self.class_names)} classes, which are not those of the class list"
                + ("" if odd is None else f" ({odd!r:.80} is in one of them only)")
                + "; give the list it was made with"
            )
        identity = getattr(encoder, "identity", None)
        if self.encoder is not None and identity is not None and str(identity) != self.encoder:
            raise UsageError(
                "the classifier was made with another encoder, whose vectors mean something else; give that encoder, or run "
                "`saywhy improve` with this one"
            )
        return self.classifier.scores(embeddings)[:, places]


def write_classifier(
    path: str | os.PathLike[str],
    classifier: FewShotClassifier,
    class_names: Sequence[str],
    *,
    encoder: object = None,
    method: str = "",
    seen: SeenImages | None = None,
) -> None:
    """Write a classifier (`.npz`, version 1), whole or not at all.

    Args:
        path: the file.
        classifier: the classifier.
        class_names: its K classes.
        encoder: the encoder; its `identity` is written, where it has one.
        method: the name of the method.
        seen: the labelled images that it was made of, so that they are recognised where it is judged.

    Raises:
        UsageError: there are not as many names as classes, or one stands twice.
    """
    names = list(class_names)
    if len(names) != len(classifier.weights) or len(set(names)) < len(names):
        raise UsageError(f"give each of the {len(classifier.weights)} classes one name of its own")
    identity = getattr(encoder, "identity", None)
    about = {
        "version": FORMAT,
        "class_names": names,
        "encoder": None if identity is None else str(identity),
        "method": method,
        "alpha": classifier.alpha,
        "beta": classifier.beta,
    }
    more: dict[str, Any] = {} if seen is None else _arrays_of(seen)
    with atomic_open(path, "wb") as stream:
        np.savez_compressed(
            stream,
            about=np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
            weights=classifier.weights.astype(np.float32),
            bias=classifier.bias.astype(np.float32),
            keys=classifier.keys.astype(np.float32),
            key_labels=classifier.key_labels,
            **more,
        )


def read_classifier(path: str | os.PathLike[str]) -> ClassifierFile:
    """Read a classifier file. Nothing in it is executed, and every array is checked.

    Raises:
        UsageError: it can't be read, or it is no classifier file of this version.
    """
    arrays = load_arrays(path)
    name = str(Path(path))
    if not set(ARRAYS) <= set(arrays):
        raise UsageError(f"{name} is no classifier file of saywhy improve: it lacks {sorted(set(ARRAYS) - set(arrays))[0]!r}")
    about = _about(name, arrays["about"])
    names = about["class_names"]
    weights, bias, keys, owner = (arrays[key] for key in ARRAYS[1:])
    sound = (
        all(_is_finite(array) for array in (weights, bias, keys))
        and weights.ndim == 2
        and weights.shape[0] == len(names)
        and bias.shape == (len(names),)
        and keys.ndim == 2
        and (not len(keys) or keys.shape[1] == weights.shape[1])
        and owner.shape == (len(keys),)
        and np.issubdtype(owner.dtype, np.integer)
        and (not len(owner) or (owner.min() >= 0 and owner.max() < len(names)))
    )
    if not sound:
        raise UsageError(f"{name}: its arrays do not fit its {len(names)} classes; write it again with saywhy improve")
    classifier = FewShotClassifier(
        weights.astype(np.float64),
        bias.astype(np.float64),
        keys.astype(np.float64),
        owner.astype(np.int64),
        float(about["alpha"]),
        float(about["beta"]),
    )
    return ClassifierFile(classifier, tuple(names), about["encoder"], about["method"], _seen_in(name, arrays, about["encoder"]))


def _arrays_of(seen: SeenImages) -> dict[str, NDArray[Any]]:
    digests = np.frombuffer(bytes.fromhex("".join(seen.digests)), dtype=np.uint8).reshape(-1, 32)
    small = np.zeros((0, SIDE, SIDE, 3), dtype=np.uint8) if seen.small is None else seen.small
    rows = np.zeros((0, 0)) if seen.rows is None else seen.rows
    return dict(zip(SEEN, (digests, small, rows.astype(np.float16)), strict=True))  # half precision finds what is near


def _seen_in(name: str, arrays: Mapping[str, NDArray[Any]], encoder: str | None) -> SeenImages | None:
    if not set(SEEN) <= set(arrays):
        return None
    digests, small, rows = (arrays[key] for key in SEEN)
    sound = (
        digests.dtype == small.dtype == np.uint8
        and digests.ndim == rows.ndim == 2
        and digests.shape[1] == 32
        and small.shape[1:] == (SIDE, SIDE, 3)
        and len({len(array) for array in (digests, small, rows) if len(array)}) <= 1
        and _is_finite(rows)
        and (not len(rows) or rows.shape[1] == arrays["weights"].shape[1])
    )
    if not sound:
        raise UsageError(
            f"{name}: what it says of its labelled images does not fit together; write it again with saywhy improve"
        )
    told = tuple(bytes(row).hex() for row in digests)
    return SeenImages(told, small if len(small) else None, rows.astype(np.float32) if len(rows) else None, encoder)


def _is_finite(array: NDArray[Any]) -> bool:
    return bool(np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all())


def _about(name: str, raw: NDArray[Any]) -> dict[str, Any]:
    wrong = UsageError(f"{name} is no classifier file of version {FORMAT}; write it again with saywhy improve")
    if raw.dtype != np.uint8 or raw.ndim != 1:
        raise wrong
    about = parse_json(raw.tobytes(), name)
    if not isinstance(about, dict) or about.get("version") != FORMAT:
        raise wrong
    names = about.get("class_names")
    good = (
        isinstance(names, list)
        and len(names) >= 2
        and all(isinstance(one, str) for one in names)
        and len(set(names)) == len(names)
        and isinstance(about.get("encoder"), (str, type(None)))
        and isinstance(about.get("method"), str)
        and all(isinstance(about.get(key), (int, float)) and np.isfinite(about[key]) for key in ("alpha", "beta"))
    )
    if not good:
        raise wrong
    return about
