"""The question about a text that a method answers, and how the value of a word is shared among its pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


@dataclass(frozen=True)
class TextQuestion:
    """A tokenized text, the function that scores it for the query, and the settings of the method."""

    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # (ids, attention mask) -> N
    ids: torch.Tensor  # 1×L
    mask: torch.Tensor  # 1×L
    baseline: torch.Tensor  # 1×L: the words replaced, the special tokens kept
    words: torch.Tensor  # 1×L: the word each piece belongs to; special tokens share the last number
    embedding: torch.nn.Module
    steps: int
    seed: int


def shared_by_pieces(scores: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Share the value of each word among its pieces, so that they add up to it: captum gives each piece the whole value."""
    return scores / words[0].bincount()[words]
