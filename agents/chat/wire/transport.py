"""The transport under the openai client: it adds the key, keeps the bounds, follows no redirect, and hands on clean answers."""

from __future__ import annotations

import json
import os
import re
import threading
from base64 import b64encode
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from agents.chat.wire.answers import read_completion, read_error, shown, unpack
from agents.chat.wire.certificates import tls_context
from agents.chat.wire.network import Allowance, Backend, WireError, allowance, httpcore, httpx
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceiling
from saywhy_core.secrets import keep_secret, redact, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR_PAGE = 64 * 1024  # bytes that are read of an error page
_LARGE = 64 * 1024  # bytes; a reply of ten thousand words
_one_large = threading.Lock()
"""Large answers are read one after another: what a hostile one unpacks to is up to a hundred times as large."""
_EMPTY = (204, 205)  # statuses that say that there is no content
_LET_IN = ("retry-after", "retry-after-ms", "x-should-retry")
_KEEP_ALIVE = 30.0  # seconds that an idle connection is kept; servers close theirs after about as long
_OWN = re.compile(r"openai-", re.IGNORECASE)


class Transport(httpx.BaseTransport):  # type: ignore[misc]
    """One exchange at a time per thread with one server: `timeout` seconds in all, and at most the ceiling `answer` in bytes.

    Args:
        address: the server's, without credentials.
        timeout: seconds from the first step of the connection to the last byte of the answer.
        authorization: the value of that header.
        official: whether it is OpenAI's own server, or stands in for it; headers that belong to OpenAI go there only.
        proxy: the address of a proxy, or None.

    Attributes:
        stopping: set while the user wants to stop; what is on its way then has `GRACE` seconds.
    """

    def __init__(self, address: str, timeout: float, *, authorization: str, official: bool, proxy: str | None) -> None:
        self.stopping = threading.Event()
        self._timeout, self._authorization = timeout, authorization
        self._left_out = set() if official else _custom_headers()
        self._official = official
        settings: dict[str, Any] = {
            "network_backend": Backend(),
            "max_connections": None,  # the model bounds them
            "keepalive_expiry": _KEEP_ALIVE,
        }
        if address.lower().startswith("https:"):
            settings["ssl_context"] = tls_context()
        self._pool = httpcore.ConnectionPool(**settings) if proxy is None else _behind(proxy, settings)

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
        yield b"Authorization", self._authorization.encode("ascii")

    def _let_in(self, request: Any, answer: Any, mine: Allowance) -> Any:
        status = answer.status
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if 300 <= status <= 399:
            raise WireError(_redirect(str(request.url), status, headers.get("location", "")), status=status)
        if status < 200 or status in _EMPTY:
            raise WireError(f"answered {status}, which comes without a reply", status=status, again=True)
        kept = {name: redact(headers[name])[:100] for name in _LET_IN if headers.get(name, "").isascii() and name in headers}
        kept["content-type"] = "application/json"
        if status <= 299:
            body = b"".join(_parts(answer, mine))
            with _one_large if len(body) > _LARGE else nullcontext():
                told: Any = read_completion(unpack(body, headers.get("content-encoding", "")), _wanted(request))
        else:
            told = {"error": {"message": _error_page(answer, mine, headers.get("content-encoding", ""))}}
        content = json.dumps(told, ensure_ascii=False).encode()
        return httpx.Response(status, headers=kept, content=content, request=request)


def proxy_for(address: str, named: str | None) -> str | None:
    """The proxy of requests to an address: the one that is named, or the environment's (`HTTPS_PROXY`, `NO_PROXY` and so on).

    Requests to this machine itself use none. A proxy's password is from now on kept secret.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").strip("[]")
    if host in {"localhost", "::1", "0.0.0.0"} or host.startswith("127."):  # noqa: S104 - an address to call
        return None
    if named is None and not proxy_bypass(host):
        found = getproxies()
        named = found.get(parts.scheme) or found.get("all")
    if not named:
        return None
    proxy = named if "://" in named else f"http://{named}"
    try:
        password = urlsplit(proxy).password
        _ = urlsplit(proxy).port
    except ValueError:
        raise UsageError("the proxy that the environment names is no address; write http://HOST:PORT") from None
    if password:
        keep_secret(password, unquote(password))
    return proxy


def _behind(proxy: str, settings: dict[str, Any]) -> Any:
    parts = urlsplit(proxy)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    plain = without_credentials(proxy)
    auth = None
    if parts.username is not None:
        keep_secret(b64encode(f"{user}:{password}".encode()).decode())
        auth = (user.encode(), password.encode())
    if parts.scheme in {"http", "https"}:
        if parts.scheme == "https":
            settings["proxy_ssl_context"] = settings.get("ssl_context") or tls_context()
        return httpcore.HTTPProxy(proxy_url=plain, proxy_auth=auth, **settings)
    if parts.scheme in {"socks5", "socks5h"}:
        try:
            return httpcore.SOCKSProxy(proxy_url=plain, proxy_auth=auth, **settings)
        except (ImportError, RuntimeError):
            raise UsageError(f"the proxy {plain} needs the package socksio: pip install socksio") from None
    raise UsageError(f"the proxy {plain} must be http://, https://, socks5:// or socks5h://")


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


def _parts(answer: Any, mine: Allowance) -> Iterator[bytes]:
    for part in answer.stream:
        mine.seconds()
        yield part


def _error_page(answer: Any, mine: Allowance, encoding: str) -> str:
    """What an error page says, as far as it came: its status says more than a time-out would."""
    body = b""
    try:
        for part in _parts(answer, mine):
            body += part
            if len(body) >= _ERROR_PAGE:
                break
        return read_error(unpack(body, encoding))
    except (WireError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return read_error(body) if encoding.strip().lower() in {"", "identity"} else ""


def _redirect(address: str, status: int, location: str) -> str:
    if not location:
        return f"answered {status}, a redirect that names no address"
    try:
        where = urljoin(address, location)
    except ValueError:
        where = location
    where = shown(without_credentials(where).removesuffix("/chat/completions"), 200)
    return (
        f"answered {status}: it sends requests on to {where}, and redirects are not followed, because the texts would go to a "
        f"server that you did not name; if you trust that address, give it in the place of this one"
    )


@contextmanager
def _told() -> Iterator[None]:
    """Errors of httpcore as those of httpx, which the openai client knows."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from None
    except (httpcore.ConnectError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
        raise httpx.ConnectError(_words(error)) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise httpx.ReadError(_words(error)) from None


def _words(error: Exception) -> str:
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
