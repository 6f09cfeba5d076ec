"""Answers to "why?": the question, the map with the evidence, the sentence, and its checked claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from verbalize import check, read_claims
from verbalize.claims import CLAIM_KINDS

if TYPE_CHECKING:
    from verbalize.claims import Claim
    from verbalize.saliency import Query, Saliency
    from verbalize.write.template import TemplateVerbalizer


@dataclass(frozen=True)
class Answer:
    """A question about a decision, and its answer in words that were checked against the map."""

    question: str
    saliency: Saliency
    text: str
    claims: tuple[Claim, ...]
    coverage: float
    tested: bool = False
    """Whether the sentence also says what the model does with changed inputs, which was tested on it."""


def question_of(query: Query) -> str:
    """The query as a person would ask it."""
    return f"Why {query.label} rather than {' or '.join(query.versus)}?" if query.versus else f"Why {query.label}?"


def answer(saliency: Saliency, verbalizer: TemplateVerbalizer, model: Any = None) -> Answer:
    """Put the map into words, read the words back into claims, and check the claims against the map and the model.

    Raises:
        UsageError: a claim is false. The demo never shows such a sentence.
    """
    said = verbalizer.verbalize(saliency)
    read = tuple(read_claims(said.text, saliency))
    report = check(read, saliency, model)
    if report.errors:
        raise UsageError(f"the sentence {said.text!r} is not true of its map: {report.errors[0].message}")
    return Answer(
        question_of(saliency.query),
        saliency,
        said.text,
        read,
        said.coverage,
        any(CLAIM_KINDS[claim.kind].of_effect for claim in read),
    )
