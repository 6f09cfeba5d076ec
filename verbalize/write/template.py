"""Write sentences about a map without a language model. Each is made from true claims and can be read back into them.

These are the shapes of the sentences. P is a part, F the query in full, and "it" the query when it is mentioned again ("that
choice" for a contrastive query).

    P is    'great'  |  'great acting'  |  the second 'great'  |  the 'great' in 'a great cast'  |  the word at position 5
            |  the phrase at positions 5 to 7
            |  the word 'good'  |  the phrase 'not good'  |  the second word 'good'  |  the word 'good' in 'a good cast'
            (where those words are a label's name)
            (of a picture: the red region at the upper left  |  the region 'sky')
    F is    'A'  |  'A' rather than 'B'  |  'A' rather than 'B', 'C' or 'D'  |  the group 'G' ('A' or 'B')
            |  the group 'G' (12 classes)  |  the label 'A' (where the input holds the word, too)
            |  the label  |  the label rather than the other label(s)     (labels masked)

    P speaks most for F, with 46% of all the evidence.                      (against F)
    P is the most important word (part of the text, region) for F, with 46% of all the evidence.
    The most important word for F is P, but with only 6% of all the evidence.
    P speaks most for F, with 46% of all the evidence, above all P.         (the second P is a word of the first)
    P speaks most for F, above all P, which holds 46% (only 6%) of all the evidence.
    P, about a tenth of the picture, speaks most for F, with 46% of all the evidence.      (or: 3% of)
    P and P are equally the most important words for F, each with 20% of all the evidence.
    P and P are among the most important words for F.                       P is among the most important words for F.
    The only word, P, speaks for F.                                         The whole picture speaks for F.
    ...; P (20%) also speaks for it.                                        ...; P (20%) and P (under 1%) also speak for it.
    P is the most important word for F, with 46% of all the evidence, followed by P (20%), P (10%) and P (5%).
    P speaks most against it, with 30% of all the evidence.                 (and every other shape with "against")
    P is more important than P.
    The rest of the text holds 24% (about 24%) of all the evidence.
    More of the evidence speaks for it than against it.                     More of the evidence speaks against it than for it.
    Nothing in the text (picture) speaks for F (it).                        Nothing in the text speaks against it.
    No part of the text (picture) stands out for F: every word (pixel) scores zero (scores the same).
    No part of the picture stands out for F.                                (it shows no more than noise would)
    The word » great « is most important for the prediction (46 %).         (style "smv": word, phrase or span)
    The phrase » fine acting « is also salient (20 %).

Unsigned maps:

    P matters most in the decision on F, with 46% of the importance; P (20%) and P (10%) also matter.
    P and P are equally the most important words in the decision on F, each with 20% of the importance.
    P is (P and P are) among the most important words in the decision on F.
    The only word, P, matters in the decision on F.
    P is more important than P.                                             The rest of the text holds 24% of the importance.
    No part of the text (picture) stands out: every word (pixel) scores zero (scores the same).

Of maps that are the same for every label, such as those of attention rollout (`voice.LABEL_FREE`), "in the decision on F" is
left out: "P matters most, with 46% of the importance."

With a model, of what it was run on (A and B are labels in quotes; the second form of a line is that with labels masked):

    Without P, the model says B instead of A.                               Without P, the model changes its decision.
    Without P, the model still says A.                                      Without P, the model keeps its decision.
    The map's most important word (part of the text, region) is P; without it the model still says A (keeps its decision).
    (of a signed map that is about A, in which no word scores as high against it; else "Without P, the model still says A.")
    P alone is enough for the model to say A.                               P alone is enough for the model's decision.
    P alone is not enough for the model to say A.                           P alone is not enough for the model's decision.
    With P alone, the model says B instead of A.
    With 'dull' in place of P, the model says B instead of A.               (labels masked: changes its decision)
    With 'dull' in place of P, the model still says A.                      (labels masked: keeps its decision)

These are the rules for reading the shapes:

- There are four kinds of quotes ('', "", «», 「」). The quoted words contain neither of the two marks nor a look-alike. A
  quotation reaches from the first opening mark to its closing mark. White space in quotes is squeezed. A quotation with letters
  that run from right to left stands between U+2068 and U+2069, which are no part of it.
- Quoted words are written as in the input, or as `verbalize.spacing.gaps` sets the tokens if the input is not known.
- An ordinal counts the places of the whole quoted run of words, including case (`verbalize.write.naming.WordIndex.places`).
  Positions count words from 1. In "the 'great' in 'a great cast'", the second quotation occurs once in the text, and the first
  once in it.
- A quoted name after "for", "against", "on" or "rather than", or in the list that follows these, is a label. Any other is a
  part.
- A number in brackets after a part is its share of the whole that the same sentence names: "all the evidence" or "the
  importance" (both `of="absolute"`). Only in the style "smv", which names no whole, it is a share of the evidence for the label
  (`of="positive"`).
- "Under 1%" is a share from 0 to 1 %, "over 99%" one from 99 % to 100 %.
- "About a tenth of the picture" after a region is its area: `Claim("share", part, value=0.1, tolerance=0.05, of="area")`. The
  fractions are a tenth, a fifth, a quarter, a third, two fifths, half, three fifths, two thirds, three quarters, four fifths
  and nine tenths. "3% of the picture" and "under 1% of the picture" have the tolerance of other per cents.
- "About 24%" may be off by 5 percentage points.
- "Followed by" says that each part is more important than the next.
- "Above all P" says that P, a word of the part before, speaks in the direction and is more important than each other word of
  that part.
- A quoted name after "says", "say" or "instead of" is a label: the decision, and what becomes of it. "Changes its decision"
  names neither. "Without P" is "decisive", "P alone" is "sufficient", each with the rest of its sentence negated or not.
- "Stands out" does not state a direction. "Speaks for" and "speaks against" do. "Matters" states none.
"""

