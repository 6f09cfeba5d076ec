"""What a run will ask and cost, before it begins: requests, tokens and money."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.chat.guarded import GuardedChatModel, prompt_of
from agents.chat.limits import Meter
from agents.chat.own_replies import ModelReplies
from agents.chat.schema import schema_of
from agents.chat.structured import with_schema
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from pydantic import BaseModel

MOST_READ = 2000
"""Requests that are written out and looked up in the cache. Of more, that many are read from all parts of the list, which takes
a second or two, and the counts are scaled."""

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


def foresee(
    model: BaseChatModel,
    messages: Sequence[str | Sequence[BaseMessage]],
    schema: type[BaseModel] | None = None,
    *,
    reply_tokens: int = 200,
    reasks: int = 2,
    fresh: bool = False,
) -> Foreseen:
    """Foresee what asking these requests takes, without sending anything.

    Prompt tokens are counted by the model's own tokenizer where it runs in this process, and estimated from the bytes otherwise
    (the schema in the prompt included). Replies that the cache holds cost nothing, and their length is that of the replies to
    come. Of more than `MOST_READ` requests, that many from all parts of the list are read.

    Args:
        model: a chat model, of `chat_model`; of others, the cache and the price are unknown.
        messages: as for `ask_many`; a sequence that makes its items when they are asked for is fine.
        schema: the pydantic class that replies must fit; None for replies in free text.
        reply_tokens: the tokens of a typical reply, where the cache has none. `max_tokens` of the model bounds it.
        reasks: how often a reply that does not validate is sent back.
        fresh: the cache is not asked, as where its replies were of no use.

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
    places = range(size) if size <= MOST_READ else [at * size // MOST_READ for at in range(MOST_READ)]
    shape = None if schema is None else schema_of(schema)
    look = _Cached(model, {} if shape is None else {"json_schema": shape}, fresh=fresh)
    prompt: list[int] = []
    replies: list[int] = []
    for place in places:
        talk = with_schema(messages[place], shape, place)
        said = look.reply_to(talk)
        if said is not None:
            replies.append(_tokens_in(said))
        else:
            prompt.append(_tokens_of(model, talk))
    times = size / len(places)
    requests = round(len(prompt) * times)
    each = sum(replies) / len(replies) if replies else float(reply_tokens)
    bound = getattr(model, "max_tokens", None)
    completion = round(requests * (each if bound is None else min(each, bound)))
    tokens = round(sum(prompt) * times)
    cost = None if price is None else (tokens * price[0] + completion * price[1]) / 1e6
    sampled = times > 1 and bool(replies)  # where nothing is cached, all are sent, and the number is exact
    return Foreseen(requests, size - requests, tokens, completion, cost, sampled, reasks + 1 if schema is not None else 1)


class _Cached:
    """The replies that the cache of a model has; it counts no hit."""

    def __init__(self, model: BaseChatModel, options: dict[str, Any], *, fresh: bool) -> None:
        cache = getattr(model, "cache", None)
        known = isinstance(model, GuardedChatModel) and isinstance(cache, ModelReplies) and not fresh
        self._cache = cache if known else None
        self._model = model._get_llm_string(**options) if known else ""  # noqa: SLF001 - one room

    def reply_to(self, talk: Sequence[BaseMessage]) -> str | None:
        """The text of the reply to this conversation."""
        found = None if self._cache is None else self._cache.kept(prompt_of(talk), self._model)
        return None if found is None else "".join(one.text for one in found)


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
