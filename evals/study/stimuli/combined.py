"""Two explanations at once: a heatmap, and below it any explanation that stands below the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.stimuli.heatmap import heatmap_of
from evals.study.stimuli.kind import KINDS, ConditionKind, checked, word
from evals.study.stimuli.layout import joined
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.items import Stimulus
    from evals.study.stimuli.making import Making


def _show(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    name = word(options, "kind", "text")
    kind = KINDS.get(name)
    given = options.get("options", {})
    if kind.explain is None or not isinstance(given, dict):
        raise UsageError(f"a heatmap can't be combined with the kind {name!r}: it does not stand below the input")
    explained = kind.explain(making, checked(kind, making.condition, given))
    return [
        None if explanation is None else joined(heatmap_of(saliency, making), explanation)
        for saliency, explanation in zip(making.maps, explained, strict=True)
    ]


COMBINED = ConditionKind(
    summary="a heatmap, and sentences or a list below it",
    show=_show,
    options={"kind": "the kind of the explanation below the heatmap (text)", "options": "the options of that kind"},
)
