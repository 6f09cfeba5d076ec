"""Classification by prompts: an image gets the class of the most similar mean prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import top_indices, unit_rows
from agents.prompting.descriptions.captions import caption, class_vectors
from agents.prompting.second_look.differential import Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder


def prompts_of(
    descriptions: Mapping[str, Sequence[str]], class_names: Sequence[str], template: str = "a photo of a {}."
) -> dict[str, list[str]]:
    """A list of prompts for each class: its descriptions as captions, or the template alone where it has none."""
    return {
        name: [caption(text, name, template) for text in descriptions.get(name, ())] or [template.format(name)]
        for name in class_names
    }


def classify_by_prompts(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    descriptions: Mapping[str, Sequence[str]],
    embeddings: NDArray[np.float32],
    *,
    candidates: int = 10,
    template: str = "a photo of a {}.",
) -> Predictions:
    """Classify images by their embeddings: the class with the most similar mean of its prompts' embeddings.

    Args:
        encoder: puts the prompts where the image embeddings are.
        class_names: the K classes.
        descriptions: prompts or descriptions by class name; a class without any gets the template alone.
        embeddings: N×D image embeddings, of any length.
        candidates: how many of the most similar classes the result lists for each image.
        template: the sentence of the first look, and the frame of a description that does not name its class.

    Returns:
        Predictions whose `first` is the decision by the template alone, and whose `final` is the decision by the prompts.
    """
    rows = unit_rows(embeddings)
    first = (rows @ class_vectors(encoder, [[template.format(name)] for name in class_names]).T).argmax(axis=1)
    prompts = prompts_of(descriptions, class_names, template)
    cosines = rows @ class_vectors(encoder, [prompts[name] for name in class_names]).T  # the list may name two classes alike
    best = top_indices(cosines, min(candidates, len(class_names)))
    scores = np.take_along_axis(cosines, best, axis=1).astype(np.float32)
    return Predictions(first.astype(np.int64), best[:, 0].copy(), best, scores, ())
