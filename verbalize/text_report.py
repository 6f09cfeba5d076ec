"""Texts checked against their maps, whoever wrote them: each sentence is true, false, or not verified."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.records import told
from verbalize.claims.checking import changes_named, check_evidence, with_effects
from verbalize.claims.claim import Claim
from verbalize.evidence import evidence_of
from verbalize.read.reading import read_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from verbalize.claims.checking import CheckReport, ClaimError, UndecidedClaim
    from verbalize.evidence import Evidence
    from verbalize.read.reading import ReadSentence
    from verbalize.saliency import Saliency
    from verbalize.texts import TextRecord

Status = Literal["true", "false", "not verified"]
STATUSES: tuple[Status, ...] = get_args(Status)
_BATCH = 64  # texts whose open sentences a second reader is given at once: enough to keep a server busy


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


_NO_READING = SecondReading("not verified", problem="the second reader gave no reading")


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


def check_text(
    text: str,
    saliency: Saliency,
    stated: Iterable[Claim | Mapping[str, Any]] = (),
    model: Any = None,
    *,
    reader: SecondReader | None = None,
) -> TextReport:
    """Read a text back into claims and check each against the map, together with claims stated beside the text.

    A stated claim that the text also makes is checked and counted once.

    Args:
        text: the text.
        saliency: the map that it is about.
        stated: claims, or their records, that its author states beside it.
        model: the model that the map explains; it decides claims about changed inputs, as in `check`.
        reader: is given the sentences that the rules did not read whole, unless one of their claims is false already. What it
            reads can make a sentence false, and never makes one true.

    Raises:
        UsageError: a stated claim is malformed, or the model can't be run on the inputs.
    """
    (report,) = _reports([_Read.of(text, saliency, stated)], model)
    if isinstance(report, UsageError):
        raise report
    return report if reader is None else read_again([(text, saliency, report)], reader)[0]


def check_texts(
    texts: Iterable[tuple[TextRecord, Saliency]],
    model: Any = None,
    *,
    reader: SecondReader | None = None,
    where: str = "the texts",
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[tuple[TextRecord, TextReport]]:
    """Check many texts, as `check_text` does each. A text that can't be checked does not stop the others.

    Args:
        texts: the texts with their maps, as `with_maps` pairs them.
        model: the model that the maps explain; it decides claims about changed inputs, as in `check`. The inputs of up to 64
            texts share its calls.
        reader: a second reader; it is given the sentences of up to 64 texts at once.
        where: the source of the texts, which problems name.
        on_problem: called with each text that can't be checked. Without it, the first such text raises.

    Raises:
        UsageError: a text can't be checked, and `on_problem` is not given; or there is no such model.
    """

    def tell(record: TextRecord, error: UsageError) -> None:
        problem = Problem(where, str(error), record.line, record.id)
        if on_problem is None:
            raise UsageError(str(problem)) from error
        on_problem(problem)

    left = iter(texts)
    while batch := tuple(islice(left, 1 if reader is None and model is None else _BATCH)):
        read: list[tuple[TextRecord, _Read]] = []
        for record, saliency in batch:
            try:
                with told(what="the text can't be checked"):
                    read.append((record, _Read.of(record.text, saliency, record.claims)))
            except UsageError as error:
                tell(record, error)
        checked: list[tuple[TextRecord, Saliency, TextReport]] = []
        for (record, one), found in zip(read, _reports([one for _, one in read], model), strict=True):
            if isinstance(found, UsageError):
                tell(record, found)
            else:
                checked.append((record, one.saliency, found))
        reports = [report for _, _, report in checked]
        if reader is not None:
            reports = read_again([(record.text, saliency, report) for record, saliency, report in checked], reader)
        yield from ((record, report) for (record, _, _), report in zip(checked, reports, strict=True))


def most_inputs(texts: Iterable[tuple[TextRecord, Saliency]]) -> int:
    """The most inputs that `check_texts` runs a model on: those of claims about changed inputs, and the inputs as they are.

    Texts that can't be checked are not counted.
    """
    from verbalize.masking.asking import WAYS  # imports torch

    count = 0
    for record, saliency in texts:
        try:
            with told():
                read = _Read.of(record.text, saliency, record.claims)
        except UsageError:
            continue
        changes = len(changes_named(read.claims, read.evidence))
        count += 1 + changes * (len(WAYS) if read.evidence.pixels else 1) if changes else 0
    return count


def read_again(checked: Iterable[tuple[str, Saliency, TextReport]], reader: SecondReader) -> list[TextReport]:
    """Give the sentences that are not verified to a second reader, all at once; the reports with what it read.

    Args:
        checked: (text, map, report by the rules) triples. `open_sentences` counts beforehand what will be asked.
        reader: the second reader.
    """
    texts = list(checked)
    asked = [(one.text, text, saliency) for text, saliency, report in texts for one in open_sentences(report)]
    readings = iter(reader.read(asked) if asked else ())
    return [_with_readings(report, readings) for _, _, report in texts]


def open_sentences(report: TextReport) -> tuple[CheckedSentence, ...]:
    """The sentences of a report that a second reader is asked about: those not verified whose words, not their map, are why."""
    return tuple(sentence for sentence in report.sentences if _open(sentence))


def _open(sentence: CheckedSentence) -> bool:
    return sentence.status == "not verified" and not (sentence.whole and sentence.claims)


@dataclass(frozen=True)
class _Read:
    """A text as the rules read it, with the claims that only stand beside it, and the evidence of its map."""

    saliency: Saliency
    evidence: Evidence
    sentences: tuple[ReadSentence, ...]
    only_stated: tuple[Claim, ...]

    @classmethod
    def of(cls, text: str, saliency: Saliency, stated: Iterable[Claim | Mapping[str, Any]]) -> _Read:
        check_ceiling("text", len(text), "the text")
        beside = [claim if isinstance(claim, Claim) else Claim.from_record(claim) for claim in stated]
        read = tuple(read_sentences(text, saliency))
        said = {_meaning(claim) for sentence in read for claim in sentence.claims}
        said |= {_meaning(replace(claim, label=None, versus=None)) for sentence in read for claim in sentence.claims}
        only_stated = tuple(claim for claim in beside if _meaning(claim) not in said)
        return cls(saliency, evidence_of(saliency), read, only_stated)

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (*(claim for sentence in self.sentences for claim in sentence.claims), *self.only_stated)


def _reports(texts: Sequence[_Read], model: Any) -> list[TextReport | UsageError]:
    """The report of each text; an error where the model can't be run on its inputs."""
    evidence: list[Evidence | UsageError] = [one.evidence for one in texts]
    if model is not None:
        evidence = with_effects([(one.claims, one.evidence, one.saliency) for one in texts], model)
    return [
        found if isinstance(found, UsageError) else _by_rules(one, found) for one, found in zip(texts, evidence, strict=True)
    ]


