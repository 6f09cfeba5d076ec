"""What a method says it will run through the model is what it does run through it."""

import models_to_explain as many
import numpy as np
import pytest
from torch import nn

from verbalize import attribute
from verbalize.attribution import METHODS, methods_for
from verbalize.attribution.records import InputRecord
from verbalize.attribution.records.keeping import passes_of
from verbalize.models import SequenceClassifier

IMAGE = np.random.default_rng(0).random((20, 14, 3), dtype=np.float32)


class Counting(nn.Module):
    class_names = many.NAMES

    def __init__(self):
        super().__init__()
        self.inner, self.count = many.cnn(), 0
        self.eval()

    def forward(self, images):
        self.count += len(images)
        return self.inner(images)


@pytest.mark.parametrize("method", tuple(METHODS))
def test_images(method):
    explainer = METHODS.get(method).pixels or METHODS.get(method).layer
    if explainer is None or explainer.passes is None:
        return
    for options in ({}, many.SQUARES.get(method, many.QUICK.get(method, {}))):
        expected = passes_of(explainer, options, InputRecord("a", IMAGE))
        model = Counting()
        attribute(model, IMAGE, method=method, **options)
        assert expected <= model.count <= expected + 4, (expected, model.count)  # the prediction, a baseline, the default layer


@pytest.mark.parametrize("method", methods_for("tokens"))
def test_texts(method):
    explainer = METHODS.get(method).tokens
    if explainer.passes is None:
        return
    rows = []
    model = many.bert()
    model.register_forward_hook(lambda _model, _given, output: rows.append(len(output.logits)))
    for options in ({}, many.QUICK.get(method, {})):
        rows.clear()
        attribute(SequenceClassifier(model, many.tokenizer()), many.TEXT, method=method, **options)
        expected = passes_of(explainer, options, InputRecord("a", many.TEXT))
        assert expected <= sum(rows) <= expected + 4, (expected, sum(rows))


def test_methods_whose_count_depends_on_the_model_say_nothing():
    assert passes_of(METHODS.get("score_cam").layer, {}, InputRecord("a", IMAGE)) is None
