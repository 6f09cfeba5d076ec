"""What a verbalizer hands over: the text, the claims it makes, and how much of the map they cover."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.claims.claim import Claim

VERSION = 1


@dataclass(frozen=True)
class Verbalization:
    """A text about one map.

    `coverage` is the share of the map's positive mass (all mass where nothing is positive) that lies in the named parts.
    `outcome` and `drafts` are a narrator's: what became of the model's text ("clean", "repaired", "cut" or "template");
    `falsehoods` counts, by kind, the false statements that its drafts made and that did not get out.
    `problem` says why the model could not be asked, where that is so. `background` holds sentences of general knowledge about
    the classes; they are no evidence from the map and stand apart from the text.
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

    def to_record(self) -> dict[str, Any]:
        """The line of JSON that `saywhy verbalize` writes."""
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
        if self.background:
            record["background"] = list(self.background)
        return record
