"""Every list and text that a language model is asked for ends, by the schema alone."""

from __future__ import annotations

import json

import pytest

from agents import chat_model
from agents.chat.schema import schema_of
from verbalize import Query, TokenSaliency
from verbalize.compose.plan import MOST_GROUPS, MOST_IN_GROUP, Plan
from verbalize.narrate.narrator import Narrator
from verbalize.narrate.replies import FreeReply
from verbalize.read_by_model.model_reader import ModelReader
from verbalize.read_by_model.reply import SentenceClaims


def _unbounded(node, where=""):
    if isinstance(node, list):
        for one in node:
            yield from _unbounded(one, where)
    elif isinstance(node, dict):
        if node.get("type") == "array" and "maxItems" not in node:
            yield where
        for name, one in node.items():
            yield from _unbounded(one, f"{where}.{name}")


@pytest.mark.parametrize("schema", [Plan, FreeReply, SentenceClaims])
def test_every_list_has_an_end(schema):
    assert [where for where in _unbounded(schema_of(schema)) if "versus" not in where] == []


def test_a_plan_has_as_many_groups_and_numbers_as_can_be_said():
    shown = schema_of(Plan)
    assert shown["properties"]["groups"]["maxItems"] == MOST_GROUPS
    assert shown["$defs"]["PlanGroup"]["properties"]["claims"]["maxItems"] == MOST_IN_GROUP
    assert Plan.model_validate({"groups": [list(range(1, 30))] * 9}).groups  # more is left out later, and not refused


def _lists_of_numbers(node, name=""):
    """(field, the list's most items, least, largest) of each list of whole numbers in a schema."""
    if isinstance(node, list):
        for one in node:
            yield from _lists_of_numbers(one, name)
    elif isinstance(node, dict):
        items = node.get("items")
        if node.get("type") == "array" and items.get("type") == "integer":
            yield name, node["maxItems"], items.get("minimum"), items.get("maximum")
        for key, one in node.items():
            yield from _lists_of_numbers(one, name if key in {"anyOf", "items"} else key)


def _sent(server):
    """By the text of the prompt, what the server was told of lists of numbers."""
    for request in server.requests:
        schema = request.body["response_format"]["json_schema"]["schema"]
        yield request.prompt, sorted(set(_lists_of_numbers(schema)))


MAPS = [
    TokenSaliency(["good", "film"], [1.0, -0.5], Query("positive"), id="short"),
    TokenSaliency([f"word{n}" for n in range(40)], [(n % 7) - 3.0 for n in range(40)], Query("positive"), id="long"),
]


def test_free_replies_are_bound_to_the_parts_of_their_own_map(chat_server):
    server = chat_server(default=json.dumps({"sentences": [{"text": "It is so.", "claims": []}]}))
    Narrator(chat_model(f"{server.url}#m"), style="free", repairs=0).narrate_all(MAPS)
    assert len(server.requests) == 2
    for prompt, found in _sent(server):
        parts = 40 if "word39" in prompt else 2
        most = min(24, parts)
        assert found == [("other", most, 0, parts - 1), ("part", most, 0, parts - 1)]


def test_plans_are_bound_to_the_menu_of_their_own_map(chat_server):
    server = chat_server(default=json.dumps({"groups": [{"claims": [1], "connective": "none"}]}))
    Narrator(chat_model(f"{server.url}#m"), style="composed", repairs=0).narrate_all(MAPS)
    menus = {}
    for prompt, ((name, most, least, largest),) in _sent(server):
        assert (name, least) == ("claims", 1)
        assert most == min(MOST_IN_GROUP, largest)
        assert f"[\n   {largest},\n" in prompt
        assert f"[\n   {largest + 1},\n" not in prompt
        menus["word39" in prompt] = largest
    assert menus[False] < menus[True]


def test_what_a_second_reader_is_asked_is_bound_to_the_parts_of_the_map(chat_server):
    server = chat_server(default=json.dumps({"claims": [], "complete": True}))
    sentence = "The mood of it speaks of joy somehow."
    ModelReader(chat_model(f"{server.url}#m"), reasks=0).read([(sentence, sentence, one) for one in MAPS])
    assert len(server.requests) == 2
    for prompt, found in _sent(server):
        parts = 40 if "word39" in prompt else 2
        assert found == [("other", min(24, parts), 0, parts - 1), ("parts", min(24, parts), 0, parts - 1)]
