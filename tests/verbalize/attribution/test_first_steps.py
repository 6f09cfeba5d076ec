"""What somebody meets who comes with a model of their own."""

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.models import TextFunction, as_model

NAMES = ("a", "b", "c")


def test_input_times_gradient_of_an_image_is_the_plain_formula():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval()
    image = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].requires_grad_()
    (gradient,) = torch.autograd.grad(network(batch)[0, 1], batch)
    found = attribute(network, image, Query("b"), method="input_x_gradient", class_names=NAMES)
    np.testing.assert_allclose(found.scores, (batch * gradient).sum(1)[0].detach(), atol=1e-6)
    grey = attribute(network, image, Query("b"), method="input_x_gradient", class_names=NAMES, baseline="grey")
    np.testing.assert_allclose(grey.scores, ((batch - 0.5) * gradient).sum(1)[0].detach(), atol=1e-6)


def test_a_text_model_without_its_tokenizer_is_told_what_it_needs():
    from transformers import BertConfig, BertForSequenceClassification

    model = BertForSequenceClassification(
        BertConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    ).eval()
    with pytest.raises(UsageError, match=r"SequenceClassifier\(model, tokenizer\)"):
        as_model(model)


def test_half_a_character_is_no_text():
    reader = TextFunction(lambda texts: [[float(len(text)), 1.0] for text in texts], ("long", "short"))
    with pytest.raises(UsageError, match="half a character"):
        attribute(reader, "a\ud800b", method="occlusion")
