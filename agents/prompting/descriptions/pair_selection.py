"""Which pairs of classes are worth describing, and in what order."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.ambiguity import count_ambiguous
from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder


def needed_pairs(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    embeddings: NDArray[np.float32],
    *,
    k: int = 10,
    template: str = "a photo of a {}.",
) -> list[tuple[int, int]]:
    """The pairs of classes that some image has among its k most similar ones, those that most images need first.

    Described in this order, a budget that runs out has been spent where it helps most images. Pairs that equally many images
    need come in ascending order.

    Args:
        encoder: puts the class names where the image embeddings are.
        class_names: the K classes.
        embeddings: N×D image embeddings, of any length.
        k: how many candidate classes an image has.
        template: the sentence that a class name is put into.

    Raises:
        UsageError: k is below 1, the embeddings are not finite numbers, or more pairs are needed than the ceiling `pairs`.
    """
    check_ceiling("pairs", comb(max(0, min(k, len(class_names))), 2), f"an image with {k} candidate classes")
    texts = unit_rows(encoder.encode_texts([template.format(name) for name in class_names]))
    pairs, counts = count_ambiguous(unit_rows(embeddings) @ texts.T, k)
    check_ceiling("pairs", len(pairs), "what the images need")
    order = sorted(range(len(pairs)), key=lambda index: (-int(counts[index]), index))
    return [(int(pairs[index][0]), int(pairs[index][1])) for index in order]


def every_pair(classes: int) -> list[tuple[int, int]]:
    """All pairs (i, j), i < j, of this many classes.

    Raises:
        UsageError: there are more than the ceiling `pairs`.
    """
    check_ceiling("pairs", comb(classes, 2), f"a list of {classes:,} classes")
    return list(combinations(range(classes), 2))
