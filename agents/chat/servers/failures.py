"""What went wrong with a request: in words for the user, and whether to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import openai

from saywhy_core.errors import UsageError, argument
from saywhy_core.wire.network import WireError, httpx
from saywhy_core.wire.retries import LONGEST_PAUSE, asked_pause, in_words, may_pass
from saywhy_core.wire.words import shown


class ChatError(UsageError):
    """A server gave no usable reply. `status` is the HTTP status, or None where the server did not answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """What was asked: the server's name and port, the model, the time-out, and what to do where the key is turned away."""

    server: str
    model: str
    timeout: Any
    key_advice: str


@dataclass(frozen=True)
class Failure:
    """An attempt that failed: why, and whether the next one may do better."""

    why: str
    status: int | None = None
    advice: str = ""
    again: bool = True
    lost: bool = True
    """Whether the server may have worked and billed."""
    pause: float | None = None
    """Seconds that the server asks to wait."""

    def told(self, attempts: int, seconds: float) -> ChatError:
        """The error for the user."""
        time_taken = f"{seconds:.0f} s" if seconds >= 1 else "less than 1 s"
        tries = f" ({attempts} attempts in {time_taken})" if attempts > 1 else ""
        return ChatError(f"{self.why}{tries}{'; ' if self.advice else ''}{self.advice}", self.status)


def read_failure(error: BaseException, asked: Asked) -> Failure:
    """What went wrong with one attempt, in words, and whether the next one may do better."""
    at = asked.server
    if not isinstance(error, WireError) and isinstance(error.__cause__, (WireError, httpx.HTTPError)):
        error = error.__cause__  # older openai clients wrap whatever happens on the way
    if isinstance(error, WireError):
        return Failure(f"{at} {error}", error.status, again=error.again, lost=error.status in {None, 200})
    if isinstance(error, (openai.APITimeoutError, httpx.TimeoutException)):
        return Failure(f"{at} did not answer within {asked.timeout:g} s", advice=f"raise {argument('timeout')}")
    if isinstance(error, openai.APIStatusError):
        return _read_status(error, asked)
    if isinstance(error, (openai.APIConnectionError, httpx.HTTPError)):
        said = shown(_root_of(error))
        if said.startswith("certificate verify failed"):
            said = said.partition(": ")[2] or said
            advice = "if its certificate is of your own authority, name the file of that authority in SSL_CERT_FILE"
            return Failure(f"the certificate of {at} is not trusted: {said}", advice=advice, again=False, lost=False)
        return Failure(
            f"the connection to {at} failed: {said}",
            advice="is the server up, and the address right?",
            lost=not isinstance(error, httpx.ConnectError),
        )
    return Failure(f"{at} sent a reply that is no chat completion", 200)


def _read_status(error: openai.APIStatusError, asked: Asked) -> Failure:
    at = asked.server
    body = error.body if isinstance(error.body, dict) else {}
    status, headers = error.status_code, error.response.headers
    pause = asked_pause(headers)
    again = may_pass(status) and headers.get("x-should-retry") != "false" and (pause or 0) <= LONGEST_PAUSE
    advice = {
        401: asked.key_advice,
        403: asked.key_advice if asked.key_advice.startswith("no key") else "this key may not use the model",
        404: f"does it serve a model named {asked.model!r}, under this path?",
        407: "the proxy wants a user and a password, which belong into HTTPS_PROXY or HTTP_PROXY",
    }.get(status, "")
    if pause is not None and pause > LONGEST_PAUSE:
        advice = f"it asks to wait {in_words(pause)}"
    elif status == 429:
        advice = "too many requests"
    said = shown(str(body.get("message") or "it does not say why"))
    return Failure(f"{at} answered {status}: {said}", status, advice=advice, again=again, lost=False, pause=pause)


def _root_of(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error)
    return text or type(error).__name__
