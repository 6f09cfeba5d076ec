"""A text as a sequence of embeddings, which can be moved where ids can't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from verbalize.attribution.text_question import TextQuestion


def embeddings_of(question: TextQuestion, ids: torch.Tensor) -> torch.Tensor:
    """1×L ids -> 1×L×D embeddings in float32 at least, which no gradient leads back from."""
    found: torch.Tensor = question.embedding(ids)
    return found.detach().to(torch.promote_types(found.dtype, torch.float32))


def score_embedded(question: TextQuestion, vectors: torch.Tensor) -> torch.Tensor:
    """The scores of M×L×D embeddings, of any precision, in the place of those of the text: M."""
    handle = question.embedding.register_forward_hook(lambda _layer, _ids, output: vectors.to(output.dtype))
    try:
        return question.score(question.ids.expand(len(vectors), -1), question.mask.expand(len(vectors), -1))
    finally:
        handle.remove()
