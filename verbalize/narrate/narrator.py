"""Prose by a language model, checked against the map before it is returned: kept, sent back, cut, or replaced."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from agents.chat.replies import OfflineMiss
from agents.chat.structured import StructuredError, StructuredFailure, ask_many
from saywhy_core.errors import BudgetExceeded, UsageError
from saywhy_core.files import UnusableFileError
from verbalize.claims.checking import check
from verbalize.claims.coverage import coverage_of
from verbalize.narrate import dialogue as words
from verbalize.read.reading import read_sentences
from verbalize.saliency import TokenSaliency
from verbalize.verbalization import Verbalization
from verbalize.write.background import Background
from verbalize.write.template import TemplateVerbalizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from verbalize.claims.claim import Claim
    from verbalize.read.reading import ReadSentence
    from verbalize.saliency import Saliency
    from verbalize.write.background import Source

_STOPS = (BudgetExceeded, OfflineMiss, UnusableFileError)  # what ends the run; other errors concern one map
_LONGEST = 2000  # characters; a longer reply is not read as a text, because it is most likely a refusal or a repetition
Outcome = Literal["clean", "repaired", "cut", "template"]


@dataclass
class _Draft:
    """The state of one map: the conversation so far, the drafts, and which sentences of the last draft are good."""

    saliency: Saliency
    messages: list[BaseMessage]
    drafts: list[str] = field(default_factory=list)
    last: words.Narration | None = None
    sentences: tuple[ReadSentence, ...] = ()
    good: tuple[bool, ...] = ()
    found: Counter[str] = field(default_factory=Counter)
    done: Verbalization | None = None


class Narrator:
    """Lets a chat model write about a map, and returns only text whose statements are true of the map.

    The reply consists of prose and a list of the claims that the prose makes. Both are checked: the listed claims with
    `check`, and the prose by reading it back with `read_sentences`. A sentence is kept only if it says something about the map
    and if everything it says is true. A sentence that can't be read as a claim can't be checked, so it is not kept either.
    A faulty draft is sent back with a list of its faults, at most `repairs` times. Then its faulty sentences are cut. If no
    sentence is left, the text of the template is returned.

    Args:
        model: a langchain-core chat model, as from `agents.chat_model`.
        audience: "lay", "developer", "expert", or any description of the reader.
        max_words: length of the text, in words. A draft more than a quarter longer is sent back.
        repairs: how often a draft is sent back.
        mask_labels: the text may not name the query's labels.
        language: the language to ask for. Only English can be read back; text in another language is replaced by the template.
        style: "narrate", or "smv-gpt". The request of "smv-gpt" is the zero-shot prompt of Feldhus et al. 2023, section 3.3,
            word for word, and the reply is plain prose. It takes only maps over texts, and no audience, language or pictures.
            Replies in both styles are checked in the same way.
        pictures: for pixel maps, send the picture and the heatmap too (the model must be multimodal).
        background: differential descriptions of classes, as `Background.of` takes them. The results for contrastive maps
            carry them in `.background`, unless labels are masked. The model does not see them, and the text does not contain
            them.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        audience: str = "lay",
        max_words: int = 60,
        repairs: int = 2,
        mask_labels: bool = False,
        language: str = "English",
        style: words.Style = "narrate",
        pictures: bool = False,
        background: Source | None = None,
    ) -> None:
        if style not in words.STYLES:
            raise UsageError(f"a narrator's style is one of {', '.join(words.STYLES)}, not {style!r}")
        if style == "smv-gpt" and (audience != "lay" or language != "English" or pictures):
            raise UsageError("the published request of style='smv-gpt' is fixed: leave out audience, language and pictures")
        if max_words < 5 or repairs < 0:
            raise UsageError("max_words must be at least 5, and repairs not negative")
        self.model = model
        self.audience = audience
        self.max_words = max_words
        self.repairs = repairs
        self.mask_labels = mask_labels
        self.language = language
        self.style = style
        self.pictures = pictures
        self.background = None if background is None else Background.of(background)
        self._template = TemplateVerbalizer(mask_labels=mask_labels)

    def narrate(self, saliency: Saliency) -> Verbalization:
        """Write the text for one map.

        Raises:
            UsageError: the model could not be asked: it was unreachable, timed out or refused; a ceiling was reached; or an
                offline run lacks the reply.
        """
        made = self.narrate_all([saliency])[0]
        if made.problem is not None:
            raise UsageError(made.problem)
        return made

    verbalize = narrate

    def narrate_all(
        self, saliencies: Iterable[Saliency], *, on_settled: Callable[[Verbalization], None] | None = None
    ) -> list[Verbalization]:
        """Write the texts for many maps, in their order. Each round of drafts is one batch of requests.

        If the model could not be asked about a map, its text comes from the template, and `.problem` says why.

        Args:
            saliencies: the maps.
            on_settled: called with each result as soon as it is final, in any order.

        Raises:
            UsageError: a ceiling on requests, tokens or cost was reached, an offline run lacks a reply, or the reply cache is
                damaged.
        """
        drafts = [_Draft(saliency, self._messages(saliency)) for saliency in saliencies]

        def settle(draft: _Draft, made: Verbalization) -> None:
            draft.done = made
            if on_settled is not None:
                on_settled(made)

        stops: list[BudgetExceeded | OfflineMiss | UnusableFileError] = []
        for round_ in range(self.repairs + 1):
            open_ = [draft for draft in drafts if draft.done is None]

            def on_reply(
                index: int,
                reply: words.Narration | StructuredFailure,
                open_: list[_Draft] = open_,
                first: bool = round_ == 0,
            ) -> None:
                if isinstance(reply, StructuredFailure) and isinstance(reply.error, _STOPS):
                    stops.append(reply.error)  # raised after the replies that did come have been used
                    return
                made = self._judged(open_[index], reply, first=first)
                if made is not None:
                    settle(open_[index], made)

            if open_:
                self._ask([draft.messages for draft in open_], on_reply)
            if stops:
                raise stops[0]
        for draft in drafts:
            if draft.done is None:
                settle(draft, self._salvage(draft))
        return [draft.done for draft in drafts if draft.done is not None]

    def _ask(
        self, requests: list[list[BaseMessage]], on_reply: Callable[[int, words.Narration | StructuredFailure], None]
    ) -> None:
        """Send requests. `on_reply` is called with the position of a request and its reply, as replies come."""
        if self.style == "narrate":
            ask_many(self.model, requests, words.Narration, reasks=1, on_result=on_reply)
            return
        # the published request asks for prose, and adding a JSON schema would change it
        for index, reply in self.model.batch_as_completed(requests, return_exceptions=True):
            on_reply(index, _as_narration(reply))

    def _messages(self, saliency: Saliency) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        if self.style == "smv-gpt":
            return [HumanMessage(words.zero_shot_request(saliency))]
        worth = self._template.verbalize(saliency).claims
        (_, system), (_, user) = words.request(
            saliency,
            worth,
            audience=self.audience,
            max_words=self.max_words,
            language=self.language,
            mask_labels=self.mask_labels,
        )
        content: Any = user
        if self.pictures and not isinstance(saliency, TokenSaliency):
            content = [{"type": "text", "text": user}, *_pictures(saliency)]
        return [SystemMessage(system), HumanMessage(content)]

    def _judged(self, draft: _Draft, reply: words.Narration | StructuredFailure, *, first: bool) -> Verbalization | None:
        """The final result if the draft is true as a whole or no better one can come; else `None`, with faults to send back."""
        if isinstance(reply, StructuredFailure):
            answered = isinstance(reply.error, StructuredError)
            prose = reply.last_reply.strip()
            if answered and prose and not prose.startswith(("{", "[")) and len(prose) <= _LONGEST:
                reply = words.Narration(text=prose)  # a reply without JSON may still be good prose
            else:
                draft.drafts += [reply.last_reply] if answered else []
                if answered and draft.last is not None:
                    return None  # the good sentences of an earlier draft may still be kept
                return self._stand_in(draft, None if answered else str(reply.error))
        draft.drafts.append(reply.text)
        draft.last = reply
        draft.sentences = tuple(read_sentences(reply.text, draft.saliency))
        faults: list[str] = []
        good = []
        for sentence in draft.sentences:
            wrong = self._sentence_faults(sentence, draft.saliency)
            good.append(not wrong)
            faults += wrong
            draft.found.update(error.kind for error in check(sentence.claims, draft.saliency).errors)
        draft.good = tuple(good)
        false = check(_stated(reply), draft.saliency).errors
        draft.found.update(error.kind for error in false)
        faults += [f"a stated claim is false: {error.message}" for error in false]
        count = len(reply.text.split())
        if count > self.max_words * 1.25:
            faults.append(f"the text has {count} words; at most {self.max_words} are asked for")
        if not draft.sentences:
            faults.append("the text says nothing of the map")
        if not faults:
            return self._kept(draft, reply.text, "clean" if first else "repaired")
        from langchain_core.messages import AIMessage, HumanMessage

        plain = self.style == "smv-gpt"
        said = reply.text if plain else reply.model_dump_json()
        draft.messages += [AIMessage(said), HumanMessage(words.correction(faults, self.max_words, prose=plain))]
        return None

    def _sentence_faults(self, sentence: ReadSentence, saliency: Saliency) -> list[str]:
        quoted = f'"{sentence.text.strip()}"'
        report = check(sentence.claims, saliency)
        faults = [f"{quoted} is false: {error.message}" for error in report.errors]
        faults += [f"{quoted} can't be verified: {found.message}" for found in report.undecided]
        if sentence.unread:
            faults.append(f"{quoted} says something of the evidence that can't be checked; say it in plainer words")
        elif not sentence.claims:
            faults.append(f"{quoted} says nothing of the map that could be checked; leave it out")
        if self.mask_labels and (named := _named_label(sentence, saliency)):
            faults.append(f"{quoted} names the label '{named}', which must stay hidden")
        return faults

    def _salvage(self, draft: _Draft) -> Verbalization:
        """The last draft without its faulty sentences, if the rest is true as a whole; else the text of the template."""
        if draft.last is None:
            return self._stand_in(draft)
        kept: list[str] = []
        length = 0
        for sentence, good in zip(draft.sentences, draft.good, strict=True):
            length += len(sentence.text.split())
            if good and length <= self.max_words * 1.25:
                kept.append(sentence.text.strip())
            elif good:
                break
            else:
                length -= len(sentence.text.split())
        text = " ".join(kept)
        # a sentence may refer to the one before it ("it also ..."), so the rest is read and checked again as a whole
        again = read_sentences(text, draft.saliency) if text else ()
        if not again or any(self._sentence_faults(sentence, draft.saliency) for sentence in again):
            return self._stand_in(draft)
        return self._kept(draft, text, "repaired" if all(draft.good) and len(kept) == len(draft.sentences) else "cut")

    def _kept(self, draft: _Draft, text: str, outcome: Outcome) -> Verbalization:
        read = tuple(claim for sentence in read_sentences(text, draft.saliency) for claim in sentence.claims)
        return self._result(draft.saliency, text, read, outcome, draft.drafts, draft.found)

    def _stand_in(self, draft: _Draft, problem: str | None = None) -> Verbalization:
        made = self._template.verbalize(draft.saliency)
        result = self._result(draft.saliency, made.text, made.claims, "template", draft.drafts, draft.found)
        return replace(result, problem=problem)

    def _result(
        self,
        saliency: Saliency,
        text: str,
        claims: tuple[Claim, ...],
        outcome: Outcome,
        drafts: Sequence[str],
        found: Mapping[str, int],
    ) -> Verbalization:
        coverage = coverage_of(claims, saliency)
        shown = self.background if not self.mask_labels else None
        known = shown.sentences(saliency.query) if shown is not None else ()
        return Verbalization(
            saliency.saliency_id, text, claims, coverage, self.style, outcome, tuple(drafts), dict(found), background=known
        )


