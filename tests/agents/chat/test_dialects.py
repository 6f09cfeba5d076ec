"""What a server does not take is learned from its refusals, once for all threads; the server counts the requests."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from agents import ChatError, StructuredFailure, ask, ask_many, chat_model, usage_of
from agents.chat.servers.remote import ChatWarning


class Count(BaseModel):
    value: int


GOOD = '{"value": 3}'


def refusing(misbehaving, refused, status, body, good=GOOD):
    """What a server does that refuses requests with one of these fields."""

    def behave(request):
        if any(name in request.body for name in refused):
            return misbehaving.Reply(status=status, body=body)
        return good

    return behave


OPENAI = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}
EXTRA = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted", "input": 1}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"detail": [{**EXTRA, "loc": ["body", "response_format"]}]}),
        (422, {"detail": "response_format: unexpected field"}),
        (400, {"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}}),
        (400, {"object": "error", "message": "strict is not supported", "type": "BadRequestError", "code": 400}),
        (400, [{"error": {"code": 400, "message": 'Unknown name "response_format": Cannot find field.'}}]),
        (500, {"error": {"message": "failed to parse grammar", "type": "server_error", "code": 500}}),
        (501, {"error": "json_schema is not implemented"}),
        (405, {"error": {"message": "json_object response format is not supported for model: m", "code": "405"}}),
        (500, b"Internal Server Error"),
        (415, b"Unsupported Media Type"),
        (422, b"Unprocessable Entity"),
        (422, {"detail": "Das Format der Antwort wird nicht unterst\u00fctzt"}),
        (422, {"error": {"message": "extra arguments given", "type": "validation"}}),
    ],
)
def test_a_server_without_schemas_is_asked_without_once_and_for_all(chat_server, misbehaving, status, body):
    server = chat_server(behave=refusing(misbehaving, ["response_format"], status, body))
    model = chat_model(f"{server.url}#m", concurrency=8)
    assert ask_many(model, [f"q{i}" for i in range(30)], Count) == [Count(value=3)] * 30
    assert len(server.requests) == 31
    assert '"required": ["value"]' in server.requests[-1].prompt
    ask(model, "again", Count)
    assert len(server.requests) == 32


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("status", [415, 422])
def test_a_request_that_is_refused_whatever_its_format_is_sent_twice_and_no_further_one(
    chat_server, misbehaving, status, answered
):
    refused = misbehaving.Reply(status=status, body={"detail": "this model is not for you"})
    server = chat_server(["hello"] * answered, default=refused)
    model = chat_model(f"{server.url}#m", concurrency=8)
    if answered:
        model.invoke("without a schema")
    failed = ask_many(model, [f"q{i}" for i in range(30)], Count)
    assert {type(one) for one in failed} == {StructuredFailure}
    assert "this model is not for you" in str(failed[-1])
    assert ["response_format" in request.body for request in server.requests[answered:]] == [True, False]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "The model `m` does not exist"}}, "not found"),
        (400, {"error": "API key not valid. Please pass a valid API key."}, "key"),
        (422, {"detail": "context length exceeded"}, "too long"),
        (400, {"error": {"message": "flagged by our content policy"}}, "filtered"),
        (400, {"error": {"message": "Your credit balance is too low"}}, "quota"),
        (400, {"error": {"message": "temperature: Input should be less than or equal to 1"}}, "refused"),
        (422, {"detail": [{**EXTRA, "loc": ["body", "top_q"]}]}, "refused"),
    ],
)
def test_a_refusal_with_a_cause_of_its_own_is_not_looked_into(chat_server, misbehaving, status, body, kind):
    server = chat_server(default=misbehaving.Reply(status=status, body=body))
    model = chat_model(f"{server.url}#m", temperature=1.7, extra_body={"top_q": 1})
    with pytest.raises(ChatError) as caught:
        ask(model, "a", Count)
    assert caught.value.kind == kind
    assert len(server.requests) == 1


def test_that_a_server_answers_only_without_a_schema_is_told_once(chat_server, misbehaving):
    server = chat_server(behave=refusing(misbehaving, ["response_format"], 422, b"Unprocessable"))
    model = chat_model(f"{server.url}#m", concurrency=4)
    with pytest.warns(ChatWarning, match="only without a schema") as told:
        ask_many(model, [f"q{i}" for i in range(12)], Count)
    assert len(told) == 1
    assert len(usage_of(model).notes) == 1


def test_a_server_that_fails_every_request_is_not_tried_for_each_of_many(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=500, body={"error": "boom"}, headers={"Retry-After": "0"}))
    failed = ask_many(chat_model(f"{server.url}#m", max_retries=1, concurrency=8), [f"q{i}" for i in range(64)], Count)
    assert all("boom" in str(one) and not one.error.permanent for one in failed)
    assert len(server.requests) == 2


def test_a_server_that_sends_no_completion_is_asked_anew_by_the_next_batch(chat_server, misbehaving):
    server = chat_server([misbehaving.Reply(body=b'{"choices": []}')] * 2, default=GOOD)
    model = chat_model(f"{server.url}#m", max_retries=1, concurrency=8)
    failed = ask_many(model, [f"q{i}" for i in range(20)], Count)
    assert {type(one) for one in failed} == {StructuredFailure}
    assert len(server.requests) == 2
    assert ask_many(model, ["again"], Count) == [Count(value=3)]


def test_a_refusal_of_one_request_among_good_ones_is_not_blamed_on_the_schema(chat_server, misbehaving):
    server = chat_server([GOOD, misbehaving.Reply(status=422, body={"detail": "no"})], default=GOOD)
    model = chat_model(f"{server.url}#m")
    ask(model, "a", Count)
    with pytest.raises(ChatError, match="422"):
        ask(model, "b", Count)
    ask(model, "c", Count)
    assert ["response_format" in request.body for request in server.requests] == [True, True, True]


def test_a_server_that_names_json_object_is_asked_for_it(chat_server, misbehaving):
    said = {"error": {"message": "'response_format.type' : value is not one of the allowed values ['text','json_object']"}}

    def behave(request):
        refused = request.body.get("response_format", {}).get("type") == "json_schema"
        return misbehaving.Reply(status=400, body=said) if refused else GOOD

    server = chat_server(behave=behave)
    ask_many(chat_model(f"{server.url}#m"), ["a", "b", "c"], Count)
    kinds = [request.body["response_format"]["type"] for request in server.requests]
    assert kinds == ["json_schema", *["json_object"] * 3]


@pytest.mark.long
def test_a_failure_of_the_server_itself_keeps_the_schema(chat_server, misbehaving):
    now = {"Retry-After": "0"}
    server = chat_server([misbehaving.Reply(status=500, headers=now)] * 2, default=GOOD)
    model = chat_model(f"{server.url}#m")
    assert ask(model, "a", Count).value == 3
    assert ["response_format" in request.body for request in server.requests] == [True, False, True]
    server = chat_server(default=misbehaving.Reply(status=500, headers=now))
    with pytest.raises(ChatError, match="500"):
        ask(chat_model(f"{server.url}#m", max_retries=3), "a", Count)
    assert len(server.requests) == 4


def test_json_that_the_server_could_not_make_is_asked_for_without_the_schema_once(chat_server, misbehaving):
    failed = {"error": {"message": "Failed to generate JSON.", "code": "json_validate_failed", "failed_generation": ""}}
    server = chat_server([GOOD, misbehaving.Reply(status=400, body=failed)], default=GOOD)
    model = chat_model(f"{server.url}#m")
    for _ in range(3):
        ask(model, "a", Count)
    assert ["response_format" in request.body for request in server.requests] == [True, True, False, True]


@pytest.mark.parametrize(("first", "other"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")])
@pytest.mark.parametrize("status", [400, 422])
def test_either_name_of_the_limit(chat_server, misbehaving, monkeypatch, first, other, status):
    body = OPENAI if first == "max_tokens" else {"detail": [{**EXTRA, "loc": ["body", first]}]}
    server = chat_server(behave=refusing(misbehaving, [first], status, body))
    if first == "max_completion_tokens":
        monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-dialects")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        model = chat_model("openai:m", max_tokens=7)
    else:
        model = chat_model(f"{server.url}#m", max_tokens=7)
    model.batch([f"q{i}" for i in range(10)])
    assert [request.body.get(other) for request in server.requests] == [None, *[7] * 10]
    assert usage_of(model).notes == ()


def test_a_limit_is_never_dropped(chat_server, misbehaving):
    both = {"error": {"message": "Unrecognized request argument: max_tokens, max_completion_tokens", "type": "invalid"}}
    server = chat_server(behave=refusing(misbehaving, ["max_tokens", "max_completion_tokens"], 400, both))
    with pytest.raises(ChatError, match="Unrecognized"):
        chat_model(f"{server.url}#m", max_tokens=7).invoke("a")
    assert len(server.requests) == 2
    large = {"error": {"message": "max_tokens is too large: 99999. This model supports at most 16384", "param": "max_tokens"}}
    server = chat_server(default=misbehaving.Reply(status=400, body=large))
    with pytest.raises(ChatError, match="too large"):
        chat_model(f"{server.url}#m", max_tokens=99999).invoke("a")
    assert len(server.requests) == 1


TEMPERATURE = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."


@pytest.mark.parametrize(
    ("field", "options", "body"),
    [
        ("temperature", {}, {"error": {"message": TEMPERATURE, "param": "temperature", "code": "unsupported_value"}}),
        ("temperature", {}, {"error": "Input validation error: `temperature` must be strictly positive"}),
        ("seed", {"seed": 5}, {"detail": [{**EXTRA, "loc": ["body", "seed"]}]}),
        ("seed", {"seed": 5}, [{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}]),
        ("stop", {"stop": ["END"]}, {"error": {"message": "Unsupported parameter: 'stop'", "param": "stop"}}),
    ],
)
def test_a_field_that_is_refused_is_left_out_and_the_user_hears_of_it_once(chat_server, misbehaving, field, options, body):
    server = chat_server(behave=refusing(misbehaving, [field], 400, body, good="some textEND and more"))
    model = chat_model(f"{server.url}#m", **options)
    with pytest.warns(ChatWarning, match="takes no ") as warned:
        replies = model.batch([f"q{i}" for i in range(10)])
    assert [field in request.body for request in server.requests] == [True, *[False] * 10]
    assert len([one for one in warned if one.category is ChatWarning]) == 1
    assert len(usage_of(model).notes) == 1
    assert field in str(usage_of(model))
    assert {reply.content for reply in replies} == ({"some text"} if field == "stop" else {"some textEND and more"})


def test_several_fields_are_refused_one_after_another(chat_server, misbehaving):
    def behave(request):
        for name in ("max_tokens", "temperature", "seed", "response_format"):
            if name in request.body:
                return misbehaving.Reply(status=400, body={"error": {"message": f"Unsupported parameter: '{name}'"}})
        return GOOD

    server = chat_server(behave=behave)
    model = chat_model(f"{server.url}#m", max_tokens=9, seed=1)
    with pytest.warns(ChatWarning):
        results = ask_many(model, [f"q{i}" for i in range(12)], Count)
    assert results == [Count(value=3)] * 12
    assert len(server.requests) == 12 + 4


def test_a_temperature_that_the_user_chose_out_of_range_is_the_users_to_mend(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=400, body={"error": "temperature must be between 0 and 2"}))
    with pytest.raises(ChatError, match="between 0 and 2"):
        chat_model(f"{server.url}#m", temperature=9.0).invoke("a")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "no such thing"}, "refused"),
        (401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, "key"),
        (402, {"error": {"message": "Insufficient Balance"}}, "quota"),
        (404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}, "not found"),
        (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, "quota"),
    ],
)
def test_what_fails_for_all_is_asked_once(chat_server, misbehaving, status, body, kind):
    server = chat_server(default=misbehaving.Reply(status=status, body=body))
    model = chat_model(f"{server.url}#m")
    results = ask_many(model, [f"q{i}" for i in range(64)], Count)
    assert all(isinstance(result, StructuredFailure) for result in results)
    assert {result.error.kind for result in results} == {kind}
    assert all(result.error.permanent for result in results)
    assert len(server.requests) == 1


def test_nobody_at_the_address_is_told_at_once():
    (first, *_) = chat_model("http://127.0.0.1:9/v1#m").batch(["a"] * 64, return_exceptions=True)
    assert (first.kind, first.permanent) == ("unreachable", True)
    with pytest.raises(ChatError, match=r"is the server up, and the address right") as caught:
        chat_model("http://no-such-host.invalid/v1#m", max_retries=0).invoke("a")
    assert caught.value.kind == "unreachable"
