"""The chat model behind `openai:`, `azure:` and `http(s)://` specs: one client for any server that speaks OpenAI's protocol."""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import openai
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

from agents.chat.guarded import GuardedChatModel
from agents.chat.own_replies import ModelReplies, TurnTaken
from agents.chat.servers.dialect import WITHOUT_SCHEMA, Dialect
from agents.chat.servers.failures import Asked, ChatError, Failure, read_failure
from agents.chat.servers.messages import cut_at, estimate
from agents.chat.servers.opening import Opening
from agents.chat.servers.pacing import RATE_WAIT, Pacer
from agents.chat.servers.told import Told, told_by
from saywhy_core.errors import BudgetExceeded
from saywhy_core.wire.network import WireError, httpx
from saywhy_core.wire.retries import LONGEST_PAUSE, in_words, pause_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage

    from agents.chat.limits import Reservation
    from agents.chat.wire.transport import Transport

_OF_THE_REQUEST = frozenset({"refused", "filtered", "too long"})
"""Kinds of failures after which the next request still goes alone, because the server has not shown yet that it answers."""
_OF_THE_BATCH = frozenset({"refused", "unreachable", "rate", "server", "reply"})
"""Kinds of permanent failures that end with the batch, because another kind of request, or a server that is up, may go well."""


UNPROCESSABLE = frozenset({415, 422, 501})
"""Statuses of a request that was read, and of which a part is not taken. A first one with a schema is sent again without it,
whatever the words say. A 400 may mean anything: it is sent again only where its words speak of the schema or of a field."""


class ChatWarning(UserWarning):
    """A server does not take something that was asked of it, and replies come without it."""


