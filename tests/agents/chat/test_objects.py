"""Objects as models really write them: taken where they can be meant in one way only, and never guessed."""

from __future__ import annotations

import json
import random
import time
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, RootModel

from agents import StructuredError, ask, ask_many, chat_model
from agents.chat.objects.lenient import value_at
from agents.chat.objects.reading import Bad, read_object
from agents.chat.schema import schema_of


class Verdict(BaseModel):
    label: Literal["positive", "negative"]
    words: list[str]


class Captions(BaseModel):
    captions: list[str]


class Loose(BaseModel):
    note: str | None = None
    other: dict[str, Any] = {}


class Names(RootModel[list[str]]):
    pass


RIGHT = Verdict(label="positive", words=["a", "b"])
JSON = '{"label": "positive", "words": ["a", "b"]}'


def read(text, schema=Verdict, asked="judge", accept=None):
    return read_object(AIMessage(text), schema, schema_of(schema), [HumanMessage(asked)], accept)


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "positive", "words": ["a", "b",],}',
        '{"label": "positive", // the label\n "words": ["a", /* first */ "b"]}',
        "{'label': 'positive', 'words': ['a', 'b']}",
        '{label: "positive", words: ["a", "b"]}',
        json.dumps(JSON),
        json.dumps({"result": json.loads(JSON)}),
        json.dumps({"answer": {"Verdict": json.loads(JSON)}}),
        json.dumps({"Verdict": JSON}),
        json.dumps({"name": "Verdict", "arguments": json.loads(JSON)}),
        json.dumps({"name": "Verdict", "parameters": JSON}),
        json.dumps([json.loads(JSON)]),
        json.dumps({"type": "object", "properties": json.loads(JSON)}),
        json.dumps({"label": "positive", "words": '["a", "b"]'}),
        f"{JSON}\n{JSON}",
        f"```json\n{JSON}\n```\nThe value {{x}} and [y] are examples.",
    ],
)
def test_what_can_be_meant_in_one_way_only_is_taken(text):
    assert read(text) == RIGHT
    assert read(f"Here you are: {text}" if text[0] != '"' else text) == RIGHT


@pytest.mark.parametrize(
    ("schema", "text", "right"),
    [
        (Captions, '["a, b", "c,]"]', ["a, b", "c,]"]),
        (Captions, '["a // no comment", "b /* no */ c", ]', ["a // no comment", "b /* no */ c"]),
        (Captions, "{'captions': ['it\\'s', \"a 'cat'\", 'a \"dog\"']}", ["it's", "a 'cat'", 'a "dog"']),
        (Captions, '{"captions": ["half \\ud83d", "nul\\u0000"]}', ["half \ufffd", "nul"]),
        (Names, '{"items": ["a"]}', ["a"]),
        (Names, '["a", "b"]', ["a", "b"]),
    ],
)
def test_lists_and_characters(schema, text, right):
    found = read(text, schema)
    assert (found.captions if schema is Captions else found.root) == right
    found.model_dump_json().encode()


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "positive", "label": "negative", "words": []}',  # twice
        "{'label': 'positive', 'label': 'negative', 'words': []}",
        '{"label": "positive", "words": ["a", "b"}',  # a bracket is missing
        '{"label": "positive" "words": []}',  # a comma
        '{"label": "positive"}',
        '{"words": ["a"], "label": }',
        '{"draft": {"label": "positive", "words": []}, "final": {"label": "neg',
        '{"draft": {"label": "positive", "words": []}, "final" {"label": "negative", "words": []}}',
        '{"a": {"label": "positive", "words": []}, "b": {"label": "negative", "words": []}}',
        '[{"label": "positive", "words": []}, {"label": "negative", "words": []}]',
        '{"label": "positive", "words": []} or {"label": "negative", "words": []}',
        '```\n{"label": "positive", "words": []}\n```\nor\n```\n{"label": "negative", "words": []}\n```',
        '["a", "b"]',
    ],
)
def test_what_would_be_a_guess_is_not_taken(text):
    assert isinstance(read(text), Bad)


def test_the_schema_is_no_reply():
    for schema in (Verdict, Loose, Captions):
        shape = schema_of(schema)
        for echo in (shape, {"properties": shape["properties"]}, shape["properties"], {"schema": shape}):
            assert isinstance(read(json.dumps(echo), schema), Bad)
    assert isinstance(read('{"something": {"else": 1}}', Loose), Bad)
    assert read('{"note": "x"}', Loose).note == "x"


def test_an_example_of_the_request_is_no_reply():
    asked = f"Judge, such as {JSON}."
    assert isinstance(read(f"You say {JSON}, and I can't tell.", asked=asked), Bad)
    other = JSON.replace("positive", "negative")
    assert read(f"Other than {JSON} it is {other}.", asked=asked).label == "negative"
    assert read(JSON, asked=asked) == RIGHT  # the model may well mean it


def test_what_is_not_accepted_is_told_to_the_model(chat_server):
    server = chat_server([JSON], default=JSON.replace('"a", ', ""))
    model = chat_model(f"{server.url}#m")

    def accept(found):
        return "there are two words" if len(found.words) == 2 else None

    assert ask(model, "judge", Verdict, accept=accept).words == ["b"]
    assert "This can't be used: there are two words." in server.requests[1].prompt
    with pytest.raises(StructuredError, match=r"no valid Verdict in 1 reply: never"):
        ask(model, "judge again", Verdict, reasks=0, accept=lambda _: "never")
    seen = []
    ask_many(model, ["p", "q"], Verdict, accept=lambda index, found: seen.append((index, found.label)))
    assert sorted(seen) == [(0, "positive"), (1, "positive")]


def test_lenient_reading_agrees_with_json():
    rng = random.Random(5)

    def value(depth):
        kind = rng.randrange(7 if depth else 5)
        if kind == 0:
            return rng.choice([True, False, None])
        if kind == 1:
            return rng.randrange(-(10**6), 10**6)
        if kind == 2:
            return rng.uniform(-1, 1) * 10 ** rng.randrange(-8, 8)
        if kind in {3, 4}:
            return "".join(rng.choice("ab\"'\\/,:[]{}#\n\té😀") for _ in range(rng.randrange(8)))
        if kind == 5:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        return {f"k{i}'\"": value(depth - 1) for i in range(rng.randrange(4))}

    for _ in range(500):
        made = value(4)
        for text in (json.dumps(made), json.dumps(made, ensure_ascii=False, indent=1)):
            assert value_at(text, 0, lenient=True) == (made, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{" * 200_000,
        '{"' * 100_000,
        "{a" * 100_000,
        "[1," * 100_000,
        "```\n" * 50_000,
        '{"a": [' * 50_000,
        "'" * 200_000,
    ],
)
def test_a_hostile_reply_takes_no_time(text):
    begun = time.process_time()
    assert isinstance(read(text), Bad)
    assert time.process_time() - begun < 3
