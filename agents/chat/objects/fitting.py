"""Which object of a pydantic class a JSON value is, also where a model wrapped it up; no value is guessed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.chat.objects.lenient import value_at, whole_characters
from agents.chat.objects.spelling import resolved, respelled

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T", bound=BaseModel)

_DEEPEST = 3  # wrappings within each other that are taken off
_OF_A_SCHEMA = {"$defs", "$schema", "additionalProperties", "description", "properties", "required", "title", "type"}
_WANTED_A_CONTAINER = {"list_type", "dict_type", "model_type", "model_attributes_type"}
ECHO = "it repeats the schema, and holds no object that fits it"


class EchoError(ValueError):
    """A value that is the schema itself."""


def fit(value: Any, schema: type[T], shape: dict[str, Any]) -> T:
    """The object that a value is, as it stands or taken out of what it is wrapped in.

    Taken off are: JSON in a string, an object with one key that is no field of the schema (`{"result": {...}}`), the call of a
    function written out (`{"name": ..., "arguments": {...}}`), a list around one object, a schema whose properties are
    filled in; and a bare list, or a single item of it, is the one list that the schema has. Keys may be spelled in another way,
    and one item may stand where a list of such is wanted. Of these, the first counts that validates.

    Raises:
        EchoError: it is the schema.
        TwiceError: two keys of an object mean one field and hold different values.
        ValidationError: it does not validate.
    """
    if _is_echo(value, shape):
        raise EchoError(ECHO)
    first: ValidationError | None = None
    for one in _unwrapped(value, shape, 0):
        if _is_echo(one, shape) or _shares_nothing(one, shape):
            continue
        try:
            return _validated(one, schema)
        except ValidationError as error:
            first = first or error
    if first is not None:
        raise first
    return _checked_whole(value, schema, shape)


def _checked_whole(value: Any, schema: type[T], shape: dict[str, Any]) -> T:
    """As the class validates it, but with every field wanted of an object that has none of them."""
    found = schema.model_validate_json(whole_characters(value))
    missing = [{"type": "missing", "loc": (name,), "input": value} for name in _fields(shape)]
    if missing and isinstance(value, dict) and value:
        raise ValidationError.from_exception_data(schema.__name__, missing)  # type: ignore[arg-type]
    return found


def _validated(value: Any, schema: type[T]) -> T:
    # In JSON mode, so that strings become dates and enums as they would straight from the text.
    try:
        return schema.model_validate_json(whole_characters(value))
    except ValidationError as error:
        mended = _unquoted(value, error)
        if mended is None:
            raise
        return schema.model_validate_json(whole_characters(mended))


def _unquoted(value: Any, error: ValidationError) -> Any:
    """The value with what is wanted in place of strings that hold it as JSON, and of objects that stand where a list is wanted.

    None where there is neither.
    """
    copied = json.loads(json.dumps(value))
    changed = False
    for item in error.errors(include_url=False, include_context=False):
        given = item["input"]
        single = item["type"] == "list_type" and isinstance(given, dict) and bool(given)
        if item["type"] not in _WANTED_A_CONTAINER or not (isinstance(given, str) or single) or not item["loc"]:
            continue
        inner = [given] if single else _parsed(given)
        node = copied
        try:
            for step in item["loc"][:-1]:
                node = node[step]
            if isinstance(inner, (list, dict)) and node[item["loc"][-1]] == given:
                node[item["loc"][-1]] = inner
                changed = True
        except (KeyError, IndexError, TypeError):
            continue
    return copied if changed else None


def _parsed(text: str) -> Any:
    text = text.strip()
    found = value_at(text, 0) if text else None
    return found[0] if found is not None and found[1] == len(text) else None


def _unwrapped(value: Any, shape: dict[str, Any], depth: int) -> Iterator[Any]:
    if not _is_echo(value, shape):
        value = respelled(value, shape)
    yield value
    if depth >= _DEEPEST:
        return
    fields = _fields(shape)
    inner: list[Any] = []
    if isinstance(value, str) and isinstance(parsed := _parsed(value), (list, dict)):
        inner.append(parsed)
    if isinstance(value, dict) and not fields & value.keys():
        if len(value) == 1:
            inner += value.values()
        elif "name" in value and len(value) == 2:
            inner += [value[name] for name in ("arguments", "parameters") if name in value]
        elif value.keys() <= _OF_A_SCHEMA and isinstance(value.get("properties"), dict):
            inner.append(value["properties"])
    if isinstance(value, list) and shape.get("type") == "object":
        if len(value) == 1 and isinstance(value[0], dict):
            inner.append(value[0])
        if len(fields) == 1:
            (name,) = fields
            node = shape["properties"][name]
            if isinstance(node, dict) and node.get("type") == "array":
                yield {name: value}
    yield from _rewrapped(value, shape)
    for one in inner:
        if isinstance(one, (list, dict, str)):
            yield from _unwrapped(one, shape, depth + 1)


def _rewrapped(value: Any, shape: dict[str, Any]) -> Iterator[Any]:
    """An object that stands for the one field of the schema, or for one item of it, within the object that is wanted."""
    fields = _fields(shape)
    if len(fields) != 1 or not isinstance(value, dict) or fields & value.keys():
        return
    (name,) = fields
    node = resolved(shape["properties"][name], shape)
    of_a_list = node.get("type") == "array"
    form = resolved(node.get("items"), shape) if of_a_list else node
    item = respelled(value, {**form, "$defs": shape.get("$defs", {})})
    wanted = set(form.get("required") or ())
    if wanted and item.keys() & wanted and not item.keys() - _fields(form):
        yield {name: [item] if of_a_list else item}


def _fields(shape: dict[str, Any]) -> set[str]:
    properties = shape.get("properties")
    return set(properties) if isinstance(properties, dict) else set()


def _shares_nothing(value: Any, shape: dict[str, Any]) -> bool:
    """Whether an object has none of the fields: one whose fields may all be left out would take anything."""
    fields = _fields(shape)
    return bool(fields) and isinstance(value, dict) and not fields & value.keys()


def _is_echo(value: Any, shape: dict[str, Any]) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    properties = shape.get("properties")
    return value in (shape, properties) or (bool(properties) and value.get("properties") == properties)
