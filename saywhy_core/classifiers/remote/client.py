"""One server that is asked over HTTP: connections that are kept, attempts that are repeated, and a rate that is not passed."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from saywhy_core.classifiers.classifier import ClassifierError, EndpointError
from saywhy_core.reading.ceilings import ceiling
from saywhy_core.stopping import received
from saywhy_core.wire.certificates import tls_context
from saywhy_core.wire.exchange import KEEP_ALIVE, error_page, failure_in_words, parts_of, redirect_in_words
from saywhy_core.wire.network import Allowance, Backend, WireError, allowance, httpcore
from saywhy_core.wire.proxies import pool_behind, proxy_for
from saywhy_core.wire.retries import LONGEST_PAUSE, asked_pause, in_words, may_pass, pause_before
from saywhy_core.wire.words import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from saywhy_core.classifiers.remote.options import Connection

T = TypeVar("T")
MUCH = 1_000_000
"""Bytes of a request above which its size may be why the server hung up: the default limit of nginx is about that."""
SMALLER = "give a smaller batch_size"
MOST_500 = 2
"""Further attempts after an error of the model itself (500), which is mostly about what was sent and rarely passes."""
_LOOK = 0.5  # seconds between two looks at whether the run is being stopped
_LARGE = 256 * 1024  # bytes; the scores of 64 images and 300 classes
_one_large = threading.Lock()
"""Large answers are unpacked and read one after another: a hostile one becomes up to a hundred times as large."""
_ABOUT_IMAGES = frozenset({400, 413, 415, 422})
"""Statuses by which a server turns away what was sent, and not who sent it."""


@dataclass(frozen=True)
class Answer:
    """An answer with status 200: its headers (names in lower case) and its body, unpacked."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The type of its content, such as "application/json"; empty where it says none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class RefusedError(ClassifierError):
    """The server turned away what was sent: these images, or so many of them. `status` is its HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Ending:
    """An event that is set while this process is being stopped: what is on its way then has a few seconds."""

    def is_set(self) -> bool:
        return received() is not None or not threading.main_thread().is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether the process is being stopped."""
        until = time.monotonic() + seconds
        while not self.is_set():
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK))
        return True


