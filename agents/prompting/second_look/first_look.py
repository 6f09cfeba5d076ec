"""The texts that an image is compared with at first look."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agents.prompting.descriptions.by_class import ClassDescriptions, read_descriptions
from agents.prompting.descriptions.captions import caption, clip_templates
from saywhy_core.errors import UsageError
from saywhy_core.names import NameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_LOOKS = ("template", "name", "80")
"""First looks that have a name; others are files of prompts."""

FirstLook = str | os.PathLike[str] | Mapping[str, "Sequence[str]"]
"""One of `FIRST_LOOKS`, a file of prompts or of descriptions by class, or its content."""


def first_prompts(first: FirstLook, class_names: Sequence[str], template: str = "a photo of a {}.") -> list[list[str]]:
    """The prompts of each class at first look; the class vector is the mean of their embeddings.

    Args:
        first: "template" (each class in `template`, as in the published program), "name" (the class name alone), "80" (CLIP's
            80 templates; Radford et al. 2021), a file of prompts or of descriptions by class, or its content. A description
            that does not name its class stands behind the template; a class without any gets the template alone.
        class_names: the K classes.
        template: the sentence that a class name is put into.

    Returns:
        K lists, none of them empty.

    Raises:
        UsageError: there is no such file, or it speaks of none of the classes.
    """
    if first == "template":
        return [[template.format(name)] for name in class_names]
    if first == "name":
        return [[name] for name in class_names]
    if first == "80":
        return [[one.format(name) for one in clip_templates()] for name in class_names]
    if isinstance(first, Mapping):
        table = NameTable(class_names)
        given = {ours: list(texts) for name, texts in first.items() if (ours := table.spelling(name)) is not None}
        library: Mapping[str, Sequence[str]] = {name: given.get(name, []) for name in class_names}
        if not any(library.values()):
            raise UsageError(f"the prompts of the first look speak of none of the {len(class_names)} classes")
    else:
        library = _read(first, class_names)
    return [
        [caption(text, name, template) for text in library.get(name, ())] or [template.format(name)] for name in class_names
    ]


def first_library(first: FirstLook, class_names: Sequence[str]) -> ClassDescriptions | None:
    """The content of the file of a first look, or what was read of it; None for others.

    Raises:
        UsageError: as `first_prompts`.
    """
    if isinstance(first, ClassDescriptions):
        return first
    return None if isinstance(first, Mapping) or first in FIRST_LOOKS else _read(first, class_names)


def _read(first: str | os.PathLike[str], class_names: Sequence[str]) -> ClassDescriptions:
    if not Path(first).exists() and os.sep not in os.fspath(first) and "." not in os.fspath(first):
        raise UsageError(f"there is no first look {os.fspath(first)!r:.80}; write one of {', '.join(FIRST_LOOKS)}, or a file")
    return read_descriptions(first, class_names)


def first_look_words(first: FirstLook) -> str:
    """What a report calls a first look."""
    if isinstance(first, Mapping):
        return "prompts of your own"
    known = {"template": "template alone", "name": "class name alone", "80": "80 templates"}
    return known.get(os.fspath(first), f"prompts of {Path(first).name}")
