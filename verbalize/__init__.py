"""Why did it decide? Saliency becomes claims, claims become sentences, and sentences are held against the map."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verbalize.background import Background
    from verbalize.claims import CheckReport, Claim, ClaimError, check
    from verbalize.formats import read_saliency, write_saliency
    from verbalize.narrate import Narrator
    from verbalize.reading import ReadSentence, read_claims, read_sentences
    from verbalize.regions import Region, find_regions
    from verbalize.saliency import PixelSaliency, Prediction, Query, SaliencyError, SpecialToken, TokenSaliency
    from verbalize.spans import Span, best_spans, best_spans_holding
    from verbalize.template import TemplateVerbalizer
    from verbalize.verbalization import Verbalization

# Loaded when first asked for: reading claims brings spaCy, regions bring OpenCV.
_HOME = {
    "Background": "background",
    "CheckReport": "claims", "Claim": "claims", "ClaimError": "claims", "check": "claims",
    "Narrator": "narrate",
    "PixelSaliency": "saliency", "Prediction": "saliency", "Query": "saliency", "SaliencyError": "saliency",
    "SpecialToken": "saliency", "TokenSaliency": "saliency",
    "Region": "regions", "find_regions": "regions",
    "Span": "spans", "best_spans": "spans", "best_spans_holding": "spans",
    "TemplateVerbalizer": "template",
    "Verbalization": "verbalization",
    "ReadSentence": "reading", "read_claims": "reading", "read_sentences": "reading",
    "read_saliency": "formats", "write_saliency": "formats",
}  # fmt: skip

__all__ = [
    "Background",
    "CheckReport",
    "Claim",
    "ClaimError",
    "Narrator",
    "PixelSaliency",
    "Prediction",
    "Query",
    "ReadSentence",
    "Region",
    "SaliencyError",
    "Span",
    "SpecialToken",
    "TemplateVerbalizer",
    "TokenSaliency",
    "Verbalization",
    "best_spans",
    "best_spans_holding",
    "check",
    "find_regions",
    "read_claims",
    "read_saliency",
    "read_sentences",
    "write_saliency",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"verbalize.{_HOME[name]}"), name)
    raise AttributeError(f"module 'verbalize' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
