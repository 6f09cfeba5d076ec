"""Chat completions that a server sends as server-sent events, though none were asked for, put together again."""

from __future__ import annotations

from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json

MOST_EVENTS = 200_000
"""More than the tokens of any reply; a stream of more is no reply."""
_CALLS = 128  # tool calls in one reply; OpenAI's own limit on tools
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
_BEGINNINGS = (b"data:", b"event:", b"id:", b"retry:", b":")


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of events, whatever its type says."""
    return body[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_BEGINNINGS)


def put_together(body: bytes, wanted: int) -> dict[str, Any]:
    """The chat completion that a stream of events holds, or its error: as a server sends it that heeds `stream`.

    Raises:
        UsageError: it breaks off, has too many events, or an event holds no JSON object.
    """
    found: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    ended = False
    for data in _events(body):
        if data.strip() == "[DONE]":
            ended = True
            break
        chunk = parse_json(data)
        if not isinstance(chunk, dict):
            raise UsageError("an event of the stream holds no JSON object")
        if chunk.get("error") or chunk.get("object") == "error":
            return chunk
        found |= {name: value for name, value in chunk.items() if name != "choices" and value is not None}
        for at, choice in enumerate(chunk.get("choices") or []) if isinstance(chunk.get("choices"), list) else ():
            if isinstance(choice, dict):
                index = choice.get("index", at)
                if isinstance(index, int) and 0 <= index < wanted:
                    _add(choices.setdefault(index, {"texts": {}, "calls": {}}), choice)
    if not ended and not any(choice.get("finish_reason") for choice in choices.values()):
        raise UsageError("its stream of events breaks off")
    return {**found, "object": "chat.completion", "choices": [_choice(choices[index]) for index in sorted(choices)]}


def _events(body: bytes) -> list[str]:
    """The data of each event. Lines end in any of the three ways that the standard allows."""
    text = body.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    events: list[str] = []
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            events.append("\n".join(lines))
            lines = []
            if len(events) > MOST_EVENTS:
                raise UsageError(f"its stream has more than {MOST_EVENTS:,} events")
    return events


def _add(choice: dict[str, Any], part: dict[str, Any]) -> None:
    """Add what one event says of a choice: a piece (`delta`), or the whole message, which some servers send at the end."""
    whole = part.get("message")
    piece = whole if isinstance(whole, dict) else part.get("delta")
    delta: dict[str, Any] = piece if isinstance(piece, dict) else {"content": part.get("text")}
    for name in _TEXTS:
        if isinstance(delta.get(name), str):
            texts = choice["texts"].setdefault(name, [])
            if whole is delta:
                texts.clear()
            texts.append(delta[name])
    calls = delta.get("tool_calls")
    for at, call in enumerate(calls[:_CALLS] if isinstance(calls, list) else []):
        if isinstance(call, dict):
            _add_call(choice["calls"], call, at, anew=whole is delta)
    if part.get("finish_reason") is not None:
        choice["finish_reason"] = part["finish_reason"]


def _add_call(calls: dict[int, dict[str, Any]], call: dict[str, Any], at: int, *, anew: bool) -> None:
    index = call.get("index", at)
    function = call.get("function")
    if not isinstance(index, int) or not 0 <= index < _CALLS or not isinstance(function, dict):
        return
    if anew or index not in calls:
        calls[index] = {"id": "", "name": "", "arguments": []}
    kept = calls[index]
    if isinstance(call.get("id"), str):
        kept["id"] = kept["id"] or call["id"]
    if isinstance(function.get("name"), str):
        kept["name"] = kept["name"] or function["name"]
    if isinstance(function.get("arguments"), str):
        kept["arguments"].append(function["arguments"])


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    message |= {name: "".join(texts) for name, texts in choice["texts"].items()}
    if choice["calls"]:
        message["tool_calls"] = [
            {"id": one["id"], "function": {"name": one["name"], "arguments": "".join(one["arguments"])}}
            for _, one in sorted(choice["calls"].items())
        ]
    return {"message": message, "finish_reason": choice.get("finish_reason")}
