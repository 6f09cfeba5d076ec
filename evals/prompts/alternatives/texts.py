"""The class vectors that the methods begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders import unit_rows
from agents.prompting import class_vectors, clip_templates, prompts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder


def plain_prompts(
    class_names: Sequence[str], library: Mapping[str, Sequence[str]], template: str
) -> dict[str, dict[str, list[str]]]:
    """The prompts by class of each method that needs no search."""
    return {
        "template": {name: [template.format(name)] for name in class_names},
        "templates": {name: [text.format(name) for text in clip_templates()] for name in class_names},
        "descriptions": prompts_of(library, class_names, template),
    }


def text_vectors(
    encoder: ImageTextEncoder, prompts: Mapping[str, Mapping[str, Sequence[str]]], library: Mapping[str, Sequence[str]]
) -> dict[str, NDArray[np.float32]]:
    """K×D class vectors for each kind of texts, and those of "plain": templates and descriptions in equal parts.

    Equal parts, because nobody knows beforehand which of them predicts a class's images better.
    """
    found = {kind: class_vectors(encoder, list(texts.values())) for kind, texts in prompts.items()}
    described = np.array([bool(library.get(name)) for name in prompts["templates"]])
    both = unit_rows(found["templates"] + found["descriptions"])
    found["plain"] = np.where(described[:, None], both, found["templates"]).astype(np.float32)
    return found
