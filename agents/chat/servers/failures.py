"""What went wrong with a request: in words for the user, and whether to ask again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import openai

from saywhy_core.errors import UsageError, argument
from saywhy_core.wire.network import WireError, httpx
from saywhy_core.wire.retries import LONGEST_PAUSE, asked_pause, in_words, may_pass
from saywhy_core.wire.words import shown

KINDS = {
    "key": "the key is missing or turned away",
    "quota": "what is paid for is used up",
    "not found": "there is no such model or path",
    "certificate": "the server's certificate is not trusted",
    "unreachable": "no connection was made",
    "connection": "the connection broke",
    "time-out": "no whole answer came in time",
    "rate": "too many requests",
    "server": "the server failed",
    "refused": "the server takes no such request, whatever it is about",
    "filtered": "a filter of the provider stopped this request or its reply",
    "too long": "this request is longer than the model reads",
    "cut off": "the reply ended at the limit of tokens",
    "reply": "what came is no reply",
    "other": "anything else",
}
"""The kinds of `ChatError`, each with what it means."""


class ChatError(UsageError):
    """A server gave no usable reply.

    Attributes:
        status: the HTTP status, or None where the server did not answer.
        kind: what went wrong, one of `KINDS`.
        permanent: whether every other request to this server would fail alike, so that none need be sent.
    """

    def __init__(self, message: str, status: int | None = None, kind: str = "other", *, permanent: bool = False) -> None:
        super().__init__(message)
        self.status, self.kind, self.permanent = status, kind, permanent
        self.code = ""
        """What the server calls the error and the field it is about."""
        self.ends_batch = permanent
        """Whether the other requests of the batch are not sent, although a later run may fare better."""


@dataclass(frozen=True)
class Asked:
    """What was asked: the server's name and port, the model, the time-out, and what to do where the key is turned away."""

    server: str
    model: str
    timeout: Any
    key_advice: str
    path: str = "/v1"
    """The path of the server's address."""
    answered: bool = False
    """Whether the server has given this model a reply before, so that what is wrong now may be this one request."""
    doubtful: bool = False
    """Whether a schema went along that the server has not been seen to take."""


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
    kind: str = "other"
    """One of `KINDS`."""
    permanent: bool = False
    """Whether every other request to this server would fail alike."""
    code: str = ""
    """What the server calls the error and the field it is about, in lower case and without secrets."""

    def told(self, attempts: int, seconds: float) -> ChatError:
        """The error for the user."""
        time_taken = f"{seconds:.0f} s" if seconds >= 1 else "less than 1 s"
        tries = f" ({attempts} attempts in {time_taken})" if attempts > 1 else ""
        told = f"{self.why}{tries}{'; ' if self.advice else ''}{self.advice}"
        error = ChatError(told, self.status, self.kind, permanent=self.permanent)
        error.code = self.code
        return error


def read_failure(error: BaseException, asked: Asked) -> Failure:
    """What went wrong with one attempt, in words, and whether the next one may do better."""
    at = asked.server
    error = _own(error)
    if isinstance(error, WireError):
        redirected = error.status is not None and 300 <= error.status <= 399
        kind = getattr(error, "kind", "not found" if redirected else "reply")
        # What has never sent a chat completion, and sends something else time after time, is likelier no such server.
        no_server = redirected or (kind == "reply" and error.status == 200)
        return Failure(
            f"{at} {error}",
            error.status,
            again=error.again,
            lost=error.status in {None, 200},
            kind=kind,
            permanent=no_server and not asked.answered,
        )
    if isinstance(error, (openai.APITimeoutError, httpx.TimeoutException)):
        advice = f"raise {argument('timeout')}"
        return Failure(f"{at} did not answer within {asked.timeout:g} s", advice=advice, kind="time-out")
    if isinstance(error, openai.APIStatusError):
        return _read_status(error, asked)
    if isinstance(error, (openai.APIConnectionError, httpx.HTTPError)):
        return _read_connection(error, asked)
    return Failure(f"{at} sent a reply that is no chat completion", 200, kind="reply", permanent=not asked.answered)


