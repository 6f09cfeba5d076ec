"""Attention of text classifiers, as scores of words."""

import numpy as np
import pytest
import torch
from parameters.verbalize.attribution.cases_attribution import PIECES, TEXT, sequence, tokenizer, zero_shot
from test_attention_maps import by_hand
from transformers import DistilBertConfig, DistilBertForSequenceClassification, GPT2Config, GPT2ForSequenceClassification

from verbalize import Query, attribute
from verbalize.attribution import SequenceClassifier

SMALL = {"vocab_size": len(PIECES), "num_labels": 3, "initializer_range": 0.5}


def gpt2():
    torch.manual_seed(0)
    return GPT2ForSequenceClassification(GPT2Config(**SMALL, n_embd=16, n_layer=2, n_head=2, n_positions=32, pad_token_id=0))


def distilbert():
    torch.manual_seed(0)
    config = DistilBertConfig(**SMALL, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=32)
    return DistilBertForSequenceClassification(config)


@pytest.mark.parametrize("name", ["rollout", "class_attention", "attention_gradient"])
@pytest.mark.parametrize(
    ("made", "readers"),
    [
        (sequence, [0]),
        (lambda: SequenceClassifier(distilbert(), tokenizer()), [0]),
        (lambda: SequenceClassifier(gpt2(), tokenizer()), [6]),  # a decoder reads its last token
        (zero_shot, range(7)),  # the mean of all tokens
    ],
    ids=["bert", "distilbert", "gpt2", "zero-shot"],
)
def test_words_get_the_attention_of_their_pieces(made, readers, name):
    classifier = made()
    classifier.model.requires_grad_(requires_grad=False)
    label = classifier.class_names[1]
    found = attribute(classifier, TEXT, Query(label) if name == "attention_gradient" else None, method=name)
    encoded = classifier.tokenizer(TEXT, return_tensors="pt")
    classifier.model.set_attn_implementation("eager")
    kept = {}
    handle = classifier.embedding.register_forward_hook(lambda _m, _g, output: output.requires_grad_())
    ask = classifier.model.register_forward_pre_hook(
        lambda _m, given, named: (given, {**named, "output_attentions": True}), with_kwargs=True
    )
    keep = classifier.model.register_forward_hook(lambda _m, _g, output: kept.update(attentions=output.attentions))
    logits = classifier.logits(encoded["input_ids"], encoded["attention_mask"])
    slopes = torch.autograd.grad(logits[0, 1], kept["attentions"])
    for one in (handle, ask, keep):
        one.remove()
    classifier.model.set_attn_implementation("sdpa")
    expected = by_hand(
        name, [one[0].detach().numpy() for one in kept["attentions"]], [one[0].numpy() for one in slopes], list(readers)
    )
    np.testing.assert_allclose(found.scores, expected[1:-1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose([one.score for one in found.special], expected[[0, -1]], rtol=1e-4, atol=1e-6)
    assert not found.signed
    assert classifier.model.config._attn_implementation == "sdpa"


def test_one_word_is_enough():
    assert len(attribute(sequence(), "film", method="rollout").scores) == 1
