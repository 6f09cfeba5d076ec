"""What a model said of masked inputs, as the metrics read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch

from evals.faithfulness.hiding.asks import WHOLE
from evals.faithfulness.hiding.ordering import importance_of
from verbalize.attribution import score_of_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.ordering import Order
    from verbalize.saliency import Floats, Query, Saliency

Scale: TypeAlias = Literal["logits", "probabilities"]
SCALES: tuple[Scale, ...] = ("logits", "probabilities")


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model said of the masked inputs of N maps, in one scale.

    Args:
        maps: N maps. Their inputs may have different numbers of parts.
        class_names: K names, one per logit.
        found: for each request the (N, S, K) logits. Where a map has fewer masks than others, the rest is NaN.
        scale: in what `scores` are given: "logits" or "probabilities".
        model: the model.
        explain: a function (inputs, queries) -> maps, which explains other inputs in the way that made these maps.
        truth: for each map the (M, P) plausible masks, true where the decisive parts are, or none.
        order: what puts the parts in order: "scores", or "magnitude" for absolute scores.
    """

    maps: Sequence[Saliency]
    class_names: tuple[str, ...]
    found: Mapping[Ask, Floats]
    scale: Scale = "logits"
    model: Any = None
    explain: Callable[[list[Any], list[Query]], Sequence[Saliency]] | None = None
    truth: Sequence[NDArray[np.bool_]] | None = None
    order: Order = "scores"
    kept: dict[Any, Any] = field(default_factory=dict)
    """What metrics keep for other metrics of the same maps, by a key of their own: such as maps of other inputs."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why a metric is not defined for a map, by its row, where that is not for the reason in `Metric.undefined`."""

    def logits(self, ask: Ask) -> Floats:
        """(N, S, K) logits."""
        return self.found[ask]

    def probabilities(self, ask: Ask) -> Floats:
        """(N, S, K) softmax of the logits."""
        return softmax(self.found[ask])

    def scores(self, ask: Ask, queries: Sequence[Query] | None = None) -> Floats:
        """(N, S) scores of the query of each map, or of other queries, one per map.

        In logits, this is `verbalize.attribution.score_of_query`. In probabilities, it is the probability of the label or of
        its members, minus the probability of the labels in `versus` where the query is contrastive.
        """
        return query_scores(self.found[ask], self._queries(queries), self.class_names, self.scale)

    def original(self, queries: Sequence[Query] | None = None) -> Floats:
        """(N,) scores of the inputs of which nothing is hidden."""
        return self.scores(WHOLE, queries)[:, 0]

    def importance(self, row: int) -> Floats:
        """(P,) what puts the parts of a map in order: its scores or their magnitudes."""
        return importance_of(self.maps[row], self.order)

    def rival(self, row: int) -> str | None:
        """The class that the model finds most likely next to the label or the members of a map's query.

        `None`, with the reason in `reasons`, where these are all classes.
        """
        query = self.maps[row].query
        own = query.members or (query.label,)
        logits = self.logits(WHOLE)[row, 0].copy()
        logits[[index for index, name in enumerate(self.class_names) if name in own]] = -np.inf
        if np.isneginf(logits).all():
            self.reasons[row] = "its query is about all classes, so that there is no other one"
            return None
        return self.class_names[int(logits.argmax())]

    def _queries(self, queries: Sequence[Query] | None) -> Sequence[Query]:
        return [one.query for one in self.maps] if queries is None else queries


def area_under(scores: Floats, shares: Sequence[float]) -> Floats:
    """(N,) areas under N curves of (N, S) scores over (S,) growing shares, by the trapezoidal rule."""
    middles = (scores[:, 1:] + scores[:, :-1]) / 2
    area: Floats = middles @ np.diff(np.asarray(shares))
    return area


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return found


def query_scores(logits: Floats, queries: Sequence[Query], class_names: Sequence[str], scale: Scale) -> Floats:
    """(N, S) scores of N queries, from (N, S, K) logits. Rows of NaN stay NaN."""
    scores = np.full(logits.shape[:2], np.nan)
    rows_of: dict[Query, list[int]] = {}
    for row, query in enumerate(queries):
        rows_of.setdefault(query, []).append(row)
    for query, rows in rows_of.items():
        chosen = logits[rows].reshape(-1, logits.shape[2])
        there = ~np.isnan(chosen).any(axis=1)
        values = np.full(len(chosen), np.nan)
        if there.any():
            values[there] = _scored(chosen[there], query, class_names, scale)
        scores[rows] = values.reshape(len(rows), -1)
    return scores


def _scored(logits: Floats, query: Query, class_names: Sequence[str], scale: Scale) -> Floats:
    if scale == "probabilities":
        logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)  # their logarithms, so that sets add up
        own = torch.from_numpy(logits)
        found = score_of_query(own, type(query)(query.label, (), query.members), class_names).exp()
        if query.versus:
            found = found - score_of_query(own, type(query)("versus", (), query.versus), class_names).exp()
    else:
        found = score_of_query(torch.from_numpy(logits), query, class_names)
    scores: Floats = found.numpy()
    return scores
