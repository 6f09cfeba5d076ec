"""Texts about classes: CLIP's templates, captions made of descriptions, and the vectors of classes."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.reading.mentions import Mentions
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder


def clip_templates() -> tuple[str, ...]:
    """The 80 ImageNet templates of CLIP (Radford et al. 2021)."""
    text = files("agents.prompting.descriptions").joinpath("clip_templates.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))


_WORD = re.compile(r"[^\W_]")


@lru_cache(maxsize=4096)  # as many as a large list has classes, each of which gets several captions in a row
def _names(name: str) -> Mentions:
    return Mentions([name])


def caption(description: str, name: str, template: str) -> str:
    """Make a prompt of a description: the description itself if it names its class, else the template followed by it.

    A name counts as a whole word: "scattered spots" does not name a cat, and "a hand" no class "A". A part of a name, such as
    the "top" of "T-shirt/top", counts where the description begins with it.
    """
    if any(one.whole or one.leads for one in _names(name).in_text(description)) or (
        not _WORD.search(name) and name in description
    ):
        return description
    return f"{template.format(name).rstrip('. ')}, {description.rstrip('. ')}."


def class_vectors(encoder: ImageTextEncoder, prompts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """The K×D class vectors: for each class the mean of its prompts' embeddings, at length 1. Every text is encoded once."""
    return vectors_of(lambda texts: unit_rows(encoder.encode_texts(list(texts))), prompts)


def vectors_of(
    rows_of: Callable[[Sequence[str]], NDArray[np.float32]], prompts: Sequence[Sequence[str]]
) -> NDArray[np.float32]:
    """As `class_vectors`, with a function from texts to their embeddings of length 1, which is called once."""
    texts = list(dict.fromkeys(text for group in prompts for text in group))
    if not all(prompts):
        raise UsageError("a class without prompts has no vector; give every class at least one")
    place = {text: index for index, text in enumerate(texts)}
    rows = rows_of(texts)
    return unit_rows(np.stack([rows[[place[text] for text in group]].mean(axis=0, dtype=np.float64) for group in prompts]))
