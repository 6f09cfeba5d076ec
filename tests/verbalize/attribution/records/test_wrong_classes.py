"""A wrong number of class names is one error before any input is explained, not one for each input."""

import models_to_explain as many
import numpy as np
import pytest

from saywhy_core.classifiers import CallableClassifier
from saywhy_core.classifiers.classifier import WidthError
from verbalize import attribute
from verbalize.attribution.records import InputRecord, explain_records
from verbalize.models import BlackBoxImages, ImageModel, SequenceClassifier, TextFunction

PIXELS = np.random.default_rng(0).random((12, 12, 3), dtype=np.float32)
WRONG = {
    "module": lambda: ImageModel(many.cnn(), ("a", "b")),
    "black box": lambda: BlackBoxImages(CallableClassifier(lambda images: images.mean(axis=(1, 2)), "logits"), ("a", "b")),
    "named black box": lambda: BlackBoxImages(
        CallableClassifier(lambda images: images.mean(axis=(1, 2)), "logits", ("a", "b"))
    ),
    "function": lambda: TextFunction(many.counted, ("a", "b", "c")),
}


@pytest.mark.parametrize("kind", WRONG)
def test_records(kind):
    content = many.TEXT if kind == "function" else PIXELS
    problems, model = [], WRONG[kind]()
    with pytest.raises(WidthError, match=r"scores? per i"):
        list(explain_records(
            model, [InputRecord(str(one), content) for one in range(3)], method="occlusion", on_problem=problems.append
        ))  # fmt: skip
    assert not problems
    with pytest.raises(WidthError):
        attribute(model, content, method="occlusion")


def test_a_text_classifier_knows_it_when_it_is_made():
    with pytest.raises(WidthError, match="answers with 3 scores per input, and 2 class names are given"):
        SequenceClassifier(many.bert(), many.tokenizer(), ("a", "b"))
