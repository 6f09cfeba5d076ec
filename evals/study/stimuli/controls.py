"""Controls: what a study shows where it shows no explanation, or a wrong one.

`random` and `other` take the form of another kind, a heatmap unless they are told otherwise, so that they differ from the real
explanation in nothing but their content.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.study.items import Stimulus
from evals.study.stimuli.kind import KINDS, ConditionKind, checked, word
from evals.study.stimuli.layout import is_word
from saywhy_core.errors import UsageError
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from evals.study.stimuli.making import Making
    from verbalize.saliency import Saliency

_FORM = {
    "kind": "the kind in whose form it is shown (heatmap)",
    "options": "the options of that kind",
}


def _nothing(making: Making, options: Mapping[str, object]) -> list[Stimulus | None]:  # noqa: ARG001 - it has none
    return [Stimulus("", "") for _ in making.maps]


def _in_form(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    name = word(options, "kind", "heatmap")
    given: Any = options.get("options", {})
    kind = KINDS.get(name)
    if not isinstance(given, dict) or kind.control or name == "file":
        raise UsageError(f"a control can't take the form of the kind {name!r}; use heatmap, rationale, ranked, text or narrate")
    return kind.show(making, checked(kind, making.condition, given))


def _random(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    return _in_form(making.of([shuffled(one, making.seed_for(one)) for one in making.maps]), options)


def shuffled(saliency: Saliency, seed: int) -> Saliency:
    """A map with the same scores at random places.

    Of a text, the scores are permuted over the words; punctuation keeps its own scores, so that the
    commas of a random map stand out as rarely as those of a real one. Of a picture, they are put in the order of a random field
    with the same power spectrum (random phases: Theiler et al. 1992, algorithm II), so that it is as smooth as the map and has
    the same histogram.
    """
    draws = np.random.default_rng(seed)
    if isinstance(saliency, TokenSaliency):
        scores = saliency.scores.copy()
        wordlike = np.fromiter(map(is_word, saliency.tokens), bool, len(saliency))
        for group in (wordlike, ~wordlike):
            scores[group] = draws.permutation(scores[group])
        return replace_scores(saliency, scores)
    field = _same_spectrum(saliency.scores, draws)
    ranked = np.empty(saliency.scores.size)
    ranked[np.argsort(field, axis=None, kind="stable")] = np.sort(saliency.scores, axis=None)
    return replace_scores(saliency, ranked.reshape(saliency.shape))


def replace_scores(saliency: Saliency, scores: NDArray[np.float64]) -> Saliency:
    """The same map with other scores."""
    if isinstance(saliency, TokenSaliency):
        return TokenSaliency(
            saliency.tokens, scores, saliency.query, saliency.text, saliency.offsets, saliency.prediction, saliency.special,
            saliency.id or saliency.saliency_id, saliency.method, saliency.signed,
        )  # fmt: skip
    return replace(saliency, scores=scores, id=saliency.saliency_id)


def _same_spectrum(scores: NDArray[np.float64], draws: np.random.Generator) -> NDArray[np.float64]:
    """A random field whose power spectrum is that of the scores."""
    noise = np.fft.rfft2(draws.standard_normal(scores.shape))
    size = np.abs(noise)
    phases = np.divide(noise, size, out=np.ones_like(noise), where=size > 0)
    scaled = scores / (np.abs(scores).max() or 1.0)
    return np.fft.irfft2(np.abs(np.fft.rfft2(scaled)) * phases, s=scores.shape)


def _of_other(making: Making, options: Mapping[str, object]) -> list[Stimulus | None]:
    """The explanation of another label: the one with the highest score after the model's choice, or one at random."""
    chosen: list[Saliency | None] = []
    for saliency in making.maps:
        others = making.others.get(saliency.saliency_id, ())
        if not others:
            making.problem(
                saliency,
                "there is no map of the same input for another label; give one, with that label in its query, beside this one",
            )
        chosen.append(_runner_up(saliency, others, making.seed_for(saliency)) if others else None)
    shown = iter(_in_form(making.of([one for one in chosen if one is not None]), options))
    return [None if one is None else next(shown) for one in chosen]


def _runner_up(saliency: Saliency, others: Sequence[Saliency], seed: int) -> Saliency:
    scores = saliency.prediction.scores if saliency.prediction is not None else {}
    known = [one for one in others if one.query.label in scores]
    if known:
        return max(known, key=lambda one: scores[one.query.label])
    return others[int(np.random.default_rng(seed).integers(len(others)))]


NONE = ConditionKind(summary="the input without any explanation", show=_nothing, options={}, control=True)
RANDOM = ConditionKind(summary="the same scores at random places of the input", show=_random, options=_FORM, control=True)
OTHER = ConditionKind(summary="the explanation of another label", show=_of_other, options=_FORM, control=True)
