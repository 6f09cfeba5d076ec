"""What comes back from a server besides what was asked for: redirects, error pages, connections that broke."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from saywhy_core.secrets import without_credentials
from saywhy_core.wire.network import WireError, httpcore
from saywhy_core.wire.words import read_error, shown, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from saywhy_core.wire.network import Allowance

EMPTY = (204, 205)
"""Statuses that say that there is no content."""
KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept; servers close theirs after about as long."""
_ERROR_PAGE = 64 * 1024  # bytes that are read of an error page


def parts_of(answer: Any, mine: Allowance) -> Iterator[bytes]:
    """The parts of an answer's body, as long as there is time."""
    for part in answer.stream:
        mine.seconds()
        yield part


def error_page(answer: Any, mine: Allowance, encoding: str) -> str:
    """What an error page says, as far as it came: its status says more than a time-out would."""
    return read_error(error_body(answer, mine, encoding))


def error_body(answer: Any, mine: Allowance, encoding: str) -> bytes:
    """The unpacked body of an error page, as far as it came."""
    body = b""
    try:
        for part in parts_of(answer, mine):
            body += part
            if len(body) >= _ERROR_PAGE:
                break
        return unpack(body, encoding)
    except (WireError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return body if encoding.strip().lower() in {"", "identity"} else b""


def redirect_in_words(address: str, status: int, location: str, what: str, *, ending: str = "") -> str:
    """Why a redirect is not followed.

    Args:
        address: what was asked.
        status: the answer's.
        location: where it leads.
        what: what would go to the other server, such as "the texts".
        ending: what is left out at the end of the address, because users don't write it.
    """
    if status == 304 and not location:
        return "answered 304, that nothing has changed, which is no answer to this request; is the address right?"
    if not location:
        return f"answered {status}, a redirect that names no address"
    try:
        where = urljoin(address, location)
    except ValueError:
        where = location
    where = shown(without_credentials(where).removesuffix(ending), 200)
    return (
        f"answered {status}: it sends requests on to {where}, and redirects are not followed, because {what} would go to a "
        f"server that you did not name; if you trust that address, give it in the place of this one"
    )


def failure_in_words(error: Exception) -> str:
    """What went wrong on the way, without the names that Python and its libraries have for it."""
    said = str(error)
    if isinstance(error, httpcore.ProtocolError):
        if "disconnected" in said:
            return "it hung up without an answer"
        return "it hung up within its answer" if "closed" in said else "what it sent is no HTTP"
    said = re.sub(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)", "", said).rstrip(".")
    if not said:
        said = "it was cut"
    return shown(said)
