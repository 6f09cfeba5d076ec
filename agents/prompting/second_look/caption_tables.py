"""Captions by class and pair as vectors, arranged so that a batch of images costs one matrix product per class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agents.encoders.vectors import unit_rows
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.pairs import PairDescriptions

_NO_KEYS = np.empty(0, dtype=np.int64)


class ClassTable(NamedTuple):
    """The captions of one class as vectors.

    `rows` are first the S captions that several pairs share (and the template), then for each of P partners one row, the sum of
    the captions that only the pair with this partner has, and last a row of zeros for missing partners. `shares` has one row
    per partner (the last is the template's, for missing ones) and one column per shared caption: 1 where the pair with this
    partner has the caption. `counts` says of each row how many captions it is the sum of.
    """

    rows: NDArray[np.float32]
    shares: NDArray[np.float32]
    counts: NDArray[np.float32]


class CaptionTables:
    """Captions of K classes as vectors.

    A class's vector in a second look is the sum over the *set* of its captions (lengths cancel, so sums do). Captions that only
    one pair of the class has are summed in advance; captions that several of its pairs share, and the template that is used
    for missing pairs, are kept apart and added once where any of their pairs occurs.

    Args:
        encoder: encodes the captions, each once.
        templates: for each class the text that stands in for the captions of missing pairs.
        pairs: the captions.
        single: whether to keep the captions one by one too, for `highest`.

    Attributes:
        templates: K×D, of length 1.
        complete: whether every pair of classes has captions for both.
    """

    def __init__(
        self, encoder: ImageTextEncoder, templates: list[str], pairs: PairDescriptions, *, single: bool = False
    ) -> None:
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
        self._single = [_groups(by, templates[owner], number) for owner, by in enumerate(own)] if single else []
        self._embeddings = embeddings if single else embeddings[:0]
        # Where each ordered pair's row lies in its owner's table; keys are owner · K + partner, in ascending order.
        self._classes = classes
        self._keys = np.array([owner * classes + partner for owner, by in enumerate(own) for partner in sorted(by)], np.int64)
        self.complete = len(self._keys) == classes * (classes - 1)
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

    def __len__(self) -> int:
        return self._classes

    def of_class(self, owner: int) -> ClassTable:
        """The table of one class."""
        return self._tables[owner]

    def places(self, owner: int, partners: NDArray[np.int64]) -> NDArray[np.int32]:
        """The rows of partners in an owner's table, -1 where the pair is missing."""
        keys = partners + owner * self._classes
        if self._square is not None:
            return self._square[keys]
        if not len(self._keys):
            return np.full(keys.shape, -1, dtype=np.int32)
        at = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._places[at], np.int32(-1))

    def absent(self, owner: int, partners: NDArray[np.int64]) -> NDArray[np.int64]:
        """The keys (i·K + j, i < j) of the pairs of an owner with these partners that are missing, each once, ascending."""
        lacking = self.places(owner, partners) < 0
        if not lacking.any():
            return _NO_KEYS
        without = partners[lacking]
        return np.unique(np.minimum(without, owner) * self._classes + np.maximum(without, owner))

    def sums(self, owner: int, partners: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The sums M×D of one class's captions against M sets of P partners, and how many captions each is the sum of (M)."""
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
        return total, weights @ table.counts

    def pair_means(self, owner: int) -> NDArray[np.float32]:
        """(P + 1)×D, of length 1: the mean of the captions of each pair of a class, in the order of `places` from S on.

        The last is the template, for missing pairs.
        """
        table = self._tables[owner]
        shared = table.shares.shape[1]
        return unit_rows(table.rows[shared:] + table.shares @ table.rows[:shared])

    def highest(self, owner: int, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """M×(P + 1): the largest cosine of each of M images with a caption of each pair, in the order of `pair_means`."""
        captions, starts = self._single[owner]
        return np.maximum.reduceat(rows @ self._embeddings[captions].T, starts, axis=1)

    def static_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Every class's vector of length 1 against all the others (K×D), and the keys of all missing pairs."""
        everyone = np.arange(self._classes)
        others = [np.delete(everyone, owner)[None] for owner in range(self._classes)]
        total = np.concatenate([self.sums(owner, partners)[0] for owner, partners in enumerate(others)])
        missing = [self.absent(owner, partners) for owner, partners in enumerate(others)]
        return unit_rows(total), np.unique(np.concatenate(missing))


def _class_table(
    by_partner: Mapping[int, list[str]], template: str, number: Mapping[str, int], embeddings: NDArray[np.float32]
) -> ClassTable:
    partners = sorted(by_partner)
    counts = Counter(text for captions in by_partner.values() for text in captions)
    # The template comes first, so that a caption with the same text is not counted as a second one.
    shared = list(dict.fromkeys([template, *(text for text, count in counts.items() if count > 1)]))
    column = {text: index for index, text in enumerate(shared)}
    rows = np.zeros((len(shared) + len(partners) + 1, embeddings.shape[1]), dtype=np.float32)
    shares = np.zeros((len(partners) + 1, len(shared)), dtype=np.float32)
    sizes = np.zeros(len(rows), dtype=np.float32)
    rows[: len(shared)] = embeddings[[number[text] for text in shared]]
    sizes[: len(shared)] = 1
    for place, partner in enumerate(partners):
        captions = by_partner[partner]
        alone = [number[text] for text in captions if text not in column]
        rows[len(shared) + place] = embeddings[alone].sum(axis=0)
        sizes[len(shared) + place] = len(alone)
        shares[place, [column[text] for text in captions if text in column]] = 1.0
    shares[len(partners), column[template]] = 1.0
    return ClassTable(rows, shares, sizes)


def _groups(
    by_partner: Mapping[int, list[str]], template: str, number: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of a class's captions, pair by pair and last the template, and where each pair begins."""
    groups = [*(by_partner[partner] for partner in sorted(by_partner)), [template]]
    starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
    return np.array([number[text] for group in groups for text in group]), starts
