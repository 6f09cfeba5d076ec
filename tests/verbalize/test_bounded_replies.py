"""Every list and text that a language model is asked for ends, by the schema alone."""

from __future__ import annotations

import pytest

from agents.chat.schema import schema_of
from verbalize.compose.plan import MOST_GROUPS, MOST_IN_GROUP, Plan
from verbalize.narrate.replies import FreeReply
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
