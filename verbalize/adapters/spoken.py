"""How the sentences of this room name the parts of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.saliency import TokenSaliency
from verbalize.write.naming import Frame, WordIndex, mention, quoted

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


def part_names(saliency: Saliency, names: Sequence[str]) -> list[str]:
    """The names of all parts of a map, such that no two are the same: the first 'great', the second 'great'."""
    if isinstance(saliency, TokenSaliency):
        index = WordIndex.of(saliency)
        return [mention(saliency, (place,), index) for place in range(len(saliency))]
    return [spoken(name, saliency) for name in names]


def noun(saliency: Saliency) -> str:
    """What the parts of a map are called."""
    return "word" if isinstance(saliency, TokenSaliency) else "region"


def asked(maps: Sequence[Saliency]) -> str:
    """What parts of signed maps are important for: " for 'stop'", or " for their labels" if these differ; else nothing."""
    if not all(one.signed for one in maps):
        return ""
    queries = {one.query for one in maps}
    return f" for {Frame.of(maps[0].query, mask_labels=False).full}" if len(queries) == 1 else " for their labels"
