"""The in-process chat model: transformers, in batches, on the GPU in bfloat16 where there is one."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import defaultdict, deque
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from agents.chat.guarded import GuardedChatModel, prompt_of
from agents.chat.in_process.engine import Engine, Settings
from agents.chat.in_process.gguf_files import digest_of, is_gguf
from agents.chat.own_replies import ModelReplies
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.callbacks import CallbackManagerForLLMRun

log = logging.getLogger(__name__)

# replies that `batch` generated beforehand; langchain then calls `_generate` for each prompt, in threads
_Ahead = defaultdict[str, deque["ChatResult | UsageError"]]
_ahead: ContextVar[_Ahead | None] = ContextVar("saywhy_ahead", default=None)


class LocalChat(GuardedChatModel):
    """A causal language model in this process, behind langchain-core's interface.

    `batch` generates for all its prompts together: on a GPU by transformers' continuous batching where the replies
    are free text, otherwise in left-padded batches of prompts of like length. With a JSON schema (`agents.ask`) every
    token must fit the grammar of the schema (xgrammar). The model is loaded for the first reply that is not in the cache.
    Special tokens inside a message are broken up, so that data can't begin a turn of its own.
    """

    name_or_path: str
    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int = 512
    seed: int = 0
    stop: list[str] | None = None
    batch_size: int = 64
    device: str | None = None
    """Such as "cuda:1"; the GPU where there is one, else the CPU."""
    dtype: str | None = None
    """Such as "float16"; bfloat16 on a GPU, else float32."""
    continuous: bool | None = None
    """Continuous batching; by default on a GPU only, because on a CPU it takes longer to start than it saves."""
    chat_template_kwargs: dict[str, Any] | None = None
    cache_as: str | None = None
    _engine: Engine | None = PrivateAttr(default=None)
    _identity_of_files: str | None = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.RLock)

    @property
    def _llm_type(self) -> str:
        return "saywhy-transformers"

    def _identity(self) -> dict[str, Any]:
        if self._identity_of_files is None:
            self._identity_of_files = _name_of(self.name_or_path)
        params: dict[str, Any] = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stop": self.stop,
            "chat_template_kwargs": self.chat_template_kwargs,
        }
        if self.temperature != 0:
            params |= {"top_p": self.top_p, "seed": self.seed}
        return {"model": self.cache_as or self._identity_of_files, "params": params}

    def engine(self) -> Engine:
        """The loaded model and its tokenizer."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine.load(self.name_or_path, self.device, self.dtype)
            return self._engine

    def prompt_tokens(self, talk: list[BaseMessage]) -> int:
        """The tokens of a conversation, as this model's tokenizer and chat template make them.

        Raises:
            UsageError: a message is not text, or the conversation leaves no room for a reply.
        """
        return len(self.engine().tokens_of(talk, self.max_tokens, self.chat_template_kwargs or {}))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - langchain's signature
        **kwargs: Any,
    ) -> ChatResult:
        ahead = _ahead.get()
        waiting = ahead.get(prompt_of(messages)) if ahead is not None else None
        if waiting:
            result = waiting.popleft()
        else:
            ((_, result),) = self._answer([messages], stop, kwargs)
        if isinstance(result, UsageError):
            raise result
        return result

    def batch(self, inputs: list[Any], config: Any = None, **kwargs: Any) -> list[Any]:
        """As in langchain-core; the prompts that the cache does not answer are generated together."""
        with self._generated_ahead(inputs, kwargs):
            return super().batch(inputs, config, **kwargs)

    def batch_as_completed(self, inputs: Sequence[Any], config: Any = None, **kwargs: Any) -> Iterator[Any]:
        """Like `batch`; results come when the whole batch is done."""
        with self._generated_ahead(inputs, kwargs):
            done = list(super().batch_as_completed(inputs, config, **kwargs))
        yield from done

    async def abatch(self, inputs: list[Any], config: Any = None, **kwargs: Any) -> list[Any]:
        """Like `batch`, in a thread."""
        import asyncio

        return await asyncio.to_thread(self.batch, inputs, config, **kwargs)

    @contextmanager
    def _generated_ahead(self, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[None]:
        call = {k: v for k, v in kwargs.items() if k not in {"stop", "return_exceptions"}}
        stop = kwargs.get("stop")
        talks = [self._convert_input(value).to_messages() for value in inputs]
        requests = [prompt_of(talk) for talk in talks]
        llm_string = self._get_llm_string(stop=stop, **call)
        cache = self.cache if isinstance(self.cache, ModelReplies) else None
        ahead: _Ahead = defaultdict(deque)
        missing = list(range(len(talks)))
        if cache is not None:
            # Equal requests are generated once: the others will find the reply in the cache.
            first = {request: i for i, request in reversed(list(enumerate(requests)))}
            missing = [] if cache.offline else [i for i in sorted(first.values()) if not cache.peek(requests[i], llm_string)]
        for position, result in self._answer([talks[i] for i in missing], stop, call):
            request = requests[missing[position]]
            if cache is not None and isinstance(result, ChatResult):
                cache.update(request, llm_string, result.generations)  # at once: a kill loses one batch at most
            ahead[request].append(result)
        if cache is not None:
            # langchain looks into the cache first, and a reply that was generated just now must not count as a hit
            cache.expect({r for r, results in ahead.items() if isinstance(results[0], ChatResult)})
            generated = set(missing)
            for i, request in enumerate(requests):  # equal requests share one failure
                if i not in generated and request in ahead:
                    ahead[request].append(ahead[request][0])
        token = _ahead.set(ahead)
        try:
            yield
        finally:
            _ahead.reset(token)

    def _answer(
        self, talks: Sequence[list[BaseMessage]], stop: list[str] | None, kwargs: dict[str, Any]
    ) -> Iterator[tuple[int, ChatResult | UsageError]]:
        if not talks:
            return
        unknown = kwargs.keys() - {"json_schema", "temperature", "top_p", "max_tokens", "seed"}
        if unknown:
            raise UsageError(f"a transformers: model takes no {', '.join(sorted(unknown))} in a call")
        settings = Settings(
            temperature=kwargs.get("temperature", self.temperature),
            top_p=kwargs.get("top_p", self.top_p),
            max_tokens=kwargs.get("max_tokens", self.max_tokens),
            seed=kwargs.get("seed", self.seed),
            stop=(*(self.stop or ()), *(stop or ())),
            schema=kwargs.get("json_schema"),
            batch_size=self.batch_size,
            continuous=self.continuous,
        )
        with self._lock:
            engine = self.engine()
            prompts: dict[int, list[int]] = {}
            for index, talk in enumerate(talks):
                try:
                    prompts[index] = engine.tokens_of(talk, settings.max_tokens, self.chat_template_kwargs or {})
                except UsageError as error:
                    yield index, error
            yield from self._metered(engine, prompts, settings)

    def _metered(
        self, engine: Engine, prompts: dict[int, list[int]], settings: Settings
    ) -> Iterator[tuple[int, ChatResult | UsageError]]:
        with ExitStack() as stack:
            reservations = {}
            for index, ids in prompts.items():
                try:
                    reservations[index] = stack.enter_context(self._meter.reserve(len(ids), settings.max_tokens, wait=False))
                    self._meter.attempt()
                except UsageError as error:
                    reservations.pop(index, None)
                    yield index, error
            order = list(reservations)
            for position, said, finish in engine.generate([prompts[i] for i in order], settings):
                index = order[position]
                text = engine.text_of(said)
                for ending in settings.stop:
                    if ending and ending in text:
                        text, finish = text.partition(ending)[0], "stop"
                counts = (len(prompts[index]), len(said))
                reservations[index].used = counts
                message = AIMessage(
                    text,
                    response_metadata={"finish_reason": finish, "model_name": self.name_or_path},
                    usage_metadata={"input_tokens": counts[0], "output_tokens": counts[1], "total_tokens": sum(counts)},
                )
                yield index, ChatResult(generations=[ChatGeneration(message=message)])


DEFAULT_BATCH = 64  # prompts: beyond it a GPU gains little, and memory for the replies' keys and values runs short


def local_model(name: str, options: dict[str, Any], *, batch_size: int | None) -> LocalChat:
    """The in-process model that `transformers:NAME` names; see `agents.chat_model`.

    Raises:
        UsageError: an unknown option, or one that has no effect beside the others.
    """
    known = set(LocalChat.model_fields) - set(GuardedChatModel.model_fields)
    given = {option: value for option, value in options.items() if value is not None or option == "temperature"}
    unknown = given.keys() - known
    if unknown:
        raise UsageError(f"unknown option {', '.join(sorted(unknown))} for transformers: models")
    if given.get("temperature", 0.0) == 0 and (idle := sorted({"seed", "top_p"} & given.keys())):
        named = " and ".join(argument(one) for one in idle)
        raise UsageError(f"{named}: without effect at temperature 0, where the likeliest reply is always taken")
    if batch_size is not None and "batch_size" in given:
        raise UsageError("concurrency and batch_size are the same thing for a transformers: model; give one of them")
    if batch_size is not None or "batch_size" not in given:
        given["batch_size"] = DEFAULT_BATCH if batch_size is None else batch_size
    # langchain hands prompts out by threads; the engine has made their replies before, so a few threads suffice
    return LocalChat(name_or_path=str(Path(name).expanduser()) if name.startswith("~") else name, **given)


def local_chat(model: Any, tokenizer: Any, *, name: str = "local", **options: Any) -> LocalChat:
    """A chat model around a loaded transformers model and its tokenizer; both stay on their device."""
    chat = local_model("local", {**options, "cache_as": options.get("cache_as", name)}, batch_size=None)
    chat._engine = Engine(model.eval(), tokenizer)  # noqa: SLF001 - made here
    return chat


def _name_of(name_or_path: str) -> str:
    """The model's name in the cache: its own name, or for a folder or file the last part of the path and a digest.

    Of large files in a folder the digest covers the size and the first and last 64 KiB.
    """
    folder = Path(name_or_path)
    if is_gguf(name_or_path) and folder.is_file():
        return f"transformers:{digest_of(name_or_path)}"
    if not folder.is_dir():
        return f"transformers:{name_or_path}"
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in {".json", ".safetensors", ".bin", ".jinja", ".model", ".txt"} and file.is_file():
            size = file.stat().st_size
            digest.update(f"{file.name}:{size}:".encode())
            with file.open("rb") as stream:
                digest.update(stream.read(1 << 16))
                stream.seek(max(size - (1 << 16), 0))
                digest.update(stream.read())
    return f"transformers:{folder.resolve().name}@{digest.hexdigest()[:16]}"