class Client:
    """Asks one server, at most `concurrency` requests at a time and `rate` per second, from any number of threads.

    An attempt that fails in a way that may pass (a connection that breaks, a time-out, 408, 409, 429, 5xx, an answer that is
    garbled, a page of HTML in the place of one, a 404 from where an answer came before) is repeated after a pause: the one that
    the server asks for in `Retry-After`, or one that doubles. Redirects are never followed. Each attempt has one deadline and
    the ceiling `answer` in bytes, whatever the server does.

    Args:
        address: of the server: scheme, host and path, without parameters.
        connection: the options of the connection.
    """

    def __init__(self, address: str, connection: Connection) -> None:
        self.address, self.connection = address, connection
        parts = urlsplit(address)
        self.host = parts.netloc
        self._path = parts.path.rstrip("/")
        self._slots = threading.BoundedSemaphore(connection.concurrency)
        self._ending = _Ending()
        self._answered: set[tuple[str, bool]] = set()  # paths, and whether something was sent there
        self._pace, self._next = threading.Lock(), 0.0
        settings: dict[str, Any] = {
            "network_backend": Backend(),
            "max_connections": connection.concurrency,
            "keepalive_expiry": KEEP_ALIVE,
        }
        if parts.scheme == "https":
            settings["ssl_context"] = tls_context()
        proxy = proxy_for(address, None)
        self._pool = httpcore.ConnectionPool(**settings) if proxy is None else pool_behind(proxy, settings)

    def ask(
        self,
        read: Callable[[Answer], T],
        path: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        missing: str = "is the address right?",
        tries: int | None = None,
    ) -> T:
        """What `read` makes of the answer to one request: POST where there is a body, GET otherwise.

        Args:
            read: from the answer to what is wanted of it; it raises `WireError` for an answer that can't be used.
            path: behind the server's own address.
            body: what is sent.
            headers: besides the key's.
            missing: what to do where the server answers 404.
            tries: how many attempts are made; one more than the option `retries` by default.

        Raises:
            EndpointError: the server is down, refuses us, or does not speak the protocol.
            RefusedError: it turned away what was sent.
        """
        begun, pause, attempt = time.monotonic(), None, 0
        failure = _Failed("")
        for attempt in range(tries or self.connection.retries + 1):
            if attempt and self._ending.wait(pause_before(attempt, pause)):
                raise EndpointError(f"{failure.why}; it was not tried again, because the run is being stopped")
            try:
                with self._slots:
                    self._wait_for_turn()
                    return self._once(read, path, body, headers or {}, missing)
            except _Failed as error:
                failure, pause = error, error.pause
            if not failure.again or (failure.status == 500 and attempt >= MOST_500):
                break
        tried = f" ({attempt + 1} attempts in {time.monotonic() - begun:.3g} s)" if attempt else ""
        said = f"{failure.why}{tried}{f'; {failure.advice}' if failure.advice else ''}"
        if failure.status in _ABOUT_IMAGES and body is not None:
            raise RefusedError(said, failure.status or 0)
        error_of = EndpointError(said)
        error_of.status = failure.status
        raise error_of

    def _wait_for_turn(self) -> None:
        rate = self.connection.rate
        if rate is None:
            return
        with self._pace:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / rate
        if turn > now and self._ending.wait(turn - now):
            raise _Failed(f"{self.host} was not asked, because the run is being stopped", again=False)

    def _once(self, read: Callable[[Answer], T], path: str, body: bytes | None, headers: Mapping[str, str], missing: str) -> T:
        target = f"{self._path}{path}" or "/"
        query = self.connection.query
        request = httpcore.Request(
            "GET" if body is None else "POST",
            f"{self.address.partition('://')[0]}://{self.host}{target}{f'?{query}' if query else ''}",
            headers=[
                (b"Host", self.host.encode("ascii")),
                (b"Accept-Encoding", b"identity"),
                (b"User-Agent", b"saywhy"),
                *([] if body is None else [(b"Content-Length", str(len(body)).encode())]),
                *((name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()),
                *((name.encode("ascii"), value.encode("latin-1")) for name, value in self.connection.secret_headers()),
            ],
            content=body,
        )
        asked = path, body is not None
        seconds = self.connection.timeout
        let_in = None
        try:
            with allowance(seconds, ceiling("answer"), self._ending) as mine:  # type: ignore[arg-type]  # as an event
                answer = self._pool.handle_request(request)
                try:
                    let_in = self._let_in(answer, mine, missing, before=asked in self._answered)
                finally:
                    answer.close()
            with _one_large if len(let_in.body) > _LARGE else nullcontext():
                found = read(let_in)
            self._answered.add(asked)
            return found
        except WireError as error:
            headers_of = {} if let_in is None else let_in.headers
            raise _failed(f"{self.host} {error}", error.status, headers_of, again=error.again) from None
        except httpcore.TimeoutException:
            raise _Failed(f"{self.host} did not answer within {seconds:g} s", advice="raise the option timeout") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpcore.UnsupportedProtocol) as error:
            raise self._broken(error, len(body or b"")) from None

    def _broken(self, error: Exception, sent: int) -> _Failed:
        said = failure_in_words(error)
        if said.startswith("certificate verify failed"):
            said = said.partition(": ")[2] or said
            advice = "if its certificate is of your own authority, name the file of that authority in SSL_CERT_FILE"
            return _Failed(f"the certificate of {self.host} is not trusted: {said}", again=False, advice=advice)
        advice = "is the server up, and the address right?"
        if sent > MUCH and not isinstance(error, httpcore.ConnectError):
            advice = f"some servers hang up on large requests, and this one had {sent / 1e6:.1f} MB: {SMALLER}, or {advice}"
        return _Failed(f"the connection to {self.host} failed: {said}", advice=advice)

    def _let_in(self, answer: Any, mine: Allowance, missing: str, *, before: bool) -> Answer:
        status = answer.status
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        packing = headers.get("content-encoding", "")
        if 300 <= status <= 399:
            raise WireError(redirect_in_words(self.address, status, headers.get("location", ""), "the images"), status=status)
        if 200 <= status <= 299:
            body = unpack(b"".join(parts_of(answer, mine)), packing)
            if not body:
                raise WireError(f"answered {status} with nothing in it", status=status, again=True)
            return Answer(headers, body)
        said = error_page(answer, mine, packing)
        why = f"{self.host} answered {status}: {said or 'it does not say why'}"
        again = may_pass(status) or (status == 404 and before)  # servers that start again listen before their models are loaded
        raise _failed(why, status, headers, again=again, advice=self._advice(status, missing))

    def _advice(self, status: int, missing: str) -> str:
        if status in {401, 403}:
            return self.connection.advice_on_key()
        return {
            404: missing,
            407: "the proxy wants a user and a password, which belong into HTTPS_PROXY or HTTP_PROXY",
            413: SMALLER,
            429: "it was asked too often: give a lower rate or concurrency",
        }.get(status, "")


class _Failed(Exception):  # noqa: N818 - one attempt, of which there may be more
    def __init__(
        self, why: str, status: int | None = None, *, again: bool = True, advice: str = "", pause: float | None = None
    ) -> None:
        super().__init__(why)
        self.why, self.status, self.again, self.advice, self.pause = why, status, again, advice, pause


def _failed(why: str, status: int | None, headers: Mapping[str, str], *, again: bool, advice: str = "") -> _Failed:
    """The failure that an answer stands for, with the pause that the server asks for."""
    pause = asked_pause(headers)
    if pause is not None and pause > LONGEST_PAUSE:
        return _Failed(why, status, again=False, advice=f"it asks to wait {in_words(pause)}")
    return _Failed(why, status, again=again, advice=advice, pause=pause)
