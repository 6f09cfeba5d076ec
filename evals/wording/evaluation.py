"""How good are the words? Truth, coverage, omissions, length and readability of texts about maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.tables import Table
from evals.wording.metrics import METRICS, Metric, Sample
from saywhy_core.errors import UsageError
from verbalize.claims import check, named_parts, shares_of
from verbalize.read import read_sentences
from verbalize.verbalization import Verbalization

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verbalize.saliency import Saliency


def evaluate(texts: Iterable[str | Verbalization], saliencies: Iterable[Saliency], *, k: int = 5) -> Table:
    """Measure texts against the maps they speak of, pair by pair.

    Columns: `id`; `statements` read in the text; `false` and one column a kind of error; `precision` (true over all statements,
    those about parts that are not in the input among them; empty where nothing is stated); `unread` sentences that speak of the
    evidence in words that can't be read as a claim; `named`, how many words or regions are named; `coverage`, the share of the
    mass they hold (empty on maps without any); `coverage_at_k` (see `coverage_at`); `coverage_equal`, the coverage over the
    greatest that as many words could have (words that are only said to speak against the label count neither way);
    `top_omitted` and `omitted_mass` (see `omissions`); `words`; `readability` (see `readability`).
    Metrics of plug-ins follow. The summary adds up the statements and averages the rest over the texts.

    Args:
        texts: strings or verbalizations; of the latter the text is read, like anybody else's.
        saliencies: as many maps, in the same order.
        k: words that `coverage_at_k` looks at, 1 or more.

    Raises:
        UsageError: the numbers of texts and maps differ, a text is none, or k is below 1.
    """
    if k < 1:
        raise UsageError(f"coverage at k needs a k of 1 or more, not {k}")
    said, maps = [_said(text, number) for number, text in enumerate(texts)], list(saliencies)
    if len(said) != len(maps):
        raise UsageError(f"there are {len(said)} texts but {len(maps)} maps; give one map for each text, in the same order")
    metrics = {name: METRICS.get(name) for name in METRICS}
    rows = [_row(text, saliency, k, metrics) for text, saliency in zip(said, maps, strict=True)]
    return Table(("id", *metrics), tuple(rows), _summary(rows, metrics))


def _said(text: str | Verbalization, number: int) -> str:
    if isinstance(text, Verbalization):
        return text.text
    if not isinstance(text, str):
        raise UsageError(f"text {number} is a {type(text).__name__}; give strings or verbalizations")
    return text


def _row(text: str, saliency: Saliency, k: int, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    sentences = read_sentences(text, saliency)
    report = check([claim for sentence in sentences for claim in sentence.claims], saliency)
    shares = shares_of(saliency)
    sample = Sample(text, saliency, sentences, report, shares, named_parts(report.claims, len(shares)), k)
    return {"id": saliency.saliency_id, **{name: metric.measure(sample) for name, metric in metrics.items()}}


def _summary(rows: Sequence[dict[str, Any]], metrics: Mapping[str, Metric]) -> dict[str, Any]:
    statements, false = sum(row["statements"] for row in rows), sum(row["false"] for row in rows)
    summary: dict[str, Any] = {"texts": len(rows)}
    for name, metric in metrics.items():
        values = [float(row[name]) for row in rows if row[name] is not None]
        if name == "precision":  # of all statements together, so that a text without any does not count
            summary[name] = 1 - false / statements if statements else None
        elif metric.pooled == "sum":
            summary[name] = sum(row[name] for row in rows if row[name] is not None)
        else:
            summary[name] = float(np.mean(values)) if values else None
        if name == "unread":
            summary["texts with something false"] = sum(row["false"] > 0 for row in rows)
    return summary
