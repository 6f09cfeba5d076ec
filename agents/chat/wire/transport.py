"""The transport under the openai client: it adds the key, keeps the bounds, follows no redirect, and hands on clean answers."""

from __future__ import annotations

import json
import os
import re
import threading
import weakref
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from agents.chat.wire.answers import read_completion
from agents.chat.wire.refusals import InnerError, read_refusal
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceiling
from saywhy_core.secrets import redact
from saywhy_core.wire.certificates import tls_context
from saywhy_core.wire.exchange import EMPTY, KEEP_ALIVE, error_body, failure_in_words, parts_of, redirect_in_words
from saywhy_core.wire.network import Allowance, Backend, WireError, allowance, httpcore, httpx
from saywhy_core.wire.proxies import pool_behind
from saywhy_core.wire.words import in_utf8, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_LARGE = 64 * 1024  # bytes; a reply of ten thousand words
_one_large = threading.Lock()
"""Large answers are read one after another: what a hostile one unpacks to is up to a hundred times as large."""
_LET_IN = ("retry-after", "retry-after-ms", "x-should-retry")
_OWN = re.compile(r"openai-", re.IGNORECASE)


class Transport(httpx.BaseTransport):  # type: ignore[misc]
    """One exchange at a time per thread with one server: `timeout` seconds in all, and at most the ceiling `answer` in bytes.

    Args:
        address: the server's, without credentials.
        timeout: seconds from the first step of the connection to the last byte of the answer.
        authorization: the value of the header with the key.
        header: the name of that header.
        official: whether it is OpenAI's own server, or stands in for it; headers that belong to OpenAI go there only.
        proxy: the address of a proxy, or None.

    Attributes:
        watch: called with the status, the headers and, of an error, the beginning of the body of each answer.
        stopping: set while the user wants to stop; what is on its way then has `GRACE` seconds.
    """

    def __init__(
        self,
        address: str,
        timeout: float,
        *,
        authorization: str,
        header: str = "Authorization",
        official: bool,
        proxy: str | None,
    ) -> None:
        self.stopping = threading.Event()
        self.watch: Callable[[int, Mapping[str, str], bytes], None] | None = None
        self._timeout, self._authorization, self._header = timeout, authorization, header
        self._left_out = set() if official else _custom_headers()
        self._official = official
        settings: dict[str, Any] = {
            "network_backend": Backend(),
            "max_connections": None,  # the model bounds them
            "keepalive_expiry": KEEP_ALIVE,
        }
        if address.lower().startswith("https:"):
            settings["ssl_context"] = tls_context()
        self._pool = httpcore.ConnectionPool(**settings) if proxy is None else pool_behind(proxy, settings)
        weakref.finalize(self, self._pool.close)  # whoever drops a model need not know that it holds connections

    def __reduce__(self) -> Any:
        raise UsageError("a connection to a server can't be pickled or copied; make the model with chat_model where it is used")

    def handle_request(self, request: Any) -> Any:
        """Send a request and return the answer, read whole."""
        with allowance(self._timeout, ceiling("answer"), self.stopping) as mine, _told():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=[*self._headers(request.headers.multi_items())],
                    content=request.stream,
                )
            )
            try:
                return self._let_in(request, answer, mine)
            finally:
                answer.close()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _headers(self, headers: list[tuple[str, str]]) -> Iterator[tuple[bytes, bytes]]:
        for name, value in headers:
            lower = name.lower()
            if lower in {"authorization", "accept-encoding"} or lower in self._left_out:
                continue
            if not self._official and _OWN.match(name):
                continue
            yield name.encode("ascii"), value.encode("latin-1", "replace")
        yield b"Accept-Encoding", b"identity"
        yield self._header.encode("ascii"), self._authorization.encode("ascii")

    def _let_in(self, request: Any, answer: Any, mine: Allowance) -> Any:
        status = answer.status
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if 300 <= status <= 399:
            told = redirect_in_words(
                str(request.url), status, headers.get("location", ""), "the texts", ending="/chat/completions"
            )
            raise WireError(told, status=status)
        if status < 200 or status in EMPTY:
            raise WireError(f"answered {status}, which comes without a reply", status=status, again=True)
        kept = {name: redact(headers[name])[:100] for name in _LET_IN if headers.get(name, "").isascii() and name in headers}
        kept["content-type"] = "application/json"
        if status <= 299:
            body = b"".join(parts_of(answer, mine))
            with _one_large if len(body) > _LARGE else nullcontext():
                try:
                    answered: Any = read_completion(
                        in_utf8(unpack(body, headers.get("content-encoding", "")), headers.get("content-type", "")),
                        _wanted(request),
                    )
                except InnerError as error:
                    if error.status == 200:
                        told = f"sent a reply that is no chat completion: it says {error}"
                        raise WireError(told, status=200, again=True) from None
                    status, answered = error.status, {"error": error.told}
            if self.watch is not None:
                self.watch(status, headers, b"" if status <= 299 else body)
        else:
            body = in_utf8(error_body(answer, mine, headers.get("content-encoding", "")), headers.get("content-type", ""))
            answered = {"error": read_refusal(body)}
            if self.watch is not None:
                self.watch(status, headers, body)
        content = json.dumps(answered, ensure_ascii=False).encode()
        return httpx.Response(status, headers=kept, content=content, request=request)


def _custom_headers() -> set[str]:
    """Headers that the openai client sends to every server because of an environment variable; they are meant for OpenAI's."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    return {line.partition(":")[0].strip().lower() for line in lines}


def _wanted(request: Any) -> int:
    """How many choices were asked for."""
    try:
        wanted = json.loads(request.content).get("n")
    except (ValueError, AttributeError):
        return 1
    return wanted if isinstance(wanted, int) else 1


@contextmanager
def _told() -> Iterator[None]:
    """Errors of httpcore as those of httpx, which the openai client knows."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from None
    except (httpcore.ConnectError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
        raise httpx.ConnectError(failure_in_words(error)) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise httpx.ReadError(failure_in_words(error)) from None
