"""Follow-up differential descriptions: find the classes an image is confused with, then decide among them by descriptions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agents.encoders.vectors import top_indices, unit_rows
from agents.prompting.descriptions.pairs import PairDescriptions, as_pairs
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.images.reader import Images

# Limits on memory: floats of similarities or follow-up vectors held at a time (16 MB), and images grouped at a time.
CHUNK_FLOATS = 4_000_000
IMAGES_AT_A_TIME = 16_384


def count_ambiguous(similarities: NDArray[np.floating], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs of classes that are both among the k classes most similar to some image, and count those images.

    Args:
        similarities: N images × K classes.
        k: how many candidate classes each image has; at most K are used.

    Returns:
        (pairs P×2 with i < j in ascending order, counts P).

    Raises:
        UsageError: `similarities` is not an N×K array of finite numbers, or k is below 1.
    """
    similarities = np.asarray(similarities)
    if similarities.ndim != 2 or not np.isfinite(similarities).all():
        raise UsageError(f"similarities must be finite numbers, N images × K classes, not shape {similarities.shape}")
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    classes = similarities.shape[1]
    k = min(k, classes)
    left, right = np.triu_indices(k, 1)
    keys = np.empty(0, dtype=np.int64)
    counts = np.empty(0, dtype=np.int64)
    step = max(1, CHUNK_FLOATS // max(classes, len(left), 1))
    for start in range(0, len(similarities), step):
        candidates = np.sort(top_indices(similarities[start : start + step], k), axis=1)
        part, number = np.unique(candidates[:, left] * classes + candidates[:, right], return_counts=True)
        keys, where = np.unique(np.concatenate([keys, part]), return_inverse=True)
        counts = np.bincount(where, weights=np.concatenate([counts, number]), minlength=len(keys)).astype(np.int64)
    return np.stack([keys // classes, keys % classes], axis=1), counts


def find_ambiguous(similarities: NDArray[np.floating], k: int) -> list[tuple[int, int]]:
    """Find the pairs of classes (i, j), i < j, that are both among the k classes most similar to some image, sorted.

    No image needs differential descriptions of any other pair (Esfandiarpoor & Bach 2024, §3.2).

    Raises:
        UsageError: `similarities` is not an N×K array of finite numbers, or k is below 1.
    """
    pairs, _ = count_ambiguous(similarities, k)
    return [(int(first), int(second)) for first, second in pairs]


@dataclass(frozen=True)
class Predictions:
    """The decisions of a `DifferentialClassifier`.

    Attributes:
        first: N class numbers, the decisions of the first look.
        final: N class numbers, the decisions after the follow-up.
        candidates: N×k, each image's candidate classes, most similar first.
        scores: N×k, the cosines that decide among `candidates` (mixed with the first look's where `mix` < 1).
        missing: pairs that some image needed and that have no description; the template was used in their place.
    """

    first: NDArray[np.int64]
    final: NDArray[np.int64]
    candidates: NDArray[np.int64]
    scores: NDArray[np.float32]
    missing: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.first)


class DifferentialClassifier:
    """Classifies images in two looks (FuDD; Esfandiarpoor & Bach, ICLR 2024, §3).

    The first look compares an image with the template of every class. The k most similar classes are its candidates.
    In the follow-up, each candidate is compared through its captions from the pairs with the other candidates: through the
    mean of their embeddings at length 1, where a caption that several pairs share counts once. The most similar candidate is
    the decision. With k = K this is the paper's static variant over all pairs. In a tie the class that the first look ranks
    higher is chosen.

    Four faults of the published program are not repeated: captions keep their case; missing pairs are reported (the template
    is used in their place, as there); a single candidate gets the prompt of its own class; the order is always the same.

    Args:
        encoder: puts images and texts into one space.
        class_names: the K classes.
        pairs: `PairDescriptions`, the content of a FuDD file, or its path.
        k: how many candidates each image has in the follow-up.
        template: the sentence of the first look.
        mix: weight of the follow-up's cosines; the first look's have 1 - mix. 1 is the paper.

    Raises:
        UsageError: the pairs belong to another class list, or an argument is out of its range.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        class_names: Sequence[str],
        pairs: PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str],
        *,
        k: int = 10,
        template: str = "a photo of a {}.",
        mix: float = 1.0,
    ) -> None:
        if not class_names:
            raise UsageError("there are no class names")
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        if not 0.0 <= mix <= 1.0:
            raise UsageError(f"mix must lie between 0 (first look alone) and 1 (follow-up alone), not {mix}")
        if "{}" not in template:
            raise UsageError(f"the template {template!r} has no {{}} to put the class name into")
        self.encoder = encoder
        self.class_names = tuple(class_names)
        self.k = min(k, len(self.class_names))
        self.mix = mix
        self.pairs = as_pairs(pairs, self.class_names)
        templates = [template.format(name) for name in self.class_names]
        self._table = _PromptTable(encoder, templates, self.pairs)
        self._static: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None

    def predict(self, images: Images) -> Predictions:
        """Classify images: an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths."""
        return self.predict_embedded(self.encoder.encode_images(images))

    def predict_embedded(self, embeddings: NDArray[np.float32]) -> Predictions:
        """Classify images by their embeddings (N×D, of any length); only the result's memory grows with N."""
        rows = self._checked(embeddings)
        candidates = np.empty((len(rows), self.k), dtype=np.int64)
        scores = np.empty((len(rows), self.k), dtype=np.float32)
        missing = np.empty(0, dtype=np.int64)
        step = max(1, CHUNK_FLOATS // len(self.class_names))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            similarities = _unit(rows[part]) @ self._table.templates.T
            candidates[part] = top_indices(similarities, self.k)
            scores[part] = np.take_along_axis(similarities, candidates[part], axis=1)
        for start in range(0, len(rows), IMAGES_AT_A_TIME):
            part = slice(start, start + IMAGES_AT_A_TIME)
            follow, absent = self._follow_up(_unit(rows[part]), candidates[part], scores[part])
            scores[part] = follow if self.mix == 1.0 else self.mix * follow + (1.0 - self.mix) * scores[part]
            missing = np.union1d(missing, absent)
        final = np.take_along_axis(candidates, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
        classes = len(self.class_names)
        pairs = tuple((int(key) // classes, int(key) % classes) for key in missing)
        return Predictions(candidates[:, 0].copy(), final, candidates, scores, pairs)

    def _checked(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.asarray(embeddings)
        dimension = self._table.templates.shape[1]
        if rows.ndim != 2 or rows.shape[1] != dimension:
            raise UsageError(f"image embeddings must be N×{dimension}, as the texts are, not {rows.shape}")
        return rows

    def _follow_up(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64], first: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        images, k = candidates.shape
        if k == 1:
            return first, np.empty(0, dtype=np.int64)
        if k == len(self.class_names):
            if self._static is None:
                self._static = self._table.static_vectors()
            vectors, missing = self._static
            return np.take_along_axis(rows @ vectors.T, candidates, axis=1), missing
        follow = np.empty(images * k, dtype=np.float32)
        order = np.argsort(candidates, axis=None, kind="stable")
        owners, starts = np.unique(candidates.reshape(-1)[order], return_index=True)
        others = np.array([[other for other in range(k) if other != own] for own in range(k)])
        missing_parts: list[NDArray[np.int64]] = []
        most = max(1, CHUNK_FLOATS // rows.shape[1])
        for owner, members in zip(owners.tolist(), np.split(order, starts[1:]), strict=True):
            for at in range(0, len(members), most):
                image, rank = np.divmod(members[at : at + most], k)
                partners = candidates[image[:, None], others[rank]]
                vectors, absent = self._table.vectors(owner, partners)
                dots = np.einsum("nd,nd->n", vectors, rows[image])
                lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
                follow[members[at : at + most]] = dots / np.maximum(lengths, 1e-12)
                missing_parts.append(absent)
        return follow.reshape(images, k), np.unique(np.concatenate(missing_parts))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows at length 1, in float32; faster than `unit_rows`, and no copy where all have length 1 already."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    if np.abs(lengths - 1).max(initial=0.0) < 1e-6:
        return rows
    scaled: NDArray[np.float32] = rows / np.maximum(lengths, 1e-30)[:, None]
    return scaled


class _ClassTable(NamedTuple):
    """The captions of one class as vectors.

    `rows` are first the captions that several pairs share (and the template), then for each partner one row, the sum of the
    captions that only the pair with this partner has, and last a row of zeros for missing partners. `shares` has one row per
    partner and one column per shared caption: 1 where the pair with this partner has the caption.
    """

    rows: NDArray[np.float32]
    shares: NDArray[np.float32]


_NO_KEYS = np.empty(0, dtype=np.int64)


class _PromptTable:
    """Captions by class, arranged so that the follow-up vectors of a batch are one matrix product per class.

    A class's follow-up vector is the sum over the *set* of its captions (lengths cancel, so sums do). Captions that only
    one pair of the class has are summed in advance; captions that several of its pairs share, and the template that is used
    for missing pairs, are kept apart and added once where any of their pairs occurs.
    """

    def __init__(self, encoder: ImageTextEncoder, templates: list[str], pairs: PairDescriptions) -> None:
        classes = len(templates)
        own: list[dict[int, list[str]]] = [{} for _ in templates]
        for (first, second), contrasts in pairs.items():
            for side, (owner, partner) in enumerate(((first, second), (second, first))):
                if captions := list(dict.fromkeys(contrast.captions[side] for contrast in contrasts)):
                    own[owner][partner] = captions
        texts = dict.fromkeys([*templates, *(text for by in own for captions in by.values() for text in captions)])
        number = {text: index for index, text in enumerate(texts)}
        embeddings = np.asarray(encoder.encode_texts(list(texts)), dtype=np.float32)
        if embeddings.ndim != 2 or len(embeddings) != len(texts):
            raise UsageError(f"the encoder returned shape {embeddings.shape} for {len(texts)} texts")
        embeddings = unit_rows(embeddings)
        self.templates = embeddings[[number[text] for text in templates]]
        self._tables = [_class_table(by, templates[owner], number, embeddings) for owner, by in enumerate(own)]
        # Where each ordered pair's row lies in its owner's table; keys are owner · K + partner, in ascending order.
        self._classes = classes
        self._keys = np.array([owner * classes + partner for owner, by in enumerate(own) for partner in sorted(by)], np.int64)
        self._places = np.array(
            [
                place
                for table, by in zip(self._tables, own, strict=True)
                for place in range(table.shares.shape[1], table.shares.shape[1] + len(by))
            ],
            dtype=np.int32,
        )
        # A square table is the faster look-up; with more than 4,096 classes it would take over 64 MB.
        self._square: NDArray[np.int32] | None = None
        if classes <= 4096:
            self._square = np.full(classes * classes, -1, dtype=np.int32)
            self._square[self._keys] = self._places

    def places(self, owner: int, partners: NDArray[np.int64]) -> NDArray[np.int32]:
        """The rows of partners in an owner's table, -1 where the pair is missing."""
        keys = partners + owner * self._classes
        if self._square is not None:
            return self._square[keys]
        if not len(self._keys):
            return np.full(keys.shape, -1, dtype=np.int32)
        at = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._places[at], np.int32(-1))

    def vectors(self, owner: int, partners: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The sums M×D of one class's captions against M sets of P partners, and the keys (i·K + j) of missing pairs."""
        table = self._tables[owner]
        shared = table.shares.shape[1]
        places = self.places(owner, partners)
        weights = np.zeros((len(partners), len(table.rows)), dtype=np.float32)
        # The place of a missing partner is -1, the last row.
        weights[np.arange(len(partners))[:, None], places] = 1.0
        weights[:, :shared] = weights[:, shared:] @ table.shares > 0
        if len(table.rows) > 8 * partners.shape[1]:
            used = np.flatnonzero(weights.any(axis=0))
            total = weights[:, used] @ table.rows[used]
        else:
            total = weights @ table.rows
        lacking = places < 0
        if not lacking.any():
            return total, _NO_KEYS
        absent = partners[lacking]
        return total, np.unique(np.minimum(absent, owner) * self._classes + np.maximum(absent, owner))

    def static_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Every class's vector of length 1 against all the others, and the keys of all missing pairs."""
        everyone = np.arange(self._classes)
        parts = [self.vectors(owner, np.delete(everyone, owner)[None]) for owner in range(self._classes)]
        missing = np.unique(np.concatenate([absent for _, absent in parts]))
        return unit_rows(np.concatenate([total for total, _ in parts])), missing


def _class_table(
    by_partner: Mapping[int, list[str]], template: str, number: Mapping[str, int], embeddings: NDArray[np.float32]
) -> _ClassTable:
    partners = sorted(by_partner)
    counts = Counter(text for captions in by_partner.values() for text in captions)
    # The template comes first, so that a caption with the same text is not counted as a second one.
    shared = list(dict.fromkeys([template, *(text for text, count in counts.items() if count > 1)]))
    column = {text: index for index, text in enumerate(shared)}
    rows = np.zeros((len(shared) + len(partners) + 1, embeddings.shape[1]), dtype=np.float32)
    shares = np.zeros((len(partners) + 1, len(shared)), dtype=np.float32)
    rows[: len(shared)] = embeddings[[number[text] for text in shared]]
    for place, partner in enumerate(partners):
        captions = by_partner[partner]
        alone = [number[text] for text in captions if text not in column]
        rows[len(shared) + place] = embeddings[alone].sum(axis=0)
        shares[place, [column[text] for text in captions if text in column]] = 1.0
    shares[len(partners), column[template]] = 1.0
    return _ClassTable(rows, shares)
