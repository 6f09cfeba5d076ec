"""What a caller gives besides model and inputs: the question, the settings, and torch's state."""

import models_to_explain as many
import numpy as np
import pytest
import torch

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import METHODS, methods_for
from verbalize.attribution.method import RULES

OF_TEXTS = methods_for("tokens")
OF_IMAGES = tuple(name for name in METHODS if name in (*methods_for("pixels"), *methods_for("layer")) and name != "prompt_cam")
OF_TRANSFORMERS = ("rollout", "class_attention", "attention_gradient", "token_cut")
CHECKED = [
    (name, kind, setting)
    for name in METHODS
    for kind in ("tokens", "pixels", "layer")
    for setting in getattr(getattr(METHODS.get(name), kind), "uses", ())
    if setting in RULES
]


def _of_images(method):
    return "vit" if method in OF_TRANSFORMERS else "cnn"


@pytest.mark.parametrize("state", [torch.inference_mode, torch.no_grad])
@pytest.mark.parametrize("method", OF_IMAGES)
def test_images_are_explained_where_the_caller_has_gradients_off(method, state):
    model, options = many.opened(_of_images(method)), many.SQUARES.get(method, many.QUICK.get(method, {}))
    images = torch.from_numpy(many.picture("cnn")).permute(0, 3, 1, 2)
    outside = attribute(model, images, method=method, **options)
    with state():
        inside = attribute(model, images.clone(), method=method, **options)
        lazy = next(iter(attribute(model, iter([images.clone()]), method=method, **options)))
    for maps in (inside, lazy):
        for found, expected in zip(maps, outside, strict=True):
            np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("name", ["sequence", "language model"])
@pytest.mark.parametrize("method", [name for name in OF_TEXTS if name != "deep_lift"])
def test_texts_are_explained_where_the_caller_has_gradients_off(method, name):
    model, options = many.opened(name), many.QUICK.get(method, {})
    outside = attribute(model, many.TEXT, method=method, **options)
    with torch.inference_mode():
        inside = attribute(model, many.TEXT, method=method, **options)
    np.testing.assert_array_equal(inside.scores, outside.scores)


def test_weights_made_in_inference_mode_are_told():
    with torch.inference_mode():
        images, texts = many.IMAGES["cnn"](torch.float32), many.TEXTS["sequence"](torch.float32)
    for method in ("saliency", "grad_cam", "eigen_cam"):
        with pytest.raises(UsageError, match=r"weights of the model were made inside torch\.inference_mode\(\)"):
            attribute(images, many.picture("cnn"), method=method)
    with pytest.raises(UsageError, match=r"weights of the model were made inside torch\.inference_mode\(\)"):
        attribute(texts, many.TEXT)
    assert attribute(images, many.picture("cnn"), method="occlusion", patch=9)[0].scores.any()
    assert attribute(texts, many.TEXT, method="occlusion").scores.any()


@pytest.mark.parametrize(("name", "kind", "setting"), CHECKED)
@pytest.mark.parametrize("wrong", ["abc", True, float("nan"), [1], 1j])
def test_settings_of_a_wrong_type_are_told(name, kind, setting, wrong):
    if RULES[setting].kind is str and isinstance(wrong, str):
        return
    model, inputs = ("sequence", many.TEXT) if kind == "tokens" else (_of_images(name), many.picture("cnn")[0])
    with pytest.raises(UsageError, match=f"^{setting} must be "):
        attribute(many.opened(model), inputs, method=name, **{setting: wrong})


@pytest.mark.parametrize("many_at_once", [1, 2, 8])
def test_the_input_that_cannot_be_read_is_named(many_at_once):
    image = many.picture("cnn")[0]
    given = [image, image, image, None]
    model = many.opened("cnn")
    with pytest.raises(UsageError, match=r"^input 3: an image must be an array"):
        attribute(model, given, method="saliency", batch_size=many_at_once)
    with pytest.raises(UsageError, match=r"^input 3: an image must be an array"):
        list(attribute(model, iter(given), method="saliency", batch_size=many_at_once))
    with pytest.raises(UsageError, match="the model reads texts, and input 1 is of type int"):
        attribute(many.opened("sequence"), [many.TEXT, 3], batch_size=many_at_once)
    with pytest.raises(UsageError, match=r"^an array of an image .* this one is \(3, 15, 12\); .*transpose\(1, 2, 0\)"):
        attribute(model, image.transpose(2, 0, 1))


def test_a_model_of_one_class_is_refused():
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(1)).eval()
    with pytest.raises(UsageError, match="one score per input; a classifier needs two classes or more"):
        attribute(flat, many.picture("cnn")[0])
    with pytest.raises(UsageError, match=r"scores of shape \(1,\); a classifier returns one row of scores for each input"):
        attribute(torch.nn.Sequential(flat, torch.nn.Flatten(0)).eval(), many.picture("cnn")[0])


def test_numbers_of_numpy_are_numbers():
    model, image = many.opened("cnn"), many.picture("cnn")[0]
    plain = attribute(model, image, method="shapley", steps=2, patch=6, seed=3)
    other = attribute(model, image, method="shapley", steps=np.int64(2), patch=np.uint8(6), seed=np.int32(3))
    np.testing.assert_array_equal(plain.scores, other.scores)
    plain = attribute(model, image, method="rise", masks=8, keep=0.25)
    other = attribute(model, image, method="rise", masks=np.int64(8), keep=np.float32(0.25))
    np.testing.assert_array_equal(plain.scores, other.scores)


@pytest.mark.parametrize("wrong", [0, 1.5, "8", True, None])
def test_a_batch_size_of_a_wrong_type_is_told(wrong):
    with pytest.raises(UsageError, match="batch_size must be a whole number of 1 or more"):
        attribute(many.opened("cnn"), many.picture("cnn"), batch_size=wrong)


def test_a_label_alone_is_a_question():
    images = many.picture("cnn")
    model = many.opened("cnn")
    asked = attribute(model, images, Query("1"), method="saliency")
    for given in ("1", ["1", Query("1")]):
        found = attribute(model, images, given, method="saliency")
        assert [one.query for one in found] == [Query("1")] * 2
        np.testing.assert_array_equal(found[0].scores, asked[0].scores)
    lazy = attribute(model, iter(images), "1", method="saliency")
    assert [one.query for one in next(lazy)] == [Query("1")] * 2
    assert attribute(model, images[0], "1", method="grad_cam").query == Query("1")
    assert attribute(many.opened("sequence"), many.TEXT, "b").query == Query("b")
    with pytest.raises(UsageError, match="no class 'z'"):
        attribute(model, images[0], "z")


@pytest.mark.parametrize("wrong", [0, 3.5, ["a", 0]])
def test_what_is_no_question_is_told(wrong):
    with pytest.raises(UsageError, match="a query is a Query, or the name of the class that is asked about, not"):
        attribute(many.opened("sequence"), [many.TEXT] * 2, wrong)
    if not isinstance(wrong, list):
        with pytest.raises(UsageError, match="a query is a Query, or the name of the class that is asked about, not"):
            attribute(many.opened("sequence"), many.TEXT, wrong)
