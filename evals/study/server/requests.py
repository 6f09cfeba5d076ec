"""What a request holds, read within limits: a body, JSON, a token, a link. And how it is refused."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request

UNKNOWN = "Your place in this study is not known here. Please open the study's link again."
"""What is said to those whose token opens nothing."""
BODY = 64 * 1024
"""Bytes of a request: ten free texts of the longest kind fit in it."""
_LONGEST_TIME = 30 * 24 * 3600.0  # seconds on a page that are believed
_LONGEST_LINK = 256  # characters of a value in a link; Prolific's have 24
_LINK_PARTS = 8
_LINK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}")  # a part of the link that the platform has not filled in
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{20,4000}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Refusal(Exception):  # noqa: N818 - it is a reply, not a failure
    """A request that is not carried out.

    Args:
        status: of HTTP.
        sentence: why, for the participant.
        more: what else the reply holds, such as how many pages are done.
    """

    def __init__(self, status: int, sentence: str, /, **more: Any) -> None:
        super().__init__(sentence)
        self.http, self.content = status, {"error": sentence, **more}


async def body(request: Request, most: int = BODY) -> bytes:
    """The body, which is never longer than `most` in memory.

    Raises:
        Refusal: 413, it is longer.
    """
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:20]) > most:
        raise Refusal(413, f"This is more than can be taken at once: at most {most:,} bytes.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refusal(413, f"This is more than can be taken at once: at most {most:,} bytes.")
        parts.append(part)
    return b"".join(parts)


async def document(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Characters that no key types are replaced.

    Raises:
        Refusal: 400 it is none; 413 it is too long; 415 it is said to be something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "This is no JSON: the content type must be application/json.")
    content = await body(request)
    try:
        found = parse_json(content, "the request", unique=True)
        if not isinstance(found, dict):
            raise UsageError("the request is no JSON object")
        json.dumps(found, allow_nan=False)
    except UsageError as error:
        raise Refusal(400, f"This could not be read: {error}") from None
    except ValueError:
        raise Refusal(400, "This could not be read: NaN and Infinity are no numbers of JSON.") from None
    cleaned: dict[str, Any] = _clean(found)
    return cleaned


def token_of(request: Request) -> str | None:
    """The bearer token, or None where none is given.

    Raises:
        Refusal: 401, it has not the form of one.
    """
    given = request.headers.get("authorization")
    if given is None:
        return None
    kind, _, token = given.partition(" ")
    if kind.lower() != "bearer" or not _TOKEN.fullmatch(token.strip()):
        raise Refusal(401, UNKNOWN)
    return token.strip()


def link_in(content: Any) -> dict[str, str]:
    """The parts of the link that a participant came with; those that the platform has not filled in are left out.

    Raises:
        Refusal: 400, it is no such thing.
    """
    if content is None:
        return {}
    if not isinstance(content, dict) or len(content) > _LINK_PARTS:
        raise Refusal(400, f"The link must hold at most {_LINK_PARTS} parts, each a name and a text.")
    found = {}
    for name, value in content.items():
        if value is None:
            continue
        if not _LINK_NAME.fullmatch(name) or not isinstance(value, str) or len(value) > _LONGEST_LINK:
            raise Refusal(400, f"A part of the link must have a plain name and a text of at most {_LONGEST_LINK} characters.")
        value = value.strip()
        if value and not _PLACEHOLDER.fullmatch(value):
            found[name] = value
    return found


def whole(content: dict[str, Any], name: str, *, required: bool = True) -> int | None:
    """A whole number from 0.

    Raises:
        Refusal: 400, it is none.
    """
    value = content.get(name)
    if value is None and not required:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise Refusal(400, f"{name!r} must be a whole number from 0.")
    return value


def seconds_in(content: dict[str, Any]) -> float | None:
    """The time on the page.

    Raises:
        Refusal: 400, it is no time.
    """
    value = content.get("seconds")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LONGEST_TIME:
        raise Refusal(400, "'seconds' must be a number from 0, and at most a month.")
    return float(value) if math.isfinite(value) else None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n"))
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    return value
