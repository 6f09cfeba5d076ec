"""Ask a chat model for a pydantic object; a reply is used only after it validates."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from agents.chat.guarded import GuardedChatModel
from agents.chat.objects.reading import Bad, read_object, text_of
from agents.chat.schema import schema_of
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

T = TypeVar("T", bound=BaseModel)

_QUOTED = 4000


class StructuredError(UsageError):
    """A model gave no valid reply, although it was told what was wrong.

    `attempts` is how many replies were tried, `last_reply` the last of them.
    """

    def __init__(self, message: str, attempts: int = 0, last_reply: str = "") -> None:
        super().__init__(message)
        self.attempts, self.last_reply = attempts, last_reply


@dataclass(frozen=True)
class StructuredFailure:
    """What `ask_many` returns in the place of an object that it did not get.

    `error` is a `StructuredError`, or the error that kept the model from replying: a ceiling, a time-out, a miss.
    """

    error: Exception
    attempts: int
    last_reply: str

    def __str__(self) -> str:
        return str(self.error)


def ask(
    model: BaseChatModel,
    messages: str | Sequence[BaseMessage],
    schema: type[T],
    *,
    reasks: int = 2,
    accept: Callable[[T], str | None] | None = None,
) -> T:
    """Ask a chat model for one object of the pydantic class `schema`.

    The schema goes along with the request where the model takes one (a server's `response_format`, constrained
    decoding in process), and into the prompt always, because some servers accept `response_format` and ignore it. For
    the same reason the reply is validated here in any case; text and code fences around the JSON do no harm. A reply
    that does not validate is sent back with the error, at most `reasks` times.

    Args:
        model: any chat model.
        messages: a list of messages, or a string.
        schema: a pydantic class.
        reasks: how often a reply that does not validate, or is not accepted, is sent back.
        accept: looks at an object that validates, and returns None or, in words meant for the model, why it can't be used.

    Raises:
        StructuredError: no reply validated and was accepted.
        UsageError: the model could not be asked (a ceiling, an unreachable server, an offline miss).
    """
    looked = None if accept is None else lambda _, found: accept(found)
    (result,) = ask_many(model, [messages], schema, reasks=reasks, accept=looked)
    if isinstance(result, StructuredFailure):
        raise result.error
    return result


def ask_many(
    model: BaseChatModel,
    messages: Sequence[str | Sequence[BaseMessage]],
    schema: type[T],
    *,
    reasks: int = 2,
    accept: Callable[[int, T], str | None] | None = None,
    on_result: Callable[[int, T | StructuredFailure], None] | None = None,
    numbers: Sequence[Mapping[str, tuple[int, int]]] | None = None,
) -> list[T | StructuredFailure]:
    """Like `ask`, for many requests in batches; a request that fails becomes a `StructuredFailure`, and the others go on.

    Args:
        model: any chat model; of those made by `chat_model`, the concurrency or batch size applies.
        messages: for each request a list of messages, or a string.
        schema: a pydantic class.
        reasks: how often a reply that does not validate, or is not accepted, is sent back.
        accept: called with position and object, for an object that validates; returns None or, in words meant for the
            model, why the object can't be used.
        on_result: called with position and result, in the calling thread, as soon as a result is settled.
        numbers: for each request, by the name of a field that is a list of whole numbers, the least and the largest that it may
            hold. A server that holds replies to the schema (OpenAI's own excepted, which refuses such bounds) then lets no
            others through, and no longer list than there are numbers. The prompt and the key of a cached reply don't change.

    Raises:
        UsageError: `reasks` is negative, a request has no messages, there are not as many `numbers` as requests, or `schema` is
            no pydantic class.
    """
    if reasks < 0:
        raise UsageError(f"reasks must be 0 or more, not {reasks!r}")
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise UsageError(f"schema must be a pydantic class, not {schema!r}")
    shape = schema_of(schema)
    talks = [with_schema(request, shape, index) for index, request in enumerate(messages)]
    # Only our own models are known to take a schema; to others an unknown argument may be an error.
    options = {"json_schema": shape} if isinstance(model, GuardedChatModel) else {}
    if numbers is not None and len(numbers) != len(talks):
        raise UsageError(f"{len(talks)} requests need as many numbers, not {len(numbers)}")
    narrow = numbers if getattr(model, "narrows", False) else None
    results: list[Any] = [None] * len(talks)
    begun = [len(talk) for talk in talks]
    again: list[int] = []
    lasting = [""] * len(talks)  # what ended the reply before: what ends two replies alike would end a third

    def settle(index: int, result: T | StructuredFailure) -> None:
        results[index] = result
        if on_result is not None:
            on_result(index, result)

    open_ones = list(range(len(talks)))
    for attempt in range(1, reasks + 2):
        still_open = []
        # closed at once where `on_result` raises, such as on a full disk, so that no further request is sent
        own = {} if narrow is None else {"json_numbers": [narrow[i] for i in open_ones]}
        with closing(_replies(model, [talks[i] for i in open_ones], {**options, **own})) as replies:
            for position, reply in replies:
                index = open_ones[position]
                if isinstance(reply, Exception):
                    settle(index, StructuredFailure(reply, attempt, ""))
                    continue
                accepted = None if accept is None else partial(accept, index)
                result = read_object(reply, schema, shape, as_messages(messages[index]), accepted)
                if not isinstance(result, Bad):
                    settle(index, result)
                elif attempt <= reasks and not (
                    result.lasting == "filtered" or (result.lasting and result.lasting == lasting[index])
                ):
                    lasting[index] = result.lasting
                    talks[index] = [*talks[index], *objection(reply, result)]
                    still_open.append(index)
                elif isinstance(model, GuardedChatModel) and model.ask_again(_sent(talks[index], begun[index]), **options):
                    again.append(index)
                else:
                    settle(index, _give_up(reply, schema, result, attempt, getattr(model, "max_tokens", None)))
        open_ones = sorted(still_open)
        if not open_ones:
            break
    if again:  # once at most for each request, because what comes now is no reply of an earlier run
        ask_many(
            model,
            [messages[index] for index in again],
            schema,
            reasks=reasks,
            accept=None if accept is None else lambda position, found: accept(again[position], found),
            on_result=lambda position, result: settle(again[position], result),
            numbers=None if numbers is None else [numbers[index] for index in again],
        )
    return results


def _sent(talk: list[BaseMessage], begun: int) -> list[list[BaseMessage]]:
    """The requests of a talk that began with so many messages; after each of them came a reply and an objection."""
    return [talk[:end] for end in range(begun, len(talk) + 1, 2)]


def ask_again(model: BaseChatModel, talk: Sequence[BaseMessage], begun: int, schema: type[BaseModel] | None = None) -> bool:
    """Of a model made with `retry_invalid`, let the requests of a talk be sent once more, because nothing usable came of it.

    Args:
        model: any chat model; others have no replies of earlier runs.
        talk: the messages, in which the reply and what was said to it follow each request.
        begun: how many of them were the first request.
        schema: what `ask_many` was asked for, or None where the model was asked without it.

    Returns:
        Whether one of the replies was of an earlier run, so that asking again makes sense.
    """
    if not isinstance(model, GuardedChatModel):
        return False
    sent = _sent(list(talk), begun)
    if schema is None:
        return model.ask_again(sent)
    shape = schema_of(schema)
    return model.ask_again([with_schema(one, shape, 0) for one in sent], json_schema=shape)


def _replies(
    model: BaseChatModel, talks: list[list[BaseMessage]], options: dict[str, Any]
) -> Generator[tuple[int, BaseMessage | Exception]]:
    yield from model.batch_as_completed(talks, return_exceptions=True, **options)


def as_messages(request: str | Sequence[BaseMessage]) -> list[BaseMessage]:
    """A request as messages: a text is one message of the user."""
    return [HumanMessage(request)] if isinstance(request, str) else list(request)


def with_schema(request: str | Sequence[BaseMessage], shape: dict[str, Any] | None, index: int) -> list[BaseMessage]:
    """The messages of a request as they are sent, with the schema in the last one; as they are where there is no schema.

    Raises:
        UsageError: there are none; `index` names the request.
    """
    talk = as_messages(request)
    if not talk:
        raise UsageError(f"request {index} has no messages")
    if shape is None:
        return talk
    text = (
        "Answer with one JSON value and nothing else: no explanation, no code fence. "
        f"It must fit this JSON schema:\n{json.dumps(shape, ensure_ascii=False)}"
    )
    # Into the last message: many chat templates allow neither a late system message nor two users in a row.
    if not isinstance(talk[-1], HumanMessage):
        return [*talk, HumanMessage(text)]
    content = talk[-1].content
    with_text: Any = f"{content}\n\n{text}" if isinstance(content, str) else [*content, {"type": "text", "text": text}]
    return [*talk[:-1], talk[-1].model_copy(update={"content": with_text})]


def objection(reply: BaseMessage, bad: Bad) -> list[BaseMessage]:
    """What goes back to the model after a reply that can't be used: the reply, and why."""
    said = text_of(reply)
    return [
        AIMessage(said[:_QUOTED] if said.strip() else "(no text)"),
        HumanMessage(f"This can't be used: {bad.why}. Answer again, with JSON that fits the schema and nothing else."),
    ]


def _give_up(reply: BaseMessage, schema: type[BaseModel], bad: Bad, attempts: int, limit: int | None) -> StructuredFailure:
    said = text_of(reply)
    if bad.lasting == "cut off":
        bad = Bad(f"the reply was cut off {_limit_in_words(limit)}")
    excerpt = " ".join(said.split())
    excerpt = excerpt if len(excerpt) <= 200 else f"{excerpt[:200]}…"
    replies = f"{attempts} {'reply' if attempts == 1 else 'replies'}"
    message = f"no valid {schema.__name__} in {replies}: {bad.why}; the last reply was {excerpt!r}"
    return StructuredFailure(StructuredError(message, attempts, said), attempts, said)


def _limit_in_words(limit: int | None) -> str:
    """Where a reply was cut off, and what to do about it."""
    if limit is None:
        return (
            f"at the server's own limit on a reply or on its context: set {argument('max_tokens')} higher, or raise that limit"
        )
    return f"at {argument('max_tokens', limit)} (finish reason length): raise {argument('max_tokens')}, or ask for less"
