"""The result of a verbalizer: the text, the claims that it makes, and how much of the map they cover."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.claims.claim import Claim

VERSION = 1
COMMENT_MARK = "The model adds, unchecked:"  # stands before a comment wherever people read it


@dataclass(frozen=True)
class Verbalization:
    """A text about one map.

    Args:
        saliency_id: the id of the map.
        text: the sentences.
        claims: the claims that the sentences make.
        coverage: the share of the map's positive scores that lies in the named parts, in [0, 1]; if no score is positive, the
            share of its absolute scores.
        style: the style of the text.
        outcome: what a `Narrator` did with the model's text: "clean", "repaired", "cut" or "template".
        drafts: the texts that a `Narrator` got from the model.
        falsehoods: the number of false statements in these drafts, by kind. None of them is in `text`.
        fallback: why the text is the template's, where the language model was asked and nothing of its replies could be used.
        problem: why the language model could not be asked, if that is so.
        background: sentences of general knowledge about the classes. They are not evidence from the map and are not in `text`.
        comment: what the language model adds of its own, unchecked, or "". It is not in `text`; show it apart, after
            `COMMENT_MARK`.
        left_out: what a `Narrator` did not use of the model's last reply, and why.
    """

    saliency_id: str
    text: str
    claims: tuple[Claim, ...]
    coverage: float
    style: str = "plain"
    outcome: str | None = None
    drafts: tuple[str, ...] = field(default=(), repr=False)
    falsehoods: Mapping[str, int] = field(default_factory=dict)
    problem: str | None = None
    background: tuple[str, ...] = ()
    comment: str = ""
    left_out: tuple[str, ...] = ()
    fallback: str | None = None

    def to_record(self) -> dict[str, Any]:
        """The record that `saywhy verbalize` writes as one line of JSON."""
        record: dict[str, Any] = {
            "version": VERSION,
            "id": self.saliency_id,
            "style": self.style,
            "text": self.text,
            "claims": [claim.to_record() for claim in self.claims],
            "coverage": round(self.coverage, 6),
        }
        if self.outcome is not None:
            record |= {"outcome": self.outcome, "drafts": list(self.drafts), "falsehoods": dict(self.falsehoods)}
        if self.fallback is not None:
            record["fallback"] = self.fallback
        if self.background:
            record["background"] = list(self.background)
        if self.comment:
            record["comment"] = self.comment
        if self.left_out:
            record["left_out"] = list(self.left_out)
        return record