def _as_narration(reply: BaseMessage | Exception) -> words.Narration | StructuredFailure:
    """Make a narration without listed claims of a reply in prose."""
    if isinstance(reply, Exception):
        return StructuredFailure(reply, 1, "")
    text = str(reply.text).strip()
    if not 0 < len(text) <= _LONGEST:
        return StructuredFailure(StructuredError(f"the reply is {len(text)} characters long", 1, text), 1, text)
    return words.Narration(text=text)


def _stated(reply: words.Narration) -> list[Claim]:
    """The claims that the reply lists. A share counts as negative if another claim says that the same part opposes."""
    opposing = {tuple(claim.parts) for claim in reply.claims if claim.kind == "opposes"}
    sides = ("negative" if tuple(claim.parts) in opposing else "positive" for claim in reply.claims)
    claims = (claim.to_claim(side) for claim, side in zip(reply.claims, sides, strict=True))  # type: ignore[arg-type]
    return [claim for claim in claims if claim is not None]


def _named_label(sentence: ReadSentence, saliency: Saliency) -> str | None:
    """The first label of the query that the sentence names outside its quotations from the input; `None` if there is none."""
    query = saliency.query
    outside = re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”|«[^»]*»", " ", sentence.text)
    for name in (query.label, *query.versus, *query.members):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", outside, re.IGNORECASE):
            return name
    quoted_labels = {claim.label for claim in sentence.claims if claim.label is not None}
    return next((name for name in (query.label, *query.versus, *query.members) if name in quoted_labels), None)


def _pictures(saliency: Any) -> list[dict[str, Any]]:
    """The picture and its heatmap, as the content blocks that multimodal chat models take."""
    import base64

    from verbalize.draw.heatmaps import image_png, pixel_heatmap_png

    pictures = [image_png(saliency)] if saliency.image is not None else []
    pictures.append(pixel_heatmap_png(saliency))
    return [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(data).decode("ascii")}}
        for data in pictures
    ]