def _own(error: BaseException) -> BaseException:
    """What happened on the way, which openai's and langchain's clients wrap, each in an error of its own."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, (WireError, httpx.HTTPError)):
        inner = inner.__cause__
    return error if inner is None or isinstance(error, openai.APIStatusError) else inner


def _read_connection(error: BaseException, asked: Asked) -> Failure:
    at, said = asked.server, shown(_root_of(error))
    if said.startswith("certificate verify failed"):
        return Failure(
            f"the certificate of {at} is not trusted: {said.partition(': ')[2] or said}",
            advice="if its certificate is of your own authority, name the file of that authority in SSL_CERT_FILE",
            again=False,
            lost=False,
            kind="certificate",
            permanent=True,
        )
    made = not isinstance(error, httpx.ConnectError)
    # Where nothing was ever answered, the address is likelier wrong than the server busy: no wait would mend it.
    wrong = not made and not asked.answered and _NOBODY.search(said) is not None
    return Failure(
        f"the connection to {at} failed: {said}",
        advice="is the server up, and the address right?",
        again=not wrong,
        lost=made,
        kind="connection" if made else "unreachable",
        permanent=wrong,
    )


def _read_status(error: openai.APIStatusError, asked: Asked) -> Failure:
    at = asked.server
    body = error.body if isinstance(error.body, dict) else {}
    status, headers = error.status_code, error.response.headers
    said = shown(str(body.get("message") or "it does not say why"))
    code = " ".join(shown(str(body[name])).lower() for name in ("code", "type", "param") if body.get(name))
    kind, permanent = _kind_of(status, said, code, asked)
    pause = asked_pause(headers)
    again = kind in {"rate", "server"} and may_pass(status) and not (status == 500 and asked.doubtful)
    again = again and headers.get("x-should-retry") != "false" and (pause or 0) <= LONGEST_PAUSE
    advice = _advice(status, kind, asked)
    if pause is not None and pause > LONGEST_PAUSE and kind in {"rate", "server"}:
        advice = f"it asks to wait {in_words(pause)}"
    return Failure(f"{at} answered {status}: {said}", status, advice, again, False, pause, kind, permanent, code)


def _kind_of(status: int, said: str, code: str, asked: Asked) -> tuple[str, bool]:
    """The kind of an answer that is an error, and whether all other requests would get it as well."""
    if _USED_UP.search(code) or status == 402 or (status in {400, 403} and _PAY.search(said)):
        return "quota", True
    if status == 429 and _EMPTY.search(said):
        return "quota", True
    if status in {400, 403, 422, 451} and (_FILTER.search(code) or _FILTER.search(said)):
        return "filtered", False
    if status in {401, 403, 407}:
        return "key", status != 407 or not asked.answered
    if status == 413 or (status in {400, 422, 500} and (_LONG.search(code) or _LONG.search(said))):
        return "too long", False
    if status in {404, 405, 410} or (status in {400, 422} and (_NO_MODEL.search(code) or _NO_MODEL.search(said))):
        return "not found", not asked.answered
    if status in {400, 422} and _KEY.search(f"{code} {said}"):
        return "key", True
    if status == 500 and asked.doubtful and SCHEMA_WORDS.search(f"{code} {said}"):
        return "refused", False
    if may_pass(status):
        return ("rate" if status == 429 else "server"), False
    return "refused", not asked.answered


def _advice(status: int, kind: str, asked: Asked) -> str:
    if status == 407:
        return "the proxy wants a user and a password, which belong into HTTPS_PROXY or HTTP_PROXY"
    if kind == "key":
        no_key = status != 403 or asked.key_advice.startswith("no key")
        return asked.key_advice if no_key else f"this key may not use the model; {asked.key_advice}"
    if kind == "not found":
        if "/openai/deployments/" in asked.path:
            return f"is there a deployment named {asked.model!r}, and does it know this api-version?"
        path = "" if "/v" in asked.path else "; most servers want an address that ends in /v1"
        return f"does it serve a model named {asked.model!r}, under this path?{path}"
    return {
        "quota": "what the account may spend is used up; asking again does not help until it is topped up",
        "filtered": "the provider's filter stopped this request; asking again would not help",
        "too long": f"this request is longer than {asked.model!r} reads there: shorten it, or raise the server's context",
        "rate": "too many requests",
    }.get(kind, "")


SCHEMA_WORDS = re.compile(
    r"response_?format|response_?schema|json_?schema|json_object|\bsch[eé]ma\b|guided|grammar|structured|strict|\$defs"
    r"|constrain\w*|format de r[eé]ponse|generation_?config|not implemented",
    re.IGNORECASE,
)
"""What an error speaks of that is about a schema, whatever the server calls it."""
_USED_UP = re.compile(
    r"insufficient.(quota|balance|credits?|funds)|billing|credits?.exhausted|payment.required|exceeded.current.quota.error"
)
_EMPTY = re.compile(
    r"(insufficient|no|not enough) (account )?(balance|credits?|funds)|\brecharge\b|top up your|account (is|has been) suspended"
    r"|out of credits?|balance (is )?(too low|exhausted)",
    re.IGNORECASE,
)
"""How a 429 says that the account is empty. "You exceeded your current quota" alone does not say so: Gemini means its rates."""
_PAY = re.compile(r"credit balance is too low|insufficient (balance|credits?|funds|quota)|billing", re.IGNORECASE)
_FILTER = re.compile(
    r"content.?(filter|management|policy|moderation)|responsible.?ai|moderation|data.inspection|flagged|safety", re.IGNORECASE
)
_LONG = re.compile(
    r"context.(length|window|size)|maximum context|exceed.context|(prompt|input|request|context)\S* (is |are )?too (long|large)"
    r"|too many (input )?tokens|reduce the length|max_new_tokens. must be <=|maximum (input|prompt) length",
    re.IGNORECASE,
)
_KEY = re.compile(r"(invalid|incorrect|missing)[ _]api[ _]key|api[ _]key[ _]?(not valid|invalid|missing)", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model.?not.?found|no such model|unknown model|unrecogni[sz]ed model|invalid model\b|not a valid model"
    r"|model\b[^.]{0,80}(does not exist|doesn't exist|is not found|not found|is not loaded|is not (a )?valid|unknown)",
    re.IGNORECASE,
)
"""How a 400 says that there is no such model."""
_NOBODY = re.compile(r"refused|not known|no address|nodename|unreachable|no route", re.IGNORECASE)
"""How an operating system says that nobody listens at an address, or that there is no such host."""


def _root_of(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error)
    return text or type(error).__name__
