"""A text as a sequence of embeddings, which can be moved where ids can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.text_question import TextQuestion


def embeddings_of(question: TextQuestion, ids: torch.Tensor) -> torch.Tensor:
    """1×L ids -> 1×L×D embeddings, which no gradient leads back from."""
    found: torch.Tensor = question.embedding(ids)
    return found.detach()


def score_embedded(question: TextQuestion, vectors: torch.Tensor) -> torch.Tensor:
    """The scores of M×L×D embeddings in the place of those of the text: M."""
    handle = question.embedding.register_forward_hook(lambda _layer, _ids, _output: vectors)
    try:
        return question.score(question.ids.expand(len(vectors), -1), question.mask.expand(len(vectors), -1))
    finally:
        handle.remove()
