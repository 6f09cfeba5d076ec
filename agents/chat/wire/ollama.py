"""Replies in Ollama's own form, which some proxies hand on: one message without choices, whole or line by line."""

from __future__ import annotations

from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json

MOST_LINES = 200_000
"""More than the tokens of any reply."""
_TEXTS = ("content", "thinking")


def is_native(document: Any) -> bool:
    """Whether a document is a reply, or a line of one, in Ollama's own form: of `/api/chat` or of `/api/generate`."""
    if not isinstance(document, dict) or "choices" in document or document.get("error"):
        return False
    message = isinstance(document.get("message"), dict) and "content" in document["message"]
    ends = "done" in document or "done_reason" in document
    return message or (ends and isinstance(document.get("response"), str))


def in_openai_form(document: Any) -> Any:
    """The document in OpenAI's form, where it is in Ollama's own; else as it is.

    The reason of the end is `done_reason`: "stop", "length", or "load" and "unload" of an answer without any text.

    Raises:
        UsageError: it says itself that it goes on.
    """
    if not is_native(document):
        return document
    if document.get("done") is False:
        raise UsageError("its reply breaks off: done is false")
    return {
        **{name: document[name] for name in ("id", "model") if name in document},
        "choices": [{"message": _message(document), "finish_reason": document.get("done_reason")}],
        "usage": {"prompt_tokens": document.get("prompt_eval_count"), "completion_tokens": document.get("eval_count")},
    }


def read_lines(body: bytes) -> dict[str, Any] | None:
    """The reply that a stream of lines holds, put together, or its error; None where the body is no such stream.

    Raises:
        UsageError: it breaks off, or has too many lines.
    """
    head, _, rest = body.strip().partition(b"\n")
    try:
        first = parse_json(head) if rest else None
    except UsageError:
        return None
    if not is_native(first):
        return None
    lines = rest.splitlines()
    if len(lines) > MOST_LINES:
        raise UsageError(f"its stream has more than {MOST_LINES:,} lines")
    found: dict[str, Any] = {}
    texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
    calls: list[Any] = []
    for line in [first, *map(parse_json, filter(bytes.strip, lines))]:
        if isinstance(line, dict) and line.get("error"):
            return line
        if not is_native(line):
            raise UsageError("a line of the stream is no part of a reply")
        message = _message(line)
        for name in _TEXTS:
            texts[name] += [message[name]] if isinstance(message.get(name), str) else []
        calls += message["tool_calls"] if isinstance(message.get("tool_calls"), list) else []
        found |= line
    if not found.get("done"):
        raise UsageError("its stream of lines breaks off")
    found["message"] = {name: "".join(parts) for name, parts in texts.items()} | {"tool_calls": calls}
    return found


def _message(document: dict[str, Any]) -> dict[str, Any]:
    message = document.get("message")
    return message if isinstance(message, dict) else {"content": document["response"], "thinking": document.get("thinking")}
