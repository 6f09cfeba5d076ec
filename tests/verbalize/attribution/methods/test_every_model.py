"""Every method with every kind of model: a map of finite scores, or one sentence that says why not."""

import re

import models_to_explain as many
import numpy as np
import pytest
import torch

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution import METHODS, methods_for

OF_TEXTS = methods_for("tokens")
OF_IMAGES = tuple(name for name in METHODS if name in (*methods_for("pixels"), *methods_for("layer")))
HALF = (torch.float16, torch.bfloat16)
REFUSED = {
    "deep_lift": "no rule for some non-linear step|vanish in the precision",
    "lrp": "can't be traced|can't propagate",
    "salient_relevance": "can't be traced|can't propagate",
    "prompt_cam": "needs class prompts",
    **dict.fromkeys(("rollout", "class_attention", "attention_gradient", "token_cut"), "shows no attention|merged tokens"),
}
"""What a method may say to a model whose weights are known: that it is not made for such a network."""


def _explained(name, inputs, method, kind, options):
    """The scores of a map; None where the method is refused for a reason that it is known to have."""
    model = many.opened(name, kind)
    try:
        found = attribute(model, inputs, method=method, batch_size=4, **options)
    except UsageError as error:
        said = str(error)
        assert "\n" not in said
        assert not re.search(r"[.!?] [A-Z]", said), said
        if name in ("function", "black box"):
            assert "only the scores of this one are known" in said
        else:
            assert re.search(REFUSED[method], said), said
        return None
    return np.array([one.scores for one in (found if isinstance(found, list) else [found])])


@pytest.mark.parametrize("name", many.TEXTS)
@pytest.mark.parametrize("method", OF_TEXTS)
def test_texts(method, name):
    scores = _explained(name, many.TEXT, method, torch.float32, many.QUICK.get(method, {}))
    if scores is not None:
        assert scores.shape == (1, 5)
        assert scores.any()


@pytest.mark.parametrize("name", many.IMAGES)
@pytest.mark.parametrize("method", OF_IMAGES)
def test_images(method, name):
    images = many.picture(name)
    scores = _explained(name, images, method, torch.float32, many.SQUARES.get(method, many.QUICK.get(method, {})))
    if scores is not None:
        assert scores.shape == images.shape[:3]


@pytest.mark.parametrize("kind", [torch.float64, pytest.param(torch.float16, marks=pytest.mark.long), torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ["sequence", "zero-shot", "language model"])
@pytest.mark.parametrize("method", OF_TEXTS)
def test_texts_in_other_precisions(method, name, kind):
    _alike(name, many.TEXT, method, kind, many.QUICK.get(method, {}))


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, pytest.param(torch.bfloat16, marks=pytest.mark.long)], ids=str)
@pytest.mark.parametrize("name", ["cnn", "residual", "vit"])
@pytest.mark.parametrize("method", OF_IMAGES)
def test_images_in_other_precisions(method, name, kind):
    _alike(name, many.picture(name)[:1], method, kind, many.SQUARES.get(method, many.QUICK.get(method, {})))


def _alike(name, inputs, method, kind, options):
    exact, other = (_explained(name, inputs, method, one, options) for one in (torch.float32, kind))
    assert (exact is None) == (other is None)
    if exact is None:
        return
    assert other.dtype == np.float64
    if name == "vit" and kind == torch.bfloat16 and method in ("lime", "kernel_shap"):
        return  # what hiding a square changes in this random network is less than bfloat16 can tell apart
    if exact.any():  # the clusters and cuts of some methods follow small differences
        likeness = np.corrcoef(exact.ravel(), other.ravel())[0, 1]
        assert likeness > (0.8 if kind in HALF else 0.999), likeness
