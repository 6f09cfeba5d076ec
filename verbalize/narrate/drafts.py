"""The state of one text while a chat model works on it, and its replies as drafts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agents.chat.objects.reading import why_unusable
from agents.chat.structured import StructuredError, StructuredFailure
from verbalize.evidence import evidence_of
from verbalize.narrate.judging import Passage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from verbalize.compose.menu import MenuItem
    from verbalize.compose.plan import Plan
    from verbalize.narrate.judging import Judged
    from verbalize.narrate.replies import FreeReply
    from verbalize.saliency import Saliency
    from verbalize.verbalization import Verbalization

LONGEST = 2000  # characters; a longer reply is not read as a text, because it is most likely a refusal or a repetition
Outcome = Literal["clean", "repaired", "cut", "template"]
AnyReply: TypeAlias = "Plan | FreeReply | str"


@dataclass
class Draft:
    """The state of one map: the conversation so far, the drafts, and the last draft that could be judged."""

    saliency: Saliency
    messages: list[BaseMessage]
    menu: tuple[MenuItem, ...] = ()
    drafts: list[str] = field(default_factory=list)
    last: Judged | None = None
    found: Counter[str] = field(default_factory=Counter)
    left_out: tuple[str, ...] = ()
    done: Verbalization | None = None
    worth: Verbalization | None = None


def as_prose(reply: BaseMessage | Exception) -> str | StructuredFailure:
    """The text of a reply in prose."""
    if isinstance(reply, Exception):
        return StructuredFailure(reply, 1, "")
    text = str(reply.text).strip()
    if not 0 < len(text) <= LONGEST:
        why = f"the reply is {len(text)} characters long" if text else f"the reply is no text: {why_unusable(reply)}"
        return StructuredFailure(StructuredError(why, 1, text), 1, text)
    return text


def passages_of(reply: FreeReply) -> tuple[Passage, ...]:
    """The sentences of a reply, each with the claims that can be used of those stated beside it."""
    found = []
    for sentence in reply.sentences:
        if not (text := sentence.text.strip()):
            continue
        claims = [claim.to_claim() for claim in sentence.claims]
        stated = tuple(claim for claim in claims if claim is not None)
        found.append(Passage(text, stated, unusable=len(stated) < len(claims)))
    return tuple(found)


def numbers_of(draft: Draft) -> dict[str, tuple[int, int]]:
    """By field of a reply, the least and the largest number that it may hold: of the menu, or of the map's parts."""
    if draft.menu:
        return {"claims": (1, len(draft.menu))}
    parts = (0, len(evidence_of(draft.saliency).names) - 1)
    return {"part": parts, "other": parts}


def pictures_of(saliency: Any) -> list[dict[str, Any]]:
    """The picture and its heatmap, as the content blocks that multimodal chat models take."""
    import base64

    from verbalize.draw.heatmaps import image_png, pixel_heatmap_png

    pictures = [image_png(saliency)] if saliency.image is not None else []
    pictures.append(pixel_heatmap_png(saliency))
    return [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(data).decode("ascii")}}
        for data in pictures
    ]