from __future__ import annotations

import operator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.records import told
from verbalize.claims.coverage import coverage_of
from verbalize.claims.model.names import same_name
from verbalize.evidence import evidence_of
from verbalize.saliency import SaliencyError
from verbalize.verbalization import Verbalization
from verbalize.write import phrases
from verbalize.write.background import Background
from verbalize.write.draft import Draft
from verbalize.write.naming import Frame
from verbalize.write.style import STYLES, Limits
from verbalize.write.tested.parts import checked_replacements, tested_parts
from verbalize.write.tested.sentences import say_tested

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from verbalize.saliency import Prediction, Saliency
    from verbalize.write.background import Source
    from verbalize.write.tested.parts import Tested

T = TypeVar("T")
_BATCH = 64  # maps whose inputs share the calls of a model


@dataclass(frozen=True)
class TemplateVerbalizer:
    """Verbalizes maps with templates, which it fills only with what is true of the map.

    Args:
        max_words: the most words of the input that the text names, in both directions together, 1 or more.
        max_spans: the most spans (or regions of a picture) that the text names, 1 or more.
        style: a name in `STYLES`: "plain"; "ranked", which names single words in order of importance; "smv", the templates of
            Feldhus et al. 2023; or the style of a plug-in.
        mask_labels: whether to write "the label" instead of every class name, in the text and in its claims, for studies in
            which people guess the model's decision. The words of the input are still quoted as they are.
        background: differential descriptions of classes: a `Background`, pair descriptions, or a file that `agents.read_pairs`
            reads. Sentences from it are in `.background` of the result, never in the text. Only contrastive maps get them. They
            name the labels, so they do not go with `mask_labels`.
        length: "clause" (the most important part alone, without a full stop), "short", or "paragraph" (also with comparisons,
            the share of the words that are not named, and the balance of both directions). The style "smv" has only "short".
        model: the model that the maps explain, as `verbalize.models.as_model` takes it. The text then also says what the model
            does without the most important part, and with that part alone; in a paragraph also which other parts are decisive.
            Each such sentence was tested on the model. The length "clause" has no room for them.
        replacements: words of the texts, each with the words that take its place, such as {"great": "dull"}; needs `model`. The
            text then also says what the model does with each of them, at the first three places of the words, one at a
            time. Of texts without these words it says nothing.

    Raises:
        SaliencyError: the style is unknown, the style has no such length, or a limit is below 1.
        UsageError: the background can't be read, or labels are masked; or there is no such model, or no room for what it says;
            or there are replacements without a model, or words that can't be quoted.
    """

    max_words: int = 12
    max_spans: int = 3
    style: str = "plain"
    mask_labels: bool = False
    length: str = "short"
    background: Source | None = field(default=None, kw_only=True, repr=False)
    model: Any = field(default=None, kw_only=True, repr=False)
    replacements: Mapping[str, str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("max_words", "max_spans"):
            value = getattr(self, name)
            try:
                number = operator.index(value)
            except TypeError:
                number = 0
            if number < 1 or isinstance(value, bool):
                raise SaliencyError(f"{name} must be a whole number from 1 up, not {value!r}")
        try:
            lengths = STYLES.get(self.style).lengths
        except UsageError as error:
            raise SaliencyError(str(error)) from None
        if self.length not in lengths:
            raise SaliencyError(f"the style {self.style!r} has no length {self.length!r}; use one of {', '.join(lengths)}")
        object.__setattr__(self, "background", Background.beside(self.background, mask_labels=self.mask_labels))
        if self.replacements is not None:
            object.__setattr__(self, "replacements", checked_replacements(self.replacements, model=self.model))
        if self.model is not None:
            from verbalize.models.opening import as_model  # imports torch, which texts about maps alone do not need

            if self.length == "clause":
                raise SaliencyError("a clause has no room for what a model says; with model= use 'short' or 'paragraph'")
            object.__setattr__(self, "model", as_model(self.model))

    def verbalize(self, saliency: Saliency) -> Verbalization:
        """Write a text about the map. The result also holds its claims and the coverage of the parts that it names.

        The text depends only on the map and on the settings of this object. It always names the strongest part that speaks for
        the label, and it never says that a part speaks in a direction in which it does not.

        Raises:
            TypeError: the argument is not a map.
            UsageError: the model can't be run on the input, or it is not the model that the map explains.
        """
        (made,) = self._written([saliency])
        if isinstance(made, UsageError):
            raise made
        return made

    def verbalize_all(
        self,
        saliencies: Iterable[Saliency],
        *,
        where: str = "the maps",
        on_problem: Callable[[Problem], None] | None = None,
    ) -> Iterator[Verbalization]:
        """Iterate over the texts of the maps. Each map is verbalized when its text is asked for.

        With a model, 64 maps are verbalized at once, so that their inputs share its calls.

        Args:
            saliencies: the maps.
            where: the source of the maps, which problems name.
            on_problem: called with each map that can't be put into words. Without it, the first such map raises.

        Raises:
            UsageError: a map can't be put into words, and `on_problem` is not given.
            TypeError: something is no map, and `on_problem` is not given.
        """
        left, place = iter(saliencies), 0
        while batch := tuple(islice(left, 1 if self.model is None else _BATCH)):
            for saliency, made in zip(batch, self._written(batch, lenient=on_problem is not None), strict=True):
                place += 1
                if not isinstance(made, UsageError):
                    yield made
                    continue
                if on_problem is None:
                    raise made
                name = getattr(saliency, "saliency_id", None)
                on_problem(Problem(where, str(made), id=name if isinstance(name, str) else f"number {place}"))

    def _written(self, saliencies: Sequence[Saliency], *, lenient: bool = False) -> list[Verbalization | UsageError]:
        """The texts, or why there is none. If `lenient`, whatever a map causes is such a reason."""
        begun = [self._kept(partial(self._draft, saliency), lenient=lenient) for saliency in saliencies]
        if self.model is not None:
            self._ask(begun)
        return [
            draft if isinstance(draft, UsageError) else self._kept(partial(self._finished, draft), lenient=lenient)
            for draft in begun
        ]

    def _kept(self, make: Callable[[], T], *, lenient: bool) -> T | UsageError:
        """What is made, or the error that a user can correct."""
        try:
            with told(what="it can't be put into words") if lenient else nullcontext():
                return make()
        except UsageError as error:
            return error

    def _draft(self, saliency: Saliency) -> Draft:
        """The text as far as the map alone tells it."""
        evidence = evidence_of(saliency)
        draft = Draft(
            saliency, evidence, Frame.of(saliency.query, mask_labels=self.mask_labels, heard=" ".join(evidence.names))
        )
        if evidence.flat:
            phrases.say_flat(draft)
        else:
            STYLES.get(self.style).say(draft, Limits(self.max_words, self.max_spans, self.length))
        return draft

    def _tested(self, draft: Draft) -> Tested:
        return tested_parts(draft, paragraph=self.length == "paragraph", replacements=self.replacements)

    def _ask(self, drafts: list[Draft | UsageError]) -> None:
        """Ask the model about the changed inputs of all drafts at once. Where it can't be asked, the error takes its place."""
        from verbalize.masking.asking import ask_model  # imports torch

        changes = [() if isinstance(draft, UsageError) else self._tested(draft).changes for draft in drafts]
        open_ = [(index, draft) for index, draft in enumerate(drafts) if isinstance(draft, Draft) and changes[index]]
        answered = ask_model(self.model, [(draft.saliency, changes[index]) for index, draft in open_])
        for (index, draft), effects in zip(open_, answered, strict=True):
            if isinstance(effects, UsageError):
                drafts[index] = effects
                continue
            known = self._knowing(draft, effects.prediction)
            known.evidence = replace(draft.evidence, effects=effects)
            drafts[index] = known

    def _knowing(self, draft: Draft, prediction: Prediction | None) -> Draft:
        """The draft, written anew if the map is not about what the model predicts, which the map does not tell."""
        saliency = draft.saliency
        if saliency.prediction is not None or prediction is None or same_name(prediction.label, saliency.query.label):
            return draft
        return self._draft(replace(saliency, prediction=prediction))

    def _finished(self, draft: Draft) -> Verbalization:
        if draft.evidence.effects is not None:
            say_tested(draft, self._tested(draft), paragraph=self.length == "paragraph", mask_labels=self.mask_labels)
        saliency = draft.saliency
        text, claims = " ".join(draft.sentences), tuple(draft.claims)
        if self.length == "clause":
            text, claims = draft.clause, draft.clause_claims
        shown = Background.beside(self.background, mask_labels=self.mask_labels)
        known = shown.sentences(saliency.query) if shown is not None else ()
        coverage = coverage_of(claims, saliency)
        return Verbalization(saliency.saliency_id, text, claims, coverage, self.style, background=known)
