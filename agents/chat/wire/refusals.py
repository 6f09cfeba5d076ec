"""Answers that are errors, in whatever form a server tells of them: its words, and the names that it has for the error."""

from __future__ import annotations

from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.wire.words import read_error, said_in, shown

_NAME = 100  # characters of a code or of a field's name
_NAMES = ("code", "type", "status", "error_type", "param")
_WITHIN = ("error", "innererror", "message", "metadata", "detail", "fault")
_DEEPEST = 5  # of errors within errors; routers wrap those of the servers behind them once or twice


def read_refusal(body: bytes) -> dict[str, str]:
    """The `message`, the `code` and the `param` (the field that the error is about) of an answer that is an error.

    Known forms: an `error` that is an object or a text (OpenAI, TGI, Ollama), the fields themselves (vLLM, Mistral), `detail`
    with a text or a list (FastAPI), `innererror` (Azure), `metadata.raw` (OpenRouter), a list around the whole (Gemini), HTML.
    """
    try:
        document = parse_json(body)
    except UsageError:
        return {"message": read_error(body)}
    if isinstance(document, list) and document and isinstance(document[0], dict):
        document = document[0]
    codes: list[str] = []
    fields: list[str] = []
    raw = _gather(document, codes, fields, 0)
    said = said_in(document)
    if raw and raw not in said:
        said = f"{said}: {raw}"
    return {"message": said, "code": " ".join(dict.fromkeys(codes)), "param": " ".join(dict.fromkeys(fields))}


def _gather(node: Any, codes: list[str], fields: list[str], depth: int) -> str:
    """Collect the names in an error and in the errors within it; what a server behind a router said is returned."""
    if depth > _DEEPEST:
        return ""
    raw = ""
    if isinstance(node, list):
        for one in node[:_DEEPEST]:
            raw = _gather(one, codes, fields, depth + 1) or raw
    elif isinstance(node, dict):
        for name in _NAMES:
            if isinstance(node.get(name), str | int):
                (fields if name == "param" else codes).append(shown(str(node[name]), _NAME))
        if isinstance(node.get("loc"), list):  # the place of an error of pydantic, such as ["body", "response_format"]
            fields.append(shown(".".join(str(step) for step in node["loc"][:_DEEPEST]), _NAME))
        if isinstance(node.get("raw"), str):
            raw = read_error(node["raw"].encode("utf-8", "replace"))
        for name in _WITHIN:
            raw = _gather(node.get(name), codes, fields, depth + 1) or raw
    return raw
