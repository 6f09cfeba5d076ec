"""Answers of servers, as far as they are let in: a chat completion rebuilt from the fields in use, or what an error says.

A server may be wrong, broken or hostile. Nothing of its answer goes further that is of another type than it should be, too
large, or a secret of this process.
"""

from __future__ import annotations

import json
import re
from typing import Any

from agents.chat.wire.ollama import in_openai_form, read_lines
from agents.chat.wire.refusals import InnerError, read_document
from agents.chat.wire.streamed import is_stream, put_together
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.secrets import redact
from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import is_page, page_title, shown

MOST_TOKENS = 10**9
"""More than any model reads or writes for one request; a larger count is a mistake of the server, or a lie."""

_NAME = 200  # characters of a model's name, an id or a reason
_CALLS = 128  # tool calls in one reply; OpenAI's own limit on tools
_MOST_LOGPROBS = 100_000  # tokens in one reply; no model writes more
_ALTERNATIVES = 20  # per token; OpenAI's own limit
_DIGITS = 12  # of a count that comes as a text; more than any count has
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_MAYBE_HALF = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?P<nul>u0000)|.)",
    re.DOTALL,
)
_REPLACEMENT = rb"\ufffd"


def read_completion(body: bytes, wanted: int = 1) -> dict[str, Any]:
    """A chat completion with the first `wanted` choices, from the body of an answer with status 200.

    Raises:
        InnerError: the body tells of an error.
        WireError: the body is none.
    """
    if not body.strip():
        raise _none("it is empty")
    try:
        document = _document(_whole_characters(body), max(1, wanted))
    except UsageError as error:
        if is_page(body):
            title = page_title(body)
            raise _none(f"a page of HTML{f', {title!r}' if title else ''}; is the address right?") from None
        raise _none(str(error)) from None
    if isinstance(document, list) and len(document) == 1:
        (document,) = document  # Gemini's endpoint wraps errors so
    if not isinstance(document, dict):
        raise _none("it is no JSON object")
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    for place in (document, first):
        if isinstance(place, dict) and place.get("error"):
            raise InnerError(read_document(place))
    if first is None and (document.get("object") == "error" or document.get("detail") or document.get("message")):
        raise InnerError(read_document(document))
    if first is None or not isinstance(choices, list):
        raise _none("no choices in the reply")
    return {
        "id": _text(document.get("id"), _NAME),
        "object": "chat.completion",
        "created": _count(document.get("created"), 10**11) or 0,
        "model": _text(document.get("model"), _NAME) or "",
        "system_fingerprint": _text(document.get("system_fingerprint"), _NAME),
        "choices": [_choice(one, index) for index, one in enumerate(choices[: max(1, wanted)])],
        "usage": _usage(document.get("usage")),
    }


def _document(body: bytes, wanted: int) -> Any:
    if is_stream(body):
        return put_together(body, wanted)
    lines = read_lines(body)
    return in_openai_form(parse_json(body) if lines is None else lines)


def _none(why: str) -> WireError:
    return WireError(f"sent a reply that is no chat completion: {shown(why)}", status=200, again=True)


def _whole_characters(body: bytes) -> bytes:
    """The body with halves of characters (lone surrogates) replaced, which no file could hold, and NUL characters left out."""
    if _MAYBE_HALF.search(body) is None:
        return body
    return _ESCAPE.sub(lambda found: {None: found[0], "half": _REPLACEMENT, "nul": b""}[found.lastgroup], body)


def _choice(choice: Any, index: int) -> dict[str, Any]:
    message = choice.get("message") if isinstance(choice, dict) else None
    if message is None and isinstance(choice, dict) and isinstance(choice.get("text"), str):
        message = {"content": choice["text"]}  # as the older endpoint for completions has it
    if not isinstance(message, dict):
        raise _none(f"choice {index + 1} has no message")
    content = message.get("content")
    if isinstance(content, list):  # some servers send the text in pieces, as it may be sent to them
        content = "".join(map(_piece, content))
    if content is not None and not isinstance(content, str):
        raise _none(f"the content of choice {index + 1} is no text")
    clean = None if content is None else redact(content)
    said: dict[str, Any] = {"role": "assistant", "content": clean}
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        said["refusal"] = redact(message["refusal"])
    thought = next((message[name] for name in _THOUGHTS if isinstance(message.get(name), str) and message[name]), None)
    if thought is not None:
        said["reasoning_content"] = redact(thought)
    told = [*_list(message.get("tool_calls"))[:_CALLS], {"function": message.get("function_call")}]
    if calls := [call for call in map(_call, told) if call]:
        said["tool_calls"] = calls
    found = {"index": index, "message": said, "finish_reason": _text(choice.get("finish_reason"), _NAME)}
    if clean == content and (probabilities := _logprobs(choice.get("logprobs"))):  # they repeat the text, token by token
        found["logprobs"] = probabilities
    return found


def _piece(piece: Any) -> str:
    """The text of one piece of a content; what a model thinks is none of the reply."""
    if isinstance(piece, str):
        return piece
    if not isinstance(piece, dict) or piece.get("type") in {"thinking", "reasoning"}:
        return ""
    return str(piece.get("text") or "")


def _logprobs(told: Any) -> dict[str, Any] | None:
    """The log-probabilities of the tokens, where there are not more of them than a reply has."""
    found = {name: _list(told.get(name)) for name in ("content", "refusal")} if isinstance(told, dict) else {}
    if not any(found.values()) or sum(map(len, found.values())) > _MOST_LOGPROBS:
        return None
    return {name: [_logprob(one) for one in tokens if isinstance(one, dict)] for name, tokens in found.items() if tokens}


def _logprob(token: dict[str, Any], *, alone: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"token": _text(token.get("token"), _NAME) or "", "logprob": _number(token.get("logprob"))}
    found["bytes"] = [one for one in _list(token.get("bytes"))[:_NAME] if isinstance(one, int) and 0 <= one < 256] or None
    if alone:
        others = [one for one in _list(token.get("top_logprobs"))[:_ALTERNATIVES] if isinstance(one, dict)]
        found["top_logprobs"] = [_logprob(one, alone=False) for one in others]
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None


def _call(call: Any) -> dict[str, Any] | None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return None
    name, arguments = function.get("name"), function.get("arguments")
    if isinstance(arguments, dict):  # Ollama's own form
        arguments = json.dumps(arguments, ensure_ascii=False)
    if not isinstance(name, str) or not isinstance(arguments, str):
        return None
    return {
        "id": _text(call.get("id"), _NAME) or "",
        "type": "function",
        "function": {"name": redact(name)[:_NAME], "arguments": redact(arguments)},
    }


def _usage(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = (_count(usage.get(name), MOST_TOKENS) for name in ("prompt_tokens", "completion_tokens"))
    found: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": completion}
    found["total_tokens"] = (prompt or 0) + (completion or 0)
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        if isinstance(usage.get(name), dict):
            kept = ("cached_tokens", "audio_tokens", "reasoning_tokens")
            found[name] = {one: count for one in kept if (count := _count(usage[name].get(one), MOST_TOKENS)) is not None}
    return found


def _count(value: Any, most: int) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return int(value)


def _text(value: Any, most: int) -> str | None:
    return redact(value)[:most] if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
