"""What is shown of each candidate under each condition; who can't be shown under all of them is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evals.study.items import Item, Stimulus
from evals.study.stimuli.heatmap import KEY_WORDS
from evals.study.stimuli.kind import KINDS, checked
from evals.study.stimuli.layout import input_of, plain_text
from evals.study.stimuli.leaks import leaks_of
from saywhy_core.errors import UsageError
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.building.candidates import Candidate
    from evals.study.design.file import ConditionPart
    from evals.study.stimuli.making import Making
    from verbalize.saliency import Saliency


def shown_items(
    candidates: Sequence[Candidate], conditions: Sequence[ConditionPart], making: Making, labels: Mapping[str, Sequence[str]]
) -> list[Item]:
    """An item for each candidate that can be shown under every condition; the problems of the others are in the making.

    Args:
        candidates: the inputs.
        conditions: the conditions.
        making: what stimuli are made from; its maps are set here.
        labels: id -> the labels that participants choose from.
    """
    maps = [one.map for one in candidates]
    others = {one.id: one.others for one in candidates}
    making = replace(making.of(maps), others=others)
    left = dict.fromkeys(one.id for one in candidates)
    stimuli: dict[str, dict[str, Stimulus]] = {name: {} for name in left}
    ordered = sorted(conditions, key=lambda part: "narrate" in (part.kind, part.options.get("kind")))
    for part in ordered:  # a language model is asked last, about what all others can show
        kind = KINDS.get(part.kind)
        here = [saliency for saliency in making.maps if saliency.saliency_id in left]
        options = checked(kind, part.name, part.options)
        with KINDS.blame(part.kind):
            shown = kind.show(replace(making.of(here), condition=part.name), options)
        if len(shown) != len(here):
            raise UsageError(f"the kind of condition {part.kind!r} gave {len(shown)} stimuli for {len(here)} maps")
        for saliency, stimulus in zip(here, shown, strict=True):
            if stimulus is None or _leaks(saliency, stimulus, part, making):  # later conditions need not be made for it
                left.pop(saliency.saliency_id, None)
            else:
                stimuli[saliency.saliency_id][part.name] = stimulus
    return [
        Item(
            id=one.id,
            form="text" if isinstance(one.map, TokenSaliency) else "image",
            input=input_of(one.map, making),
            predicted=one.predicted,
            true=one.true,
            labels=tuple(labels[one.id]),
            stimuli={part.name: stimuli[one.id][part.name] for part in conditions},
            facts=one.facts,
        )
        for one in candidates
        if one.id in left
    ]


def _leaks(saliency: Saliency, stimulus: Stimulus, part: ConditionPart, making: Making) -> bool:
    """Whether an explanation names a label that people are to guess; it is a problem then."""
    if making.names is None:
        return False
    own = plain_text(saliency) if isinstance(saliency, TokenSaliency) else ""
    found = leaks_of(stimulus, making.names, own, own_words_of(part.kind, part.options))
    if found:
        named = ", ".join(f"“{one}”" for one in found[:5])
        replace(making, condition=part.name).problem(
            saliency, f"the explanation names a label that people are to guess: {named}; mask it, or let --replace-leaks do so"
        )
    return bool(found)


def own_words_of(kind: str, options: Mapping[str, Any]) -> frozenset[str]:
    """The words that the sentences of a kind are made of, also where it takes the form of another."""
    words = KINDS.get(kind).own_words
    if kind in ("combined", "random", "other"):
        default = "text" if kind == "combined" else "heatmap"
        words |= KINDS.get(str(options.get("kind", default))).own_words | KEY_WORDS
    return words
