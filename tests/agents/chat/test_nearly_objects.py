"""Replies that are nearly the object: used where they can mean one thing only; the server counts the requests."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from agents import StructuredError, ask, chat_model


class Pair(BaseModel):
    first_class: str
    seen_share: float


class Pairs(BaseModel):
    pairs: list[Pair]


class Holder(BaseModel):
    pair: Pair


class Named(BaseModel):
    name: str
    tags: list[str]
    by_name: dict[str, int] = {}


PAIR = '{"first_class": "cat", "seen_share": 0.5}'
CAT = Pair(first_class="cat", seen_share=0.5)


@pytest.mark.parametrize(
    ("schema", "text", "right"),
    [
        (Pair, '{"First_Class": "cat", "SEEN_SHARE": 0.5}', CAT),
        (Pair, '{"first-class": "cat", "seen-share": 0.5}', CAT),
        (Pair, '{"firstClass": "cat", "seenShare": 0.5}', CAT),
        (Pair, '{"result": {"First Class": "cat", "Seen Share": 0.5}}', CAT),
        (Pairs, '{"Pairs": [{"firstClass": "cat", "seenShare": 0.5}]}', Pairs(pairs=[CAT])),
        (Pairs, PAIR, Pairs(pairs=[CAT])),
        (Pairs, '{"firstClass": "cat", "seen-share": 0.5}', Pairs(pairs=[CAT])),
        (Pairs, f'{{"pairs": {PAIR}}}', Pairs(pairs=[CAT])),
        (Holder, PAIR, Holder(pair=CAT)),
        (Holder, f"[{PAIR}]", Holder(pair=CAT)),
        (Pairs, f'{{"pairs": [{PAIR}', Pairs(pairs=[CAT])),
        (Pairs, f'Here: {{"pairs": [{PAIR}]', Pairs(pairs=[CAT])),
        (Pair, '{"first_class": "cat", "seen_share": 0.5', CAT),
        (Named, '```json\n{"name": "x", "tags": ["a"]\n```', Named(name="x", tags=["a"])),
        (
            Named,
            '{"name": "x", "tags": [], "by_name": {"byName": 1, "by-name": 2}}',
            Named(name="x", tags=[], by_name={"byName": 1, "by-name": 2}),
        ),
    ],
)
def test_what_can_mean_one_thing_only_is_used(chat_server, schema, text, right):
    server = chat_server(default=text)
    assert ask(chat_model(f"{server.url}#m"), "a", schema) == right
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        (Pair, '{"first_class": "cat", "firstClass": "dog", "seen_share": 0.5}', "stop"),
        (Pair, '{"seen_share": 0.5, "first_class": "a cat with', "stop"),
        (Named, '{"name": "x", "tags": ["a", "bro', "length"),
        (Named, '{"name": "x", "tags": ["a",', "stop"),
        (Named, '{"name": "x", "tags": ["a"', "length"),
        (Pair, '{"first_class": "cat", "seen_share": 0.5', "length"),
        (Pair, '{"first_class": "cat"', "stop"),
        (Pairs, '{"first_class": "cat"}', "stop"),
        (Pairs, '{"something": "else"}', "stop"),
    ],
)
def test_what_may_be_something_else_is_asked_for_again(chat_server, misbehaving, schema, text, reason):
    server = chat_server(default=misbehaving.Reply(text, finish_reason=reason))
    with pytest.raises(StructuredError):
        ask(chat_model(f"{server.url}#m"), "a", schema, reasks=1)
    assert len(server.requests) == 2


def test_a_reply_cut_off_behind_its_last_field_is_whole(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply('{"tags": ["a"], "name": "x"', finish_reason="length"))
    assert ask(chat_model(f"{server.url}#m"), "a", Named) == Named(name="x", tags=["a"])
    assert len(server.requests) == 1
