"""What a run will ask and cost, before it begins: requests, tokens and money."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache
from langchain_core.messages import AIMessage, BaseMessage

from agents.chat.guarded import GuardedChatModel, prompt_of
from agents.chat.limits import Meter
from agents.chat.objects.reading import Bad, read_object
from agents.chat.own_replies import ModelReplies
from agents.chat.replies import Replies
from agents.chat.schema import schema_of
from agents.chat.structured import as_messages, objection, with_schema
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.language_models import BaseChatModel
    from pydantic import BaseModel

MOST_READ = 1000
"""Requests that are written out and looked up in the cache. Of more, that many are read from all parts of the list, which takes
some seconds, and the counts are scaled: the share that the cache answers is then known to three per cent."""

MOST_MEASURED = 400
"""As many of more requests where the cache holds nothing, and tokens alone are counted: their mean over requests of one kind is
then known to a few per cent, which is less than what is unknown about the tokenizer."""

BAND = 2.0
"""Factor within which tokens are foreseen where a server counts them. English text has about four bytes per token, German
three, Chinese two; and the models' tokenizers differ by a fifth."""

_BYTES_PER_TOKEN = 4  # as where a server's reply comes without counts
_PER_MESSAGE = 4  # tokens that mark role, beginning and end of a message in the chat formats of most models


@dataclass(frozen=True)
class Foreseen:
    """What a list of requests will take, where each is answered the first time.

    Attributes:
        requests: how many will be sent.
        cached: how many the reply cache answers, which cost nothing.
        prompt_tokens: of the requests that will be sent.
        completion_tokens: of their replies.
        cost: in the currency of the model's price; None where it has none.
        about: whether the list was too long to read all of it, so that `requests` and `cached` are estimates, too.
        most_each: how many requests one question may take at most, where its replies can't be used.
    """

    requests: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    about: bool = False
    most_each: int = 1

    def __add__(self, other: Foreseen) -> Foreseen:
        """Both together."""
        costs = [one.cost for one in (self, other) if one.cost is not None]
        return Foreseen(
            self.requests + other.requests,
            self.cached + other.cached,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
            self.about or other.about,
            max(self.most_each, other.most_each),
        )

    def times(self, factor: float) -> Foreseen:
        """So many times as much, as where a part of a run was looked at."""
        return Foreseen(
            round(factor * self.requests),
            round(factor * self.cached),
            round(factor * self.prompt_tokens),
            round(factor * self.completion_tokens),
            None if self.cost is None else factor * self.cost,
            about=True,
            most_each=self.most_each,
        )

    def __str__(self) -> str:
        about = "about " if self.about else ""
        parts = [f"{about}{self.requests:,} request{'' if self.requests == 1 else 's'}"]
        if self.cached:
            parts.append(f"{about}{self.cached:,} more answered by the cache")
        if self.requests:
            parts.append(
                f"about {_round(self.prompt_tokens):,} prompt and {_round(self.completion_tokens):,} completion tokens"
            )
        if self.cost is not None:
            parts.append(f"cost about {self.cost:.2g}" if self.cost < 1 else f"cost about {self.cost:,.2f}")
        said = ", ".join(parts)
        return f"{said}; up to {self.most_each} times as many where replies can't be used" if self._may_grow else said

    @property
    def _may_grow(self) -> bool:
        return self.most_each > 1 and self.requests > 0


class NoReplies(BaseCache):
    """The cache of a first run, which holds nothing yet: equal requests will be sent once. It keeps nothing."""

    def lookup(self, prompt: str, llm_string: str) -> None:
        """None."""

    def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
        """Keep nothing."""

    def clear(self, **kwargs: Any) -> None:
        """Nothing is there."""


class OnDemand(Sequence[list[BaseMessage]]):
    """Requests that are each made when they are asked for: a list of a million would take minutes.

    Args:
        size: how many there are.
        make: makes the request of a position.
    """

    def __init__(self, size: int, make: Callable[[int], list[BaseMessage]]) -> None:
        self._size, self._make = size, make

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        return self._make(index)


