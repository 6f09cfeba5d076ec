"""A chat model describes what tells two classes apart: one question per pair, validated replies, resumable runs."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field, StringConstraints

from agents.chat.foreseen import Foreseen, OnDemand, foresee
from agents.chat.stopping import ends_run, stays
from agents.chat.structured import StructuredError, StructuredFailure, ask_many
from agents.prompting.descriptions.captions import caption
from agents.prompting.descriptions.journaled import earlier_records, from_record, journal_of, to_record
from agents.prompting.descriptions.judging.judge import Accepted, Judge, Refused
from agents.prompting.descriptions.pairs import Contrast, PairDescriptions, Provenance
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.disk.journal import JournalWarning
from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.ceilings import CeilingError, ceiling, over

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from langchain_core.language_models import BaseChatModel

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.judging.repeated import Repeated

    Pair = tuple[int, int]

PROMPT_VERSION = "differential-2"
"""Changes whenever the request below changes, so that descriptions from different requests are not mixed."""
TYPICAL_REPLY = 260
"""Tokens: four attributes with two captions each, as FuDD's replies have on average, and the names of the fields."""

# The part that is the same for every pair comes first, so that servers and local models can compute it once.
_REQUEST = (
    "You write image captions that tell two easily confused classes of images apart. For each visual attribute in which "
    "photos of the two classes differ (colour, texture, shape, proportion, parts, setting), give the attribute and one "
    "caption for each class. Every caption names its class exactly as given and says how that attribute looks there, like "
    '"a photo of a <class>, with long, pointed ears." Name only what can be seen in a photo. Give the three to six '
    "clearest attributes, and no attribute in which the classes look alike or that no photo shows, such as sound, "
    "temperament or origin."
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class AttributePair(BaseModel):
    """One visual attribute, with one caption for each of the two classes."""

    attribute: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    first_caption: Text
    second_caption: Text


class PairReply(BaseModel):
    """The model's reply: the attributes that tell the two classes apart."""

    # three to six are asked for; where the server holds the reply to the schema, a weak model can't repeat them without an end
    attributes: list[AttributePair] = Field(min_length=1, max_length=20, json_schema_extra={"maxItems": 8})


@dataclass(frozen=True)
class Described:
    """The result of one run of `DifferentialDescriber.describe`.

    Attributes:
        pairs: all descriptions, those of earlier runs included.
        invalid: pairs for which no reply validated, with the reason.
        unasked: pairs without an answer, because a ceiling was reached or a request failed; a later run asks about them.
        reason: why pairs stayed unasked; empty where no pair did.
        stopped: whether what would meet every other request as well ended the run early: a ceiling on requests, tokens or cost,
            a reply that an offline run lacks, a key, a model that is not there.
        asked: how many pairs this run asked about.
        refused: captions of this run and of those that its journal tells of that were not accepted, with the reason; the other
            captions of their pairs may have been.
        permanent: whether `reason` has to be mended first, because the server fails all requests alike, or each of the unasked
            is too long for the model or stopped by a filter.
        known_refused: captions that were known before and would not be accepted today, with the reason; see `describe_to_file`.
        repeated: captions of the pair file that are said of half of its classes or more, and tell none of these apart.
    """

    pairs: PairDescriptions
    invalid: tuple[tuple[tuple[int, int], str], ...]
    unasked: tuple[tuple[int, int], ...]
    reason: str
    asked: int
    stopped: bool = False
    refused: tuple[tuple[tuple[int, int], Refused], ...] = ()
    permanent: bool = False
    known_refused: tuple[tuple[tuple[int, int], Refused], ...] = ()
    repeated: tuple[Repeated, ...] = ()


@dataclass(frozen=True)
class Planned:
    """What a run of `DifferentialDescriber.describe` would do.

    Attributes:
        wanted: how many pairs are to be described.
        described: how many of them are.
        invalid: how many stay without a description, because no reply of this model could be used.
        foreseen: the requests for the others, and what they take.
    """

    wanted: int
    described: int
    invalid: int
    foreseen: Foreseen


class DifferentialDescriber:
    """Describes pairs of classes with a chat model (FuDD; Esfandiarpoor & Bach 2024, §3.3 and appendix A).

    Every settled pair is appended to the journal at once, so a run that is killed loses no pair, and the next run asks about
    none of them again. Ceilings on requests, tokens and cost, retries and the reply cache are options of the model:
    `chat_model(..., max_requests=...)`.

    A reply is not taken as it comes: each attribute must be one that a photo shows, and each caption must say something of its
    own class that the other caption does not say of the other class (`refusal`). What is refused stands in `Described.refused`.
    A reply of which nothing is accepted goes back to the model with the reasons.

    Args:
        model: any chat model, of `agents.chat_model` or of langchain.
        class_names: the K classes.
        encoder: also refuses captions that it finds to say the same as another one; without it they are compared word by word.
        journal: the file that keeps settled pairs; with None, nothing is kept.
        known: existing descriptions; nothing is asked about their pairs.
        model_name: the model's name in the provenance of descriptions; by default the name that the model object has.
        template: the sentence that is put before a caption which does not name its class.
        reasks: how often an invalid reply is sent back to the model with the error.
        batch: how many pairs are handed to the model at a time.
        retry_invalid: ask again about pairs that the journal lists as invalid.

    Raises:
        UsageError: `known` belongs to other classes, or `batch` is below 1; on `describe`, the journal belongs to other
            classes or to another version of the request, or another process writes to it.
    """

    def __init__(
        self,
        model: BaseChatModel,
        class_names: Sequence[str],
        *,
        encoder: ImageTextEncoder | None = None,
        journal: str | os.PathLike[str] | None = None,
        known: PairDescriptions | None = None,
        model_name: str | None = None,
        template: str = "a photo of a {}.",
        reasks: int = 2,
        batch: int = 64,
        retry_invalid: bool = False,
    ) -> None:
        if batch < 1:
            raise UsageError(f"batch must be at least 1, not {batch}")
        self.model = model
        self.class_names = tuple(class_names)
        self.model_name = model_name or str(getattr(model, "model_name", None) or getattr(model, "_llm_type", "unknown"))
        self._template, self._reasks, self._batch = template, reasks, batch
        self._retry_invalid = retry_invalid
        self._judge = Judge(self.class_names, encoder)
        self._known = known
        if known is not None:
            known = self._known = known.arranged(self.class_names, "known")
        self._journal, self._earlier = None, None
        if journal is not None:
            self._earlier = earlier_records(journal, self.class_names)
            # a journal of an earlier version is set aside, once its descriptions are taken over
            others = "other classes or of another version of the request" if self._earlier is None else None
            self._journal = journal_of(journal, PROMPT_VERSION, self.class_names, others)

    def messages(self, pair: Pair) -> list[BaseMessage]:
        """The messages that ask about a pair."""
        first, second = (self.class_names[index] for index in pair)
        return [SystemMessage(_REQUEST), HumanMessage(f"First class: {first}\nSecond class: {second}")]

    def plan(self, pairs: Iterable[Pair]) -> Planned:
        """What `describe` would do with these pairs: nothing is sent, and nothing is written.

        Raises:
            UsageError: as `describe`.
        """
        wanted = _checked(pairs, len(self.class_names))
        entries, invalid, _ = self._settled(again=True)
        useless = [pair for pair in wanted if pair in invalid] if self._retry_invalid else []
        todo = [pair for pair in wanted if pair not in entries and pair not in invalid]
        foreseen = [
            foresee(
                self.model,
                OnDemand(len(part), lambda index, part=part: self.messages(part[index])),  # type: ignore[misc]
                PairReply,
                reply_tokens=TYPICAL_REPLY,
                reasks=self._reasks,
                fresh=part is useless,
            )
            for part in (todo, useless)
        ]
        described = sum(pair in entries for pair in wanted)
        left = len(wanted) - described - len(todo) - len(useless)
        return Planned(len(wanted), described, left, foreseen[0] + foreseen[1])

    def describe(self, pairs: Iterable[Pair], *, progress: Callable[[int, int], None] | None = None) -> Described:
        """Describe pairs of class indices, each once, in the order given.

        `progress` is called with (settled, wanted) after every pair; what it raises ends the run, and loses nothing.

        Raises:
            UsageError: a pair is not two different class numbers, there are more pairs than the ceiling `pairs`, or the
                journal or the reply cache can't be used.
        """
        wanted = _checked(pairs, len(self.class_names))
        with self._journal or nullcontext():
            entries, invalid, refused = self._settled()
            self._take_over()
            todo = [pair for pair in wanted if pair not in entries and pair not in invalid]
            reason, stopped, permanent = "", False, False
            lasting: list[bool] = []
            asked = 0
            settled = 0
            for start in range(0, len(todo), self._batch):
                part = todo[start : start + self._batch]
                troubles: list[Exception] = []

                def settle(
                    index: int,
                    result: PairReply | StructuredFailure,
                    part: list[Pair] = part,
                    troubles: list[Exception] = troubles,
                ) -> None:
                    nonlocal settled
                    pair, (outcome, thrown) = part[index], self._outcome(part[index], result)
                    if isinstance(outcome, Exception):
                        troubles.append(outcome)
                        return
                    if self._journal is not None:
                        self._journal.append(to_record(pair, outcome, thrown, self.model_name))
                    refused[pair] = thrown
                    if isinstance(outcome, str):
                        invalid[pair] = outcome
                    else:
                        entries[pair] = outcome
                    settled += 1
                    if progress is not None:
                        progress(len(wanted) - len(todo) + settled, len(wanted))

                asked += len(part)
                requests = [self.messages(pair) for pair in part]
                ask_many(
                    self.model,
                    requests,
                    PairReply,
                    reasks=self._reasks,
                    accept=partial(self._unusable_at, part),
                    on_result=settle,
                )
                for trouble in troubles:
                    if isinstance(trouble, UnusableFileError):
                        raise trouble
                if troubles:
                    reason = reason or str(troubles[0])
                stopped = any(map(ends_run, troubles))
                permanent = permanent or any(getattr(trouble, "permanent", False) for trouble in troubles)
                lasting += map(stays, troubles)
                if stopped or len(troubles) == len(part):
                    break
        unasked = tuple(pair for pair in wanted if pair not in entries and pair not in invalid)
        names = dict(enumerate(self.class_names))
        return Described(
            pairs=PairDescriptions(entries, {index: names[index] for pair in entries for index in pair}),
            invalid=tuple((pair, invalid[pair]) for pair in wanted if pair in invalid),
            unasked=unasked,
            reason=reason if unasked else "",
            asked=asked,
            stopped=stopped,
            permanent=permanent or (bool(lasting) and all(lasting)),
            refused=tuple((pair, one) for pair in wanted for one in refused.get(pair, ())),
        )

    def _settled(
        self, *, again: bool = False
    ) -> tuple[dict[Pair, tuple[Contrast, ...]], dict[Pair, str], dict[Pair, tuple[Refused, ...]]]:
        """The pairs that need no question any more: those described, and those with no valid reply, with the reason.

        With `again`, the latter hold what `retry_invalid` asks about once more.
        """
        entries: dict[Pair, tuple[Contrast, ...]] = dict(self._known or {})
        invalid: dict[Pair, str] = {}
        refused: dict[Pair, tuple[Refused, ...]] = {}
        for record in [*(self._earlier or ()), *(self._journal.records() if self._journal else ())]:
            pair, outcome, refused[pair] = from_record(record)
            if not isinstance(outcome, str):
                entries[pair] = outcome
            elif (again or not self._retry_invalid) and record.get("model") in {None, self.model_name}:
                invalid[pair] = outcome  # of this model: another one may do better
        return entries, {pair: why for pair, why in invalid.items() if pair not in entries}, refused

    def _take_over(self) -> None:
        """Keep what a journal of an earlier version of the request described."""
        if self._earlier and self._journal is not None:
            for record in self._earlier:
                self._journal.append(record)
            pairs = f"{len(self._earlier)} pair{'' if len(self._earlier) == 1 else 's'}"
            warnings.warn(
                f"{self._journal.path} was of an earlier version of the request: its descriptions of {pairs} are taken over, "
                f"and pairs without one are asked about again",
                JournalWarning,
                stacklevel=3,
            )
        self._earlier = None

    def _outcome(
        self, pair: Pair, result: PairReply | StructuredFailure
    ) -> tuple[tuple[Contrast, ...] | str | Exception, tuple[Refused, ...]]:
        if isinstance(result, StructuredFailure):
            # An invalid reply is final; a failed request may succeed in the next run.
            return (str(result.error) if isinstance(result.error, StructuredError) else result.error), ()
        source = Provenance(self.model_name, PROMPT_VERSION, datetime.now(UTC).isoformat(timespec="seconds"))
        names = self._names(pair)
        good, refused = self._judged(pair, result)
        contrasts = []
        for attribute, captions in good:
            first, second = (caption(text, name, self._template) for text, name in zip(captions, names, strict=True))
            contrasts.append(Contrast(attribute, (first, second), source))
        return tuple(contrasts) or _reasons(refused), tuple(refused)

    def _unusable_at(self, pairs: Sequence[Pair], index: int, reply: PairReply) -> str | None:
        """Why nothing of a reply can be used, in words for the model; None where something can."""
        good, refused = self._judged(pairs[index], reply)
        return None if good else _reasons(refused)

    def _judged(self, pair: Pair, reply: PairReply) -> tuple[list[Accepted], list[Refused]]:
        items = [(item.attribute, (item.first_caption, item.second_caption)) for item in reply.attributes]
        return self._judge.judge(pair, items)

    def _names(self, pair: Pair) -> tuple[str, str]:
        return self.class_names[pair[0]], self.class_names[pair[1]]


def _reasons(refused: Sequence[Refused]) -> str:
    """Why captions were refused, each reason once."""
    return "; ".join(dict.fromkeys(f"{one.attribute}: {one.why}" for one in refused[:5]))


def _checked(pairs: Iterable[Pair], classes: int) -> list[Pair]:
    """Each pair once, in the order given, with the smaller number first."""
    most = ceiling("pairs")
    found: dict[Pair, None] = {}
    for pair in pairs:
        found[_upright(pair, classes)] = None
        if len(found) > most:
            raise CeilingError(over("pairs", f"there are more than {most:,} pairs of classes"))
    return list(found)


def _upright(pair: Pair, classes: int) -> Pair:
    first, second = (int(index) for index in pair)
    if first == second or min(first, second) < 0 or max(first, second) >= classes:
        raise UsageError(f"({first}, {second}) is no pair of the {classes} classes")
    return (first, second) if first < second else (second, first)


def problems_of(described: Described, class_names: Sequence[str]) -> list[Problem]:
    """The pairs without a description, with names and reasons, for a report."""
    name = [f"{class_names[first]} / {class_names[second]}" for (first, second), _ in described.invalid]
    return [Problem(where, why) for where, (_, why) in zip(name, described.invalid, strict=True)]