def _by_rules(read: _Read, evidence: Evidence) -> TextReport:
    sentences = []
    for sentence in read.sentences:
        found = check_evidence(sentence.claims, evidence)
        sentences.append(
            CheckedSentence(
                sentence.text,
                _status(found, whole=not sentence.unread),
                found.claims,
                found.errors,
                found.undecided,
                sentence.rules,
                sentence.left_over,
                whole=not sentence.unread,
            )
        )
    parts: list[CheckedSentence | CheckReport] = [*sentences, check_evidence(read.only_stated, evidence)]
    return TextReport(
        tuple(claim for part in parts for claim in part.claims),
        tuple(error for part in parts for error in part.errors),
        tuple(sentence.text for sentence in sentences if not sentence.whole),
        tuple(one for part in parts for one in part.undecided),
        tuple(sentences),
    )


def _status(found: CheckReport, *, whole: bool) -> Status:
    if found.errors:
        return "false"
    return "true" if whole and found.claims and not found.undecided else "not verified"


def _with_readings(report: TextReport, readings: Iterator[SecondReading]) -> TextReport:
    sentences = []
    for sentence in report.sentences:
        if not _open(sentence):
            sentences.append(sentence)
            continue
        second = next(readings, _NO_READING)
        sentences.append(replace(sentence, second=second, status="false" if second.errors else sentence.status))
    seconds = [one.second for one in sentences if one.second is not None]
    return replace(
        report,
        claims=(*report.claims, *(claim for one in seconds for claim in one.claims)),
        errors=(*report.errors, *(error for one in seconds for error in one.errors)),
        undecided=(*report.undecided, *(claim for one in seconds for claim in one.undecided)),
        sentences=tuple(sentences),
    )


def _outcome(part: SecondReading | CheckedSentence | TextReport) -> dict[str, Any]:
    return {
        "claims": [claim.to_record() for claim in part.claims],
        "errors": [{"kind": error.kind, "message": error.message, "claim": error.claim.to_record()} for error in part.errors],
        "undecided": [{"message": one.message, "claim": one.claim.to_record()} for one in part.undecided],
    }


def _meaning(claim: Claim) -> Claim:
    """The claim without its wording, so that one said and one stated are known for the same."""
    means_supports = claim.kind in ("most_important", "more_important_than", "rank", "share")  # where no direction is given
    direction = None if means_supports and claim.direction == "supports" else claim.direction
    return replace(claim, quote=None, direction=direction)