def foresee(
    model: BaseChatModel,
    messages: Sequence[str | Sequence[BaseMessage]],
    schema: type[BaseModel] | None = None,
    *,
    reply_tokens: int = 200,
    reasks: int = 2,
    fresh: bool = False,
    then: Callable[[int, Any], Sequence[BaseMessage] | None] | None = None,
) -> Foreseen:
    """Foresee what asking these requests takes, without sending anything.

    Prompt tokens are counted by the model's own tokenizer where it runs in this process, and estimated from the bytes otherwise
    (the schema in the prompt included). Replies that the cache holds cost nothing, and their length is that of the replies to
    come; where such a reply led to a further request, that one is looked up as well. Equal requests are sent once where the
    replies are kept. Of more than `MOST_READ` requests, that many from all parts of the list are read.

    Args:
        model: a chat model, of `chat_model`; of others, the cache and the price are unknown.
        messages: as for `ask_many`; a sequence that makes its items when they are asked for is fine.
        schema: the pydantic class that replies must fit; None for replies in free text.
        reply_tokens: the tokens of a typical reply, where the cache has none. `max_tokens` of the model bounds it.
        reasks: how often a reply that does not validate is sent back.
        fresh: the cache is not asked, as where its replies were of no use.
        then: called with the position of a request and the cache's reply to it (an object of `schema`, or a text); returns
            what is asked next because of it, or None.

    Raises:
        UsageError: `reply_tokens` is below 1, `reasks` is negative, or a request has no messages.
    """
    if reply_tokens < 1:
        raise UsageError(f"reply_tokens must be at least 1, not {reply_tokens!r}")
    if reasks < 0:
        raise UsageError(f"reasks must be 0 or more, not {reasks!r}")
    size = len(messages)
    meter = getattr(model, "_meter", None)
    price = meter.price if isinstance(meter, Meter) else None
    if not size:
        return Foreseen(cost=0.0 if price else None)
    look = _Cached(model, schema, fresh=fresh)
    most = MOST_READ if look.holds else MOST_MEASURED
    places = range(size) if size <= MOST_READ else [at * size // most for at in range(most)]
    prompt: list[int] = []
    replies: list[int] = []
    for place in places:
        missing, said = look.follow(messages[place], place, reasks, then)
        replies += map(_tokens_in, said)
        if missing is not None:
            prompt.append(_tokens_of(model, missing))
    times = size / len(places)
    requests = round(len(prompt) * times)
    each = sum(replies) / len(replies) if replies else float(reply_tokens)
    bound = getattr(model, "max_tokens", None)
    completion = round(requests * (each if bound is None else min(each, bound)))
    tokens = round(sum(prompt) * times)
    cost = None if price is None else (tokens * price[0] + completion * price[1]) / 1e6
    cached = round((len(replies) + look.repeated) * times)
    sampled = times > 1 and cached > 0  # where nothing is cached, all are sent, and the number is exact
    return Foreseen(requests, cached, tokens, completion, cost, sampled, reasks + 1 if schema is not None else 1)


def kept_reply(model: BaseChatModel, messages: str | Sequence[BaseMessage], schema: type[BaseModel]) -> Any:
    """The object in the reply that the cache holds to this request; None where it holds none, or none that can be used.

    Nothing is sent, and no hit is counted.
    """
    return _Cached(model, schema).object_for(messages)


class _Cached:
    """The replies that the cache of a model has; it counts no hit."""

    def __init__(self, model: BaseChatModel, schema: type[BaseModel] | None, *, fresh: bool = False) -> None:
        cache = getattr(model, "cache", None)
        kept = isinstance(model, GuardedChatModel) and isinstance(cache, ModelReplies)
        self._schema = schema
        self._shape = None if schema is None else schema_of(schema)
        self._cache = cache if kept and not fresh else None
        options: dict[str, Any] = {} if self._shape is None else {"json_schema": self._shape}
        self._model = model._get_llm_string(**options) if kept else ""  # noqa: SLF001 - one room
        self._missing: set[str] = set()
        self.known = self._cache is not None
        self.holds = self._cache is not None and _holds(self._cache.replies)
        self.repeated = 0

    def follow(
        self,
        messages: str | Sequence[BaseMessage],
        place: int,
        reasks: int,
        then: Callable[[int, Any], Sequence[BaseMessage] | None] | None,
    ) -> tuple[list[BaseMessage] | None, list[str]]:
        """The request that has to be sent, if any, and the replies of the cache that lead to it."""
        said: list[str] = []
        talk = with_schema(messages, self._shape, place)
        asked: list[BaseMessage] | None = as_messages(messages)
        tries = 0
        while asked is not None:
            prompt = prompt_of(talk) if self.known else ""
            reply = self._reply(prompt)
            if reply is None:
                if self.known and prompt in self._missing:
                    self.repeated += 1
                    return None, said
                self._missing.add(prompt)
                return talk, said
            said.append(str(reply.text))
            found = self._read(reply, asked)
            if not isinstance(found, Bad):
                tries = 0
                further = None if then is None else then(place, found)
                asked = None if further is None else list(further)
                talk = [] if asked is None else with_schema(asked, self._shape, place)
            elif tries < reasks:
                tries += 1
                talk = [*talk, *objection(reply, found)]
            else:
                asked = None
        return None, said

    def object_for(self, messages: str | Sequence[BaseMessage]) -> Any:
        """The object in the reply to this request, or None."""
        reply = self._reply(prompt_of(with_schema(messages, self._shape, 0))) if self.known else None
        found = None if reply is None else self._read(reply, as_messages(messages))
        return None if isinstance(found, Bad) else found

    def _read(self, reply: BaseMessage, asked: Sequence[BaseMessage]) -> Any:
        """The object in a reply, or its text where none was asked for."""
        if self._schema is None or self._shape is None:
            return str(reply.text)
        return read_object(reply, self._schema, self._shape, asked)

    def _reply(self, prompt: str) -> BaseMessage | None:
        """The reply to this prompt."""
        found = None if self._cache is None else self._cache.kept(prompt, self._model)
        if not found:
            return None
        message: BaseMessage | None = getattr(found[0], "message", None)
        return AIMessage("".join(one.text for one in found)) if message is None else message


def _holds(cache: BaseCache) -> bool:
    """Whether there may be a reply in a cache."""
    return not isinstance(cache, NoReplies) and not (isinstance(cache, Replies) and len(cache) == 0)


def _tokens_of(model: BaseChatModel, talk: Sequence[BaseMessage]) -> int:
    count = getattr(model, "prompt_tokens", None)
    if callable(count):
        with suppress(UsageError):  # a prompt that the model can't read is told when it is asked
            return int(count(talk))
    return sum(_PER_MESSAGE + _tokens_in(str(message.text)) for message in talk)


def _tokens_in(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def _round(number: int) -> int:
    """Two digits that count: more would look as if they were known."""
    return round(number, 2 - len(str(number))) if number >= 100 else number
