"""Keys as models spell them: in another case, with hyphens or in camelCase, renamed to the fields of a schema."""

from __future__ import annotations

from typing import Any

_DEEPEST = 50  # references and values within each other


class TwiceError(ValueError):
    """A field stands in an object twice, in two spellings and with two values."""


def respelled(value: Any, shape: dict[str, Any]) -> Any:
    """The value with the keys of its objects spelled as the fields of the schema, where one field alone can be meant.

    Keys that are fields stay, and so do those that are no field in any spelling, and the keys of free dictionaries.

    Raises:
        TwiceError: two keys mean one field and hold different values.
    """
    return _respelled(value, shape, shape, 0)


def resolved(node: Any, shape: dict[str, Any]) -> dict[str, Any]:
    """A schema within a schema, looked up where it is a reference."""
    for _ in range(_DEEPEST):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            break
        found: Any = shape
        for step in node["$ref"].removeprefix("#").strip("/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        node = found
    return node if isinstance(node, dict) else {}


def _respelled(value: Any, node: Any, shape: dict[str, Any], depth: int) -> Any:
    if depth > _DEEPEST or not isinstance(value, (dict, list)):
        return value
    node = resolved(node, shape)
    for name in ("anyOf", "oneOf", "allOf"):
        if isinstance(node.get(name), list):
            return _respelled(value, _meant(value, node[name], shape), shape, depth + 1)
    if isinstance(value, list):
        return [_respelled(one, node.get("items"), shape, depth + 1) for one in value]
    fields = node.get("properties")
    if not isinstance(fields, dict):
        others = node.get("additionalProperties")
        return {key: _respelled(one, others, shape, depth + 1) for key, one in value.items()}
    names: dict[str, set[str]] = {}
    for name in fields:
        names.setdefault(_plain(name), set()).add(name)
    made: dict[str, Any] = {}
    for key, one in value.items():
        meant = {key} if key in fields else names.get(_plain(key), set())
        name = next(iter(meant)) if len(meant) == 1 else key
        found = _respelled(one, fields.get(name), shape, depth + 1)
        if name in made and made[name] != found:
            raise TwiceError(f"it gives {name!r} twice, in two spellings")
        made[name] = found
    return made


def _meant(value: Any, nodes: list[Any], shape: dict[str, Any]) -> Any:
    """The schema of several that a value is meant to fit: of objects, the one with the most of its keys."""
    known = [resolved(one, shape) for one in nodes]
    if isinstance(value, list):
        return next((one for one in known if one.get("type") == "array"), None)
    keys = {_plain(key) for key in value}
    scored: list[int] = [len(keys & {_plain(name) for name in one.get("properties") or {}}) for one in known]
    best = max(scored, default=0)
    return known[scored.index(best)] if best else None


def _plain(key: str) -> str:
    return "".join(one for one in key.casefold() if one.isalnum())
