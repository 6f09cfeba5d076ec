"""What every chat model of saywhy has in common: a cache, ceilings, limited concurrency, and no tracing."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.runnables.config import ContextThreadPoolExecutor, get_config_list
from langsmith import tracing_context
from pydantic import PrivateAttr

from agents.chat.limits import Meter
from agents.chat.own_replies import ModelReplies
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatResult, LLMResult
    from langchain_core.runnables import RunnableConfig


class GuardedChatModel(BaseChatModel):
    """A chat model in which every call (invoke, batch, stream, their async forms) passes one meter and one cache.

    Streaming returns the reply in one piece, because langchain's cache does not see pieces. The async forms run the sync ones
    in threads: there is one path to guard, it works in any event loop, and a cancelled task still stores its reply.
    Nothing is sent to a tracing service because of an environment variable; callbacks given in a call work as ever.
    """

    narrows: ClassVar[bool] = False
    """Whether calls take `json_numbers`: by field that is a list of numbers, the least and the largest of this request."""
    concurrency: int = 8
    _meter: Meter = PrivateAttr(default_factory=Meter)
    _stopping: threading.Event = PrivateAttr(default_factory=threading.Event)
    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse to be pickled: a model holds connections, an open cache and counts that must stay one."""
        raise UsageError("a chat model can't be pickled or copied; make one with chat_model where it is used")

    def __deepcopy__(self, memo: Any = None) -> Any:
        """Refuse to be copied, as to be pickled."""
        return self.__reduce_ex__(4)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Never, because a serialised form would hold secret settings."""
        return False

    def _identity(self) -> dict[str, Any]:
        """What a reply depends on besides messages and call parameters: {"model": ..., "params": ...}, without secrets."""
        raise NotImplementedError

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        identity = self._identity()
        params = {**identity["params"], **kwargs}
        params.pop("json_numbers", None)  # they follow from the messages
        if stop is not None:
            params["stop"] = stop
        # addresses, keys and time-outs decide whether a reply comes, not what it says, so they are no part of the cache key
        return json.dumps({**identity, "params": params}, sort_keys=True, default=_plain)

    def ask_again(self, talks: Sequence[Sequence[BaseMessage]], **kwargs: Any) -> bool:
        """Of a model made with `retry_invalid`, let these requests be sent once more, because nothing usable came of them.

        Args:
            talks: the requests.
            **kwargs: the parameters of the call that they were part of.

        Returns:
            Whether a reply to one of them was of an earlier run. Otherwise asking again would only be a further attempt.
        """
        if not (isinstance(self.cache, ModelReplies) and self.cache.retry_invalid):
            return False
        return self.cache.ask_again([prompt_of(talk) for talk in talks], self._get_llm_string(**kwargs))

    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """As in langchain-core, without tracing by environment variable."""
        with tracing_context(enabled=False):
            return super().generate(*args, **kwargs)

    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """As in langchain-core, without tracing by environment variable."""
        with tracing_context(enabled=False):
            return await super().agenerate(*args, **kwargs)

    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.concurrency, thread_name_prefix="chat")
        call = partial(
            self._generate_with_cache,
            messages,
            stop=stop,
            run_manager=run_manager.get_sync() if run_manager is not None else None,
            **kwargs,
        )
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call)

    def batch(self, inputs: list[Any], config: Any = None, *, return_exceptions: bool = False, **kwargs: Any) -> list[Any]:
        """As in langchain-core, at most `concurrency` at a time; it stops as `batch_as_completed` does."""
        done = dict(self._as_completed(inputs, config, return_exceptions, kwargs))
        return [done[index] for index in range(len(inputs))]

    def batch_as_completed(
        self, inputs: Sequence[Any], config: Any = None, *, return_exceptions: bool = False, **kwargs: Any
    ) -> Iterator[Any]:
        """As in langchain-core, at most `concurrency` at a time.

        When it is stopped, by Ctrl-C or because the caller takes no more results, requests that have not left are not sent, no
        attempt is repeated, and replies on their way have some seconds to come.
        """
        return self._as_completed(inputs, config, return_exceptions, kwargs)

    def _as_completed(
        self, inputs: Sequence[Any], config: Any, return_exceptions: bool, kwargs: dict[str, Any]
    ) -> Iterator[tuple[int, Any]]:
        configs = get_config_list(self._bounded(config), len(inputs))
        each = kwargs.get("json_numbers")

        def one(index: int) -> tuple[int, Any]:
            own = kwargs if each is None else {**kwargs, "json_numbers": each[index]}
            try:
                return index, self.invoke(inputs[index], configs[index], **own)
            except Exception as error:
                if not return_exceptions:
                    raise
                return index, error

        if len(inputs) < 2:
            yield from map(one, range(len(inputs)))
            return
        try:
            with ContextThreadPoolExecutor(max_workers=configs[0]["max_concurrency"]) as pool:
                waiting = {pool.submit(one, index) for index in range(len(inputs))}
                try:
                    while waiting:
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        while done:
                            yield done.pop().result()
                except BaseException:
                    self._stopping.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        finally:
            self._stopping.clear()

    async def abatch(self, inputs: list[Any], config: Any = None, **kwargs: Any) -> list[Any]:
        """As in langchain-core, at most `concurrency` at a time."""
        return await super().abatch(inputs, self._bounded(config), **kwargs)

    def _bounded(self, config: Any) -> Any:
        def bound(one: RunnableConfig | None) -> RunnableConfig:
            asked = (one or {}).get("max_concurrency")
            return {**(one or {}), "max_concurrency": min(asked or self.concurrency, self.concurrency)}

        return [bound(one) for one in config] if isinstance(config, list | tuple) else bound(config)


def prompt_of(messages: Sequence[BaseMessage]) -> str:
    """The messages as langchain-core hands them to a cache."""
    return dumps([m.model_copy(update={"id": None}) if m.id is not None else m for m in messages])


def _plain(value: Any) -> Any:
    if isinstance(value, type) and hasattr(value, "model_json_schema"):
        return value.model_json_schema()
    return repr(value)