class RemoteChat(GuardedChatModel, ChatOpenAI):
    """A chat model on a server that speaks OpenAI's Chat Completions; made by `agents.chat_model`."""

    narrows: ClassVar[bool] = True
    official: bool = False
    """OpenAI's own server or Azure's: `max_completion_tokens` in place of `max_tokens`, unless it refuses that."""
    cache_as: str | None = None
    key_advice: str = "check the API key"
    """What to do where the server turns the key away."""
    _slots: threading.BoundedSemaphore = PrivateAttr()
    _openings: tuple[Opening, Opening] = PrivateAttr(default_factory=lambda: (Opening(), Opening()))
    """For requests without and with a schema."""
    _pacer: Pacer = PrivateAttr()
    _heard: threading.local = PrivateAttr(default_factory=threading.local)
    """What the last answer said of the server's limits, for each thread."""
    _dialect: Dialect = PrivateAttr(default_factory=Dialect)
    _learning: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _turned_away: ChatError | None = PrivateAttr(default=None)
    _answered: bool = PrivateAttr(default=False)
    _batches: int = PrivateAttr(default=0)

    def model_post_init(self, context: Any, /) -> None:
        """Pydantic's hook."""
        super().model_post_init(context)
        self._slots = threading.BoundedSemaphore(self.concurrency)
        self._pacer = Pacer(self.concurrency, lambda seconds: self._meter.wait(seconds))
        # llama.cpp, Ollama and others ignore the newer name without a word, so they get the older one first
        self._dialect = Dialect("max_completion_tokens" if self.official else "max_tokens")

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
        transport.watch = model._watch
        return model

    def _identity(self) -> dict[str, Any]:
        params = {k: v for k, v in self._default_params.items() if k not in {"model", "stream"}}
        if "max_completion_tokens" in params:
            params["max_tokens"] = params.pop("max_completion_tokens")
        return {"model": self.cache_as or self.model_name, "params": params}

    def _get_request_payload(self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        dialect = kwargs.pop("dialect", self._dialect)
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        shaped: dict[str, Any] = dialect.shaped(payload)
        return shaped

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        """As in langchain-openai, and what the model thought is kept: some servers put the reply there."""
        result = super()._create_chat_result(response, generation_info)
        for generation, choice in zip(result.generations, getattr(response, "choices", None) or [], strict=False):
            thought = (choice.message.model_extra or {}).get("reasoning_content")
            if isinstance(thought, str):
                generation.message.additional_kwargs["reasoning_content"] = thought
        return result

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
        """Seconds that all attempts of one request may take, with those that a server may keep it waiting for its rate."""
        timeout: Any = self.request_timeout  # which could be a pair in langchain, and is a number here
        retries = self.max_retries or 0
        pauses = sum(pause_before(n, None) for n in range(1, retries + 1))
        return (retries + 1) * float(timeout) + pauses + (RATE_WAIT if retries else 0.0)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        schema, numbers = kwargs.pop("json_schema", None), kwargs.pop("json_numbers", None)
        opening = self._openings[schema is not None]
        with self._slots, opening.turn(self._stopping):
            if self._turned_away is not None:
                raise self._turned_away
            if isinstance(self.cache, ModelReplies):
                self.cache.store_rest()  # what another thread could not store: on a full disk, nothing more is paid
            try:
                result = self._spoken(messages, stop, run_manager, kwargs, schema, numbers)
            except ChatError as error:
                if error.ends_batch and (self._batches or error.kind not in _OF_THE_BATCH):
                    self._turned_away = error
                elif error.kind not in _OF_THE_REQUEST:
                    opening.open()
                raise
            opening.open()
            return result

    def _as_completed(self, *args: Any) -> Iterator[tuple[int, Any]]:
        self._batches += 1
        try:
            yield from super()._as_completed(*args)
        finally:
            self._batches -= 1
            if self._turned_away is not None and self._turned_away.kind in _OF_THE_BATCH:
                self._turned_away = None

    def _spoken(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        kwargs: dict[str, Any],
        schema: dict[str, Any] | None,
        numbers: Mapping[str, Sequence[int]] | None,
    ) -> ChatResult:
        """Ask as this server takes it; where it refuses a field or the schema, ask once more without."""
        dialect, done = self._dialect, 0
        looked: Dialect | None = None  # while one attempt without the schema tells whether a failure was due to it
        unheard = False  # whether such an attempt failed as well
        while True:
            shape = None if schema is None else dialect.format_for(schema, official=self.official, numbers=numbers)
            asked = kwargs if shape is None else self._with_format(kwargs, shape)
            doubtful = shape is not None and not dialect.tried
            try:
                result = self._attempt(
                    messages, stop, run_manager, asked, dialect, done=done, doubtful=doubtful, once=looked is not None
                )
            except ChatError as error:
                if looked is not None:
                    # the same without the schema, and nothing was ever answered with one: the others would fail alike
                    error.permanent = error.permanent or error.kind == "refused"
                    error.ends_batch = error.permanent or error.kind == "server"
                    dialect, looked, done = replace(looked, tried=True), None, 2
                    if error.kind != "server" or done > (self.max_retries or 0):
                        raise
                    unheard = True
                elif unheard and error.kind == "server":
                    error.ends_batch = True
                    raise
                elif doubtful and error.status == 500 and error.kind == "server":
                    dialect, looked = replace(dialect, schema="prompt"), dialect
                elif shape is not None and "json_validate_failed" in error.code:
                    dialect = replace(dialect, schema="prompt")  # what the model wrote was at fault, for this one request
                else:
                    sent = asked if schema is not None else {**asked, "extra_body": {}}
                    if (other := self._other_dialect(dialect, error, sent, stop)) is not None:
                        dialect, done = other, 0
                    elif (
                        doubtful
                        and error.status in UNPROCESSABLE
                        and error.kind == "refused"
                        and not dialect.names_another(error, {**self._default_params, **sent})
                    ):
                        dialect, looked = replace(dialect, schema="prompt"), dialect
                    else:
                        raise
            else:
                if looked is not None or doubtful or unheard:
                    self._learn(replace(dialect, tried=True))
                if looked is not None:
                    self._tell([WITHOUT_SCHEMA])
                return cut_at(result, self._stops(stop)) if "stop" in dialect.left_out else result

    def _with_format(self, kwargs: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
        # In `extra_body`, because the openai client parses replies to `response_format` itself and drops a cut-off one.
        extra = {**(self.extra_body or {}), **kwargs.get("extra_body", {})}
        return {**kwargs, "extra_body": {**extra, "response_format": shape}}

    def _other_dialect(
        self, spoken: Dialect, error: ChatError, asked: dict[str, Any], stop: list[str] | None
    ) -> Dialect | None:
        """The dialect to ask in after a refusal; None where what the server said points to no other."""
        with self._learning:
            if replace(self._dialect, tried=False) != replace(spoken, tried=False):
                return self._dialect  # another thread has learned something meanwhile
            sent = {**self._default_params, **asked, **({"stop": self._stops(stop)} if self._stops(stop) else {})}
            found = spoken.after(error, spoken.shaped(sent))
            if found is None:
                return None
            self._dialect, told = found
        self._tell(told)
        return self._dialect

    def _tell(self, told: list[str]) -> None:
        for one in told:
            self._meter.note(f"{self._asked().server} {one}")
            warnings.warn(f"{self._asked().server} {one}", ChatWarning, stacklevel=2)

    def _learn(self, dialect: Dialect) -> None:
        with self._learning:
            self._dialect = replace(self._dialect, schema=dialect.schema, tried=True)

    def _stops(self, stop: list[str] | None) -> list[str]:
        stops = stop if stop is not None else self.stop
        return [stops] if isinstance(stops, str) else list(stops or [])

    def _attempt(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun | None,
        kwargs: dict[str, Any],
        dialect: Dialect,
        *,
        done: int = 0,
        doubtful: bool = False,
        once: bool = False,
    ) -> ChatResult:
        """Ask until a reply comes, or a failure that another attempt would not mend.

        Args:
            messages: what is asked.
            stop: texts at which the reply ends.
            run_manager: langchain's.
            kwargs: further fields of the request.
            dialect: what the server takes of them.
            done: attempts of this request that were made before.
            doubtful: whether a failure of the server may be due to the schema, and is looked into before it is repeated.
            once: whether one attempt is made in any case, and no further one.
        """
        begun = time.monotonic()
        pause: float | None = None
        for attempt in range(done, done + 1 if once else (self.max_retries or 0) + 1):
            if attempt and self._stopping.wait(pause_before(attempt, pause)):
                raise ChatError("the request was given up, because the run was stopped")
            if attempt:
                headers = {**kwargs.get("extra_headers", {}), "x-stainless-retry-count": str(attempt)}
                kwargs = {**kwargs, "extra_headers": headers}
            asked = {**kwargs, "stop": stop, "run_manager": run_manager, "dialect": dialect}
            found = self._paced(messages, asked, retry=attempt > 0, doubtful=doubtful)
            if isinstance(found, ChatResult):
                return found
            failure, pause = found, found.pause
            if not failure.again:
                break
            if self._answered or failure.kind != "reply":  # what has never sent a completion may be no such server
                self._openings[0].open()
                self._openings[1].open()
        refused = failure.told(attempt + 1, time.monotonic() - begun)
        raise refused

    def _paced(
        self, messages: list[BaseMessage], asked: dict[str, Any], *, retry: bool, doubtful: bool
    ) -> ChatResult | Failure:
        """One attempt at the server's pace: while it is turned away for its rate, it is sent again as soon as others may go."""
        while True:
            ticket = self._pacer.enter(self._may_go)
            failure: Failure | None = None
            through = False
            try:
                found = self._sent(messages, asked, retry=retry, doubtful=doubtful)
                if isinstance(found, ChatResult):
                    through = True
                    return found
                failure = found
                through = failure.status is not None and failure.status < 500  # the server took it up, whatever it said then
            finally:
                if failure is None or failure.kind != "rate":
                    self._pacer.settle(ticket, through=through)
            if failure.kind != "rate":
                return failure
            told: Told = self._heard.told
            pause = failure.pause if failure.pause is not None else told.pause_for_one
            if pause is not None and pause > LONGEST_PAUSE:
                self._pacer.refuse(ticket, None)
                return replace(failure, advice=f"it asks to wait {in_words(pause)}", again=False, permanent=True)
            self._meter.turn_away()
            if self._pacer.refuse(ticket, pause):
                advice = f"it has let no request through for {in_words(RATE_WAIT)}"
                return replace(failure, advice=advice, again=False, permanent=True)
            if not (failure.again and self.max_retries):
                return failure
            retry = True

    def _sent(self, messages: list[BaseMessage], asked: dict[str, Any], *, retry: bool, doubtful: bool) -> ChatResult | Failure:
        """One request and what comes of it."""
        tokens = sum(estimate(message) for message in messages)
        self._heard.told = Told()
        with self._meter.reserve(tokens, asked.get("max_tokens", self.max_tokens)) as reservation:
            self._meter.attempt(retry=retry)
            try:
                result = super()._generate(messages, **asked)
                self._book(result, reservation)
                return result
            except BudgetExceeded:
                raise
            # raised outside `except`, so that no error of ours carries a request with its headers
            except (openai.OpenAIError, httpx.HTTPError, WireError, ValueError, KeyError, TypeError) as error:
                failure = read_failure(error, self._asked(doubtful=doubtful))
                reservation.lost = failure.lost
                return failure

    def _may_go(self) -> None:
        """Raise where nothing more is to be sent."""
        if self._stopping.is_set():
            raise ChatError("the request was given up, because the run was stopped")
        if self._turned_away is not None:
            raise self._turned_away

    def _watch(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Hear what an answer says of the server's limits."""
        self._heard.told = told_by(headers, body.decode("utf-8", "replace") if status == 429 else "")
        if status <= 299:
            self._pacer.heed(self._heard.told)

    def _asked(self, *, doubtful: bool = False) -> Asked:
        where = urlsplit(self.openai_api_base or "")
        return Asked(where.netloc, self.model_name, self.request_timeout, self.key_advice, where.path, self._answered, doubtful)

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
