"""A heatmap: each word or pixel coloured by its score."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from evals.study.items import Stimulus
from evals.study.stimuli.kind import ConditionKind
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.stimuli.making import Making


def _show(making: Making, options: Mapping[str, object]) -> list[Stimulus | None]:  # noqa: ARG001 - it has none
    shown: list[Stimulus | None] = []
    for saliency in making.maps:
        assert isinstance(saliency, TokenSaliency)
        top = max(float(abs(saliency.scores).max(initial=0.0)), 1e-300)
        words = [
            f'<span class="h{round(score / top * 10):+d}">{escape(token)}</span>'
            for token, score in zip(saliency.tokens, saliency.scores, strict=True)
        ]
        text = " ".join(f"{token} ({score:+.2f})" for token, score in zip(saliency.tokens, saliency.scores, strict=True))
        shown.append(Stimulus(f'<p class="heatmap">{" ".join(words)}</p>', text))
    return shown


HEATMAP = ConditionKind(summary="each word or pixel coloured by its score", show=_show, options={})
