"""Evaluates texts about maps: truth, coverage, omissions, length and readability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.tables import Table
from evals.wording.metrics import METRICS, Metric, Sample
from saywhy_core.errors import UsageError
from verbalize.claims import named_parts, shares_of
from verbalize.claims.checking import check_evidence, with_effects, with_predictions
from verbalize.evidence import evidence_of
from verbalize.read import read_sentences
from verbalize.verbalization import Verbalization

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from verbalize.claims.checking import CheckReport
    from verbalize.evidence import Evidence
    from verbalize.read import ReadSentence
    from verbalize.saliency import Saliency


_BATCH = 64  # texts whose inputs share the calls of a model


def evaluate(texts: Iterable[str | Verbalization], saliencies: Iterable[Saliency], *, k: int = 5, model: Any = None) -> Table:
    """Measure how true and how complete texts about maps are. Each text is read, and compared with its map.

    The columns of the result are:

    - `id`: the id of the map.
    - `statements`: the statements that were read in the text; `false`: how many of them are false. There is also one column
      per kind of error.
    - `undecided`: statements that the map can't decide, such as what speaks for a label on a map without signs, or what the
      model would do with a changed input, unless `model` is given.
    - `precision`: true statements divided by true and false ones. Statements about parts outside the input count as false.
    - `unread`: sentences about the evidence that can't be read as a claim.
    - `named`: how many words or regions the text names.
    - `coverage`: the share of the mass that they hold.
    - `coverage_at_k`: see `coverage_at`.
    - `coverage_equal`: the coverage divided by the greatest coverage of as many words. Words that are only said to speak
      against the label do not count.
    - `top_omitted` and `omitted_mass`: see `omissions`.
    - `words`: the number of words in the text.
    - `readability`: see `readability`.
    - the metrics of plug-ins.

    Args:
        texts: strings or verbalizations; of a verbalization only the text is read.
        saliencies: as many maps, in the same order.
        k: how many of the strongest parts `coverage_at_k` looks at, 1 or more.
        model: the model that the maps explain, as `verbalize.models.as_model` takes it. It decides statements about changed
            inputs, whose column is `wrong effect`, and about the prediction. The inputs of 64 texts share its calls.

    Returns:
        A table with one row per text. A value is `None` if the metric is not defined for the text. The summary adds up the
        counts of statements and unread sentences, takes `precision` over all decided statements, and averages the other columns
        over the texts.

    Raises:
        UsageError: the numbers of texts and maps differ, a text is not a string or verbalization, or k is below 1; or the model
            can't be run on the input of a map.
    """
    if k < 1:
        raise UsageError(f"coverage at k needs a k of 1 or more, not {k}")
    said, maps = [_said(text, number) for number, text in enumerate(texts)], list(saliencies)
    if len(said) != len(maps):
        raise UsageError(f"there are {len(said)} texts but {len(maps)} maps; give one map for each text, in the same order")
    metrics = dict(METRICS.usable())
    rows = [_row(text, checked, k, metrics) for text, checked in zip(said, _checked(said, maps, model), strict=True)]
    return Table(("id", *metrics), tuple(rows), _summary(rows, metrics))


def _said(text: str | Verbalization, number: int) -> str:
    if isinstance(text, Verbalization):
        return text.text
    if not isinstance(text, str):
        raise UsageError(f"text {number} is no text; give strings or verbalizations")
    return text


@dataclass(frozen=True)
class _Checked:
    """A text as it was read, and what was found of its claims."""

    saliency: Saliency
    sentences: tuple[ReadSentence, ...]
    report: CheckReport


def _checked(texts: Sequence[str], maps: Sequence[Saliency], model: Any) -> Iterator[_Checked]:
    left = iter(zip(range(len(texts)), texts, maps, strict=True))
    while batch := tuple(islice(left, 1 if model is None else _BATCH)):
        found = [saliency for _, _, saliency in batch]
        if model is not None:
            found = with_predictions(found, model)
        read = [tuple(read_sentences(text, saliency)) for (_, text, _), saliency in zip(batch, found, strict=True)]
        claims = [[claim for sentence in sentences for claim in sentence.claims] for sentences in read]
        plain = [evidence_of(saliency) for saliency in found]
        evidence: list[Evidence | UsageError] = [*plain]
        if model is not None:
            evidence = with_effects(list(zip(claims, plain, found, strict=True)), model)
        for (number, _, _), saliency, sentences, stated, known in zip(batch, found, read, claims, evidence, strict=True):
            if isinstance(known, UsageError):
                raise UsageError(f"text {number}: {known}")
            yield _Checked(saliency, sentences, check_evidence(stated, known))


def _row(text: str, checked: _Checked, k: int, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    saliency, sentences, report = checked.saliency, checked.sentences, checked.report
    shares = shares_of(saliency)
    sample = Sample(text, saliency, sentences, report, shares, named_parts(report.claims, len(shares)), k)
    return {"id": saliency.saliency_id, **{name: metric.measure(sample) for name, metric in metrics.items()}}


def _summary(rows: Sequence[dict[str, Any]], metrics: Mapping[str, Metric]) -> dict[str, Any]:
    decided, false = sum(row["statements"] - row["undecided"] for row in rows), sum(row["false"] for row in rows)
    summary: dict[str, Any] = {"texts": len(rows)}
    for name, metric in metrics.items():
        values = [float(row[name]) for row in rows if row[name] is not None]
        if name == "precision":  # over all decided statements together, so that a text without statements has no weight
            summary[name] = 1 - false / decided if decided else None
        elif metric.pooled == "sum":
            summary[name] = sum(row[name] for row in rows if row[name] is not None)
        else:
            summary[name] = float(np.mean(values)) if values else None
        if name == "unread":
            summary["texts with something false"] = sum(row["false"] > 0 for row in rows)
    return summary
