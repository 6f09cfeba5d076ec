"""Metrics of the wording of a text. Each gives one number; `METRICS` lists them all, and plug-ins add to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from saywhy_core.registry import Registry
from verbalize.claims import coverage_of, named_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from verbalize.claims import CheckReport, Claim
    from verbalize.read import ReadSentence
    from verbalize.saliency import Floats, Saliency

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’»」)\]]*(?:\s+|$)")


@dataclass(frozen=True)
class Sample:
    """A text about a map, read and checked.

    Args:
        text: the text.
        saliency: the map.
        sentences: the sentences of the text, as they were read.
        report: the claims of all sentences, and which of them are false.
        shares: (P,) the share of the mass of the map that each word or region holds.
        named: indices of the words or regions that the claims name.
        k: how many of the strongest parts "coverage at k" looks at.
    """

    text: str
    saliency: Saliency
    sentences: tuple[ReadSentence, ...]
    report: CheckReport
    shares: Floats
    named: tuple[int, ...]
    k: int


@dataclass(frozen=True)
class Metric:
    """A metric of one text.

    Args:
        summary: one line about the metric.
        measure: gives the value for a text: a finite number, or `None` if the metric is not defined for it.
        pooled: "sum" or "mean": how the summary of many texts combines their values.
    """

    summary: str
    measure: Callable[[Sample], float | None]
    pooled: Literal["sum", "mean"] = "mean"


_HERE = "evals.wording.metrics"
METRICS: Registry[Metric] = Registry(
    "metric of wording",
    "saywhy.metrics",
    {
        "statements": f"{_HERE}:STATEMENTS",
        "false": f"{_HERE}:FALSE",
        "part not in the input": f"{_HERE}:NOT_IN_THE_INPUT",
        "wrong sign": f"{_HERE}:WRONG_SIGN",
        "wrong rank": f"{_HERE}:WRONG_RANK",
        "wrong number": f"{_HERE}:WRONG_NUMBER",
        "wrong label": f"{_HERE}:WRONG_LABEL",
        "wrong absence": f"{_HERE}:WRONG_ABSENCE",
        "wrong effect": f"{_HERE}:WRONG_EFFECT",
        "undecided": f"{_HERE}:UNDECIDED",
        "precision": f"{_HERE}:PRECISION",
        "unread": f"{_HERE}:UNREAD",
        "named": f"{_HERE}:NAMED",
        "coverage": f"{_HERE}:COVERAGE",
        "coverage_at_k": f"{_HERE}:COVERAGE_AT_K",
        "coverage_equal": f"{_HERE}:COVERAGE_EQUAL",
        "top_omitted": f"{_HERE}:TOP_OMITTED",
        "omitted_mass": f"{_HERE}:OMITTED_MASS",
        "words": f"{_HERE}:WORDS",
        "readability": f"{_HERE}:READABILITY",
    },
    expects=Metric,
)


def coverage_at(named: Sequence[int], shares: Floats, k: int = 5) -> float | None:
    """Coverage at k: the share of the mass that lies in named parts, counting only the k strongest parts.

    Source: the evaluation published with Feldhus et al. 2023 (`DFKI-NLP/SMV`, "Coverage @ k"): the sum of the scores of those
    of the k strongest positive words that the text quotes, divided by the sum of all positive scores.
    Three things differ. A word counts only at the place that the text means, not at every place where the same word occurs.
    If words tie for the k-th place, any of them counts. If no score is positive, magnitudes count; the published value is 0.

    Args:
        named: indices of the parts that the text names.
        shares: (P,) the share of the mass that each part holds, as from `verbalize.claims.shares_of`.
        k: how many of the strongest parts count.

    Returns:
        The share, 0..1; `None` if no part holds any mass.
    """
    return _of_strongest(named, shares, k)[0] if shares.any() else None


def omissions(named: Sequence[int], shares: Floats, mass: float = 0.5) -> tuple[bool | None, float | None]:
    """Whether the strongest part is not named, and the share of the top mass that is not named.

    The top mass is the mass of the smallest number of parts that together hold the fraction `mass` of all mass. If parts tie
    for the last place among them, any of them counts.

    Args:
        named: indices of the parts that the text names.
        shares: (P,) the share of the mass that each part holds, as from `verbalize.claims.shares_of`.
        mass: the fraction of all mass that the top parts hold.

    Returns:
        (whether the strongest part is not named, the unnamed share of the top mass); both `None` if no part holds any mass.
    """
    if not shares.any():
        return None, None
    reached = np.cumsum(np.sort(shares)[::-1])
    count = int(np.searchsorted(reached, mass * reached[-1] * (1 - 1e-12))) + 1
    held, whole = _of_strongest(named, shares, count)
    peak = set(np.flatnonzero(shares == shares.max()).tolist())
    return not (peak & set(named)), max(0.0, 1.0 - held / whole)


def _of_strongest(named: Sequence[int], shares: Floats, count: int) -> tuple[float, float]:
    """The mass of the named parts among the `count` strongest, and the mass of all `count` strongest."""
    count = min(count, len(shares))
    ranked = np.sort(shares)[::-1]
    edge = ranked[count - 1]
    chosen = np.zeros(len(shares), dtype=bool)
    chosen[list(named)] = True
    places = count - int((shares > edge).sum())
    tied = min(places, int((chosen & (shares == edge)).sum()))
    return float(shares[chosen & (shares > edge)].sum() + tied * edge), float(ranked[:count].sum())


def _coverage_equal(claims: Iterable[Claim], shares: Floats, saliency: Saliency) -> float | None:
    """The coverage divided by the greatest coverage of as many parts; `None` if no part is named or has mass."""
    signed = bool((saliency.scores > 0).any())
    meant = [claim for claim in claims if not (signed and _speaks_against(claim))]
    count = len(named_parts(meant, len(shares)))
    best = min(1.0, float(np.sort(shares)[::-1][:count].sum()))
    return min(1.0, coverage_of(meant, saliency) / best) if best > 0 else None


def _speaks_against(claim: Claim) -> bool:
    return "opposes" in (claim.kind, claim.direction) or (claim.kind == "share" and claim.of == "negative")


def readability(text: str) -> float | None:
    """Flesch reading ease (Flesch 1948): 206.835 - 1.015 words/sentences - 84.6 syllables/words; higher is easier.

    The scale is made for English. textstat counts the syllables, with the CMU Pronouncing Dictionary or, for words outside it,
    with the hyphenation of pyphen. Words and sentences are counted here, because textstat leaves out sentences of one or two
    words, which occur in texts about maps. The value of a text without words is `None`.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    from textstat import syllable_count  # its dictionary takes half a second to load

    sentences = sum(bool(_WORD.search(sentence)) for sentence in _SENTENCE_END.split(text))
    syllables = int(syllable_count(" ".join(words)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def _falsehoods(kind: str) -> Metric:
    return Metric(f"false statements: {kind}", lambda sample: sample.report.counts()[kind], pooled="sum")


STATEMENTS = Metric("statements about the map", lambda sample: len(sample.report.claims), pooled="sum")
FALSE = Metric("statements that are false of the map", lambda sample: len(sample.report.errors), pooled="sum")
NOT_IN_THE_INPUT = _falsehoods("part not in the input")
WRONG_SIGN = _falsehoods("wrong sign")
WRONG_RANK = _falsehoods("wrong rank")
WRONG_NUMBER = _falsehoods("wrong number")
WRONG_LABEL = _falsehoods("wrong label")
WRONG_ABSENCE = _falsehoods("wrong absence")
WRONG_EFFECT = _falsehoods("wrong effect")
UNDECIDED = Metric("statements that the map can't decide", lambda sample: len(sample.report.undecided), pooled="sum")
PRECISION = Metric(
    "true statements divided by true and false ones",
    lambda sample: sample.report.precision if len(sample.report.claims) > len(sample.report.undecided) else None,
)
UNREAD = Metric(
    "sentences about the evidence that can't be read",
    lambda sample: sum(sentence.unread for sentence in sample.sentences),
    pooled="sum",
)
NAMED = Metric("words or regions that are named", lambda sample: len(sample.named))
COVERAGE = Metric(
    "share of the mass in the named parts",
    lambda sample: coverage_of(sample.report.claims, sample.saliency) if sample.saliency.scores.any() else None,
)
COVERAGE_AT_K = Metric(
    "share of the mass in named parts, counting only the k strongest parts",
    lambda sample: coverage_at(sample.named, sample.shares, sample.k),
)
COVERAGE_EQUAL = Metric(
    "coverage divided by the greatest possible coverage of as many parts",
    lambda sample: _coverage_equal(sample.report.claims, sample.shares, sample.saliency),
)
TOP_OMITTED = Metric("whether the strongest part is not named", lambda sample: omissions(sample.named, sample.shares)[0])
OMITTED_MASS = Metric("share of the top mass that is not named", lambda sample: omissions(sample.named, sample.shares)[1])
WORDS = Metric("words of the text", lambda sample: len(_WORD.findall(sample.text)))
READABILITY = Metric("Flesch reading ease", lambda sample: readability(sample.text))
