"""How good are the words? Truth, coverage, omissions, length and readability of texts about maps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from agents._errors import UsageError
from evals.tables import Table
from evals.wording_suite import adversarial_suite
from verbalize.claims import ERROR_KINDS, Claim, check
from verbalize.evidence import evidence_of
from verbalize.reading import read_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.evidence import Evidence
    from verbalize.saliency import Saliency
    from verbalize.verbalization import Verbalization

__all__ = ["adversarial_suite", "coverage_at", "evaluate", "omissions", "readability"]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouy]+")


def evaluate(texts: Iterable[str | Verbalization], saliencies: Iterable[Saliency], *, k: int = 5) -> Table:
    """Measure texts against the maps they speak of, pair by pair.

    Columns: `id`; `statements` read in the text; `false` and one column a kind of error; `precision` (true over all statements,
    those about parts that are not in the input among them; empty where nothing is stated); `unread` sentences that speak of the
    evidence in words that can't be read as a claim; `named`, how many words or regions are named; `coverage`, the share of the
    mass they hold; `coverage_at_k` (see `coverage_at`); `coverage_equal`, the coverage over the greatest that as many words
    could have; `top_omitted` and `omitted_mass` (see `omissions`); `words`; `readability` (see `readability`).
    The summary pools the statements and averages the rest over the texts.

    Args:
        texts: strings or verbalizations; of the latter the text is read, like anybody else's.
        saliencies: as many maps, in the same order.
        k: words that `coverage_at_k` looks at.

    Raises:
        UsageError: the numbers of texts and maps differ.
    """
    said, maps = [text if isinstance(text, str) else text.text for text in texts], list(saliencies)
    if len(said) != len(maps):
        raise UsageError(f"there are {len(said)} texts but {len(maps)} maps; give one map for each text, in the same order")
    rows = [_row(text, saliency, k) for text, saliency in zip(said, maps, strict=True)]
    return Table(COLUMNS, tuple(rows), _summary(rows))


COLUMNS = (
    "id", "statements", "false", *ERROR_KINDS, "precision", "unread", "named", "coverage", "coverage_at_k", "coverage_equal",
    "top_omitted", "omitted_mass", "words", "readability",
)  # fmt: skip


def _row(text: str, saliency: Saliency, k: int) -> dict[str, Any]:
    sentences = read_sentences(text, saliency)
    claims = [claim for sentence in sentences for claim in sentence.claims]
    report = check(claims, saliency)
    evidence = evidence_of(saliency)
    named = named_parts(claims, evidence)
    best = _best_mass(evidence, len(named))
    coverage = _share(evidence, named)
    top, mass = omissions(named, evidence)
    return {
        "id": saliency.saliency_id,
        "statements": len(claims),
        "false": len(report.errors),
        **report.counts(),
        "precision": report.precision if claims else None,
        "unread": sum(sentence.unread for sentence in sentences),
        "named": len(named),
        "coverage": coverage,
        "coverage_at_k": coverage_at(named, evidence, k),
        "coverage_equal": coverage / best if best > 0 else None,
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
    for name in ("named", "coverage", "coverage_at_k", "coverage_equal", "top_omitted", "omitted_mass", "words", "readability"):
        values = [float(row[name]) for row in rows if row[name] is not None]
        summary[name] = float(np.mean(values)) if values else None
    return summary


def named_parts(claims: Iterable[Claim], evidence: Evidence) -> tuple[int, ...]:
    """The words or regions that claims name, each once; what is not in the input is left out."""
    indices = {i for claim in claims for part in (claim.part, claim.other) for i in part or ()}
    return tuple(sorted(i for i in indices if 0 <= i < len(evidence)))


def coverage_at(named: Sequence[int], evidence: Evidence, k: int = 5) -> float | None:
    """How many of the k parts with the greatest scores are named, over k: the coverage of Feldhus et al. 2023, section 4.

    Only parts that score above 0 count (so k is at most their number); where none does, those with the greatest magnitude.
    `None` where no part scores at all.
    """
    strength = _strength(evidence)
    ranked = np.argsort(-strength, kind="stable")[:k]
    top = [int(i) for i in ranked if strength[i] > 0]
    return len(set(named) & set(top)) / len(top) if top else None


def omissions(named: Sequence[int], evidence: Evidence, mass: float = 0.5) -> tuple[bool | None, float | None]:
    """Whether the strongest part goes unmentioned, and how much of the top mass does.

    The top mass is the smallest set of parts that holds `mass` of the evidence (for the label; where nothing speaks for it,
    either way). The second figure is the share of that set's mass that no sentence names. Both are `None` on maps without mass.
    """
    strength = _strength(evidence)
    total = float(strength.sum())
    if total <= 0:
        return None, None
    order = np.argsort(-strength, kind="stable")
    count = int(np.searchsorted(np.cumsum(strength[order]), mass * total * (1 - 1e-12))) + 1
    top = order[:count]
    missing = [i for i in top if int(i) not in set(named)]
    peak = set(np.flatnonzero(strength == strength.max()).tolist())
    return not (peak & set(named)), float(strength[missing].sum() / strength[top].sum())


def readability(text: str) -> float | None:
    """Flesch reading ease (Flesch 1948): 206.835 - 1.015 words/sentences - 84.6 syllables/words; higher is easier.

    Syllables are counted as groups of vowels, a final silent e left out. `None` for a text without words.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    sentences = max(1, len(re.findall(r"[.!?]+(?=\s|$)", text)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(_syllables, words)) / len(words)


def _syllables(word: str) -> int:
    lowered = word.lower()
    count = len(_VOWELS.findall(lowered))
    if lowered.endswith("e") and not lowered.endswith(("le", "ee")) and count > 1:
        count -= 1
    return max(1, count)


def _strength(evidence: Evidence) -> Any:
    return evidence.positive if evidence.positive_mass > 0 else evidence.positive + evidence.negative


def _share(evidence: Evidence, named: Sequence[int]) -> float:
    of = "positive" if evidence.positive_mass > 0 else "absolute"
    total = evidence.total(of)
    return min(1.0, evidence.mass(named, of) / total) if total and named else 0.0


def _best_mass(evidence: Evidence, count: int) -> float:
    """The greatest coverage that `count` parts could have."""
    strength = np.sort(_strength(evidence))[::-1]
    total = evidence.total("positive" if evidence.positive_mass > 0 else "absolute")
    return min(1.0, float(strength[:count].sum()) / total) if total else 0.0
