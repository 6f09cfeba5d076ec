"""A language model as a second reader of sentences that the rules did not read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.chat.foreseen import OnDemand, foresee
from agents.chat.replies import OfflineMiss
from agents.chat.structured import StructuredError, StructuredFailure, ask_many
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import BudgetExceeded, UsageError
from verbalize.claims.checking import check
from verbalize.claims.reports import SecondReading
from verbalize.evidence import evidence_of
from verbalize.read_by_model.reply import SentenceClaims, accepted
from verbalize.read_by_model.request import LONGEST, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agents.chat.foreseen import Foreseen
    from saywhy_core.progress import OnProgress
    from verbalize.saliency import Saliency

_STOPS = (BudgetExceeded, OfflineMiss, UnusableFileError)  # what ends the run; other errors concern one sentence


_TYPICAL_REPLY = 90
"""Tokens: one or two claims with their fields."""


class ModelReader:
    """Lets a chat model turn sentences into claims, for `check_text(..., reader=ModelReader(model))`.

    The model sees the sentence, what stands before it, and the words or regions of the input, but no scores. Its claims are
    checked against the map like all others. It is asked once per sentence, and once more for each reply that is no valid JSON.

    Its reading is "false" if one of its claims is false. It is "true" if all are true, the model says that they are all that
    the sentence says, and no quotation, number or known label of the sentence is missing from them. Otherwise, and if the reply
    can't be used, the sentence stays "not verified", and `problem` says why. A model can still misread a sentence, so a reading
    is never counted as verified by the rules.

    Args:
        model: a langchain-core chat model, as from `agents.chat_model`.
        reasks: how often a reply that is no valid JSON is sent back.
        on_progress: called with (sentences that were read, all sentences).

    Attributes:
        stopped: why the last call of `read` could not ask about all sentences: a ceiling, a reply that an offline run lacks, an
            unusable cache, or a server that failed.
    """

    def __init__(self, model: BaseChatModel, *, reasks: int = 1, on_progress: OnProgress | None = None) -> None:
        if reasks < 0:
            raise UsageError("reasks must not be negative")
        self.model = model
        self.reasks = reasks
        self.on_progress = on_progress
        self.stopped: Exception | None = None

    def foresee(self, asked: Sequence[tuple[str, str, Saliency]]) -> Foreseen:
        """What `read` would ask about the same triples, and what that takes; nothing is sent."""
        short = [one for one in asked if len(one[0]) <= LONGEST]
        return foresee(
            self.model,
            OnDemand(len(short), lambda index: _talk(*short[index])),
            SentenceClaims,
            reply_tokens=_TYPICAL_REPLY,
            reasks=self.reasks,
        )

    def read(self, asked: Sequence[tuple[str, str, Saliency]]) -> list[SecondReading]:
        """One reading for each (sentence, the text that it is from, the map) triple, in their order.

        No reply, whatever it holds, and no failure of the model raises; `problem` and `stopped` tell.
        """
        self.stopped = None
        readings = [SecondReading("not verified", problem="the sentence is too long to be asked about")] * len(asked)
        short = [index for index, (sentence, _, _) in enumerate(asked) if len(sentence) <= LONGEST]
        talks = [_talk(*asked[index]) for index in short]
        done = 0

        def keep(position: int, reply: SentenceClaims | StructuredFailure) -> None:
            nonlocal done
            readings[short[position]] = self._reading(reply, *asked[short[position]])
            done += 1
            if self.on_progress is not None:
                self.on_progress(done, len(short))

        if talks:
            parts = [len(evidence_of(asked[index][2]).names) for index in short]
            numbers = [{"parts": (0, count - 1), "other": (0, count - 1)} for count in parts]
            ask_many(self.model, talks, SentenceClaims, reasks=self.reasks, on_result=keep, numbers=numbers)
        return readings

    def _reading(
        self, reply: SentenceClaims | StructuredFailure, sentence: str, text: str, saliency: Saliency
    ) -> SecondReading:
        if isinstance(reply, StructuredFailure):
            answered = isinstance(reply.error, StructuredError)
            if not answered and (self.stopped is None or isinstance(reply.error, _STOPS)):
                self.stopped = reply.error
            why = "its replies can't be used" if answered else f"the model could not be asked: {reply.error}"
            return SecondReading("not verified", problem=why)
        claims, faults = accepted(reply, sentence, text, saliency)
        found = check(claims, saliency)
        whole = bool(claims) and not faults and not found.undecided
        status = "false" if found.errors else "true" if whole else "not verified"
        problem = "; ".join(faults) if faults else None
        return SecondReading(status, found.claims, found.errors, found.undecided, problem)  # type: ignore[arg-type]


def _talk(sentence: str, text: str, saliency: Saliency) -> list[BaseMessage]:
    """The messages that ask for the claims of a sentence."""
    from langchain_core.messages import HumanMessage, SystemMessage

    (_, system), (_, user) = request(sentence, text, saliency)
    return [SystemMessage(system), HumanMessage(user)]
