"""Metrics that repeat another one, and values that are the same whatever the model, are left out of the mean rank."""

import numpy as np
import pytest

from evals.faithfulness import METRICS, compare, rank, write_comparison
from saywhy import signs
from verbalize.models import ImageModel

CLASSIFIER = signs.load()
MODEL = ImageModel(CLASSIFIER.module(), CLASSIFIER.class_names)
IMAGES = list(signs.samples()[0][:3])
SQUARES = ["occlusion?patch=16", "input_x_gradient", "layer_grad_cam", "saliency"]


@pytest.fixture(scope="module")
def twins():
    return compare(MODEL, IMAGES, SQUARES, questions=["pointwise"], metrics=["deletion", "ccs", "ccs_contrast"])


@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_ccs_and_its_contrast_count_once(twins, scale):
    ranking = rank(twins, "pointwise", scale=scale)
    assert ranking.metrics == ("deletion", "ccs")
    assert "under ccs, every method has the same rank" in ranking.left_out["ccs_contrast"]
    assert any("Left out of the ranking: ccs_contrast (under ccs" in one for one in ranking.sentences())
    np.testing.assert_allclose(ranking.means, ranking.ranks.mean(axis=0))
    alone = rank(compare(MODEL, IMAGES, SQUARES, metrics=["deletion", "ccs_contrast"]), "pointwise", scale=scale)
    np.testing.assert_array_equal(alone.means, ranking.means)


@pytest.mark.long
def test_the_page_says_it(twins, tmp_path):
    page = write_comparison(twins, tmp_path)[-1].read_text()
    assert "Left out of the ranking: ccs_contrast (under ccs, every method has the same rank on every input)." in page


def test_metrics_of_other_families_count_however_alike_they_rank():
    found = compare(MODEL, IMAGES, ["saliency", "layer_grad_cam"], metrics=["deletion", "comprehensiveness"])
    assert rank(found, "pointwise").metrics == ("deletion", "comprehensiveness")
    assert {name for name in METRICS if METRICS.get(name).family} == {
        f"{one}{end}" for one in ("ccs", "cgc", "pgs", "cgs") for end in ("", "_contrast")
    }


def test_magnitudes_of_a_difference_have_no_class_sensitivity_that_ranks():
    methods = ["saliency", "input_x_gradient", "layer_grad_cam"]
    found = compare(MODEL, IMAGES, methods, questions=["contrastive", "pointwise"], metrics=["deletion", "class_sensitivity"])
    by_name = {
        run.method: run.evaluation["class_sensitivity"].values for run in found.of("contrastive") if run.method != "random"
    }
    np.testing.assert_allclose(by_name["saliency"], 1)  # by construction, and still in the tables
    np.testing.assert_allclose(by_name["input_x_gradient"], -1)
    ranking = rank(found, "contrastive")
    assert ranking.metrics == ("deletion",)
    assert "of saliency, magnitudes of a difference are the same" in ranking.left_out["class_sensitivity"]
    assert "class_sensitivity" in rank(found, "pointwise").metrics
    signed = compare(MODEL, IMAGES, methods[1:], questions=["contrastive"], metrics=["deletion", "class_sensitivity"])
    assert "class_sensitivity" in rank(signed, "contrastive").metrics
