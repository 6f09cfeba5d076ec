"""Explanations of pictures by shap and LIME: real objects of shap, and LIME's where it is installed."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from verbalize import SaliencyError, read_saliency

shap = pytest.importorskip("shap")
RNG = np.random.default_rng(0)
PICTURES = RNG.random((2, 5, 6, 3))
VALUES = RNG.normal(size=(2, 5, 6, 3, 2))


def explanation(**changes):
    return shap.Explanation(**{"values": VALUES, "data": PICTURES, "output_names": ["cat", "dog"]} | changes)


def test_shap_values_of_pictures_are_summed_over_the_channels():
    maps = read_saliency(explanation())
    assert [(found.id, found.query.label) for found in maps] == [("0.0", "cat"), ("0.1", "dog"), ("1.0", "cat"), ("1.1", "dog")]
    np.testing.assert_allclose(maps[3].scores, VALUES[1, :, :, :, 1].sum(-1))
    np.testing.assert_allclose(maps[3].image, PICTURES[1], atol=1e-6)
    assert all(found.signed for found in maps)
    assert [found.id for found in read_saliency(explanation(), label="dog")] == ["0.1", "1.1"]


def test_shap_values_of_one_output_and_of_one_picture():
    (a, b) = read_saliency(explanation(values=VALUES[..., 0], output_names=None), label="cat")
    np.testing.assert_allclose(b.scores, VALUES[1, :, :, :, 0].sum(-1))
    assert (a.id, b.id) == ("0", "1")
    (found,) = read_saliency(explanation()[1], label="dog")
    np.testing.assert_allclose(found.scores, VALUES[1, :, :, :, 1].sum(-1))


def test_shap_numbers_of_classes_are_named():
    maps = read_saliency(explanation(output_names=None), class_names=["cat", "dog"])
    assert [found.query.label for found in maps] == ["cat", "dog"] * 2
    ranked = explanation(output_names=np.array([["cat", "dog"], ["dog", "cat"]]))
    with pytest.raises(SaliencyError, match="ranked outputs"):
        read_saliency(ranked)


def test_a_picture_in_floats_up_to_255_is_shown_and_one_of_unknown_range_is_not():
    whole = np.round(PICTURES * 255)
    found = read_saliency(explanation(data=whole), label="cat")[0]
    np.testing.assert_allclose(found.image, whole[0] / 255, atol=1e-6)
    notes = []
    normalised = (PICTURES - 0.5) / 0.2
    found = read_saliency(explanation(data=normalised), label="cat", on_note=notes.append)[0]
    assert found.image is None
    assert len(notes) == 1
    assert "image=" in notes[0]
    assert read_saliency(explanation(data=normalised), label="cat", image=np.zeros((5, 6, 3)))[0].image is not None


def test_an_explanation_of_a_picture_has_signs():
    with pytest.raises(SaliencyError, match="leave out signed=False"):
        read_saliency(explanation(), label="cat", signed=False)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"values": VALUES[:, :4]}, "not that of the pictures"),
        ({"output_names": ["cat"]}, "2 outputs but 1 output names"),
        ({"values": np.full_like(VALUES, np.nan)}, "finite"),
    ],
)
def test_explanations_that_do_not_fit_are_one_sentence(changes, says):
    with pytest.raises(SaliencyError, match=says):
        read_saliency(explanation(**changes))


@pytest.mark.long
def test_what_shap_computes_for_a_linear_model_comes_out_exactly():
    """For a linear model the Shapley value of a superpixel is its weights times its difference from the background."""
    weights = RNG.normal(size=(4, 4, 3))

    def model(batch):
        return (batch * weights).sum((1, 2, 3))

    masker = shap.maskers.Image(np.zeros((4, 4, 3)), (4, 4, 3))
    picture = RNG.random((1, 4, 4, 3))
    found = shap.Explainer(model, masker)(picture, max_evals=4000)
    (saliency,) = read_saliency(found, label="x")
    np.testing.assert_allclose(saliency.scores, (weights * picture[0]).sum(-1), atol=1e-6)


SEGMENTS = np.array([[0, 0, 1], [0, 0, 2]])
WEIGHTS = {3: [(0, 0.8), (2, -0.5)], 1: [(1, 0.1)]}


def lime_explanation():
    """As LIME's `explain_instance` fills it; LIME itself is only used where it is installed."""
    try:
        from lime.lime_image import ImageExplanation as Explanation
    except ModuleNotFoundError:
        Explanation = type("ImageExplanation", (SimpleNamespace,), {"__module__": "lime.lime_image"})
        found = Explanation(image=None, segments=None)
    else:
        found = Explanation(None, None)
    found.image, found.segments, found.local_exp = np.full((2, 3, 3), 0.5), SEGMENTS, WEIGHTS
    return found


def test_the_weight_of_a_superpixel_is_the_sum_of_its_pixels():
    maps = read_saliency(lime_explanation(), class_names=["a", "b", "c", "d"])
    assert [found.query.label for found in maps] == ["d", "b"]
    np.testing.assert_allclose(maps[0].scores, [[0.2, 0.2, 0.0], [0.2, 0.2, -0.5]])
    assert maps[0].image.shape == (2, 3, 3)
    (found,) = read_saliency(lime_explanation(), class_names=["a", "b", "c", "d"], label="b")
    assert found.scores.sum() == pytest.approx(0.1)
    assert found.id == "1"


def test_an_explanation_of_no_label_is_an_error():
    found = lime_explanation()
    found.local_exp = {}
    with pytest.raises(SaliencyError, match="no label"):
        read_saliency(found)


def test_what_lime_computes_is_read():
    lime_image = pytest.importorskip("lime.lime_image", reason="lime is not installed")
    assert isinstance(sys.modules["lime"], ModuleType)
    picture = np.zeros((8, 8, 3))
    picture[:, 4:] = 1.0

    def model(batch):
        right = np.asarray(batch)[:, :, 4:].mean((1, 2, 3))
        return np.stack([1 - right, right], 1)

    def halves(_):
        return np.repeat([[0] * 4 + [1] * 4], 8, axis=0)

    found = lime_image.LimeImageExplainer(random_state=0).explain_instance(
        picture, model, hide_color=0, num_samples=50, segmentation_fn=halves
    )
    (saliency,) = read_saliency(found, class_names=["dark", "bright"], label="bright")
    assert saliency.scores[:, 4:].sum() > 10 * abs(saliency.scores[:, :4].sum())
