"""Texts checked against their maps, whoever wrote them: each sentence is true, false, or not verified."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.records import told
from verbalize.claims.checking import changes_named, check_evidence, decisions_of, is_of_prediction, with_effects
from verbalize.claims.claim import Claim
from verbalize.claims.reports import CheckedSentence, SecondReading, TextReport
from verbalize.evidence import evidence_of
from verbalize.read.effects.implied import check_said, claims_of
from verbalize.read.effects.reading import CUES
from verbalize.read.reading import read_sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from verbalize.claims.checking import CheckReport
    from verbalize.claims.reports import SecondReader, Status
    from verbalize.evidence import Evidence
    from verbalize.read.reading import ReadSentence
    from verbalize.saliency import Saliency
    from verbalize.texts import TextRecord

_BATCH = 64  # texts whose open sentences a second reader is given at once: enough to keep a server busy
_NO_READING = SecondReading("not verified", problem="the second reader gave no reading")


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
        model: the model that the map explains; it decides claims about changed inputs and about the prediction, as in `check`,
            also those that the second reader reads. If the map does not say what the model predicted, the text is read with
            what the model predicts.
        reader: is given the sentences that the rules did not read whole, unless one of their claims is false already. What it
            reads can make a sentence false, and never makes one true.

    Raises:
        UsageError: a stated claim is malformed, or the model can't be run on the inputs.
    """
    (read,) = _with_predictions([_Read.of(text, saliency, stated)], model)
    (report,) = _reports([read], model)
    if isinstance(report, UsageError):
        raise report
    return report if reader is None else read_again([(text, read.saliency, report)], reader, model)[0]


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
        model: the model that the maps explain; it decides claims about changed inputs and about the prediction, as in
            `check_text`. The inputs of up to 64 texts share its calls.
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
        known = _with_predictions([one for _, one in read], model)
        for (record, _), one, found in zip(read, known, _reports(known, model), strict=True):
            if isinstance(found, UsageError):
                tell(record, found)
            else:
                checked.append((record, one.saliency, found))
        reports = [report for _, _, report in checked]
        if reader is not None:
            reports = read_again([(record.text, saliency, report) for record, saliency, report in checked], reader, model)
        yield from ((record, report) for (record, _, _), report in zip(checked, reports, strict=True))


def most_inputs(texts: Iterable[tuple[TextRecord, Saliency]]) -> int:
    """The most inputs that `check_texts` runs a model on: those of claims about changed inputs, and the inputs as they are.

    Texts that can't be checked are not counted, nor what a second reader reads. Where a map does not say what the model
    predicted, its text may be read in another way once that is known; the inputs are those of the first reading.
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
        count += bool(read.lacks_prediction or changes or is_of_prediction(read.claims))
        count += changes * (len(WAYS) if read.evidence.pixels else 1)
    return count


def read_again(
    checked: Iterable[tuple[str, Saliency, TextReport]], reader: SecondReader, model: Any = None
) -> list[TextReport]:
    """Give the sentences that are not verified to a second reader, all at once; the reports with what it read.

    Args:
        checked: (text, map, report by the rules) triples. `open_sentences` counts beforehand what will be asked.
        reader: the second reader.
        model: the model that the maps explain; it decides what was read of changed inputs and of the prediction.
    """
    texts = list(checked)
    asked = [(one.text, text, saliency) for text, saliency, report in texts for one in open_sentences(report)]
    readings = list(reader.read(asked)) if asked else []
    if model is not None:
        readings = _decided([(reading, saliency) for reading, (_, _, saliency) in zip(readings, asked, strict=False)], model)
    left = iter(readings)
    return [_with_readings(report, left) for _, _, report in texts]


def _decided(read: Sequence[tuple[SecondReading, Saliency]], model: Any) -> list[SecondReading]:
    """What a second reader read, with the verdicts of the model on what only it can decide."""
    readings = [reading for reading, _ in read]
    evidence = with_effects([(reading.claims, evidence_of(saliency), saliency) for reading, saliency in read], model)
    for index, (reading, known) in enumerate(zip(readings, evidence, strict=True)):
        if isinstance(known, UsageError) or known.effects is None:
            continue
        found = check_evidence(reading.claims, known)
        whole = reading.problem is None and not found.undecided and (reading.status == "true" or bool(reading.undecided))
        status: Status = "false" if found.errors else "true" if whole else "not verified"
        readings[index] = replace(reading, status=status, errors=found.errors, undecided=found.undecided)
    return readings


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
    stated: tuple[Claim, ...]
    only_stated: tuple[Claim, ...]
    text: str

    @classmethod
    def of(cls, text: str, saliency: Saliency, stated: Iterable[Claim | Mapping[str, Any]]) -> _Read:
        check_ceiling("text", len(text), "the text")
        beside = tuple(claim if isinstance(claim, Claim) else Claim.from_record(claim) for claim in stated)
        read = tuple(read_sentences(text, saliency))
        said = {_meaning(claim) for sentence in read for claim in sentence.claims}
        said |= {_meaning(replace(claim, label=None, versus=None)) for sentence in read for claim in sentence.claims}
        only_stated = tuple(claim for claim in beside if _meaning(claim) not in said)
        return cls(saliency, evidence_of(saliency), read, beside, only_stated, text)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All claims, with those that sentences about the map make of the model besides."""
        said = (claim for sentence in self.sentences for claim in (*sentence.claims, *claims_of(sentence.implied)))
        return (*said, *self.only_stated)

    @property
    def lacks_prediction(self) -> bool:
        """Whether the map does not say what the model predicted, and the text may be about it."""
        if self.saliency.prediction is not None:
            return False
        said = tuple(claim for sentence in self.sentences for claim in sentence.claims)
        unread = any(sentence.unread and CUES.search(sentence.text) for sentence in self.sentences)
        return unread or is_of_prediction(said) or bool(changes_named(said, self.evidence))


def _with_predictions(texts: Sequence[_Read], model: Any) -> list[_Read]:
    """The texts, read once more where they may be about what the model predicted, and the map does not say it."""
    found = list(texts)
    lacking = [index for index, one in enumerate(found) if model is not None and one.lacks_prediction]
    if lacking:
        known = decisions_of([found[index].saliency for index in lacking], model)
        for index, effects in zip(lacking, known, strict=True):
            one = found[index]
            if effects is not None and effects.prediction is not None:
                one = _Read.of(one.text, replace(one.saliency, prediction=effects.prediction), one.stated)
            found[index] = replace(one, evidence=replace(one.evidence, effects=effects))
    return found


def _reports(texts: Sequence[_Read], model: Any) -> list[TextReport | UsageError]:
    """The report of each text; an error where the model can't be run on its inputs."""
    evidence: list[Evidence | UsageError] = [one.evidence for one in texts]
    if model is not None:
        evidence = with_effects([(one.claims, one.evidence, one.saliency) for one in texts], model)
    return [
        found if isinstance(found, UsageError) else _by_rules(one, found, with_model=model is not None)
        for one, found in zip(texts, evidence, strict=True)
    ]


def _by_rules(read: _Read, evidence: Evidence, *, with_model: bool) -> TextReport:
    sentences = []
    for sentence in read.sentences:
        found = check_said(sentence.claims, sentence.implied, evidence, with_model=with_model)
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
                notes=found.notes,
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


def _meaning(claim: Claim) -> Claim:
    """The claim without its wording, so that one said and one stated are known for the same."""
    means_supports = claim.kind in ("most_important", "more_important_than", "rank", "share")  # where no direction is given
    direction = None if means_supports and claim.direction == "supports" else claim.direction
    return replace(claim, quote=None, direction=direction)
