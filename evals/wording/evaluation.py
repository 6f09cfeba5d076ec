"""How good are the words? Truth, coverage, omissions, length and readability of texts about maps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.tables import Table
from evals.wording.suite import adversarial_suite
from saywhy_core.errors import UsageError
from verbalize.claims import ERROR_KINDS, Claim, check, coverage_of, named_parts, shares_of
from verbalize.read import read_sentences
from verbalize.verbalization import Verbalization

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.saliency import Floats, Saliency

__all__ = ["COLUMNS", "ERROR_KINDS", "adversarial_suite", "coverage_at", "evaluate", "omissions", "readability"]

COLUMNS = (
    "id", "statements", "false", *ERROR_KINDS, "precision", "unread", "named", "coverage", "coverage_at_k", "coverage_equal",
    "top_omitted", "omitted_mass", "words", "readability",
)  # fmt: skip
_MEANS = ("named", "coverage", "coverage_at_k", "coverage_equal", "top_omitted", "omitted_mass", "words", "readability")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’»」)\]]*(?:\s+|$)")


def evaluate(texts: Iterable[str | Verbalization], saliencies: Iterable[Saliency], *, k: int = 5) -> Table:
    """Measure texts against the maps they speak of, pair by pair.

    Columns: `id`; `statements` read in the text; `false` and one column a kind of error; `precision` (true over all statements,
    those about parts that are not in the input among them; empty where nothing is stated); `unread` sentences that speak of the
    evidence in words that can't be read as a claim; `named`, how many words or regions are named; `coverage`, the share of the
    mass they hold (empty on maps without any); `coverage_at_k` (see `coverage_at`); `coverage_equal`, the coverage over the
    greatest that as many words could have (words that are only said to speak against the label count neither way);
    `top_omitted` and `omitted_mass` (see `omissions`); `words`; `readability` (see `readability`).
    The summary pools the statements and averages the rest over the texts.

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
    rows = [_row(text, saliency, k) for text, saliency in zip(said, maps, strict=True)]
    return Table(COLUMNS, tuple(rows), _summary(rows))


def _said(text: str | Verbalization, number: int) -> str:
    if isinstance(text, Verbalization):
        return text.text
    if not isinstance(text, str):
        raise UsageError(f"text {number} is a {type(text).__name__}; give strings or verbalizations")
    return text


def _row(text: str, saliency: Saliency, k: int) -> dict[str, Any]:
    sentences = read_sentences(text, saliency)
    claims = [claim for sentence in sentences for claim in sentence.claims]
    report = check(claims, saliency)
    shares = shares_of(saliency)
    named = named_parts(claims, len(shares))
    top, mass = omissions(named, shares)
    return {
        "id": saliency.saliency_id,
        "statements": len(claims),
        "false": len(report.errors),
        **report.counts(),
        "precision": report.precision if claims else None,
        "unread": sum(sentence.unread for sentence in sentences),
        "named": len(named),
        "coverage": coverage_of(claims, saliency) if saliency.scores.any() else None,
        "coverage_at_k": coverage_at(named, shares, k),
        "coverage_equal": _coverage_equal(claims, shares, saliency),
        "top_omitted": top,
        "omitted_mass": mass,
        "words": len(_WORD.findall(text)),
        "readability": readability(text),
    }


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    statements, false = sum(row["statements"] for row in rows), sum(row["false"] for row in rows)
    summary: dict[str, Any] = {
        "texts": len(rows),
        "statements": statements,
        "false": false,
        **{kind: sum(row[kind] for row in rows) for kind in ERROR_KINDS},
        "precision": 1 - false / statements if statements else None,
        "unread": sum(row["unread"] for row in rows),
        "texts with something false": sum(row["false"] > 0 for row in rows),
    }
    for name in _MEANS:
        values = [float(row[name]) for row in rows if row[name] is not None]
        summary[name] = float(np.mean(values)) if values else None
    return summary


def coverage_at(named: Sequence[int], shares: Floats, k: int = 5) -> float | None:
    """Coverage at k: the share of the mass that lies in those of the k strongest parts that are named.

    Source: the evaluation published with Feldhus et al. 2023 (`DFKI-NLP/SMV`, "Coverage @ k"): the scores of the k strongest
    positive words, those summed that the text quotes, over the sum of all positive scores.
    Departures: a word is counted at the place that is meant (published: at every place where the same word stands); of words
    that tie for the k-th place any will do; where no score is positive, magnitudes count (published: 0).

    Args:
        named: numbers of the parts that are named.
        shares: (P,) as from `verbalize.claims.shares_of`.
        k: parts that are looked at.

    Returns:
        0..1, and `None` where no part holds any mass.
    """
    return _of_strongest(named, shares, k)[0] if shares.any() else None


def omissions(named: Sequence[int], shares: Floats, mass: float = 0.5) -> tuple[bool | None, float | None]:
    """Whether the strongest part goes unmentioned, and how much of the top mass does.

    The top mass is that of the fewest parts that hold `mass` of what all parts hold; of parts that tie for the last place any
    will do. The second figure is the share of it that no sentence names. Both are `None` where no part holds any mass.
    """
    if not shares.any():
        return None, None
    reached = np.cumsum(np.sort(shares)[::-1])
    count = int(np.searchsorted(reached, mass * reached[-1] * (1 - 1e-12))) + 1
    held, whole = _of_strongest(named, shares, count)
    peak = set(np.flatnonzero(shares == shares.max()).tolist())
    return not (peak & set(named)), max(0.0, 1.0 - held / whole)


def _of_strongest(named: Sequence[int], shares: Floats, count: int) -> tuple[float, float]:
    """What the named ones among the `count` strongest parts hold, and what these hold in all."""
    count = min(count, len(shares))
    ranked = np.sort(shares)[::-1]
    edge = ranked[count - 1]
    chosen = np.zeros(len(shares), dtype=bool)
    chosen[list(named)] = True
    places = count - int((shares > edge).sum())
    tied = min(places, int((chosen & (shares == edge)).sum()))
    return float(shares[chosen & (shares > edge)].sum() + tied * edge), float(ranked[:count].sum())


def _coverage_equal(claims: Iterable[Claim], shares: Floats, saliency: Saliency) -> float | None:
    """The coverage over the greatest that as many parts could have; `None` where none is named, or nothing has mass."""
    signed = bool((saliency.scores > 0).any())
    meant = [claim for claim in claims if not (signed and _speaks_against(claim))]
    count = len(named_parts(meant, len(shares)))
    best = min(1.0, float(np.sort(shares)[::-1][:count].sum()))
    return min(1.0, coverage_of(meant, saliency) / best) if best > 0 else None


def _speaks_against(claim: Claim) -> bool:
    return "opposes" in (claim.kind, claim.direction) or (claim.kind == "share" and claim.of == "negative")


def readability(text: str) -> float | None:
    """Flesch reading ease (Flesch 1948): 206.835 - 1.015 words/sentences - 84.6 syllables/words; higher is easier.

    The scale is made for English. Syllables are those of textstat (the CMU Pronouncing Dictionary, and for words that are not
    in it the hyphenation of pyphen). Words and sentences are counted here, because textstat leaves out sentences of one or two
    words, which texts about maps have. `None` for a text without words.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    from textstat import syllable_count  # its dictionary takes half a second to load

    sentences = sum(bool(_WORD.search(sentence)) for sentence in _SENTENCE_END.split(text))
    syllables = int(syllable_count(" ".join(words)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)
