"""Which words decide: integrated gradients, input x gradient, occlusion and Shapley sampling (captum) over a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from captum.attr import FeatureAblation, LayerGradientXActivation, LayerIntegratedGradients, ShapleyValueSampling

from saywhy_core.errors import UsageError
from verbalize.alignment import merge_pieces
from verbalize.attribution._target import check_logits, method_named, predict, score_of_query, seeded
from verbalize.saliency import Query, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.alignment import Merged
    from verbalize.attribution.texts import TextClassifier

BASELINES = ("pad", "mask", "unk")
_BATCH = 32


@dataclass(frozen=True)
class _Question:
    """A tokenized text and the function that scores it for the query."""

    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # (ids, attention mask) -> N
    ids: torch.Tensor  # 1×L
    mask: torch.Tensor  # 1×L
    baseline: torch.Tensor  # 1×L: the words replaced, the special tokens kept
    words: torch.Tensor  # 1×L: the word each piece belongs to; special tokens share the last number
    embedding: torch.nn.Module
    steps: int
    seed: int


_Method: TypeAlias = "Callable[[_Question], torch.Tensor]"


def integrated_gradients(question: _Question) -> torch.Tensor:
    """Integrated gradients over the embeddings (Sundararajan et al. 2017, eq. 1); they add up to score less baseline."""
    method = LayerIntegratedGradients(question.score, question.embedding)
    scores: torch.Tensor = method.attribute(
        question.ids,
        baselines=question.baseline,
        additional_forward_args=(question.mask,),
        n_steps=question.steps,
        internal_batch_size=_BATCH,
    )
    return scores.sum(dim=-1)


def input_x_gradient(question: _Question) -> torch.Tensor:
    """Embedding times gradient, summed over the embedding's dimensions (Shrikumar et al. 2016)."""
    method = LayerGradientXActivation(question.score, question.embedding)
    scores: torch.Tensor = method.attribute(question.ids, additional_forward_args=(question.mask,))
    return scores.sum(dim=-1)


def occlusion(question: _Question) -> torch.Tensor:
    """The drop of the score when a word is replaced by the baseline (Li et al. 2016); its pieces go together."""
    method = FeatureAblation(question.score)
    scores: torch.Tensor = method.attribute(
        question.ids,
        baselines=question.baseline,
        additional_forward_args=(question.mask,),
        feature_mask=question.words,
        perturbations_per_eval=_BATCH,
    )
    return _shared(scores, question.words)


def shapley(question: _Question) -> torch.Tensor:
    """Shapley values of the words from `steps` random permutations (Castro et al. 2009); they add up likewise."""
    method = ShapleyValueSampling(question.score)
    with seeded(question.seed):
        scores: torch.Tensor = method.attribute(
            question.ids,
            baselines=question.baseline,
            additional_forward_args=(question.mask,),
            feature_mask=question.words,
            n_samples=question.steps,
            perturbations_per_eval=_BATCH,
        )
    return _shared(scores, question.words)


METHODS: dict[str, _Method] = {
    "integrated_gradients": integrated_gradients,
    "input_x_gradient": input_x_gradient,
    "occlusion": occlusion,
    "shapley": shapley,
}


