"""What a user has becomes a model that can be asked."""

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.classifiers import CallableClassifier, TorchClassifier
from saywhy_core.errors import UsageError
from verbalize.models import BlackBoxImages, ImageModel, TextFunction, as_model, text_logits


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()


def test_a_module_and_a_black_box_answer_alike(network):
    images = torch.rand(2, 3, 6, 7)
    black = as_model(TorchClassifier(network, class_names=("a", "b", "c")))
    assert isinstance(black, BlackBoxImages)
    white = as_model(network, ("a", "b", "c"))
    torch.testing.assert_close(black.logits(images).float(), white.logits(images).float(), rtol=1e-4, atol=1e-5)
    assert black.class_names == white.class_names


def test_probabilities_keep_their_order_and_softmax(network):
    def answer(images):
        return np.tile([0.7, 0.3, 0.0], (len(images), 1))

    model = BlackBoxImages(CallableClassifier(answer, "probabilities", ("a", "b", "c")))
    found = model.logits(torch.rand(2, 3, 4, 4)).softmax(dim=1)
    np.testing.assert_allclose(found, [[0.7, 0.3, 0.0]] * 2, atol=1e-9)


def test_a_model_in_training_mode_is_refused(network):
    with pytest.raises(UsageError, match=r"call model\.eval\(\)"):
        as_model(network.train())


def test_names_are_given_once(network):
    named = ImageModel(network, ("a", "b", "c"))
    assert as_model(named) is named
    assert as_model(named, ("x", "y", "z")).class_names == ("x", "y", "z")
    with pytest.raises(UsageError, match="give class_names="):
        as_model(CallableClassifier(lambda images: np.ones((len(images), 2)), "logits"))
    with pytest.raises(UsageError, match="no model that can be asked"):
        as_model("minilm, please")


def test_texts_of_any_length_come_back_in_their_order():
    asked = []

    def lengths(texts):
        asked.append(len(texts))
        return [[float(len(text)), 0.0] for text in texts]

    texts = ["x" * (7 * index % 11) for index in range(10)]
    found = text_logits(TextFunction(lengths, ("a", "b")), texts, batch_size=4)
    assert found[:, 0].tolist() == [len(text) for text in texts]
    assert asked == [4, 4, 2]


@pytest.mark.parametrize("wrong", [[[1.0, 2.0, 3.0]], [[1.0, float("nan")]], [1.0, 2.0]])
def test_answers_of_a_wrong_form_are_told(wrong):
    with pytest.raises(UsageError, match="the text classifier returned scores of shape"):
        TextFunction(lambda texts: wrong, ("a", "b")).answers(["x"])
