"""The chat model behind `openai:` and `http(s)://` specs: one client for any server that speaks OpenAI's protocol."""

from __future__ import annotations

import importlib
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr

from agents.chat.guarded import GuardedChatModel
from agents.chat.schema import bounded
from saywhy_core.errors import BudgetExceeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult

    from agents.chat.limits import Reservation

# The openai package moved from httpx to a fork of it; what is handed to its client must come from the one it uses.
httpx: Any = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

_SCHEMA_WORDS = re.compile(r"response_format|json_schema|schema|guided|grammar|structured", re.IGNORECASE)
_IMAGE_TOKENS = 1500  # a high-detail picture; only used to set room aside


class ChatError(UsageError):
    """A server gave no usable reply. `status` is the HTTP status, or None where the server did not answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RemoteChat(GuardedChatModel, ChatOpenAI):
    """A chat model on a server that speaks OpenAI's Chat Completions; made by `agents.chat_model`."""

    official: bool = False
    """OpenAI's own server, or one that stands in for it: `max_completion_tokens` in place of `max_tokens`."""
    cache_as: str | None = None
    _secrets: tuple[str, ...] = PrivateAttr(default=())
    _slots: threading.BoundedSemaphore = PrivateAttr()
    _schema_refused: bool = PrivateAttr(default=False)
    _turned_away: ChatError | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Pydantic's hook."""
        super().model_post_init(context)
        self._slots = threading.BoundedSemaphore(self.concurrency)

    def _identity(self) -> dict[str, Any]:
        params = {k: v for k, v in self._default_params.items() if k not in {"model", "stream"}}
        if "max_completion_tokens" in params:
            params["max_tokens"] = params.pop("max_completion_tokens")
        return {"model": self.cache_as or self.model_name, "params": params}

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if not self.official and "max_completion_tokens" in payload:
            payload["max_tokens"] = payload.pop("max_completion_tokens")  # llama.cpp, Ollama and others ignore the new
        return payload

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        schema = kwargs.pop("json_schema", None)
        with self._slots:
            if self._turned_away is not None:
                raise self._turned_away
            while True:
                asked = schema is not None and not self._schema_refused
                try:
                    return self._attempt(messages, stop, run_manager, self._with_schema(kwargs, schema, asked))
                except ChatError as error:
                    if not (asked and error.status in {400, 422, 501} and _SCHEMA_WORDS.search(str(error))):
                        raise
                self._schema_refused = True  # from here on the schema is in the prompt only

    def _with_schema(self, kwargs: dict[str, Any], schema: dict[str, Any] | None, asked: bool) -> dict[str, Any]:
        if schema is None or not asked:
            return kwargs
        # In `extra_body`, because the openai client parses replies to `response_format` itself and drops a cut-off one.
        shape = {"name": "reply", "schema": schema if self.official else bounded(schema), "strict": True}
        extra = {**(self.extra_body or {}), **kwargs.get("extra_body", {})}
        return {
            **kwargs,
            "extra_body": {**extra, "response_format": {"type": "json_schema", "json_schema": shape}},
        }

    def _attempt(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        kwargs: dict[str, Any],
    ) -> ChatResult:
        prompt_tokens = sum(_estimate(message) for message in messages)
        most = kwargs.get("max_tokens", self.max_tokens)
        retries = self.max_retries or 0
        for attempt in range(retries + 1):
            if attempt:  # after a garbled reply; the client itself sees to the other retries, and counts them so
                time.sleep(min(0.5 * 2 ** (attempt - 1), 8.0))
                kwargs = {**kwargs, "extra_headers": {"x-stainless-retry-count": str(attempt)}}
            with self._meter.reserve(prompt_tokens, most) as reservation:
                try:
                    result = super()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)
                    if not result.generations:
                        raise ValueError("no choices in the reply")
                    self._book(result, reservation)
                    return self._scrubbed(result)
                except BudgetExceeded:
                    raise
                # raised outside `except`, so that no error of ours carries a request with its headers
                except (openai.OpenAIError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
                    failure, again = self._read_failure(error)
                    reservation.lost = failure.status is None or failure.status == 200
            if not again:
                break
        if failure.status in {401, 403}:
            self._turned_away = failure
        raise failure

    def _book(self, result: ChatResult, reservation: Reservation) -> None:
        usage = (result.llm_output or {}).get("token_usage") or {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if prompt is None or completion is None:
            reservation.estimated = True
            prompt = reservation.prompt_tokens // 2 if prompt is None else prompt
            text = sum(len(generation.text) for generation in result.generations)
            completion = -(-text // 4) if completion is None else completion
        reservation.used = (int(prompt), int(completion))

    def _scrubbed(self, result: ChatResult) -> ChatResult:
        """The reply without the key: a server may repeat what it was sent, and the key must not reach the cache."""
        for generation in result.generations:
            message = generation.message
            message.content = self._redacted(message.content)
            generation.text = self._redact(generation.text)
            message.additional_kwargs = self._redacted(message.additional_kwargs)
            generation.generation_info = self._redacted(generation.generation_info)
        result.llm_output = self._redacted(result.llm_output)
        return result

    def _redacted(self, told: Any) -> Any:
        if not any(secret in json.dumps(told, default=str) for secret in self._secrets):
            return told
        return json.loads(self._redact(json.dumps(told, default=str)))

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    def _read_failure(self, error: Exception) -> tuple[ChatError, bool]:
        """The error in words, and whether to try again here; the openai client has repeated the other kinds itself."""
        at = urlsplit(self.openai_api_base or "").netloc
        tries = "" if not self.max_retries else f" ({self.max_retries + 1} attempts)"
        if isinstance(error, openai.APITimeoutError):
            return ChatError(f"{at} did not answer within {self.request_timeout:g} s{tries}; raise timeout"), False
        if isinstance(error, openai.APIConnectionError):
            why = self._redact(_root_of(error))
            message = f"the connection to {at} failed: {why}{tries}; is the server up, and the address right?"
            return ChatError(message), False
        if isinstance(error, openai.APIStatusError):
            return self._read_status(error, at, tries), False
        what = self._redact(f"{type(error).__name__}: {error}")[:200]
        return ChatError(f"{at} sent a reply that is no chat completion{tries}: {what}", 200), True

    def _read_status(self, error: openai.APIStatusError, at: str, tries: str) -> ChatError:
        body = error.body if isinstance(error.body, dict) else {}
        said = self._redact(" ".join(str(body.get("message") or error.message).split()))[:300]
        status = error.status_code
        wait = error.response.headers.get("retry-after")
        advice = {
            401: "; check the API key",
            403: "; this key may not use the model",
            404: f"; does it serve a model named {self.model_name!r}, under this path?",
            429: f"; it asks to wait {wait[:40]} s" if wait else f"; too many requests{tries}",
        }.get(status, tries if status >= 500 else "")
        return ChatError(f"{at} answered {status}: {said}{advice}", status)


def http_client(
    on_attempt: Callable[[bool], None], timeout: float, *, auth: tuple[str, str] | None, proxy: str | None, local: bool
) -> Any:
    """An HTTP client that reports each attempt before it leaves, and gives up `timeout` seconds after it left.

    httpx's own time-out measures silence, so a server that sends a byte now and then never reaches it.
    """

    def before(request: Any) -> None:
        on_attempt(int(request.headers.get("x-stainless-retry-count", 0)) > 0)
        request.extensions["saywhy_deadline"] = time.monotonic() + timeout

    def after(response: Any) -> None:
        response.stream = _Deadline(response.stream, response.request)

    return openai.DefaultHttpxClient(
        timeout=timeout,
        auth=auth,
        proxy=proxy,
        trust_env=not local,  # requests to this machine itself use no proxy
        event_hooks={"request": [before], "response": [after]},
    )


class _Deadline(httpx.SyncByteStream):  # type: ignore[misc]
    """A reply's body that must arrive by the deadline of its request."""

    def __init__(self, stream: Any, request: Any) -> None:
        self._stream, self._request = stream, request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if time.monotonic() > self._request.extensions["saywhy_deadline"]:
                raise httpx.ReadTimeout("the reply took too long", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _root_of(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__} {error}".strip().rstrip(".")


def _estimate(message: BaseMessage) -> int:
    """Tokens of a message, estimated so that ordinary text has fewer."""
    if isinstance(message.content, str):
        return 8 + -(-len(message.content.encode()) // 2)
    return 8 + sum(
        -(-len(str(block.get("text", "")).encode()) // 2) + (block.get("type") != "text") * _IMAGE_TOKENS
        if isinstance(block, dict)
        else -(-len(block.encode()) // 2)
        for block in message.content
    )
