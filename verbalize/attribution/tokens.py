"""Attribution for texts: a score for each word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.method import SETTINGS, STEPS, check_needs, check_question, check_settings, explainer_for
from verbalize.attribution.target import (
    BATCH,
    as_query,
    check_logits,
    check_weights,
    predict,
    score_of_query,
    with_gradients,
)
from verbalize.attribution.text_functions import explain_function
from verbalize.attribution.text_question import TextQuestion
from verbalize.models.language_models import LanguageModelClassifier
from verbalize.models.text_classifiers import SequenceClassifier as SequenceClassifier  # the face shows them here, too
from verbalize.models.text_classifiers import ZeroShotClassifier as ZeroShotClassifier
from verbalize.models.text_classifiers import load_minilm as load_minilm
from verbalize.models.text_functions import TextFunction
from verbalize.pieces import guess_scheme, merge_pieces
from verbalize.query import check_texts
from verbalize.saliency import Query, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.models.text_classifiers import TextClassifier
    from verbalize.pieces import Merged

BASELINES = ("pad", "mask", "unk")  # the first is the default
_ASIDE = "[not of the text]"  # stands for pieces that the tokenizer added, which may be spelled like pieces of the text


def attribute_tokens(
    classifier: TextClassifier,
    text: str,
    query: Query | None = None,
    *,
    method: str = "integrated_gradients",
    baseline: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    true_label: str | None = None,
) -> TokenSaliency:
    """Compute how much each word of a text speaks for the query's label.

    Args:
        classifier: a `SequenceClassifier`, a `ZeroShotClassifier`, a `LanguageModelClassifier`, or another object with the
            members of `TextClassifier`.
        text: the text. The words of the map keep its spelling and have their places in it.
        query: the question; if it is not given, why the model predicts its label.
        method: a name in `METHODS`; `methods_for("tokens")` lists those that explain texts.
        baseline: the token in place of an absent word: "pad" (the default), "mask" or "unk". Special tokens are never replaced.
        steps: the number of points of integrated gradients, or of permutations of Shapley sampling; 32 by default.
        seed: the seed of Shapley sampling; 0 by default.
        true_label: the correct label, which is stored in the prediction.

    Raises:
        UsageError: the text is empty or longer than the model can read, the method, a label or the baseline is unknown, or a
            setting has no effect on the method.
    """
    settings = {"baseline": baseline, "steps": steps, "seed": seed}
    return explain_text(classifier, text, query, method=method, settings=settings, true_label=true_label)


@with_gradients
def explain_text(
    classifier: TextClassifier | TextFunction,
    text: str,
    query: Query | None,
    *,
    method: str,
    settings: Mapping[str, Any],
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - records call it so
    batch_size: int = BATCH,
) -> TokenSaliency:
    """Explain one text; `settings` are those of the method by name, None where one is not given. See `attribute_tokens`."""
    explainer = explainer_for("tokens", method)
    given = check_settings(explainer, method, settings)
    steps, baseline = given.get("steps", STEPS), given.get("baseline", BASELINES[0])
    if baseline not in BASELINES and not isinstance(classifier, TextFunction):
        raise UsageError(f"the baseline must be one of {', '.join(BASELINES)}, not {baseline!r}")
    query = as_query(query)
    if isinstance(classifier, TextFunction):
        check_needs(explainer, method, "tokens", black_box=True)
        return explain_function(
            classifier, text, query, method=method, explainer=explainer, given=given, steps=steps, true_label=true_label, id=id,
            batch_size=batch_size,
        )  # fmt: skip
    written: Query | None = query
    if isinstance(classifier, LanguageModelClassifier) and not classifier.continuations:
        written = query or Query(classifier.write(text))
        classifier = classifier.asked(written)
    if explainer.needs != "scores":
        check_weights(classifier.embedding)
    pieces, ids, mask, offsets, added = _tokenize(classifier, text)
    with torch.no_grad():
        logits = classifier.logits(ids, mask)
    check_logits(logits, classifier.class_names)
    prediction = predict(logits[0], classifier.class_names, true_label)
    asked = written or Query(prediction.label)
    check_question(explainer, method, query)
    merged = merge_pieces(
        [_ASIDE if aside else piece for piece, aside in zip(pieces, added, strict=True)],
        scheme=guess_scheme(pieces), special_tokens=(_ASIDE,),
    )  # fmt: skip
    if not merged.words:
        raise UsageError("the text holds no word that the model's tokenizer knows")
    question = TextQuestion(
        score=lambda ids, mask: score_of_query(classifier.logits(ids, mask), asked, classifier.class_names),
        ids=ids,
        mask=mask,
        baseline=_baseline(classifier.tokenizer, baseline, ids, merged),
        words=_word_of_piece(merged, len(pieces)),
        count=len(merged.words),
        embedding=classifier.embedding,
        steps=steps,
        seed=given.get("seed", 0),
        batch_size=batch_size,
        options={name: value for name, value in given.items() if name not in SETTINGS},
        classifier=classifier,
        score_logits=lambda logits: score_of_query(logits, asked, classifier.class_names),
    )
    scores = explainer.explain(question)[0].detach().cpu().double().numpy()
    spans = [_span(text, [offsets[index] for index in inside]) for _, inside in merged.words]
    return TokenSaliency(
        [text[start:stop] for start, stop in spans],
        [scores[list(inside)].sum() for _, inside in merged.words],
        asked,
        text=text,
        offsets=spans,
        prediction=prediction,
        special=[
            *(SpecialToken(pieces[index], float(scores[index]), before) for index, before in merged.special),
            *(SpecialToken(line_end, 0.0, before) for line_end, before in merged.breaks),
        ],
        id=id,
        method=method,
        signed=explainer.signed is not False,
    )


def _tokenize(
    classifier: TextClassifier, text: str
) -> tuple[list[str], torch.Tensor, torch.Tensor, list[tuple[int, int]], list[bool]]:
    """The pieces, their ids, attention mask and places in the text, and whether the tokenizer added them to the text."""
    if not isinstance(text, str) or not text.strip():
        raise UsageError("there is no text to explain; give one with at least one word")
    check_texts(text=text)  # half a character ends in an error of the tokenizer otherwise
    tokenizer: Any = classifier.tokenizer
    if not tokenizer.is_fast:
        raise UsageError(f"{type(tokenizer).__name__} does not give the positions of its pieces; use the fast tokenizer")
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True, return_special_tokens_mask=True)
    device = next(classifier.embedding.parameters()).device
    ids, mask = encoded["input_ids"].to(device), encoded["attention_mask"].to(device)
    if ids.shape[1] > classifier.max_pieces:
        raise UsageError(f"the text has {ids.shape[1]} pieces, the model reads {classifier.max_pieces}; split it")
    offsets = [(int(start), int(stop)) for start, stop in encoded["offset_mapping"][0]]
    pieces = tokenizer.convert_ids_to_tokens(ids[0].tolist())
    added = [bool(flag) for flag in encoded["special_tokens_mask"][0].tolist()]
    return pieces, ids, mask, offsets, added


def _span(text: str, places: list[tuple[int, int]]) -> tuple[int, int]:
    """The (start, stop) of a word from its first to its last piece, without the space that some tokenizers include."""
    covering = [place for place in places if place[0] < place[1]] or places
    start, stop = covering[0][0], covering[-1][1]
    while start < stop - 1 and text[start].isspace():
        start += 1
    return start, stop


def _baseline(tokenizer: Any, name: str, ids: torch.Tensor, merged: Merged) -> torch.Tensor:
    absent = getattr(tokenizer, f"{name}_token_id")
    if absent is None:
        raise UsageError(f"this tokenizer has no {name} token; choose another baseline")
    baseline = ids.clone()
    baseline[0, [index for _, inside in merged.words for index in inside]] = absent
    return baseline


def _word_of_piece(merged: Merged, pieces: int) -> torch.Tensor:
    words = torch.full((1, pieces), len(merged.words))  # on the CPU, where captum makes its masks
    for word, (_, inside) in enumerate(merged.words):
        words[0, list(inside)] = word
    return words
