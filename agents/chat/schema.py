"""JSON schemas as they are sent to models: closed, complete, and with a bound on every string and array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

LONGEST_STRING = 2000
LONGEST_ARRAY = 100


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a pydantic model, every object closed and every property required.

    OpenAI's strict mode asks for this form, and it leaves a constrained decoder the least freedom. The titles that pydantic
    makes of names in the code are left out: a small model repeats them as if they were what it is asked for.
    """
    closed: dict[str, Any] = _mapped(model.model_json_schema(), _close)
    return closed


def bounded(schema: dict[str, Any], longest: int = LONGEST_STRING) -> dict[str, Any]:
    """The schema with a bound on every string and array; without one a constrained decoder might never end them."""

    def bound(node: dict[str, Any]) -> dict[str, Any]:
        ends = {"maxLength", "pattern", "format", "enum", "const"} & node.keys()
        if node.get("type") == "string" and not ends:
            return {**node, "maxLength": longest}
        if node.get("type") == "array" and "maxItems" not in node:
            return {**node, "maxItems": max(LONGEST_ARRAY, node.get("minItems", 0))}
        return node

    ended: dict[str, Any] = _mapped(schema, bound)
    return ended


def narrowed(schema: dict[str, Any], numbers: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """The schema with each list of whole numbers bound to those that one request can mean.

    Args:
        schema: a JSON schema.
        numbers: by the name of a field, the least and the largest number that its list may hold; the least one is the larger
            where it may hold none. No list is longer than there are numbers.
    """

    def narrow(node: dict[str, Any]) -> dict[str, Any]:
        fields = node.get("properties")
        if not isinstance(fields, dict) or not numbers.keys() & fields.keys():
            return node
        bound = {name: _within(one, *numbers[name]) if name in numbers else one for name, one in fields.items()}
        return {**node, "properties": bound}

    found: dict[str, Any] = _mapped(schema, narrow)
    return found


def _within(node: Any, least: int, most: int) -> Any:
    """A list of whole numbers, also where it may be null, within two numbers; anything else as it is."""
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("anyOf"), list):
        return {**node, "anyOf": [_within(one, least, most) for one in node["anyOf"]]}
    items = node.get("items")
    if node.get("type") != "array" or not isinstance(items, dict) or items.get("type") != "integer":
        return node
    count = max(0, most - least + 1)
    bound = {**node, "maxItems": min(node.get("maxItems", count), count)}
    return {**bound, "items": {**items, "minimum": least, "maximum": most}} if count else bound


def _close(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("properties"), dict):
        node = {**node, "required": list(node["properties"])}
        node.setdefault("additionalProperties", False)
    return {k: v for k, v in node.items() if k not in {"default", "title"}}


_SCHEMAS = {"items", "additionalProperties", "not", "contains"}
_LISTS_OF_SCHEMAS = {"anyOf", "allOf", "oneOf", "prefixItems"}
_NAMED_SCHEMAS = {"properties", "$defs", "definitions", "patternProperties"}


def _mapped(node: Any, change: Any) -> Any:
    """Apply `change` to every schema within a schema, and to nothing that merely looks like one (enums, defaults)."""
    if not isinstance(node, dict):
        return node
    inner = {}
    for key, value in node.items():
        if key in _SCHEMAS:
            inner[key] = _mapped(value, change)
        elif key in _LISTS_OF_SCHEMAS:
            inner[key] = [_mapped(one, change) for one in value]
        elif key in _NAMED_SCHEMAS:
            inner[key] = {name: _mapped(one, change) for name, one in value.items()}
        else:
            inner[key] = value
    return change(inner)