def attribute_tokens(
    classifier: TextClassifier,
    text: str,
    query: Query | None = None,
    *,
    method: str = "integrated_gradients",
    baseline: str = "pad",
    steps: int = 32,
    seed: int = 0,
    true_label: str | None = None,
) -> TokenSaliency:
    """How much each word of `text` speaks for the query's label.

    Args:
        classifier: a `SequenceClassifier`, a `ZeroShotClassifier` or anything of their shape.
        text: the text; words keep their spelling and their place in it.
        query: the question; without one, why the predicted label.
        method: one of `METHODS`.
        baseline: what stands for an absent word: the tokenizer's "pad", "mask" or "unk" token. Special tokens stay.
        steps: points of the integral, or permutations of Shapley sampling.
        seed: of Shapley sampling; the other methods draw nothing.
        true_label: kept in the prediction.

    Raises:
        UsageError: an empty text, a text longer than the model reads, an unknown method, label or baseline.
    """
    explain = method_named(METHODS, method)
    if steps < 1:
        raise UsageError(f"steps must be 1 or more, not {steps}")
    pieces, ids, mask, offsets, added = _tokenize(classifier, text)
    with torch.no_grad():
        logits = classifier.logits(ids, mask)
    check_logits(logits, classifier.class_names)
    prediction = predict(logits[0], classifier.class_names, true_label)
    asked = query or Query(prediction.label)
    merged = merge_pieces(pieces, special_tokens=added)
    if not merged.words:
        raise UsageError("the text holds no word that the model's tokenizer knows")
    question = _Question(
        score=lambda ids, mask: score_of_query(classifier.logits(ids, mask), asked, classifier.class_names),
        ids=ids,
        mask=mask,
        baseline=_baseline(classifier.tokenizer, baseline, ids, merged),
        words=_word_of_piece(merged, len(pieces)),
        embedding=classifier.embedding,
        steps=steps,
        seed=seed,
    )
    scores = explain(question)[0].detach().cpu().double().numpy()
    spans = [_span(text, [offsets[index] for index in inside]) for _, inside in merged.words]
    return TokenSaliency(
        [text[start:stop] for start, stop in spans],
        [scores[list(inside)].sum() for _, inside in merged.words],
        asked,
        text=text,
        offsets=spans,
        prediction=prediction,
        special=[SpecialToken(pieces[index], float(scores[index]), before) for index, before in merged.special],
        method=method,
    )


def _tokenize(
    classifier: TextClassifier, text: str
) -> tuple[list[str], torch.Tensor, torch.Tensor, list[tuple[int, int]], tuple[str, ...]]:
    """Pieces, ids, attention mask, places in the text, and the special tokens that the tokenizer added."""
    if not isinstance(text, str) or not text.strip():
        raise UsageError("there is no text to explain; give one with at least one word")
    tokenizer: Any = classifier.tokenizer
    if not tokenizer.is_fast:
        raise UsageError(f"{type(tokenizer).__name__} can't say where its pieces stand; use the fast tokenizer")
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True, return_special_tokens_mask=True)
    device = next(classifier.embedding.parameters()).device
    ids, mask = encoded["input_ids"].to(device), encoded["attention_mask"].to(device)
    if ids.shape[1] > classifier.max_pieces:
        raise UsageError(f"the text has {ids.shape[1]} pieces, the model reads {classifier.max_pieces}; split it")
    offsets = [(int(start), int(stop)) for start, stop in encoded["offset_mapping"][0]]
    pieces = tokenizer.convert_ids_to_tokens(ids[0].tolist())
    flags = encoded["special_tokens_mask"][0].tolist()
    added = {piece for piece, flag in zip(pieces, flags, strict=True) if flag}
    return pieces, ids, mask, offsets, tuple(added)


def _span(text: str, places: list[tuple[int, int]]) -> tuple[int, int]:
    """From the first to the last piece of a word, without the space that some tokenizers count to it."""
    covering = [place for place in places if place[0] < place[1]] or places
    start, stop = covering[0][0], covering[-1][1]
    while start < stop - 1 and text[start].isspace():
        start += 1
    return start, stop


def _baseline(tokenizer: Any, name: str, ids: torch.Tensor, merged: Merged) -> torch.Tensor:
    if name not in BASELINES:
        raise UsageError(f"the baseline must be one of {', '.join(BASELINES)}, not {name!r}")
    absent = getattr(tokenizer, f"{name}_token_id")
    if absent is None:
        raise UsageError(f"this tokenizer has no {name} token; choose another baseline")
    baseline = ids.clone()
    baseline[0, [index for _, inside in merged.words for index in inside]] = absent
    return baseline


def _word_of_piece(merged: Merged, pieces: int) -> torch.Tensor:
    words = torch.full((1, pieces), len(merged.words))  # on the CPU: captum makes its masks from it
    for word, (_, inside) in enumerate(merged.words):
        words[0, list(inside)] = word
    return words


def _shared(scores: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Captum gives a word's value to each of its pieces; shared among them it adds up to the word's value again."""
    return scores / words[0].bincount()[words]
