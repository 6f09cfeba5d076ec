"""Text classifiers of which only the answers are known, and the answers of every kind of text classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from verbalize.models.naming import check_width, checked_classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from verbalize.models.text_classifiers import TextClassifier


@dataclass(frozen=True, eq=False)
class TextFunction:
    """A text classifier of which only the answers are known.

    Args:
        function: a list of N texts -> N×K logits, or probabilities.
        class_names: one name per column.
        probabilities: whether the function returns probabilities. Their logarithms take the place of logits.

    Raises:
        UsageError: there are fewer than two class names, or one is empty or that of two classes.
    """

    function: Callable[[list[str]], ArrayLike]
    class_names: tuple[str, ...]
    probabilities: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", checked_classes(self.class_names, "the text classifier"))
        if not self.class_names:
            raise UsageError("a text classifier needs two class names or more; give class_names=")

    def answers(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(N, K) logits of the texts.

        Raises:
            UsageError: the function returned no numbers, another shape, or a number that is not finite. It is a `WidthError`
                where it returned another number of columns than there are class names.
        """
        answered = self.function(list(texts))
        try:
            scores = np.asarray(to_numpy(answered), dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError(
                f"the text classifier must return one row of {len(self.class_names)} numbers for each text, not "
                f"{answered!r:.80}"
            ) from None
        if scores.ndim == 2 and len(scores) == len(texts):
            check_width(scores.shape[1], self.class_names, "the text classifier")
        if scores.shape != (len(texts), len(self.class_names)) or not np.isfinite(scores).all():
            raise UsageError(
                f"the text classifier returned scores of shape {scores.shape} for {len(texts)} texts and "
                f"{len(self.class_names)} classes; all must be finite numbers"
            )
        return np.log(np.clip(scores, 1e-12, None)) if self.probabilities else scores


def text_logits(model: TextClassifier | TextFunction, texts: Sequence[str], *, batch_size: int = 32) -> NDArray[np.float64]:
    """(N, K) logits of texts, at most `batch_size` in one call of the model. Texts of like length share a call.

    Raises:
        UsageError: a text is longer than the model can read, or the model's answer can't be used.
    """
    answers = np.empty((len(texts), len(model.class_names)))
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        answers[chosen] = _answers(model, [texts[index] for index in chosen])
    return answers


def _answers(model: TextClassifier | TextFunction, texts: list[str]) -> NDArray[np.float64]:
    if isinstance(model, TextFunction):
        return model.answers(texts)
    tokenizer: Any = model.tokenizer
    encoded = tokenizer(texts, return_tensors="pt", padding=len(texts) > 1)
    if encoded["input_ids"].shape[1] > model.max_pieces:
        raise UsageError(f"a text has {encoded['input_ids'].shape[1]} pieces, the model reads {model.max_pieces}; split it")
    device = next(model.embedding.parameters()).device
    with torch.no_grad():
        found = model.logits(encoded["input_ids"].to(device), encoded["attention_mask"].to(device))
    answers: NDArray[np.float64] = found.detach().cpu().double().numpy()
    return answers
