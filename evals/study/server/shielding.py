"""What stands around every request: the path's prefix, a deadline, and headers that let the browser load nothing else."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy: everything comes from this server, and no script or style stands in a page."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
LONGEST = 120.0
"""Seconds of a request, from its headers to the last byte of the reply: a slow telephone takes ten."""


def checked_prefix(prefix: str) -> str:
    """A prefix of paths, without a slash at its end: "" or "/study".

    Raises:
        UsageError: it is no path of plain letters.
    """
    wanted = "/" + prefix.strip("/") if prefix.strip("/") else ""
    if not _PREFIX.fullmatch(wanted):
        raise UsageError(f"{prefix!r} is no prefix of paths; write one like /study, of letters, digits and the signs - _ . ~")
    return wanted


class Shield:
    """An application behind a prefix, a deadline and safe headers.

    All addresses in pages are relative, so that it makes no difference whether a reverse proxy takes the prefix off: paths with
    and without it are answered.
    """

    def __init__(self, app: App, prefix: str = "", *, longest: float = LONGEST) -> None:
        self.app, self.prefix, self.longest = app, checked_prefix(prefix), longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def shielded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = {name.lower() for name, _ in message["headers"]}
                extra = {name: value for name, value in HEADERS.items() if name.encode() not in given}
                if b"cache-control" not in given:
                    extra["cache-control"] = "no-store"
                message["headers"] = [*message["headers"], *((name.encode(), value.encode()) for name, value in extra.items())]
            await send(message)

        try:
            async with asyncio.timeout(self.longest):
                if self.prefix and scope["path"] == self.prefix:
                    await _to_folder(self.prefix, shielded)
                    return
                if self.prefix and scope["path"].startswith(self.prefix + "/"):
                    scope = {**scope, "path": scope["path"][len(self.prefix) :]}
                await self.app({**scope, "raw_path": None, "root_path": ""}, receive, shielded)
        except TimeoutError:
            if not begun:
                await _say(shielded, 408, b'{"error": "This took too long."}')


async def _to_folder(prefix: str, send: Send) -> None:
    """Send the browser to the path with a slash, on which relative addresses depend."""
    place = prefix.rpartition("/")[2].encode() + b"/"
    await send({"type": "http.response.start", "status": 307, "headers": [(b"location", place), (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _say(send: Send, status: int, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
