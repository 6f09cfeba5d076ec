"""Answers that are errors, in whatever form a server tells of them: its words, and the names that it has for the error."""

from __future__ import annotations

import re
from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.wire.words import read_error, said_in, shown

_NAME = 100  # characters of a code or of a field's name
_NAMES = ("code", "type", "status", "error_type", "param")
_WITHIN = ("error", "innererror", "message", "metadata", "detail", "fault")
_DEEPEST = 5  # of errors within errors; routers wrap those of the servers behind them once or twice


class InnerError(Exception):
    """An answer with status 200 that tells of an error.

    Attributes:
        told: as `read_refusal`.
        status: the status that the answer should have had, as far as it can be told; 200 where it can't.
    """

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told["message"])
        self.told = told
        code = told.get("code", "")
        number = re.search(r"\b[45]\d\d\b", code)
        meant = next((status for status, words in _STATUSES.items() if words.search(code)), 200)
        self.status = int(number[0]) if number else meant


_STATUSES = {
    402: re.compile(r"insufficient|billing|payment", re.IGNORECASE),
    401: re.compile(r"api_?key|unauthori[sz]ed|authentication", re.IGNORECASE),
    404: re.compile(r"not_?found", re.IGNORECASE),
    400: re.compile(
        r"content_?filter|invalid_?(request|argument|param)|context_length|bad_?request|unsupported", re.IGNORECASE
    ),
    429: re.compile(r"rate_?limit|too_?many|resource_?exhausted", re.IGNORECASE),
}
"""The statuses that belong to the names of errors."""


def read_refusal(body: bytes) -> dict[str, str]:
    """The `message`, the `code` and the `param` (the field that the error is about) of an answer that is an error.

    Known forms: an `error` that is an object or a text (OpenAI, TGI, Ollama), the fields themselves (vLLM, Mistral), `detail`
    with a text or a list (FastAPI), `innererror` (Azure), `metadata.raw` (OpenRouter), a list around the whole (Gemini), HTML.
    """
    try:
        document = parse_json(body)
    except UsageError:
        return {"message": read_error(body)}
    return read_document(document)


def read_document(document: Any) -> dict[str, str]:
    """As `read_refusal`, from the parsed body."""
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
