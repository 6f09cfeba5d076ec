"""What a user has becomes a model that can be asked."""

import numpy as np
import pytest
import torch
from parameters.verbalize.attribution.cases_attribution import bert, tokenizer
from torch import nn

from saywhy_core.classifiers import CallableClassifier, TorchClassifier
from saywhy_core.errors import UsageError
from verbalize.models import BlackBoxImages, ImageModel, SequenceClassifier, TextFunction, as_model, text_logits


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
    black = as_model(CallableClassifier(lambda images: np.ones((len(images), 2)), "logits"))
    black.logits(torch.zeros(1, 3, 4, 4))
    assert black.class_names == ("0", "1")
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
    with pytest.raises(UsageError, match=r"the text classifier (returned scores of shape|answers with 3 scores)"):
        TextFunction(lambda texts: wrong, ("a", "b")).answers(["x"])


def _named(kind, names, network):
    if kind == "module":
        return as_model(network, names)
    if kind == "black box":
        return as_model(CallableClassifier(lambda images: np.ones((len(images), 3)), "logits", names))
    if kind == "texts":
        return TextFunction(lambda texts: np.ones((len(texts), 3)), names)
    return SequenceClassifier(bert(0), tokenizer(), names)


@pytest.mark.parametrize("kind", ["module", "black box", "texts", "sequence"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "b", "a"), r"the class 'a' was named before, in name 1"),
        (("a", " ", "c"), r"name 2: a class name must be a text that is not empty"),
        (("a",), r"has one class, 'a'|two class names or more"),
    ],
)
def test_each_class_needs_a_name_of_its_own(network, kind, names, message):
    with pytest.raises(UsageError, match=message):
        _named(kind, names, network)


def test_a_name_is_not_taken_for_a_list_of_letters(network):
    with pytest.raises(UsageError, match="must be a list of names, not the text 'abc'"):
        as_model(network, "abc")
    with pytest.raises(UsageError, match="must be a list of names, not the text 'abc'"):
        ImageModel(network, "abc")


def test_doubles_in_a_long_list_get_their_number(network):
    names = [f"c{index}" for index in range(1000)]
    names[517] = names[134]
    found = ImageModel(network, names).class_names
    assert (found[134], found[517]) == ("c134", "c134 (517)")
    assert len(set(found)) == 1000


class _Answering(nn.Module):
    def __init__(self, inner, answer):
        super().__init__()
        self.inner, self.answer = inner, answer

    def forward(self, images):
        return self.answer(self.inner(images))


@pytest.mark.parametrize(
    "answer",
    [
        lambda logits: {"logits": logits, "features": logits},
        lambda logits: (logits, logits + 1),
        lambda logits: [logits],
    ],
)
def test_logits_are_found_in_what_a_module_returns(network, answer):
    images = torch.rand(2, 3, 6, 7)
    torch.testing.assert_close(as_model(_Answering(network, answer).eval()).logits(images), network(images))


@pytest.mark.parametrize(
    "answer", [lambda logits: {"scores": logits}, lambda logits: (), lambda logits: "a", lambda logits: None]
)
def test_an_answer_without_logits_is_told(network, answer):
    with pytest.raises(UsageError, match="not a tensor of logits, an output with logits, or a tuple that begins with them"):
        as_model(_Answering(network, answer).eval()).logits(torch.rand(1, 3, 6, 7))
