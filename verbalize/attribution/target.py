"""The number that an attribution explains, and the prediction of the model."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import torch

from saywhy_core.errors import UsageError
from verbalize.models.naming import check_width
from verbalize.saliency import Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn

Given = ParamSpec("Given")
Result = TypeVar("Result")
BATCH = 32  # changed inputs per call of the model: large enough to keep it busy, small enough for memory


def indices_of(labels: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """The column of each label among the classes.

    Raises:
        UsageError: the model has no class of that name.
    """
    for label in labels:
        if label not in class_names:
            known = ", ".join(repr(name) for name in class_names[:20])
            raise UsageError(f"the model has no class {label!r}; its classes are {known}")
    return [list(class_names).index(label) for label in labels]


def score_of_query(logits: torch.Tensor, query: Query, class_names: Sequence[str]) -> torch.Tensor:
    """The number that answers the query, for each row of logits: N×K -> N.

    The score of a set of classes is the logarithm of the sum of the exponentials of their logits, so that the score of a
    single class is its logit. For a pointwise query the result is the score of the label (or of its members). For a
    contrastive query the score of the labels in `versus` is subtracted: with one such label this is the difference of two
    logits, with all other classes the log-odds of the label.

    Raises:
        UsageError: the model has no such class, or its logits can't be used (see `check_logits`).
    """
    check_logits(logits, class_names)
    score = logits[:, indices_of(query.members or (query.label,), class_names)].logsumexp(dim=1)
    if query.versus:
        score = score - logits[:, indices_of(query.versus, class_names)].logsumexp(dim=1)
    return score


def check_logits(logits: torch.Tensor, class_names: Sequence[str]) -> None:
    """Check that there is one column per class, of two classes or more, and that all logits are finite.

    Raises:
        UsageError: the shape is wrong, or a logit is not finite.
    """
    if logits.ndim != 2:
        raise UsageError(
            f"the model returned scores of shape {tuple(logits.shape)}; a classifier returns one row of scores for each input, "
            "with one score for each class"
        )
    if logits.shape[1] < 2:
        raise UsageError("the model returned one score per input; a classifier needs two classes or more, each with a score")
    check_width(logits.shape[1], class_names, "the model")
    if not bool(torch.isfinite(logits).all()):
        raise UsageError("the model returned scores that are not finite; there is nothing to explain")


def predict(logits: torch.Tensor, class_names: Sequence[str], true_label: str | None = None) -> Prediction:
    """The prediction for one row of logits (K,). `true_label` is stored in it."""
    probabilities = logits.detach().double().softmax(dim=-1)
    best = int(probabilities.argmax())
    scores = {name: float(value) for name, value in zip(class_names, probabilities, strict=True)}
    return Prediction(class_names[best], float(probabilities[best]), scores, true_label)


def as_query(query: Any) -> Query | None:
    """A question as the caller gives it: a `Query`, or only its label; None stays None.

    Raises:
        UsageError: it is neither.
    """
    if query is None or isinstance(query, Query):
        return query
    if isinstance(query, str):
        return Query(query)
    raise UsageError(f"a query is a Query, or the name of the class that is asked about, not {query!r:.80}")


def with_gradients(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function take gradients, also where its caller has switched them off: `no_grad` or `inference_mode` of torch."""

    @wraps(function)
    def inside(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with torch.inference_mode(mode=False), torch.enable_grad():
            return function(*args, **kwargs)

    return inside


def check_weights(module: nn.Module) -> None:
    """Check that gradients go through a module.

    Raises:
        UsageError: its weights were made in inference mode.
    """
    if any(one.is_inference() for one in chain(module.parameters(), module.buffers())):
        raise UsageError(
            "the weights of the model were made inside torch.inference_mode(), so no gradients go through them; build or load "
            "it outside, or take a method that needs only scores"
        )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Set the random states of torch and numpy to `seed` inside the block, and restore them afterwards."""
    before = np.random.get_state()  # noqa: NPY002 - captum's gradient SHAP draws from the global state
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
