"""Texts of `verbalize` below the input: by its templates, or by a language model that says only what is true of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.stimuli.kind import ConditionKind, whole, word
from evals.study.stimuli.layout import below, said, top_of
from evals.study.stimuli.leaks import VOCABULARY
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from evals.study.items import Stimulus
    from evals.study.stimuli.making import Making
    from verbalize.saliency import Saliency


def _by_template(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    from verbalize import TemplateVerbalizer

    verbalizer = TemplateVerbalizer(
        style=word(options, "style", "plain"),
        length=word(options, "length", "short"),
        max_words=whole(options, "max_words", 12),
        max_spans=whole(options, "max_spans", 3),
        mask_labels=making.mask_labels,
    )
    return [_tried(verbalizer, saliency, making) for saliency in making.maps]


def _tried(verbalizer: Any, saliency: Saliency, making: Making) -> Stimulus | None:
    from saywhy_core.reading.records import told

    try:
        with told(what="it can't be put into words"):
            text = verbalizer.verbalize(making.for_words(saliency)).text
    except UsageError as error:
        making.problem(saliency, str(error))
        return None
    top = top_of(saliency)
    return said(text if text.endswith((".", "!", "?")) else f"{text[:1].upper()}{text[1:]}.", top if top in text else "")


TEXT = ConditionKind(
    summary="sentences by a style of verbalize, each true of the map",
    show=below(_by_template),
    options={
        "style": "the style: plain, ranked, smv, or one that a plug-in brings (plain)",
        "length": "clause, short or paragraph (short)",
        "max_words": "the most words of the input that the text names (12)",
        "max_spans": "the most parts of the input that the text names (3)",
    },
    explain=_by_template,
    own_words=VOCABULARY,
)


_OUTCOMES = {
    "clean": "texts by the language model, checked, as it wrote or chose them",
    "repaired": "texts by the language model, checked, after it was told what was false",
    "cut": "texts by the language model, checked, without what was false",
    "template": "texts by the template, because nothing that the language model wrote could be kept",
}


def _narrated(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    from verbalize.narrate import STYLES, Narrator

    if making.chat is None:
        raise UsageError("the condition 'narrate' needs a language model; name one with --llm")
    narrator = Narrator(
        making.chat,
        audience=word(options, "audience", "lay"),
        max_words=whole(options, "max_words", 60, least=5),
        repairs=whole(options, "repairs", 2, least=0),
        mask_labels=making.mask_labels,
        style=word(options, "style", "composed", STYLES),  # type: ignore[arg-type]  # one of STYLES
    )
    if making.foreseen is not None:
        making.foreseen.append(narrator.foresee(map(making.for_words, making.maps)))
        return _by_template(making, {})
    shown: list[Stimulus | None] = []
    for saliency, made in zip(making.maps, narrator.narrate_all(map(making.for_words, making.maps)), strict=True):
        if made.problem is not None:
            making.problem(saliency, made.problem)
            shown.append(None)
            continue
        making.count(saliency, _OUTCOMES[str(made.outcome)])
        top = top_of(saliency)
        shown.append(said(made.text, top if top in made.text else ""))
    return shown


NARRATE = ConditionKind(
    summary="sentences that a language model chose or wrote, each checked against the map",
    show=below(_narrated),
    options={
        "style": "composed, free or smv-gpt (composed)",
        "audience": "who reads the text (lay)",
        "max_words": "length of the text in words (60)",
        "repairs": "how often a false draft is sent back (2)",
    },
    explain=_narrated,
    own_words=VOCABULARY,
)
