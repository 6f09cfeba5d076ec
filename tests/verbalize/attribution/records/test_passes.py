"""What a method says it will run through the model is what it does run through it."""

import models_to_explain as many
import numpy as np
import pytest
import torch
from torch import nn

from verbalize import attribute
from verbalize.attribution import METHODS, Explainer, methods_for, train_prompts
from verbalize.attribution.records import InputRecord
from verbalize.attribution.records.costs import channels_of, cost_of
from verbalize.models import ImageModel, SequenceClassifier

PIXELS = np.random.default_rng(0)
IMAGE = PIXELS.random((20, 14, 3), dtype=np.float32)
SMALL = PIXELS.random((12, 12, 3), dtype=np.float32)  # for the vision transformer
TRANSFORMERS = ("rollout", "class_attention", "attention_gradient", "token_cut", "prompt_cam")


@pytest.fixture
def counts(monkeypatch):
    """[inputs forwards, inputs backwards] through any linear layer of three outputs, copies of networks included."""
    found, before = [0, 0], nn.Linear.forward

    def forward(layer, given):
        output = before(layer, given)
        if output.shape[-1] == 3:
            rows = len(output)
            found[0] += rows
            if output.requires_grad:
                output.register_hook(lambda _: found.__setitem__(1, found[1] + rows))
        return output

    monkeypatch.setattr(nn.Linear, "forward", forward)
    return found


def _network(method):
    if method == "prompt_cam":
        return train_prompts(many.vit(), SMALL[None].repeat(3, 0), [0, 1, 2], class_names=many.NAMES, passes=1)
    return ImageModel(many.vit() if method in TRANSFORMERS else many.cnn(), many.NAMES)


@pytest.mark.parametrize("method", tuple(METHODS))
def test_images(method, counts):
    found = METHODS.get(method)
    explainer, image = found.pixels or found.layer, SMALL if method in TRANSFORMERS else IMAGE
    if explainer is None:
        return
    for options in ({}, many.SQUARES.get(method, many.QUICK.get(method, {}))):
        model, record = _network(method), InputRecord("a", image)
        expected = cost_of(explainer, options, record, channels_of(explainer, model, options, record))
        counts[:] = [0, 0]
        attribute(model, image, method=method, **options)
        assert not expected.least
        assert expected.forwards <= counts[0] <= expected.forwards + 4, (expected, counts)  # prediction, baseline, layer
        assert expected.backwards <= counts[1] <= expected.backwards + 1, (expected, counts)


@pytest.mark.parametrize("method", methods_for("tokens"))
def test_texts(method, counts):
    explainer = METHODS.get(method).tokens
    for options in ({}, many.QUICK.get(method, {})):
        expected = cost_of(explainer, options, InputRecord("a", many.TEXT))
        assert not expected.least
        if method == "deep_lift":  # has no rule for this model
            continue
        counts[:] = [0, 0]
        attribute(SequenceClassifier(many.bert(), many.tokenizer()), many.TEXT, method=method, **options)
        assert expected.forwards <= counts[0] <= expected.forwards + 4, (expected, counts)
        assert expected.backwards <= counts[1] <= expected.backwards + 1, (expected, counts)


def test_a_method_that_says_nothing_costs_one_pass_at_least():
    for needs, back in (("scores", 0), ("gradients", 1), ("layers", 1)):
        cost = cost_of(Explainer(torch.sum, needs=needs), {}, InputRecord("a", "two words"))
        assert (cost.forwards, cost.backwards, cost.least) == (1, back, True)


def test_channels_are_those_of_the_layer_and_none_where_the_model_cannot_be_run():
    score_cam, model = METHODS.get("score_cam").layer, ImageModel(many.cnn(), many.NAMES)
    assert channels_of(score_cam, model, {}, InputRecord("a", IMAGE)) == 6
    assert channels_of(score_cam, model, {"layer": "0"}, InputRecord("a", IMAGE)) == 8
    assert channels_of(score_cam, model, {"layer": "none"}, InputRecord("a", IMAGE)) == 0
    assert channels_of(score_cam, model, {}, InputRecord("a", IMAGE[:, :, :1])) == 0
    assert channels_of(METHODS.get("grad_cam").layer, model, {}, InputRecord("a", IMAGE)) == 0
