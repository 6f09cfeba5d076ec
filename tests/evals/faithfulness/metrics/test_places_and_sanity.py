"""Localisation, class sensitivity and randomised weights."""

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import evaluate
from verbalize import PixelSaliency, Query, TokenSaliency, attribute
from verbalize.models import ImageModel, TextFunction

NAMES = ("a", "b", "c")


@pytest.fixture
def model():
    torch.manual_seed(1)
    return ImageModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval(), NAMES)


def pixel_map(scores, **fields):
    return PixelSaliency(
        np.asarray(scores, float), Query("a"), image=np.full((*np.shape(scores), 3), 0.5, np.float32), **fields
    )


def flat(shape=(8, 8)):
    return np.zeros(shape)


def measured(model, saliency, masks, metric, **settings):
    found = evaluate(model, [saliency], metrics=[metric], truth=[masks], **settings)
    return found[metric].values[0]


@pytest.mark.parametrize(("margin", "hit"), [(0, 0.0), (2, 0.0), (3, 1.0)])
def test_the_pointing_game_takes_any_mask_and_a_margin(model, margin, hit):
    scores, near, far = flat(), flat().astype(bool), flat().astype(bool)
    scores[4, 4] = 1
    near[4, 7], far[0, 0] = True, True
    assert measured(model, pixel_map(scores), np.stack([far, near]), "pointing_game", margin=margin) == hit
    here = flat().astype(bool)
    here[4, 4] = True
    assert measured(model, pixel_map(scores), np.stack([far, here]), "pointing_game") == 1.0


def test_a_tie_at_the_top_counts_by_its_share(model):
    scores, mask = flat(), flat().astype(bool)
    scores[0, :4] = 2
    mask[0, 0] = True
    assert measured(model, pixel_map(scores), mask, "pointing_game") == 0.25


def test_overlap_with_the_best_of_several_masks(model):
    scores, wide, small = flat(), flat().astype(bool), flat().astype(bool)
    scores[0, :6] = [6, 5, 4, 3, 2, 1]
    wide[0, 2:6] = True  # of its four pixels, the top four hold two: 2 / 6
    small[0, 0] = True  # the top pixel itself
    assert measured(model, pixel_map(scores), wide, "mask_iou") == pytest.approx(2 / 6)
    assert measured(model, pixel_map(scores), np.stack([wide, small]), "mask_iou") == 1.0


def test_an_empty_mask_is_not_defined(model):
    scores = np.arange(64.0).reshape(8, 8)
    for metric in ("pointing_game", "mask_iou"):
        found = evaluate(model, [pixel_map(scores)], metrics=[metric], truth=[flat().astype(bool)])
        assert found[metric].reasons == {0: "its masks are empty"}


def test_words_have_masks_too():
    reader = TextFunction(lambda texts: [[float("great" in text), 0.5] for text in texts], ("good", "bad"))
    saliency = TokenSaliency(["a", "great", "film"], [0.1, 2.0, 0.3], Query("good"), text="a great film")
    found = evaluate(reader, [saliency], metrics=["pointing_game", "mask_iou"], truth=[[False, True, True]])
    assert found["pointing_game"].values[0] == 1
    assert found["mask_iou"].values[0] == 1


def images(count=3):
    return list(np.random.default_rng(0).random((count, 8, 8, 3), dtype=np.float32))


def explained(model, method):
    def explain(inputs, queries):
        return attribute(model, list(inputs), list(queries), method=method)

    return explain


def test_class_sensitivity_is_the_rank_correlation_with_the_next_class(model):
    explain = explained(model, "input_x_gradient")
    maps = explain(images(), [Query("a")] * 3)
    found = evaluate(model, maps, metrics=["class_sensitivity"], explain=explain)
    from scipy.stats import spearmanr

    for row, saliency in enumerate(maps):
        scores = saliency.prediction.scores
        other = max((name for name in NAMES if name != "a"), key=scores.get)
        against = explain([saliency.image], [Query(other)])[0]
        expected = spearmanr(saliency.scores.reshape(-1), against.scores.reshape(-1)).statistic
        assert found["class_sensitivity"].values[row] == pytest.approx(expected)


def test_a_contrastive_map_is_held_against_its_mirror(model):
    explain = explained(model, "input_x_gradient")
    maps = explain(images(), [Query("a", ("b",))] * 3)
    found = evaluate(model, maps, metrics=["class_sensitivity"], explain=explain)
    np.testing.assert_allclose(found["class_sensitivity"].values, -1, atol=1e-9)


def test_a_map_that_looks_at_no_class_is_caught(model):
    def bright(inputs, queries):
        return [
            PixelSaliency(np.asarray(one).mean(axis=2), query, image=one) for one, query in zip(inputs, queries, strict=True)
        ]

    maps = bright(images(), [Query("a")] * 3)
    found = evaluate(model, maps, metrics=["class_sensitivity", "randomisation"], explain=bright)
    np.testing.assert_allclose(found["class_sensitivity"].values, 1)
    np.testing.assert_allclose(found["randomisation"].values, 1)


def test_random_weights_are_put_back(model):
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    explain = explained(model, "input_x_gradient")
    maps = explain(images(), [Query("a")] * 3)
    found = evaluate(model, maps, metrics=["randomisation"], explain=explain)
    assert (np.abs(found["randomisation"].values) < 0.9).all()
    assert all(torch.equal(before[name], value) for name, value in model.module.state_dict().items())

    def broken(inputs, queries):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        evaluate(model, maps, metrics=["randomisation"], explain=broken)
    assert all(torch.equal(before[name], value) for name, value in model.module.state_dict().items())
