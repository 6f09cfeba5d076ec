"""Follow-up differential descriptions: find the classes an image is confused with, then decide among them by descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.vectors import top_indices
from agents.prompting.descriptions.ambiguity import count_ambiguous as count_ambiguous
from agents.prompting.descriptions.ambiguity import find_ambiguous as find_ambiguous
from agents.prompting.descriptions.captions import class_vectors
from agents.prompting.descriptions.pairs import PairDescriptions, as_pairs
from agents.prompting.second_look.aggregation import COSINES, Aggregate, FollowUp, check_aggregate
from agents.prompting.second_look.caption_tables import CaptionTables
from agents.prompting.second_look.first_look import FirstLook, first_prompts
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.images.reader import Images

# Limits on memory: floats of similarities held at a time (16 MB), and images grouped at a time.
CHUNK_FLOATS = 4_000_000
IMAGES_AT_A_TIME = 16_384


@dataclass(frozen=True)
class Predictions:
    """The decisions of a `DifferentialClassifier`.

    Attributes:
        first: N class numbers, the decisions of the first look.
        final: N class numbers, the decisions after the follow-up.
        candidates: N×k, each image's candidate classes, most similar first.
        scores: N×k, the scores that decide among `candidates`: cosines (mixed with the first look's where `mix` < 1), or shares
            of votes or margins where the captions are aggregated so.
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
        template: the sentence of the first look, and what stands in for the captions of missing pairs.
        mix: weight of the follow-up's cosines; the first look's have 1 - mix. 1 is the paper.
        first: the texts of the first look, as `first_prompts` takes them: "template" (the paper's), "name", "80", a file of
            prompts, or prompts by class name.
        aggregate: how the captions of a candidate become its score, one of the names that `FollowUp` defines: "embeddings"
            (the paper's), "similarities", "max", "votes" or "margins".

    Raises:
        UsageError: the pairs belong to another class list, an argument is out of its range, or `mix` is given with votes or
            margins, which are no cosines.
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
        first: FirstLook = "template",
        aggregate: Aggregate = "embeddings",
    ) -> None:
        if not class_names:
            raise UsageError("there are no class names")
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        if not 0.0 <= mix <= 1.0:
            raise UsageError(f"mix must lie between 0 (first look alone) and 1 (follow-up alone), not {mix}")
        if "{}" not in template:
            raise UsageError(f"the template {template!r} has no {{}} to put the class name into")
        check_aggregate(aggregate)
        if mix != 1.0 and aggregate not in COSINES:
            raise UsageError(
                f"mix adds the cosines of both looks, and {aggregate} are no cosines; leave mix out, or aggregate by one of "
                f"{', '.join(COSINES)}"
            )
        self.encoder = encoder
        self.class_names = tuple(class_names)
        self.k = min(k, len(self.class_names))
        self.mix = mix
        self.pairs = as_pairs(pairs, self.class_names)
        prompts = first_prompts(first, self.class_names, template)
        templates = [template.format(name) for name in self.class_names]
        self._table = CaptionTables(encoder, templates, self.pairs, single=aggregate == "max")
        self._follow_up = FollowUp(self._table, aggregate)
        plain = all(texts == [text] for texts, text in zip(prompts, templates, strict=True))
        self._first = self._table.templates if plain else class_vectors(encoder, prompts)

    def predict(self, images: Images) -> Predictions:
        """Classify images: an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths."""
        return self.predict_embedded(self.encoder.encode_images(images))

    def predict_embedded(self, embeddings: NDArray[np.float32]) -> Predictions:
        """Classify images by their embeddings (N×D, of any length); only the result's memory grows with N."""
        rows = self._checked(embeddings)
        candidates, scores = self._first_look(rows)
        missing = np.empty(0, dtype=np.int64)
        for start in range(0, len(rows), IMAGES_AT_A_TIME):
            part = slice(start, start + IMAGES_AT_A_TIME)
            follow = self._follow_up.scores(_unit(rows[part]), candidates[part], scores[part])
            scores[part] = follow if self.mix == 1.0 else self.mix * follow + (1.0 - self.mix) * scores[part]
            missing = np.union1d(missing, self._follow_up.missing(candidates[part]))
        final = np.take_along_axis(candidates, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
        return Predictions(candidates[:, 0].copy(), final, candidates, scores, self._pairs_of(missing))

    def decide_by_k(self, embeddings: NDArray[np.float32], ks: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The candidates of each image, and the decisions among its first 1, ..., k candidates, for several k at a time.

        Candidates, similarities and sums of captions are computed once, for the largest k. A column of decisions equals
        `predict_embedded(embeddings).final` of a classifier with that k, but for ties within the rounding of float32.

        Args:
            embeddings: N×D image embeddings, of any length.
            ks: numbers of candidates, ascending, from 1 to the classifier's k.

        Returns:
            (N×k candidates, most similar first; N×len(ks) decisions).

        Raises:
            UsageError: `ks` is empty, not ascending, or goes beyond 1 to k.
        """
        wanted = [int(k) for k in ks]
        if not wanted or wanted != sorted(set(wanted)) or wanted[0] < 1 or wanted[-1] > self.k:
            raise UsageError(f"ks must be ascending numbers from 1 to {self.k}, not {list(ks)!r:.80}")
        rows = self._checked(embeddings)
        candidates, first = self._first_look(rows)
        most = wanted[-1]
        final = np.empty((len(rows), len(wanted)), dtype=np.int64)
        step = max(1, min(IMAGES_AT_A_TIME, CHUNK_FLOATS // (most * len(wanted))))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            near = candidates[part, :most]
            scores = self._follow_up.scores_by_k(_unit(rows[part]), near, first[part, :most], wanted)
            if self.mix != 1.0:
                scores = self.mix * scores + (1.0 - self.mix) * first[part, None, :most]
            final[part] = np.take_along_axis(near, scores.argmax(axis=2), axis=1)
        return candidates, final

    def _first_look(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Each image's candidates and their cosines, N×k."""
        candidates = np.empty((len(rows), self.k), dtype=np.int64)
        scores = np.empty((len(rows), self.k), dtype=np.float32)
        step = max(1, CHUNK_FLOATS // len(self.class_names))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            similarities = _unit(rows[part]) @ self._first.T
            candidates[part] = top_indices(similarities, self.k)
            scores[part] = np.take_along_axis(similarities, candidates[part], axis=1)
        return candidates, scores

    def _checked(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.asarray(embeddings)
        dimension = self._table.templates.shape[1]
        if rows.ndim != 2 or rows.shape[1] != dimension:
            raise UsageError(f"image embeddings must be N×{dimension}, as the texts are, not {rows.shape}")
        return rows

    def _pairs_of(self, keys: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
        classes = len(self.class_names)
        return tuple((int(key) // classes, int(key) % classes) for key in keys)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows at length 1, in float32; faster than `unit_rows`, and no copy where all have length 1 already."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    if np.abs(lengths - 1).max(initial=0.0) < 1e-6:
        return rows
    scaled: NDArray[np.float32] = rows / np.maximum(lengths, 1e-30)[:, None]
    return scaled
