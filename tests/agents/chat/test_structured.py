"""Objects out of chat models that do not do as they are told."""

from __future__ import annotations

import datetime as dt
import json
from typing import Literal

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, Field, RootModel

from agents import (
    BudgetExceeded,
    ChatError,
    StructuredError,
    StructuredFailure,
    UsageError,
    ask,
    ask_many,
    chat_model,
    usage_of,
)
from agents.chat.schema import bounded, schema_of


class Verdict(BaseModel):
    label: Literal["positive", "negative"]
    count: int = Field(ge=0)
    when: dt.date | None = None


GOOD = '{"label": "positive", "count": 3, "when": null}'
BAD = '{"label": "excellent", "count": 3, "when": null}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"\n  {GOOD}\n",
        f"Sure! Here it is:\n```json\n{GOOD}\n```\nAnything else?",
        f"```\n{GOOD}\n```",
        f"The answer is {GOOD}. I hope that {{helps}}.",
        f"For example {BAD} would be wrong, but {GOOD} is right.",
        f"<think>Maybe {BAD.replace('excellent', 'negative')}? No.</think>{GOOD}",
        f"Set notation {{a, b}} first, [1, 2] then {GOOD}",
        '{"label": "positive", "count": 3}',
        GOOD.replace('"positive"', '"positive"').replace(": ", ":\n"),
    ],
)
def test_json_is_found_in_what_surrounds_it(chat_server, text):
    server = chat_server([text], default="never asked")
    assert ask(chat_model(f"{server.url}#m"), "judge", Verdict) == Verdict(label="positive", count=3)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (BAD, "label: Input should be 'positive' or 'negative' (got \"excellent\")"),
        ('{"label": "positive", "count": -1}', "count: Input should be greater than or equal to 0"),
        ('{"label": "positive"}', "count: Field required"),
        ('{"label": "positive", "cou', "breaks off"),
        ('Here: {"label": "positive", "words": ["a", "b"], "count": ', "breaks off"),
        ("I would rather not.", "holds no JSON"),
        ("", "it is empty"),
        ("[" * 100_000, "breaks off"),
        ("[]", "Input should be an object"),
        ('{"label": "positive", "count": NaN}', "count"),
    ],
)
def test_what_does_not_validate_is_sent_back_with_the_error(chat_server, text, quoted):
    server = chat_server([text], default=GOOD)
    model = chat_model(f"{server.url}#m")
    assert ask(model, [SystemMessage("be brief"), HumanMessage("judge")], Verdict).count == 3
    assert len(server.requests) == 2
    again = server.requests[1].messages
    assert [m["role"] for m in again] == ["system", "user", "assistant", "user"]
    assert quoted in again[3]["content"]
    assert again[2]["content"]  # some servers refuse an empty turn


def test_schema_goes_into_the_request_and_into_the_prompt(chat_server):
    server = chat_server([GOOD])
    ask(chat_model(f"{server.url}#m"), "judge", Verdict)
    (request,) = server.requests
    shape = request.body["response_format"]["json_schema"]["schema"]
    assert shape["required"] == ["label", "count", "when"]
    assert shape["additionalProperties"] is False
    assert '"enum": ["positive", "negative"]' in request.prompt


@pytest.mark.parametrize("status", [400, 422])
def test_server_that_refuses_schemas_is_asked_without(chat_server, misbehaving, status):
    def behave(request):
        if "response_format" in request.body:
            return misbehaving.Reply(status=status, error="response_format is not supported by this server")
        return GOOD

    server = chat_server(behave=behave)
    model = chat_model(f"{server.url}#m")
    assert ask(model, "judge", Verdict).count == 3
    assert ask(model, "judge once more", Verdict).count == 3
    assert ["response_format" in r.body for r in server.requests] == [True, False, False]


def test_reasks_are_bounded(chat_server):
    server = chat_server(default=BAD)
    with pytest.raises(StructuredError, match=r"no valid Verdict in 3 replies: label: .*excellent") as caught:
        ask(chat_model(f"{server.url}#m"), "judge", Verdict, reasks=2)
    assert len(server.requests) == 3
    assert (caught.value.attempts, caught.value.last_reply) == (3, BAD)
    with pytest.raises(StructuredError):
        ask(chat_model(f"{server.url}#m"), "judge", Verdict, reasks=0)
    assert len(server.requests) == 4


def test_reply_cut_off_by_the_token_limit(chat_server, misbehaving):
    server = chat_server([misbehaving.Reply('{"label": "posi', finish_reason="length")], default=GOOD)
    assert ask(chat_model(f"{server.url}#m"), "judge", Verdict).count == 3
    assert "answer more briefly" in server.requests[1].prompt


