"""Write `study.yaml` for people: a comment above each part says what it does."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from evals.study.design.file import StudyFile
from evals.study.design.yaml_lines import plain_value
from saywhy_core.disk.files import atomic_open

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

WIDTH = 120
"""Characters per line of comments and texts."""
HEAD = "# A study of explanations, read by `saywhy study`. `saywhy study schema` writes a JSON schema for editors."


def write_study_file(study: StudyFile, path: str | os.PathLike[str]) -> None:
    """Write a study's file, with a comment above each part. What is read from it again is the same study.

    Args:
        study: the study.
        path: the file, such as `STUDY/study.yaml`.
    """
    with atomic_open(path) as stream:
        stream.write(study_file_text(study))


def study_file_text(study: StudyFile) -> str:
    """What `write_study_file` writes."""
    return "\n".join([HEAD, *_part(study, "", top=True)]) + "\n"


def study_schema() -> dict[str, Any]:
    """The JSON schema of `study.yaml`. Editors take it by a line `# yaml-language-server: $schema=FILE` on top of the file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudyFile.model_json_schema()}


def schema_text() -> str:
    """The schema as it stands in `study.schema.json` beside this module."""
    return json.dumps(study_schema(), ensure_ascii=False, indent=2) + "\n"


def _part(part: BaseModel, indent: str, *, top: bool = False) -> Iterator[str]:
    """The lines of a part: each key under its description."""
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if top:
            yield ""
        yield from (f"{indent}# {line}" for line in wrap(field.description or "", WIDTH - len(indent) - 2))
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:"
            yield from _part(value, indent + "  ")
        else:
            yield from (f"{indent}{line}" if line else "" for line in _dumped({name: _plain(value)}))


def _plain(value: Any) -> Any:
    """A value for YAML; in lists, keys that hold their default are left out."""
    if isinstance(value, BaseModel):
        return {
            name: _plain(getattr(value, name))
            for name, field in type(value).model_fields.items()
            if field.is_required() or getattr(value, name) != field.default
        }
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _dumped(content: dict[str, Any]) -> list[str]:
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - nothing is written as an alias
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002 - entries are indented
            return super().increase_indent(flow, False)

    def text(dumper: Any, data: str) -> Any:
        if not all(one.isprintable() or one == "\n" for one in data) or data.endswith("\n\n") or not data.strip():
            style: str | None = '"'  # other line ends, tabs and what is not seen are escaped
        else:
            style = "|" if "\n" in data else None if isinstance(plain_value(data), str) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(content, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return dumped.rstrip("\n").split("\n") if not dumped.endswith("\n\n") else dumped[:-1].split("\n")
