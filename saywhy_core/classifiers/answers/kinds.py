"""The kinds of scores that classifiers answer with."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Scores: TypeAlias = Literal["logits", "probabilities", "sigmoid", "top-k", "label"]
KINDS: tuple[Scores, ...] = get_args(Scores)
