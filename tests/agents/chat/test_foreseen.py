"""What is foreseen is what the server then counts."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import BaseModel

from agents import UsageError, ask_many, chat_model, usage_of
from agents.chat import Foreseen, foresee
from agents.chat.foreseen import BAND, MOST_MEASURED, MOST_READ


class Answer(BaseModel):
    value: int


def talks(count):
    return [
        [SystemMessage("You count things in a room."), HumanMessage(f"How many chairs are in room {n}?")] for n in range(count)
    ]


def counted(server):
    """Tokens of the prompts as a tokenizer of four bytes per token would count them."""
    return sum(len(str(one["content"])) / 4 + 4 for request in server.requests for one in request.messages)


def test_requests_are_exact_and_tokens_within_the_band(chat_server, tmp_path):
    server = chat_server(default='{"value": 3}')
    model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite", price=(1.0, 2.0))
    foreseen = foresee(model, talks(7), Answer, reply_tokens=6)
    assert server.requests == []
    ask_many(model, talks(7), Answer)
    used = usage_of(model)
    assert foreseen.requests == used.requests == len(server.requests) == 7
    assert used.prompt_tokens / BAND <= foreseen.prompt_tokens <= used.prompt_tokens * BAND
    assert counted(server) / BAND <= foreseen.prompt_tokens <= counted(server) * BAND
    assert foreseen.completion_tokens == 7 * 6
    assert foreseen.cost == pytest.approx((foreseen.prompt_tokens + 2 * foreseen.completion_tokens) / 1e6)


def test_what_the_cache_answers_costs_nothing_and_tells_how_long_replies_are(chat_server, tmp_path):
    long = json.dumps({"value": 3}) + " " * 388  # 400 bytes, so 100 tokens
    server = chat_server(default=long)
    model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite", price=(1.0, 2.0))
    ask_many(model, talks(5), Answer)
    asked, hits = len(server.requests), usage_of(model).cache_hits
    foreseen = foresee(model, talks(8), Answer)
    assert (foreseen.requests, foreseen.cached, foreseen.completion_tokens) == (3, 5, 300)
    assert foresee(model, talks(5), Answer).cost == 0
    assert foresee(model, talks(5), Answer, fresh=True).requests == 5
    assert (len(server.requests), usage_of(model).cache_hits) == (asked, hits)
    ask_many(model, talks(8), Answer)
    assert len(server.requests) == asked + 3


def test_a_long_list_is_read_in_parts(chat_server, tmp_path):
    made = []

    class Lazy(list):
        def __getitem__(self, index):
            made.append(index)
            return [HumanMessage("How many?")]

    model = chat_model("http://127.0.0.1:9/v1#m", max_tokens=10)
    foreseen = foresee(model, Lazy(range(100_000)), Answer)
    assert (foreseen.requests, foreseen.about, len(made)) == (100_000, False, MOST_MEASURED)
    assert made[-1] > 99_000
    assert foreseen.completion_tokens == 1_000_000  # bounded by max_tokens
    one = foresee(model, [[HumanMessage("How many?")]], Answer)
    assert foreseen.prompt_tokens == 100_000 * one.prompt_tokens
    made.clear()
    server = chat_server(default='{"value": 3}')
    cached = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite")
    ask_many(cached, talks(1), Answer)
    assert foresee(cached, Lazy(range(100_000)), Answer).about  # all of them are equal, and such are sent once
    assert len(made) == MOST_READ


def test_words(chat_server):
    said = str(Foreseen(499_500, 0, 71_234_567, 1_000, 12.5, most_each=3))
    assert said == (
        "499,500 requests, about 71,000,000 prompt and 1,000 completion tokens, cost about 12.50; up to 3 times as many where "
        "replies can't be used"
    )
    assert str(Foreseen(1, 2, 10, 20)) == "1 request, 2 more answered by the cache, about 10 prompt and 20 completion tokens"
    assert str(Foreseen()) == "0 requests"
    assert Foreseen(1, 2, 3, 4, 0.5) + Foreseen(1, 0, 1, 1, None, about=True) == Foreseen(2, 2, 4, 5, 0.5, about=True)


def test_nothing_to_ask_and_bad_arguments(chat_server):
    model = chat_model("http://127.0.0.1:9/v1#m")
    assert foresee(model, [], Answer) == Foreseen()
    with pytest.raises(UsageError, match="reply_tokens"):
        foresee(model, ["a"], reply_tokens=0)
    with pytest.raises(UsageError, match="reasks"):
        foresee(model, ["a"], reasks=-1)
    with pytest.raises(UsageError, match="no messages"):
        foresee(model, [[]])


def test_a_model_in_this_process_counts_with_its_tokenizer(tiny_model_folder):
    model = chat_model(f"transformers:{tiny_model_folder}", max_tokens=4)
    foreseen = foresee(model, talks(3))
    model.batch(talks(3))
    assert (foreseen.requests, foreseen.prompt_tokens) == (3, usage_of(model).prompt_tokens)
    assert foreseen.completion_tokens == 3 * 4


def test_other_models_have_no_cache_and_no_price():
    from langchain_core.language_models import FakeListChatModel

    assert foresee(FakeListChatModel(responses=["a"]), ["How many?"]).requests == 1


def test_what_a_kept_reply_led_to_is_foreseen_too(chat_server, tmp_path):
    replies = iter(["no object", '{"value": 3}', '{"value": 4}'])
    server = chat_server(behave=lambda _: next(replies))
    model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite")
    ask_many(model, talks(1), Answer)
    asked = len(server.requests)
    assert asked == 2  # the first reply went back
    assert (foresee(model, talks(1), Answer).requests, foresee(model, talks(1), Answer).cached) == (0, 2)
    further = [*talks(1)[0], AIMessage("3"), HumanMessage("Are you sure?")]
    found = foresee(model, talks(1), Answer, then=lambda _, reply: further if reply.value == 3 else None)
    assert (found.requests, found.cached) == (1, 2)
    ask_many(model, [further], Answer)
    assert len(server.requests) == asked + 1
    found = foresee(model, talks(1), Answer, then=lambda _, reply: further if reply.value == 3 else None)
    assert (found.requests, found.cached) == (0, 3)


def test_equal_requests_are_foreseen_once_where_replies_are_kept(chat_server, tmp_path):
    server = chat_server(default='{"value": 3}')
    for cache, count in ((tmp_path / "c.sqlite", 2), (None, 4)):
        model = chat_model(f"{server.url}#m", cache=cache)
        foreseen = foresee(model, [*talks(2), *talks(2)], Answer)
        asked = len(server.requests)
        ask_many(model, [*talks(2), *talks(2)], Answer)
        assert foreseen.requests == len(server.requests) - asked == count
