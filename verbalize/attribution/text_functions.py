"""Attribution for a text classifier of which only the answers are known: words are removed from the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.method import SETTINGS, check_question
from verbalize.attribution.target import check_logits, predict, score_of_query
from verbalize.attribution.text_question import TextQuestion
from verbalize.masking import mask_inputs
from verbalize.saliency import Query, TokenSaliency
from verbalize.spacing import word_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.attribution.method import Explainer
    from verbalize.models.text_functions import TextFunction

REMOVAL = "removal"


def explain_function(
    model: TextFunction,
    text: str,
    query: Query | None,
    *,
    method: str,
    explainer: Explainer[Any],
    given: Mapping[str, Any],
    steps: int,
    true_label: str | None,
    id: str | None,  # noqa: A002 - records call it so
    batch_size: int,
) -> TokenSaliency:
    """Explain one text by the scores of the texts without some of its words. Each such text is scored once.

    A method sees 1×L "ids", 1 for each word that stays and 0 for each word that is removed, and a baseline of zeros.

    Raises:
        UsageError: the text holds no word, `baseline` is not "removal", or the method can't answer the query.
    """
    if given.get("baseline", REMOVAL) != REMOVAL:
        raise UsageError(f"the words of a text function can only be removed; baseline must be {REMOVAL!r}")
    places = word_places(text) if isinstance(text, str) else []
    if not places:
        raise UsageError("there is no text to explain; give one with at least one word")
    words = [text[start:stop] for start, stop in places]
    empty = TokenSaliency(words, np.zeros(len(words)), Query(model.class_names[0]), text=text, offsets=places)
    masked = mask_inputs(model, [empty], batch_size=batch_size)

    def logits(kept: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(masked.logits(0, kept.detach().cpu().numpy() != 0, REMOVAL))

    ids = torch.ones(1, len(words), dtype=torch.long)
    answers = logits(ids)
    check_logits(answers, model.class_names)
    prediction = predict(answers[0], model.class_names, true_label)
    asked = query or Query(prediction.label)
    check_question(explainer, method, query)
    question = TextQuestion(
        score=lambda kept, _mask: score_of_query(logits(kept), asked, model.class_names),
        ids=ids,
        mask=torch.ones_like(ids),
        baseline=torch.zeros_like(ids),
        words=torch.arange(len(words))[None],
        count=len(words),
        embedding=nn.Identity(),
        steps=steps,
        seed=given.get("seed", 0),
        batch_size=batch_size,
        options={name: value for name, value in given.items() if name not in SETTINGS},
        classifier=model,
    )
    scores = explainer.explain(question)[0].detach().cpu().double().numpy()
    return TokenSaliency(
        words, scores, asked, text=text, offsets=places, prediction=prediction, id=id, method=method,
        signed=explainer.signed is not False,
    )  # fmt: skip
