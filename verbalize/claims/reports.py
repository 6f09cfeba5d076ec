"""What a check of a text finds, sentence by sentence: the records that `check_text` and second readers return."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.checking import ClaimError, UndecidedClaim
    from verbalize.claims.claim import Claim
    from verbalize.saliency import Saliency

Status = Literal["true", "false", "not verified"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class SecondReading:
    """What a second reader, such as a language model, makes of a sentence that the rules did not read whole.

    Args:
        status: "true" if its claims are all that the sentence states, as it says, and all of them are true of the map; "false"
            if one of them is false; else "not verified".
        claims: the claims that it read.
        errors: one error for each false claim.
        undecided: the claims that the map can't decide.
        problem: why its reading could not be used, or why there is none; else `None`.
    """

    status: Status
    claims: tuple[Claim, ...] = ()
    errors: tuple[ClaimError, ...] = ()
    undecided: tuple[UndecidedClaim, ...] = ()
    problem: str | None = None

    def to_record(self) -> dict[str, Any]:
        """The reading as JSON content."""
        record = {"status": self.status, **_outcome(self)}
        return record if self.problem is None else {**record, "problem": self.problem}


@dataclass(frozen=True)
class CheckedSentence:
    """One sentence of a text, and what the map says of it.

    Args:
        text: the sentence.
        status: "false" if one of its claims is false; "true" if the rules read all of it and all its claims are true; else "not
            verified". A sentence that says nothing of the map is not verified, either. What a second reader read can make a
            sentence false; it never makes one true.
        claims: the claims that the rules read.
        errors: one error for each false claim.
        undecided: the claims that the map can't decide.
        rules: the names of the rules that read the claims.
        left_over: the words that no rule read.
        whole: whether the rules read all of it.
        second: what a second reader made of it; `None` if none was asked.
        notes: how little a true claim may tell: that a part alone is enough, and so are other parts of as many words.
    """

    text: str
    status: Status
    claims: tuple[Claim, ...] = ()
    errors: tuple[ClaimError, ...] = ()
    undecided: tuple[UndecidedClaim, ...] = ()
    rules: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    whole: bool = True
    second: SecondReading | None = None
    notes: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why the sentence is not verified, in words; "" if it is true or false."""
        if self.status != "not verified":
            return ""
        if self.undecided:
            return "the map can't decide it: " + "; ".join(dict.fromkeys(one.message for one in self.undecided))
        if self.left_over:
            return f"no rule reads {', '.join(repr(word) for word in self.left_over)}"
        return "it says nothing of the map that could be checked" if self.whole else "no rule reads all of it"

    def to_record(self) -> dict[str, Any]:
        """The sentence as JSON content. `read_by_model` is what the second reader made of it, if one was asked."""
        record = {
            "text": self.text,
            "status": self.status,
            **_outcome(self),
            "rules": list(self.rules),
            "left_over": list(self.left_over),
        }
        if self.status == "not verified":
            record["reason"] = self.reason
        if self.notes:
            record["notes"] = list(self.notes)
        return record if self.second is None else {**record, "read_by_model": self.second.to_record()}


@dataclass(frozen=True)
class TextReport:
    """What a text says of its map, sentence by sentence, and what of it is false.

    Attributes:
        claims: the claims that were checked: those read from the text, and those that are only stated beside it.
        errors: one error for each false claim.
        unread: the sentences that the rules did not read whole. They are false or not verified.
        undecided: the claims that the map can't decide.
        sentences: the sentences in their order, each with its status.
    """

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]
    unread: tuple[str, ...]
    undecided: tuple[UndecidedClaim, ...] = ()
    sentences: tuple[CheckedSentence, ...] = ()

    @property
    def counts(self) -> dict[Status, int]:
        """How many sentences are true, false, and not verified."""
        found = Counter(sentence.status for sentence in self.sentences)
        return {status: found[status] for status in STATUSES}

    @property
    def read_by_model(self) -> int:
        """How many of the sentences that are not verified are true as a second reader reads them."""
        return sum(
            one.status == "not verified" and one.second is not None and one.second.status == "true" for one in self.sentences
        )

    @property
    def status(self) -> Status:
        """Of the whole text: "false" if a claim is false, "true" if all sentences and claims are true, else "not verified"."""
        if self.errors:
            return "false"
        whole = bool(self.sentences) and not self.undecided and all(one.status == "true" for one in self.sentences)
        return "true" if whole else "not verified"

    def to_record(self) -> dict[str, Any]:
        """The report as JSON content, as `saywhy check --json` prints it."""
        return {
            "claims": len(self.claims),
            **{name: found for name, found in _outcome(self).items() if name != "claims"},
            "unread": list(self.unread),
            "status": self.status,
            "counts": {**self.counts, "true as read by a model": self.read_by_model},
            "sentences": [sentence.to_record() for sentence in self.sentences],
        }


class SecondReader(Protocol):
    """Reads sentences that the rules did not read whole, such as `verbalize.ModelReader`."""

    def read(self, asked: Sequence[tuple[str, str, Saliency]]) -> Sequence[SecondReading]:
        """One reading for each (sentence, the text that it is from, the map) triple, in their order."""
        ...


def _outcome(part: SecondReading | CheckedSentence | TextReport) -> dict[str, Any]:
    return {
        "claims": [claim.to_record() for claim in part.claims],
        "errors": [{"kind": error.kind, "message": error.message, "claim": error.claim.to_record()} for error in part.errors],
        "undecided": [{"message": one.message, "claim": one.claim.to_record()} for one in part.undecided],
    }
