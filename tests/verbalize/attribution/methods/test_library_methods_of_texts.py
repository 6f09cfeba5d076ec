"""Methods of captum for texts, against gradients and exact Shapley values worked out here."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch
from parameters.verbalize.attribution.cases_attribution import sequence

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import score_of_query

WORDS = ["the", "film", "is", "not", "bad"]
TEXT = " ".join(WORDS)
IDS, MASK = torch.tensor([[2, 5, 6, 7, 10, 9, 3]]), torch.ones(1, 7, dtype=torch.long)
QUERY = Query("a", versus=("b",))


@pytest.fixture(scope="module")
def classifier():
    return sequence()


def _score(classifier, ids):
    with torch.no_grad():
        return score_of_query(classifier.logits(ids, MASK.expand(len(ids), -1)), QUERY, classifier.class_names)


def test_saliency_is_the_norm_of_the_gradient_of_the_embedding(classifier):
    found = attribute(classifier, TEXT, QUERY, method="saliency")
    kept = []
    handle = classifier.embedding.register_forward_hook(lambda _layer, _ids, output: kept.append(output) or None)
    score = score_of_query(classifier.logits(IDS, MASK), QUERY, classifier.class_names)
    handle.remove()
    (gradient,) = torch.autograd.grad(score.sum(), kept[0])
    np.testing.assert_allclose(found.scores, gradient[0, 1:-1].norm(dim=-1).numpy(), atol=1e-6)
    assert not found.signed


def test_kernel_shap_comes_to_the_exact_shapley_values(classifier):
    values = {}
    for size in range(6):
        for there in combinations(range(5), size):
            ids = IDS.clone()
            ids[0, [1 + word for word in range(5) if word not in there]] = 0
            values[there] = float(_score(classifier, ids)[0])
    exact = np.zeros(5)
    for word in range(5):
        for there in values:
            if word not in there:
                share = factorial(len(there)) * factorial(4 - len(there)) / factorial(5)
                exact[word] += share * (values[tuple(sorted((*there, word)))] - values[there])
    found = attribute(classifier, TEXT, QUERY, method="kernel_shap", samples=3000)
    np.testing.assert_allclose(found.scores, exact, atol=0.03)
    assert found.scores.sum() == pytest.approx(exact.sum(), abs=1e-4)


def test_gradient_shap_comes_near_integrated_gradients(classifier):
    found, exact = (
        attribute(classifier, TEXT, QUERY, method=method, **options).scores
        for method, options in (
            ("gradient_shap", {"samples": 3000, "batch_size": 100}),
            ("integrated_gradients", {"steps": 200}),
        )
    )
    np.testing.assert_allclose(found, exact, atol=0.02)


def test_deep_lift_refuses_attention_in_a_sentence(classifier):
    with pytest.raises(UsageError, match="no rule for some non-linear step of this model, such as GELU or attention"):
        attribute(classifier, TEXT, QUERY, method="deep_lift")


@pytest.mark.parametrize("method", ["saliency", "gradient_shap", "kernel_shap", "lime", "occlusion", "shapley"])
def test_one_word_frozen_weights_and_small_batches(classifier, method):
    whole = attribute(classifier, TEXT, QUERY, method=method).scores
    small = attribute(classifier, TEXT, QUERY, method=method, batch_size=3).scores
    if method != "gradient_shap":  # its draws are made call by call
        np.testing.assert_allclose(small, whole, atol=1e-5)
    frozen = sequence(1)
    frozen.embedding.weight.requires_grad_(False)
    found = attribute(frozen, "bad", QUERY, method=method)
    frozen.embedding.weight.requires_grad_(True)
    assert len(found.scores) == 1
    assert np.isfinite(found.scores).all()
