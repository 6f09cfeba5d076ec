"""The class vectors that the methods begin with, each text encoded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders import scale_of, truncated_of, unit_rows
from agents.prompting import class_vectors, clip_templates, prompts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from saywhy_core.images.reader import Images


class RememberingEncoder:
    """An encoder that keeps the vectors of texts in memory: the searches of the folds ask for the same texts again."""

    def __init__(self, encoder: ImageTextEncoder) -> None:
        self.inner = encoder
        self.identity = getattr(encoder, "identity", None)
        self.scale = scale_of(encoder)
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def truncated(self) -> int:
        """How many texts the encoder has cut."""
        return truncated_of(self.inner)

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """As the encoder does it."""
        return self.inner.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder does it, new texts only."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self.inner.encode_texts(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self.inner.encode_texts([])


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
