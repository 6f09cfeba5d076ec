"""Messages as a server counts and cuts them, where it does neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult

_IMAGE_TOKENS = 1500  # a high-detail picture; only used to set room aside


def cut_at(result: ChatResult, stops: list[str]) -> ChatResult:
    """The result with its texts cut at the stop texts, as a server does that takes them."""
    for generation in result.generations:
        text = generation.text
        at = min((place for stop in stops if (place := text.find(stop)) >= 0), default=-1)
        if at >= 0 and isinstance(generation.message.content, str):
            generation.message.content = text[:at]
            generation.text = text[:at]
    return result


def estimate(message: BaseMessage) -> int:
    """Tokens of a message, estimated so that ordinary text has fewer."""
    if isinstance(message.content, str):
        return 8 + -(-len(message.content.encode()) // 2)
    return 8 + sum(
        -(-len(str(block.get("text", "")).encode()) // 2) + (block.get("type") != "text") * _IMAGE_TOKENS
        if isinstance(block, dict)
        else -(-len(block.encode()) // 2)
        for block in message.content
    )