def test_one_failure_does_not_sink_the_others(chat_server, misbehaving):
    def behave(request):
        asked = request.messages[0]["content"]
        if asked.startswith("lie"):
            return BAD
        if asked.startswith("break"):
            return misbehaving.Reply(status=400, error="context too long")
        return GOOD.replace("3", asked.split()[1])

    server = chat_server(behave=behave)
    prompts = [f"item {i}" for i in range(10)]
    prompts[3], prompts[7] = "lie 3", "break 7"
    settled = []
    results = ask_many(chat_model(f"{server.url}#m"), prompts, Verdict, on_result=lambda index, result: settled.append(index))
    assert [r.count for i, r in enumerate(results) if i not in {3, 7}] == [0, 1, 2, 4, 5, 6, 8, 9]
    assert isinstance(results[3], StructuredFailure)
    assert isinstance(results[3].error, StructuredError)
    assert results[3].attempts == 3
    assert isinstance(results[7].error, ChatError)
    assert "context too long" in str(results[7])
    assert sorted(settled) == list(range(10))
    assert settled[-1] == 3
    assert len(server.requests) == 9 + 3


def test_ceiling_in_the_middle_keeps_what_was_had(chat_server):
    server = chat_server(default=GOOD)
    results = ask_many(chat_model(f"{server.url}#m", max_requests=4), [f"q{i}" for i in range(10)], Verdict)
    assert sum(isinstance(r, Verdict) for r in results) == 4
    assert all(isinstance(r.error, BudgetExceeded) for r in results if not isinstance(r, Verdict))


def test_reasks_replay_from_the_cache(chat_server, tmp_path):
    server = chat_server([BAD, "nothing"], default=GOOD)
    for _ in range(2):
        model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite")
        assert ask(model, "judge", Verdict).count == 3
    assert len(server.requests) == 3
    assert usage_of(model).cache_hits == 3


def test_any_chat_model_will_do():
    model = GenericFakeChatModel(messages=iter([AIMessage("hm"), AIMessage(GOOD)]))
    assert ask(model, "judge", Verdict).label == "positive"


def test_lists_and_dates(chat_server):
    class Days(RootModel[list[dt.date]]):
        pass

    server = chat_server(['["2024-02-29", "2024-03-01"]'])
    assert ask(chat_model(f"{server.url}#m"), "when", Days).root[0] == dt.date(2024, 2, 29)


def test_bad_arguments(chat_server):
    model = chat_model("http://127.0.0.1:1/v1#m")
    with pytest.raises(UsageError, match="reasks"):
        ask(model, "q", Verdict, reasks=-1)
    with pytest.raises(UsageError, match="pydantic class"):
        ask(model, "q", dict)
    with pytest.raises(UsageError, match="request 1 has no messages"):
        ask_many(model, ["q", []], Verdict)
    assert ask_many(model, [], Verdict) == []


def test_schemas_are_closed_and_bounded():
    class Inner(BaseModel):
        type: str = "x"
        code: str = Field(pattern="^a$")

    class Outer(BaseModel):
        inner: list[Inner]
        note: str | None = None

    shape = schema_of(Outer)
    assert shape["required"] == ["inner", "note"]
    assert shape["$defs"]["Inner"]["additionalProperties"] is False
    ended = bounded(shape, 50)
    assert ended["$defs"]["Inner"]["properties"]["type"]["maxLength"] == 50
    assert "maxLength" not in ended["$defs"]["Inner"]["properties"]["code"]
    assert ended["properties"]["note"]["anyOf"][0]["maxLength"] == 50
    assert ended["properties"]["inner"]["maxItems"] == 100
    assert "maxLength" not in json.dumps(shape)


class Chosen(BaseModel):
    chosen: list[int]
    others: list[int] | None = None
    names: list[str] = []


def test_lists_of_numbers_are_bound_to_those_of_their_own_request(chat_server, tmp_path, monkeypatch):
    server = chat_server(default='{"chosen": [1], "others": null, "names": []}')
    numbers = [{"chosen": (1, 3), "others": (0, 9)}, {"chosen": (0, 199), "others": (0, -1)}]
    model = chat_model(f"{server.url}#m", concurrency=1, cache=tmp_path / "replies.db")
    ask_many(model, ["few", "many"], Chosen, numbers=numbers)
    sent = [request.body["response_format"]["json_schema"]["schema"]["properties"] for request in server.requests]
    first, second = sent
    assert first["chosen"] == {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 3}, "maxItems": 3}
    assert first["others"]["anyOf"][0] == {
        "type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "maxItems": 10
    }  # fmt: skip
    assert second["chosen"]["items"] == {"type": "integer", "minimum": 0, "maximum": 199}
    assert second["others"]["anyOf"][0]["maxItems"] == 0
    assert first["names"]["items"]["type"] == "string"
    assert "minimum" not in server.requests[0].prompt
    ask_many(model, ["few", "many"], Chosen)  # the bounds are no part of what a reply is kept under
    assert len(server.requests) == 2
    with pytest.raises(UsageError, match="2 requests"):
        ask_many(model, ["few", "many"], Chosen, numbers=numbers[:1])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-structured")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    ask_many(chat_model("openai:m"), ["few"], Chosen, numbers=numbers[:1])
    assert "maximum" not in str(server.requests[-1].body["response_format"])
