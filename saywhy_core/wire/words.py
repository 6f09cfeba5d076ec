"""Words of a server, as far as an error may repeat them, and answers that came packed."""

from __future__ import annotations

import html
import re
import zlib
from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import ceiling, over
from saywhy_core.reading.documents import parse_json
from saywhy_core.secrets import redact
from saywhy_core.wire.network import WireError

_SHOWN = 300  # characters of a server's own words in an error
_TITLE = 80  # characters of a page's title, which says within a few words what the page is
_BEGINNING = 64 * 1024  # bytes of a page in which its title is looked for
_ERRORS = 5  # of a list of errors, those that are told
_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|title)\b", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_ENCODING = re.compile(
    r"latin-?1|iso-8859-\d{1,2}|windows-125\d|cp125\d|gbk|gb2312|gb18030|big5|shift_jis|euc-(?:kr|jp)|koi8-[ru]", re.I
)
"""Those that servers have; some others of Python's take time that grows with the square of the length."""
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def unpack(body: bytes, encoding: str) -> bytes:
    """The body of an answer that came packed, though it was asked for plain; bounded by the ceiling on answers."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in _PACKED:
        raise WireError(f"sent a packed answer ({shown(name, 40)}) that was not asked for")
    most = ceiling("answer")
    unpacking = zlib.decompressobj(wbits=_PACKED[name])
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise WireError(f"sent a packed answer that can't be unpacked: {error}", again=True) from None
    if len(plain) > most:
        raise WireError(over("answer", f"sent an answer that unpacks to more than {most:,} bytes"))
    return plain


def in_utf8(body: bytes, kind: str = "") -> bytes:
    """The body of an answer as UTF-8, as JSON is to be; of a server that writes another encoding, what it means.

    Where most of what is no ASCII is UTF-8, single broken bytes become U+FFFD. Else the encoding is the one that the type
    names, or Windows-1252, which holds Latin-1. UTF-16 and UTF-32 stay as they are.

    Args:
        body: the answer.
        kind: its type, such as "application/json; charset=iso-8859-1".
    """
    if body.isascii() or body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        others = sum(not one.isascii() for one in text)
        if others >= 2 * text.count("\ufffd"):
            return text.encode()
        named = _CHARSET.search(kind)
        encoding = named[1] if named is not None and _ENCODING.fullmatch(named[1]) else "cp1252"
        try:
            text = body.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            text = body.decode("latin-1")
        return text.encode("utf-8", "replace")
    return body


def read_error(body: bytes) -> str:
    """What the body of an answer that is an error says, on one line; an empty text if it says nothing.

    Of a page of HTML that is its title, where it has one.
    """
    try:
        document = parse_json(body)
    except UsageError:
        return (page_title(body) if is_page(body) else "") or shown(body.decode("utf-8", "replace"))
    return said_in(document)


def is_page(body: bytes, kind: str = "") -> bool:
    """Whether an answer that is no JSON is a page of HTML, by its type (such as "text/html") or its beginning."""
    return kind in {"text/html", "application/xhtml+xml"} or _PAGE.match(body.removeprefix(b"\xef\xbb\xbf")) is not None


def page_title(body: bytes) -> str:
    """The title of a page of HTML, on one line; an empty text if it has none."""
    found = re.search(rb"<title\b[^>]{0,1000}>([^<]*)", body[:_BEGINNING], re.IGNORECASE)
    return "" if found is None else shown(html.unescape(found[1].decode("utf-8", "replace")).strip(), _TITLE)


def shown(text: str, most: int = _SHOWN) -> str:
    """Words of a server as an error may repeat them: on one line, without secrets, and not too many."""
    text = legible(redact(text[: 100 * most]))
    return text if len(text) <= most else f"{text[:most]}…"


def said_in(document: Any) -> str:
    """What a JSON document that tells of an error says, under the names that servers use for it."""
    for name in ("error", "message", "detail", "error_description"):
        if isinstance(document, dict) and document.get(name):
            document = document[name]
    if isinstance(document, list) and document and all(isinstance(one, dict) and one.get("msg") for one in document[:_ERRORS]):
        document = "; ".join(_at_its_place(one) for one in document[:_ERRORS])
    if isinstance(document, dict):
        document = document.get("type") or document.get("code") or ""
    return shown(document if isinstance(document, str) else str(document)[: 10 * _SHOWN])


def _at_its_place(error: dict[str, Any]) -> str:
    """One error of a list as pydantic makes it: where in the request something is wrong, and what."""
    where = error.get("loc")
    place = ".".join(str(step)[:_TITLE] for step in where[:_ERRORS]) if isinstance(where, list) else ""
    return f"{place}: {error['msg']}" if place else str(error["msg"])
