"""The scalar that an attribution explains, and what the model predicts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import torch

from saywhy_core.errors import UsageError
from verbalize.saliency import Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_Method = TypeVar("_Method")


def indices_of(labels: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """Where `labels` stand among the classes.

    Raises:
        UsageError: the model has no class of that name.
    """
    for label in labels:
        if label not in class_names:
            known = ", ".join(repr(name) for name in class_names[:20])
            raise UsageError(f"the model has no class {label!r}; its classes are {known}")
    return [list(class_names).index(label) for label in labels]


def score_of_query(logits: torch.Tensor, query: Query, class_names: Sequence[str]) -> torch.Tensor:
    """The number that answers the query, for each row: N×K logits -> N.

    A set of classes scores the log of the sum of its exponentials, so that a set of one scores its own logit. Pointwise it
    is the score of the label (or of its members); contrastively, that less the score of the labels in `versus`: with one
    such label the difference of two logits, with all others the log-odds of the label.
    """
    check_logits(logits, class_names)
    score = logits[:, indices_of(query.members or (query.label,), class_names)].logsumexp(dim=1)
    if query.versus:
        score = score - logits[:, indices_of(query.versus, class_names)].logsumexp(dim=1)
    return score


def check_logits(logits: torch.Tensor, class_names: Sequence[str]) -> None:
    """One column a class, or a sentence that says otherwise."""
    if logits.ndim != 2 or logits.shape[1] != len(class_names):
        raise UsageError(f"the model returned scores of shape {tuple(logits.shape)} for {len(class_names)} class names")
    if not bool(torch.isfinite(logits).all()):
        raise UsageError("the model returned scores that are not finite; there is nothing to explain")


def predict(logits: torch.Tensor, class_names: Sequence[str], true_label: str | None = None) -> Prediction:
    """What one row of logits says."""
    probabilities = logits.detach().double().softmax(dim=-1)
    best = int(probabilities.argmax())
    scores = {name: float(value) for name, value in zip(class_names, probabilities, strict=True)}
    return Prediction(class_names[best], float(probabilities[best]), scores, true_label)


def method_named(methods: Mapping[str, _Method], name: str) -> _Method:
    """Look a method up.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in methods:
        raise UsageError(f"there is no attribution method {name!r} here; there are {', '.join(methods)}")
    return methods[name]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random state set to `seed` inside the block and as it was after it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
