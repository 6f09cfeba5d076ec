"""The chat model behind `openai:` and `http(s)://` specs: one client for any server that speaks OpenAI's protocol."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

from agents.chat.guarded import GuardedChatModel
from agents.chat.own_replies import ModelReplies, TurnTaken
from agents.chat.schema import bounded
from agents.chat.servers.failures import Asked, ChatError, read_failure
from saywhy_core.errors import BudgetExceeded
from saywhy_core.wire.network import WireError, httpx
from saywhy_core.wire.retries import pause_before

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult

    from agents.chat.limits import Reservation
    from agents.chat.wire.transport import Transport

_SCHEMA_WORDS = re.compile(r"response_format|json_schema|schema|guided|grammar|structured", re.IGNORECASE)
_IMAGE_TOKENS = 1500  # a high-detail picture; only used to set room aside


class RemoteChat(GuardedChatModel, ChatOpenAI):
    """A chat model on a server that speaks OpenAI's Chat Completions; made by `agents.chat_model`."""

    official: bool = False
    """OpenAI's own server, or one that stands in for it: `max_completion_tokens` in place of `max_tokens`."""
    cache_as: str | None = None
    key_advice: str = "check the API key"
    """What to do where the server turns the key away."""
    _slots: threading.BoundedSemaphore = PrivateAttr()
    _schema_refused: bool = PrivateAttr(default=False)
    _turned_away: ChatError | None = PrivateAttr(default=None)
    _answered: bool = PrivateAttr(default=False)

    def model_post_init(self, context: Any, /) -> None:
        """Pydantic's hook."""
        super().model_post_init(context)
        self._slots = threading.BoundedSemaphore(self.concurrency)

    @classmethod
    def over(cls, transport: Transport, **options: Any) -> RemoteChat:
        """A model behind a transport. The transport alone knows the key, and what is above it can't tell it to anybody."""
        # langchain-openai warns of proxies unless it is told to leave the sockets alone; older releases don't know the option
        quiet: dict[str, Any] = {"http_socket_options": ()} if "http_socket_options" in cls.model_fields else {}
        model = cls(
            api_key=SecretStr("none"),
            http_client=httpx.Client(transport=transport, timeout=None, trust_env=False, follow_redirects=False),
            async_client=object(),  # the async forms run in threads, over the one guarded client
            openai_proxy=None,
            use_responses_api=False,
            disable_streaming=True,
            **quiet,
            **options,
        )
        model.root_client = model.root_client.with_options(max_retries=0)  # attempts are repeated, and counted, here
        model.client = model.root_client.chat.completions
        model._stopping = transport.stopping
        return model

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

    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if not isinstance(self.cache, ModelReplies):
            return super()._generate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        try:
            with self.cache.turns(self._stopping, self._longest()):
                return super()._generate_with_cache(messages, stop=stop, run_manager=run_manager, **kwargs)
        except TurnTaken as error:
            raise ChatError(str(error)) from None

    def _longest(self) -> float:
        """Seconds that all attempts of one request may take, where no server asks for longer pauses between them."""
        timeout: Any = self.request_timeout  # which could be a pair in langchain, and is a number here
        retries = self.max_retries or 0
        return (retries + 1) * float(timeout) + sum(pause_before(n, None) for n in range(1, retries + 1))

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
            if isinstance(self.cache, ModelReplies):
                self.cache.store_rest()  # what another thread could not store: on a full disk, nothing more is paid
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
        begun = time.monotonic()
        pause: float | None = None
        for attempt in range((self.max_retries or 0) + 1):
            if self._stopping.wait(pause_before(attempt, pause) if attempt else 0):
                raise ChatError("the request was given up, because the run was stopped")
            if attempt:
                headers = {**kwargs.get("extra_headers", {}), "x-stainless-retry-count": str(attempt)}
                kwargs = {**kwargs, "extra_headers": headers}
            with self._meter.reserve(prompt_tokens, most) as reservation:
                self._meter.attempt(retry=attempt > 0)
                try:
                    result = super()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)
                    self._book(result, reservation)
                    return result
                except BudgetExceeded:
                    raise
                # raised outside `except`, so that no error of ours carries a request with its headers
                except (openai.OpenAIError, httpx.HTTPError, WireError, ValueError, KeyError, TypeError) as error:
                    failure = read_failure(error, self._asked())
                    pause, reservation.lost = failure.pause, failure.lost
            if not failure.again:
                break
        refused = failure.told(attempt + 1, time.monotonic() - begun)
        if failure.status in {401, 403}:
            self._turned_away = refused
        raise refused

    def _asked(self) -> Asked:
        where = urlsplit(self.openai_api_base or "")
        return Asked(where.netloc, self.model_name, self.request_timeout, self.key_advice, where.path, self._answered)

    def _book(self, result: ChatResult, reservation: Reservation) -> None:
        self._answered = True
        usage = (result.llm_output or {}).get("token_usage") or {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if prompt is None or completion is None:
            reservation.estimated = True
            prompt = reservation.prompt_tokens // 2 if prompt is None else prompt
            text = sum(len(generation.text) for generation in result.generations)
            completion = -(-text // 4) if completion is None else completion
        reservation.used = (int(prompt), int(completion))


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
