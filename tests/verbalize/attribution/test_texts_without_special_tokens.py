"""Texts whose tokenizer adds nothing: the last word is a word like the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parameters.verbalize.attribution.cases_attribution import PIECES

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.models import SequenceClassifier, TextFunction

METHODS = {
    "kernel_shap": {},
    "lime": {"samples": 4000},
    "shapley": {"steps": 20},
    "occlusion": {},
}


def _sum_of_words(texts):
    return [[sum((1.0 + place) * (f"w{place}" in text.split()) for place in range(4)), 0.0] for text in texts]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("method", METHODS)
def test_each_word_of_a_sum_has_its_own_summand(method, count):
    model = TextFunction(_sum_of_words, ("sum", "nothing"))
    text = " ".join(f"w{place}" for place in range(count))
    found = attribute(model, text, Query("sum"), method=method, **METHODS[method])
    # LIME's ridge penalty shrinks the coefficients a little
    np.testing.assert_allclose(found.scores, [1.0 + place for place in range(count)], rtol=0.1 if method == "lime" else 1e-3)


@pytest.fixture(scope="module")
def decoder():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2ForSequenceClassification, PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32)
    torch.manual_seed(0)
    sizes = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 32}
    config = GPT2Config(
        vocab_size=len(PIECES), num_labels=2, pad_token_id=0, bos_token_id=1, eos_token_id=1, initializer_range=1.0, **sizes
    )
    return SequenceClassifier(GPT2ForSequenceClassification(config), tokenizer, ("good", "bad"))


@pytest.mark.long
def test_kernel_shap_of_a_decoder_is_that_of_random_orders(decoder):
    ask = {"model": decoder, "inputs": "the film is bad", "query": Query("good"), "baseline": "unk"}
    sampled = attribute(**ask, method="shapley", steps=200)
    found = attribute(**ask, method="kernel_shap", samples=2000)
    np.testing.assert_allclose(found.scores, sampled.scores, atol=0.15 * np.abs(sampled.scores).max())
    assert found.scores.sum() == pytest.approx(sampled.scores.sum(), abs=1e-3)


@pytest.mark.parametrize("method", [*METHODS, "integrated_gradients", "saliency", "gradient_shap", "input_x_gradient"])
def test_one_word_of_a_decoder(decoder, method):
    options = {} if method in ("saliency", "input_x_gradient") else {"baseline": "unk"}
    found = attribute(decoder, "film", Query("good"), method=method, **options)
    assert np.isfinite(found.scores).all()
    assert found.scores[0] != 0


@pytest.mark.parametrize("wrong", [["a", "b"], [[None, "x"]], [[[1.0], [2.0, 3.0]]]])
def test_a_function_that_returns_no_numbers_is_told(wrong):
    with pytest.raises(UsageError, match="must return one row of 2 numbers for each text"):
        attribute(TextFunction(lambda texts: wrong, ("a", "b")), "w0", Query("a"), method="occlusion")
