"""The question about a text that a method answers, and the division of a word's value among its pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import torch


@dataclass(frozen=True)
class TextQuestion:
    """A tokenized text, the function that scores it for the query, and the settings of the method."""

    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # (ids, attention mask) -> N
    ids: torch.Tensor  # 1×L
    mask: torch.Tensor  # 1×L
    baseline: torch.Tensor  # 1×L: the ids with all words replaced and the special tokens kept
    words: torch.Tensor  # 1×L: the index of the word of each piece; all special tokens have the index after the last word
    count: int  # of words; no piece has this index or a higher one where the tokenizer adds no special tokens
    embedding: torch.nn.Module
    steps: int
    seed: int
    batch_size: int = 32  # changed inputs per call of the model
    options: Mapping[str, Any] = field(default_factory=dict)  # settings that only this method has
    classifier: Any = None  # the classifier itself
    score_logits: Callable[[torch.Tensor], torch.Tensor] | None = None  # N×K logits -> N


def shared_by_pieces(scores: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Divide the value of each word equally among its pieces, because captum gives every piece the whole value.

    Args:
        scores: 1×L, one per piece.
        words: 1×L, the index of the word of each piece.
    """
    return scores / words[0].bincount()[words]
