"""ferret's `Explanation` (Attanasio et al. 2023), in its old and new shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _matches(value: object) -> bool:
    return type_name(value).startswith("ferret.") and type(value).__name__ in ("Explanation", "ExplanationWithRationale")


def _read(explanation: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    target = getattr(explanation, "target", None)  # releases from 0.5 on name the class; before, it is a number
    if target is None:
        target = getattr(explanation, "target_pos_idx", None)
    yield TokenSaliency.from_pieces(
        list(explanation.tokens),
        explanation.scores,
        options.query(target),
        text=explanation.text if isinstance(explanation.text, str) else None,
        method=str(explanation.explainer),
        signed=options.is_signed(),
    )


FORMAT = Format("ferret", "ferret Explanation objects", _matches, _read)
