"""How the captions of an image's candidates become one score per candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from agents.prompting.second_look.caption_tables import CaptionTables

Aggregate = Literal["embeddings", "similarities", "max", "votes", "margins"]
"""The names of the aggregations; `FollowUp` defines them."""
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
COSINES: tuple[Aggregate, ...] = ("embeddings", "similarities", "max")
"""Aggregations whose scores are cosines, so that they can be mixed with those of the first look."""

CHUNK_FLOATS = 4_000_000
"""Vectors, or values by image and pair, held at a time (16 MB)."""


def check_aggregate(aggregate: str) -> None:
    """Raise `UsageError` where there is no aggregation of that name."""
    if aggregate not in AGGREGATES:
        raise UsageError(f"aggregate must be one of {', '.join(AGGREGATES)}, not {aggregate!r:.80}")


class FollowUp:
    """Scores candidates by their captions.

    Let x be an image, C its k candidates, T(a, b) the set of captions of class a in the pair of a and b (its template where the
    pair is missing), T(a) the union of T(a, b) over the other candidates b, and e(t) the embedding of t at length 1. With
    cos(x, a, b) for the cosine of x with the mean of e(t) over T(a, b), the score of a candidate a is

    - "embeddings": the cosine of x with the mean of e(t) over T(a), as published (Esfandiarpoor & Bach 2024);
    - "similarities": the mean over T(a) of the cosines of x with e(t), as Menon & Vondrick (2023) do;
    - "max": the largest cosine of x with a caption of T(a);
    - "votes": the share of the other candidates b with cos(x, a, b) > cos(x, b, a), where a tie counts half;
    - "margins": the mean over the other candidates b of cos(x, a, b) - cos(x, b, a). These are, up to a factor, the strengths
      that fit a Bradley-Terry model by least squares, where each pair's log odds are proportional to its margin: every pair is
      compared once, and then the mean is that fit.

    With one candidate the score is that of the first look.

    Args:
        tables: the captions as vectors; with captions one by one for "max".
        aggregate: one of these names.
    """

    def __init__(self, tables: CaptionTables, aggregate: Aggregate) -> None:
        self._tables, self._aggregate = tables, aggregate
        self._static: NDArray[np.float32] | None = None

    def scores(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64], first: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The scores N×k of the candidates.

        Args:
            rows: N×D images, of length 1.
            candidates: N×k class numbers.
            first: N×k cosines of the first look.
        """
        images, k = candidates.shape
        if k == 1 or not images:
            return first
        if self._aggregate == "embeddings" and k == len(self._tables):
            if self._static is None:
                self._static, _ = self._tables.static_vectors()
            return np.take_along_axis(rows @ self._static.T, candidates, axis=1)
        if self._aggregate in ("embeddings", "similarities"):
            return self._by_sums(rows, candidates)
        return self._by_pairs(rows, candidates, first, [k])[:, 0]

    def scores_by_k(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64], first: NDArray[np.float32], ks: Sequence[int]
    ) -> NDArray[np.float32]:
        """The scores N×len(ks)×k of the first 1, ..., k candidates, -inf beyond; what several ks need is computed once.

        Args:
            rows: N×D images, of length 1.
            candidates: N×k class numbers, most similar first.
            first: N×k cosines of the first look.
            ks: numbers of candidates from 1 to k, ascending.
        """
        if self._aggregate in ("embeddings", "similarities"):
            return self._by_growing_sums(rows, candidates, first, list(ks))
        return self._by_pairs(rows, candidates, first, ks)

    def missing(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """The keys (i·K + j, i < j) of the pairs of candidates that have no captions, each once, ascending."""
        classes, k = len(self._tables), candidates.shape[1]
        if self._tables.complete or k == 1:
            return np.empty(0, dtype=np.int64)
        if k == classes and len(candidates):
            everyone = np.arange(classes)
            parts = [self._tables.absent(owner, np.delete(everyone, owner)) for owner in range(classes)]
        else:
            most = max(1, CHUNK_FLOATS // k)
            parts = [self._tables.absent(owner, partners) for owner, _, _, partners in self._members(candidates, most)]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *parts]))

    def _members(
        self, candidates: NDArray[np.int64], most: int
    ) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Class by class, at most so many at a time: the images it is a candidate of, its ranks, and the other candidates."""
        k = candidates.shape[1]
        others = np.array([[other for other in range(k) if other != own] for own in range(k)], dtype=np.int64).reshape(k, k - 1)
        order = np.argsort(candidates, axis=None, kind="stable")
        owners, starts = np.unique(candidates.reshape(-1)[order], return_index=True)
        for owner, members in zip(owners.tolist(), np.split(order, starts[1:]), strict=True):
            for at in range(0, len(members), most):
                image, rank = np.divmod(members[at : at + most], k)
                yield owner, image, rank, candidates[image[:, None], others[rank]]

    def _by_sums(self, rows: NDArray[np.float32], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.empty(candidates.shape, dtype=np.float32)
        for owner, image, rank, partners in self._members(candidates, max(1, CHUNK_FLOATS // rows.shape[1])):
            total, count = self._tables.sums(owner, partners)
            found[image, rank] = self._of_sum(total, count, np.einsum("nd,nd->n", total, rows[image]))
        return found

    def _of_sum(self, total: NDArray[np.float32], count: NDArray[np.float32], dots: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._aggregate == "similarities":
            scores: NDArray[np.float32] = dots / count
        else:
            scores = dots / np.maximum(np.sqrt(np.einsum("nd,nd->n", total, total)), 1e-12)
        return scores

    def _by_growing_sums(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64], first: NDArray[np.float32], ks: list[int]
    ) -> NDArray[np.float32]:
        images, k = candidates.shape
        found = np.full((images, len(ks), k), -np.inf, dtype=np.float32)
        if ks[0] == 1:
            found[:, 0, 0] = first[:, 0]
        place_of = {number: place for place, number in enumerate(ks)}
        for owner, image, rank, partners in self._members(candidates, max(1, CHUNK_FLOATS // rows.shape[1])):
            table, places = self._tables.of_class(owner), self._tables.places(owner, partners)
            shared = table.shares.shape[1]
            total = np.zeros((len(image), rows.shape[1]), dtype=np.float32)
            count = np.zeros(len(image), dtype=np.float32)
            counted = np.zeros((len(image), shared), dtype=bool)
            # After n partners the first n + 1 candidates have been met, where this one is among them.
            for met in range(2, k + 1):
                place = places[:, met - 2]
                new = (table.shares[np.where(place < 0, -1, place - shared)] > 0) & ~counted
                counted |= new
                total += table.rows[place] + new @ table.rows[:shared]
                count += table.counts[place] + new.sum(axis=1)
                if met in place_of:
                    within = np.flatnonzero(rank < met)
                    dots = np.einsum("nd,nd->n", total[within], rows[image[within]])
                    found[image[within], place_of[met], rank[within]] = self._of_sum(total[within], count[within], dots)
        return found

    def _by_pairs(
        self, rows: NDArray[np.float32], candidates: NDArray[np.int64], first: NDArray[np.float32], ks: Sequence[int]
    ) -> NDArray[np.float32]:
        images, k = candidates.shape
        found = np.full((images, len(ks), k), -np.inf, dtype=np.float32)
        step = max(1, CHUNK_FLOATS // (k * k))
        for start in range(0, images, step):
            part = slice(start, start + step)
            values = self._pair_values(rows[part], candidates[part])
            if self._aggregate == "max":
                values[:, np.arange(k), np.arange(k)] = -np.inf
                grown = np.maximum.accumulate(values, axis=2)
            else:
                margins = values - values.transpose(0, 2, 1)
                if self._aggregate == "votes":
                    margins = np.sign(margins) / 2 + 0.5
                margins[:, np.arange(k), np.arange(k)] = 0.0
                grown = margins.cumsum(axis=2)
            for place, number in enumerate(ks):
                if number == 1:
                    found[part, place, 0] = first[part, 0]
                    continue
                scale = 1 if self._aggregate == "max" else number - 1
                found[part, place, :number] = grown[:, :number, number - 1] / scale
        return found

    def _pair_values(self, rows: NDArray[np.float32], candidates: NDArray[np.int64]) -> NDArray[np.float32]:
        """N×k×k: for each candidate and each other one, the image's cosine with the captions of the first in their pair."""
        images, k = candidates.shape
        others = np.array([[other for other in range(k) if other != own] for own in range(k)], dtype=np.int64).reshape(k, k - 1)
        values = np.zeros((images, k, k), dtype=np.float32)
        for owner, image, rank, partners in self._members(candidates, max(1, CHUNK_FLOATS // (rows.shape[1] * max(1, k - 1)))):
            places = self._tables.places(owner, partners)
            row = np.where(places < 0, -1, places - self._tables.of_class(owner).shares.shape[1])
            if self._aggregate == "max":
                cosines = np.take_along_axis(self._tables.highest(owner, rows[image]), row, axis=1)
            else:
                cosines = np.einsum("npd,nd->np", self._tables.pair_means(owner)[row], rows[image])
            values[image[:, None], rank[:, None], others[rank]] = cosines
        return values
