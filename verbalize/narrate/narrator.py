"""Texts by a language model that say nothing false: planned by it, or written by it and checked before they are returned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agents.chat.foreseen import OnDemand, foresee
from agents.chat.stopping import ends_run, stays
from agents.chat.structured import StructuredError, StructuredFailure, ask_again, ask_many
from saywhy_core.errors import UsageError, argument
from verbalize.claims.checking import with_predictions
from verbalize.claims.coverage import coverage_of
from verbalize.compose.menu import menu_of
from verbalize.compose.plan import Plan, chosen_of
from verbalize.compose.realise import realised, worded
from verbalize.narrate import dialogue as words
from verbalize.narrate.comment import comment_of
from verbalize.narrate.drafts import AnyReply, Draft, Outcome, as_prose, numbers_of, passages_of, pictures_of
from verbalize.narrate.judging import judged, kept_of, length_fault, prose, with_tested
from verbalize.narrate.replies import FreeReply
from verbalize.phrasing.wording import AUDIENCES as REGISTERS
from verbalize.saliency import TokenSaliency
from verbalize.verbalization import Verbalization
from verbalize.write.background import Background
from verbalize.write.template import TemplateVerbalizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from agents.chat.foreseen import Foreseen
    from verbalize.claims.claim import Claim
    from verbalize.compose.menu import MenuItem
    from verbalize.saliency import Saliency
    from verbalize.write.background import Source


_SCHEMAS: dict[str, type[Plan] | type[FreeReply] | None] = {"composed": Plan, "free": FreeReply, "smv-gpt": None}
_TYPICAL_REPLIES = {"composed": 120, "free": 300, "smv-gpt": 100}
"""Tokens: a plan of three groups with a comment; three sentences with five claims; a paragraph."""
_REASKS = 1  # of a reply that is no valid JSON, within each round


class Narrator:
    """Lets a chat model decide or write what is said about a map, and returns only text whose statements are true of the map.

    In the style "composed", the model chooses claims from a menu of those that hold, groups and orders them, and chooses the
    connectives; the sentences come from a closed grammar, and each of them is read back as the claims that it was made from.
    What the model adds in its own words is in `.comment` of the result, unchecked.

    In the styles "free" and "smv-gpt" the model writes. Its prose is read back with `read_sentences`. A sentence is kept only
    if it is read whole and if everything it says is true; in the style "free" also only if it says exactly the claims that
    the reply states beside it. A faulty draft is sent back with a list of its faults, at most `repairs` times. Then its faulty
    sentences are cut. If no sentence is left, the text of the template is returned.

    Args:
        model: a langchain-core chat model, as from `agents.chat_model`.
        audience: "lay", "developer", "expert", "child", or any description of the reader. With a description, the model chooses
            one of the four for composed text.
        max_words: length of the text, in words. A draft more than a quarter longer is sent back; a composed text is cut.
        repairs: how often a draft is sent back, or a plan of which nothing can be used.
        mask_labels: the text may not name the query's labels.
        language: the language to ask for. Only English can be read back; text in another language is replaced by the template.
            Composed text is in English.
        style: "composed"; "free"; or "smv-gpt". The request of "smv-gpt" is the zero-shot prompt of Feldhus et al. 2023,
            section 3.3, word for word, and the reply is plain prose. It takes only maps over texts, and no audience,
            language or pictures.
        pictures: for pixel maps, send the picture and the heatmap too (the model must be multimodal).
        background: differential descriptions of classes, as `Background.of` takes them. The results for contrastive maps
            carry them in `.background`. The model does not see them, and the text does not contain them. They name the labels,
            so they do not go with `mask_labels`.
        seed: of composed text: another number chooses other wordings for the same plan.
        explained: the model that the maps explain, as `verbalize.models.as_model` takes it. What it does without the most
            important parts, and with them alone, is then tested and worth saying; a sentence about a changed input is kept only
            if the model bears it out. Without it, such sentences are cut. To composed text, whose menu says nothing of changed
            inputs, the template's tested sentences are added behind what the chat model chose, where there is room.
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
        style: words.Style = "composed",
        pictures: bool = False,
        background: Source | None = None,
        seed: int = 0,
        explained: Any = None,
    ) -> None:
        if style not in words.STYLES:
            raise UsageError(f"a narrator's style is one of {', '.join(words.STYLES)}, not {style!r}")
        if style == "smv-gpt" and (audience != "lay" or language != "English" or pictures):
            raise UsageError(
                f"the published request of {argument('style', 'smv-gpt')} is fixed: leave out "
                f"{argument('audience')}, {argument('language')} and {argument('pictures')}"
            )
        if style == "composed" and language != "English":
            raise UsageError(
                f"the sentences of {argument('style', 'composed')} are English: leave out {argument('language')}, or use "
                f"{argument('style', 'free')}"
            )
        if style != "composed" and seed:
            raise UsageError(f"seed chooses among the wordings of style='composed', and has no effect on style={style!r}")
        if max_words < 5 or repairs < 0:
            raise UsageError(f"{argument('max_words')} must be at least 5, and {argument('repairs')} not negative")
        self.model = model
        self.audience = audience
        self.max_words = max_words
        self.repairs = repairs
        self.mask_labels = mask_labels
        self.language = language
        self.style = style
        self.pictures = pictures
        self.background = Background.beside(background, mask_labels=mask_labels)
        self.seed = seed
        self.lasting = 0  # maps about which the model could not be asked, and could not be next time
        self.explained = explained
        self._plain = TemplateVerbalizer(mask_labels=mask_labels)
        self._template = TemplateVerbalizer(mask_labels=mask_labels, model=explained)

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

        If the model could not be asked about a map, its text comes from the template, and `.problem` says why. Where nothing of
        its replies can be used, the text comes from the template as well, and `.fallback` says why.

        Args:
            saliencies: the maps.
            on_settled: called with each result as soon as it is final, in any order.

        Raises:
            UsageError: a ceiling on requests, tokens or cost was reached, an offline run lacks a reply, the reply cache is
                damaged, or the server would turn away all other requests, too.
        """
        drafts: list[Draft] = []

        def settle(draft: Draft, made: Verbalization) -> None:
            draft.done = made
            if on_settled is not None:
                on_settled(made)

        maps = list(saliencies)
        for saliency, worth in zip(*self._tested(maps), strict=True):
            drafts.append(self._begun(saliency, worth if isinstance(worth, Verbalization) else None))
            if isinstance(worth, UsageError):
                settle(drafts[-1], self._stand_in(drafts[-1], problem=str(worth)))
        self._in_rounds([draft for draft in drafts if draft.done is None], settle)
        return [draft.done for draft in drafts if draft.done is not None]

    def foresee(self, saliencies: Iterable[Saliency]) -> Foreseen:
        """What `narrate_all` would ask about these maps, and what that takes; nothing is sent, and the explained model not run.

        It is exact where each draft can be used. With `explained`, what the cache answers is not known beforehand, so that the
        number is the most.

        Raises:
            UsageError: a map can't be asked about in this style.
        """
        from langchain_core.messages import AIMessage

        maps = list(saliencies)
        begun: dict[int, Draft] = {}

        def begin(index: int) -> list[BaseMessage]:
            begun.clear()
            begun[index] = self._begun(maps[index], None)
            return begun[index].messages

        def go_on(index: int, reply: Any) -> list[BaseMessage] | None:
            draft = begun[index]
            said: AnyReply | StructuredFailure = as_prose(AIMessage(reply)) if isinstance(reply, str) else reply
            made = self._answered(draft, said, first=False)
            return draft.messages if made is None and len(draft.drafts) <= self.repairs else None

        found = foresee(
            self.model,
            OnDemand(len(maps), begin),
            _SCHEMAS[self.style],
            reply_tokens=_TYPICAL_REPLIES[self.style],
            reasks=_REASKS,
            fresh=self.explained is not None,  # what it decides stands in the requests
            then=go_on,
        )
        unknown = self.explained is not None and getattr(self.model, "cache", None) is not None
        return replace(found, most_each=found.most_each * (self.repairs + 1), about=found.about or unknown)

    def _in_rounds(self, drafts: list[Draft], settle: Callable[[Draft, Verbalization], None]) -> None:
        """Ask about all, send back what is faulty, and settle each as soon as it is final."""
        stops: list[Exception] = []
        for round_ in range(self.repairs + 1):
            open_ = [draft for draft in drafts if draft.done is None]

            def on_reply(
                index: int,
                reply: AnyReply | StructuredFailure,
                open_: list[Draft] = open_,
                first: bool = round_ == 0,
            ) -> None:
                if isinstance(reply, StructuredFailure) and ends_run(reply.error):
                    stops.append(reply.error)  # raised after the replies that did come have been used
                    return
                made = self._answered(open_[index], reply, first=first)
                if made is not None:
                    settle(open_[index], made)

            if open_:
                self._ask(open_, on_reply)
            if stops:
                raise stops[0]
        again: dict[int, tuple[Draft, Draft]] = {}
        for draft in drafts:
            if draft.done is not None:
                continue
            made = self._salvage(draft)
            fresh = self._begun(draft.saliency, draft.worth)
            if made.outcome == "template" and ask_again(self.model, draft.messages, len(fresh.messages), _SCHEMAS[self.style]):
                again[id(fresh)] = (fresh, draft)
            else:
                settle(draft, made)

        def settle_again(fresh: Draft, made: Verbalization) -> None:
            fresh.done = made
            settle(again[id(fresh)][1], made)

        if again:  # once at most for each, because what comes now is no reply of an earlier run
            self._in_rounds([fresh for fresh, _ in again.values()], settle_again)

    def _ask(self, drafts: list[Draft], on_reply: Callable[[int, AnyReply | StructuredFailure], None]) -> None:
        """Send what the drafts ask. `on_reply` is called with the position of a draft and the reply, as replies come."""
        requests = [draft.messages for draft in drafts]
        schema = _SCHEMAS[self.style]
        if schema is not None:
            numbers = [numbers_of(draft) for draft in drafts]
            ask_many(self.model, requests, schema, reasks=_REASKS, on_result=on_reply, numbers=numbers)
        else:
            # the published request asks for prose, and adding a JSON schema would change it
            replies = self.model.batch_as_completed(requests, return_exceptions=True)
            try:
                for index, reply in replies:
                    on_reply(index, as_prose(reply))
            finally:
                if hasattr(replies, "close"):  # where `on_reply` raises, no further request is sent
                    replies.close()

    def _tested(self, maps: list[Saliency]) -> tuple[list[Saliency], Sequence[Verbalization | UsageError | None]]:
        """The maps, with what the explained model predicts where they do not say it, and the template's text of each.

        The inputs of 64 maps share the calls of the model. Without such a model there are no texts.
        """
        if self.explained is None:
            return maps, [None] * len(maps)
        maps = with_predictions(maps, self.explained)
        try:
            return maps, list(self._template.verbalize_all(maps))
        except UsageError:
            return maps, [self._one_tested(saliency) for saliency in maps]

    def _one_tested(self, saliency: Saliency) -> Verbalization | UsageError:
        try:
            return self._template.verbalize(saliency)
        except UsageError as error:
            return error

    def _begun(self, saliency: Saliency, tested: Verbalization | None) -> Draft:
        from langchain_core.messages import HumanMessage, SystemMessage

        if self.style == "smv-gpt":
            return Draft(saliency, [HumanMessage(words.zero_shot_request(saliency))], worth=tested)
        menu: tuple[MenuItem, ...] = ()
        manner = {"audience": self.audience, "max_words": self.max_words, "mask_labels": self.mask_labels}
        if self.style == "composed":
            menu = menu_of(saliency, mask_labels=self.mask_labels)
            says = worded(saliency, menu, mask_labels=self.mask_labels)
            system, user = words.composed_request(saliency, says, **manner)  # type: ignore[arg-type]
        else:
            worth = (tested or self._plain.verbalize(saliency)).claims
            system, user = words.free_request(saliency, worth, language=self.language, **manner)  # type: ignore[arg-type]
        content: Any = user
        if self.pictures and not isinstance(saliency, TokenSaliency):
            content = [{"type": "text", "text": user}, *pictures_of(saliency)]
        return Draft(saliency, [SystemMessage(system), HumanMessage(content)], menu, worth=tested)

    def _answered(self, draft: Draft, reply: AnyReply | StructuredFailure, *, first: bool) -> Verbalization | None:
        """The final result if the reply is good or no better one can come; else `None`, with what to send back."""
        if isinstance(reply, StructuredFailure):
            answered = isinstance(reply.error, StructuredError)
            draft.drafts += [reply.last_reply] if answered else []
            if answered and draft.last is not None:
                return None  # the good sentences of an earlier draft may still be kept
            if not answered:
                self.lasting += stays(reply.error)
                return self._stand_in(draft, problem=str(reply.error))
            tries = f"{reply.attempts} {'attempt' if reply.attempts == 1 else 'attempts'}"
            form = "text of a fitting length" if self.style == "smv-gpt" else "valid JSON"
            return self._stand_in(draft, f"the model gave no {form} in {tries}")
        if isinstance(reply, Plan):
            return self._composed(draft, reply, first=first)
        return self._judged(draft, reply, first=first)

    def _composed(self, draft: Draft, plan: Plan, *, first: bool) -> Verbalization | None:
        from langchain_core.messages import AIMessage, HumanMessage

        said = plan.model_dump_json()
        draft.drafts.append(said)
        chosen = chosen_of(plan, draft.menu)
        audience = self.audience if self.audience in REGISTERS else plan.audience or "lay"
        made = realised(
            draft.saliency, chosen, audience=audience, tone=plan.tone, seed=self.seed, mask_labels=self.mask_labels,
            max_words=self.max_words,
        )  # fmt: skip
        comment, refused = comment_of(plan.comment, draft.saliency)
        draft.left_out = (*chosen.left_out, *made.left_out, *([f"the comment: {refused}"] if refused else []))
        if not made.text:
            draft.messages += [AIMessage(said), HumanMessage(words.another_plan(len(draft.menu)))]
            return None
        cut = bool(chosen.left_out or made.left_out)
        outcome: Outcome = "cut" if cut else "clean" if first else "repaired"
        text, claims = with_tested(draft.saliency, made.text, made.claims, draft.worth, max_words=self.max_words)
        return replace(self._result(draft, text, claims, outcome), comment=comment)

    def _judged(self, draft: Draft, reply: FreeReply | str, *, first: bool) -> Verbalization | None:
        """The final result if a draft is true as a whole; else `None`, with its faults to send back."""
        from langchain_core.messages import AIMessage, HumanMessage

        if isinstance(reply, FreeReply):
            said, passages = reply.model_dump_json(), passages_of(reply)
        else:
            said, passages = reply, prose(reply, draft.saliency)
        last = judged(passages, draft.saliency, mask_labels=self.mask_labels, explained=self.explained)
        draft.drafts.append(last.text if isinstance(reply, FreeReply) else reply)
        draft.last = last
        draft.found.update(last.found)
        faults = [fault for found in last.faults for fault in found] + length_fault(last.text, self.max_words)
        if not passages:
            faults.append("the text says nothing of the map")
        if not faults:
            claims = tuple(dict.fromkeys(claim for claims in last.claims for claim in claims))
            return self._result(draft, last.text, claims, "clean" if first else "repaired")
        plain = isinstance(reply, str)
        draft.messages += [AIMessage(said), HumanMessage(words.correction(faults, self.max_words, prose=plain))]
        return None

    def _salvage(self, draft: Draft) -> Verbalization:
        """The last draft without its faulty sentences, if the rest is true as a whole; else the text of the template."""
        if draft.last is None:
            return self._stand_in(draft, "the model's plans chose nothing that the menu offers")
        kept = kept_of(draft.last, draft.saliency, self.max_words, mask_labels=self.mask_labels, explained=self.explained)
        if kept is None:
            said = draft.last.passages
            return self._stand_in(
                draft, "no sentence of the last draft was read and true" if said else "the drafts said nothing of the map"
            )
        cut = len(draft.last.passages) - len(kept.passages)
        draft.left_out = (f"sentences: {cut}",) if cut else ()
        claims = tuple(dict.fromkeys(claim for claims in kept.claims for claim in claims))
        return self._result(draft, kept.text, claims, "cut" if cut else "repaired")

    def _stand_in(self, draft: Draft, why: str | None = None, *, problem: str | None = None) -> Verbalization:
        """The text of the template, and why it stands there: what the model's replies were, or why it could not be asked."""
        made = draft.worth or self._plain.verbalize(draft.saliency)
        return replace(self._result(draft, made.text, made.claims, "template"), problem=problem, fallback=why)

    def _result(self, draft: Draft, text: str, claims: tuple[Claim, ...], outcome: Outcome) -> Verbalization:
        saliency = draft.saliency
        shown = self.background
        known = shown.sentences(saliency.query) if shown is not None else ()
        return Verbalization(
            saliency.saliency_id, text, claims, coverage_of(claims, saliency), self.style, outcome, tuple(draft.drafts),
            dict(draft.found), background=known, left_out=draft.left_out,
        )  # fmt: skip
