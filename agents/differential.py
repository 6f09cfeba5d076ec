"""Follow-up differential descriptions: find the ambiguous classes, look again with words that tell those apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from agents._errors import UsageError
from agents.pairs import PairDescriptions, as_pairs
from agents.vectors import top_indices, unit_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoder import ImageTextEncoder
    from agents.images import Images

# Floats of follow-up vectors held at a time; what a batch of images needs does not depend on how many there are.
CHUNK_FLOATS = 4_000_000


def count_ambiguous(similarities: NDArray[np.floating], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of classes that are both among some image's k most similar ones, and how many images need each.

    Args:
        similarities: N images × K classes.
        k: how many candidates an image has; at most K are used.

    Returns:
        (pairs P×2 with i < j in ascending order, counts P).

    Raises:
        UsageError: `similarities` is no N×K array of finite numbers, or k is below 1.
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
    """The pairs of classes (i, j), i < j, that some image has both among its k most similar ones: each once, sorted.

    These are the only pairs whose differential descriptions any image will need (Esfandiarpoor & Bach 2024, §3.2).

    Raises:
        UsageError: `similarities` is no N×K array of finite numbers, or k is below 1.
    """
    pairs, _ = count_ambiguous(similarities, k)
    return [(int(first), int(second)) for first, second in pairs]


@dataclass(frozen=True)
class Predictions:
    """What a `DifferentialClassifier` decided.

    Attributes:
        first: N, the class of the first look.
        final: N, the class after the follow-up.
        candidates: N×k, each image's candidate classes, most similar first.
        scores: N×k, the cosines that decide among `candidates` (mixed with the first look's where `mix` < 1).
        missing: pairs that some image needed and nobody described; the template stood in for them.
    """

    first: NDArray[np.int64]
    final: NDArray[np.int64]
    candidates: NDArray[np.int64]
    scores: NDArray[np.float32]
    missing: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.first)


class DifferentialClassifier:
    """Classify in two looks (FuDD; Esfandiarpoor & Bach, ICLR 2024, §3).

    The first look compares an image with the template of every class. The k most similar classes are its candidates.
    The follow-up gives each candidate the mean of the embeddings of all its captions from the pairs with the other
    candidates, a caption that several pairs share counted once, brought to length 1; the most similar candidate is the
    decision. k = number of classes is the static variant over all pairs. Ties go to the class the first look prefers.

    It departs from the published program in four faults of that program: case is kept, a missing pair is reported (the
    template stands in for it, as there), a single candidate gets its own class's prompt, and the order is always the same.

    Args:
        encoder: puts images and texts into one space.
        class_names: the K classes.
        pairs: `PairDescriptions`, the content of a FuDD file, or its path.
        k: how many candidates get a second look.
        template: the sentence of the first look.
        mix: the weight of the follow-up's cosine against the first look's; 1 is the paper.

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
        self.pairs = as_pairs(pairs)
        self.pairs.check_names(self.class_names)
        templates = [template.format(name) for name in self.class_names]
        self._table = _PromptTable(encoder, templates, self.pairs)
        self._static: NDArray[np.float32] | None = None

    def predict(self, images: Images) -> Predictions:
        """Classify images: an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths."""
        return self.predict_embedded(self.encoder.encode_images(images))

    def first_similarities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first look: N×K cosines of image embeddings (N×D) with the templates."""
        similarities: NDArray[np.float32] = self._rows(embeddings) @ self._table.templates.T
        return similarities

    def predict_embedded(self, embeddings: NDArray[np.float32]) -> Predictions:
        """Classify images by their embeddings (N×D, any length), in memory that does not grow with N but for the result."""
        rows = self._rows(embeddings)
        classes, k = len(self.class_names), self.k
        candidates = np.empty((len(rows), k), dtype=np.int64)
        scores = np.empty((len(rows), k), dtype=np.float32)
        missing = np.empty(0, dtype=np.int64)
        step = max(1, CHUNK_FLOATS // max(classes, k * rows.shape[1], 8 * k * k if k < classes else 1))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            similarities = rows[part] @ self._table.templates.T
            candidates[part] = top_indices(similarities, k)
            first = np.take_along_axis(similarities, candidates[part], axis=1)
            follow, absent = self._follow_up(rows[part], candidates[part])
            scores[part] = follow if self.mix == 1.0 else self.mix * follow + (1.0 - self.mix) * first
            missing = np.union1d(missing, absent)
        final = np.take_along_axis(candidates, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
        pairs = tuple((int(key) // classes, int(key) % classes) for key in missing)
        return Predictions(candidates[:, 0].copy(), final, candidates, scores, pairs)

    def _rows(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.asarray(embeddings)
        dimension = self._table.templates.shape[1]
        if rows.ndim != 2 or rows.shape[1] != dimension:
            raise UsageError(f"image embeddings must be N×{dimension}, as the texts are, not {rows.shape}")
        return unit_rows(rows)

    def _follow_up(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        images, k = candidates.shape
        classes = len(self.class_names)
        if k == 1:
            return np.einsum("nd,nd->n", rows, self._table.templates[candidates[:, 0]])[:, None], np.empty(0, np.int64)
        if k == classes:
            if self._static is None:
                self._static, self._static_missing = self._table.static_vectors()
            return np.take_along_axis(rows @ self._static.T, candidates, axis=1), self._static_missing
        others = np.array([[other for other in range(k) if other != own] for own in range(k)])
        owners = candidates.reshape(-1)
        partners = candidates[:, others].reshape(images * k, k - 1)
        vectors, missing = self._table.vectors(owners, partners)
        follow = torch.bmm(vectors.view(images, k, -1), torch.from_numpy(rows).unsqueeze(2)).squeeze(2)
        lengths = torch.linalg.vector_norm(vectors, dim=1).view(images, k)
        return (follow / lengths.clamp(min=1e-12)).numpy(), missing


class _PromptTable:
    """Sums of caption embeddings by ordered pair, so that no caption is added twice and few vectors are touched.

    A class's follow-up vector is the sum over the *set* of its captions. Captions that only one pair of a class has are
    summed once for all into a row of that pair; captions that several of its pairs share (and the templates that stand in
    for missing pairs) are kept apart, and each is added once to an owner that meets it. Lengths cancel, so sums do.
    """

    def __init__(self, encoder: ImageTextEncoder, templates: list[str], pairs: PairDescriptions) -> None:
        classes = len(templates)
        own: dict[tuple[int, int], list[str]] = {}
        seen: list[dict[str, int]] = [{} for _ in templates]
        for (first, second), contrasts in pairs.items():
            for side, (owner, partner) in enumerate(((first, second), (second, first))):
                captions = list(dict.fromkeys(contrast.captions[side] for contrast in contrasts))
                if not captions:
                    continue
                own[owner, partner] = captions
                for caption in captions:
                    seen[owner][caption] = seen[owner].get(caption, 0) + 1
        texts = list(dict.fromkeys([*templates, *(caption for captions in own.values() for caption in captions)]))
        number = {text: index for index, text in enumerate(texts)}
        embeddings = np.asarray(encoder.encode_texts(texts), dtype=np.float32)
        if embeddings.ndim != 2 or len(embeddings) != len(texts):
            raise UsageError(f"the encoder returned shape {embeddings.shape} for {len(texts)} texts")
        embeddings = unit_rows(embeddings)
        self.templates = embeddings[[number[text] for text in templates]]

        # Rows 0 … K-1 stand for "class c, pair missing": no sum, one shared text, c's template.
        shared: list[list[int]] = [[number[text]] for text in templates]
        bags: list[int] = []
        starts: list[int] = [0] * classes
        keys: list[int] = []
        for (owner, partner), captions in own.items():
            keys.append(owner * classes + partner)
            starts.append(len(bags))
            bags.extend(number[text] for text in captions if seen[owner][text] == 1 and text != templates[owner])
            shared.append([number[text] for text in captions if seen[owner][text] > 1 or text == templates[owner]])
        kept = sorted({index for row in shared for index in row})
        place = np.zeros(len(texts), dtype=np.int64)
        place[kept] = np.arange(len(kept))
        whole = torch.from_numpy(embeddings)
        self._sums = _bag_sums(whole, np.array(bags, dtype=np.int64), np.array(starts, dtype=np.int64))
        self._shared = whole[torch.tensor(kept, dtype=torch.int64)].contiguous()
        self._shared_counts = np.array([len(row) for row in shared], dtype=np.int64)
        self._shared_starts = np.concatenate([[0], np.cumsum(self._shared_counts)[:-1]])
        self._shared_ids = place[np.array([index for row in shared for index in row], dtype=np.int64)]
        self._classes = classes
        order = np.argsort(np.array(keys, dtype=np.int64), kind="stable")
        self._keys = np.array(keys, dtype=np.int64)[order]
        self._key_rows = order + classes
        # A square table is the faster look-up; beyond 4,096 classes it would cost more than it saves.
        self._square: NDArray[np.int32] | None = None
        if classes <= 4096:
            self._square = np.repeat(np.arange(classes, dtype=np.int32), classes)
            self._square[self._keys] = self._key_rows

    def _find(self, owners: NDArray[np.int64], partners: NDArray[np.int64]) -> NDArray[np.int64]:
        keys = owners[:, None] * self._classes + partners
        if self._square is not None:
            rows: NDArray[np.int64] = self._square[keys].astype(np.int64)
            return rows
        if not len(self._keys):
            return np.broadcast_to(owners[:, None], keys.shape)
        at = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._key_rows[at], owners[:, None])

    def vectors(self, owners: NDArray[np.int64], partners: NDArray[np.int64]) -> tuple[torch.Tensor, NDArray[np.int64]]:
        """The sums M×D of the captions of M owners against P partners each, and the keys of missing pairs (i·K + j)."""
        rows = self._find(owners, partners)
        total = torch.nn.functional.embedding_bag(torch.from_numpy(rows), self._sums, mode="sum")
        counts = self._shared_counts[rows]
        each = counts.sum(axis=1)
        flat_counts = counts.reshape(-1)
        ends = np.cumsum(flat_counts)
        if len(ends) and ends[-1]:
            within = np.arange(ends[-1]) - np.repeat(ends - flat_counts, flat_counts)
            ids = self._shared_ids[np.repeat(self._shared_starts[rows].reshape(-1), flat_counts) + within]
            width = len(self._shared)
            marked = np.unique(np.repeat(np.arange(len(owners)), each) * width + ids)
            offsets = np.searchsorted(marked, np.arange(len(owners)) * width)
            total += _bag_sums(self._shared, marked % width, offsets)
        absent = rows < self._classes
        low, high = np.minimum(owners[:, None], partners)[absent], np.maximum(owners[:, None], partners)[absent]
        return total, np.unique(low * self._classes + high)

    def static_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Every class's vector of length 1 against all the others, and the keys of all missing pairs."""
        classes = self._classes
        everyone = np.arange(classes)
        out = np.empty_like(self.templates)
        missing: list[NDArray[np.int64]] = []
        step = max(1, CHUNK_FLOATS // (8 * classes))
        for start in range(0, classes, step):
            owners = everyone[start : start + step]
            partners = everyone[None, : classes - 1] + (everyone[None, : classes - 1] >= owners[:, None])
            sums, absent = self.vectors(owners, partners)
            out[owners] = unit_rows(sums.numpy())
            missing.append(absent)
        return out, np.unique(np.concatenate(missing))


def _bag_sums(table: torch.Tensor, ids: NDArray[np.int64], offsets: NDArray[np.int64]) -> torch.Tensor:
    return torch.nn.functional.embedding_bag(
        torch.from_numpy(ids), table, torch.from_numpy(np.ascontiguousarray(offsets)), mode="sum"
    )
