"""How the sentences of this room name the parts of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.saliency import TokenSaliency
from verbalize.write.naming import Frame, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Saliency


def spoken(name: str, saliency: Saliency) -> str:
    """A part as sentences name it: 'great', the region 'sky', or the red region at the left (found without masks)."""
    if isinstance(saliency, TokenSaliency):
        return quoted(name) or f"the word {name!r}"
    if saliency.masks is None:
        return f"the {name}"
    return f"the region {quoted(name) or repr(name)}"


def noun(saliency: Saliency) -> str:
    """What the parts of a map are called."""
    return "word" if isinstance(saliency, TokenSaliency) else "region"


def asked(maps: Sequence[Saliency]) -> str:
    """What parts of signed maps are important for: " for 'stop'", or " for their labels" if these differ; else nothing."""
    if not all(one.signed for one in maps):
        return ""
    queries = {one.query for one in maps}
    return f" for {Frame.of(maps[0].query, mask_labels=False).full}" if len(queries) == 1 else " for their labels"
