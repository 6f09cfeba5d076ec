"""What the sentences about a map may say, for every method in `METHODS`: the question that it answers, and no sign that it lacks.

A new method is tested by being registered.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
import torch
from parameters.verbalize.attribution.cases_attribution import tokenizer
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, attribute, check, read_sentences
from verbalize.attribution import METHODS, methods_for
from verbalize.write.style import STYLES
from verbalize.write.voice import names_label

NAMES = ("stop", "yield", "turn")
QUERIES = {
    "pointwise": Query("stop"),
    "contrastive": Query("stop", versus=("yield",)),
    "group": Query("signs", members=("stop", "turn")),
    "contrastive group": Query("signs", members=("stop", "turn"), versus=("yield",)),
}
EXPLAINED = [*(("tokens", name) for name in methods_for("tokens")), *(("pixels", name) for name in methods_for("pixels"))]
EXPLAINED += [("layer", name) for name in methods_for("layer")]
QUICK = {"samples": 16, "steps": 4, "masks": 16}
"""Settings that make a method quick, where it has them: the sentences do not depend on how exact the map is."""


class Bag:
    """A text classifier that every method of texts can explain: it sums a curved function of the embeddings."""

    class_names, max_pieces = NAMES, 32

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.tokenizer, self.embedding = tokenizer(), nn.Embedding(11, 4)
        self.embedding.weight.data = torch.randn(11, 4, generator=generator)
        self.weights, self.curve = torch.randn(4, 3, generator=generator), nn.Tanh()

    def logits(self, input_ids, attention_mask):
        return (self.curve(self.embedding(input_ids)) * attention_mask[..., None]).sum(dim=1) @ self.weights


@cache
def network():
    torch.manual_seed(3)
    layers = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()]
    found = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)).eval()
    for parameter in found.parameters():
        parameter.data *= 2  # so that maps are far from flat
    return found


@cache
def transformer():
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = ViTConfig(image_size=16, patch_size=4, initializer_range=0.3, id2label=dict(enumerate(NAMES)), **sizes)
    config._attn_implementation = "eager"
    return ViTForImageClassification(config).eval()


@cache
def made(inputs, name, asked):
    """The map of a method for a question, or the reason why it gives none."""
    explainer = getattr(METHODS.get(name), inputs)
    settings = {setting: value for setting, value in QUICK.items() if setting in explainer.uses}
    query = QUERIES.get(asked)
    try:
        if inputs == "tokens":
            return attribute(Bag(), "the film is not bad", query, method=name, **settings)
        image = np.random.default_rng(1).random((16, 16, 3), dtype=np.float32)
        model = transformer() if explainer.needs == "attention" else network()
        return attribute(model, image, query, method=name, class_names=NAMES, **settings)
    except UsageError as error:
        return str(error)


def texts_of(saliency):
    for style in STYLES:
        for length in STYLES.get(style).lengths:
            yield style, TemplateVerbalizer(style=style, length=length).verbalize(saliency)


def served(inputs, name, asked):
    """The map, where the method answers such questions."""
    explainer = getattr(METHODS.get(name), inputs)
    if not explainer.questions:
        asked = None
    elif any(kind not in explainer.questions for kind in asked.split()):
        pytest.skip(f"{name} answers no {asked} question")
    found = made(inputs, name, asked)
    if isinstance(found, str):
        plain = made(inputs, name, None)
        assert isinstance(plain, str), f"{name} refuses a question that it says it answers: {found}"
        pytest.skip(f"the model of this test can't serve {name}: {found}")
    return found


@pytest.mark.parametrize("asked", QUERIES)
@pytest.mark.parametrize(("inputs", "name"), EXPLAINED)
def test_sentences_name_the_question_that_the_map_answers(inputs, name, asked):
    saliency = served(inputs, name, asked)
    contrastive = bool(saliency.query.versus)
    assert saliency.query == (QUERIES[asked] if getattr(METHODS.get(name), inputs).questions else Query(saliency.query.label))
    for style, said in texts_of(saliency):
        if contrastive:  # a map in which nothing stands out has one sentence, which names no label
            assert "rather than 'yield'" in said.text or "stands out" in said.text, (style, said.text)
            assert not re.search(r"(speaks|speak) (most )?(for|against) it\b", said.text), (style, said.text)
        else:
            assert "rather than" not in said.text, (style, said.text)
            assert "that choice" not in said.text, (style, said.text)
        assert "yield" not in said.text or contrastive or saliency.query.label == "yield"


@pytest.mark.parametrize("asked", QUERIES)
@pytest.mark.parametrize(("inputs", "name"), EXPLAINED)
def test_an_unsigned_method_speaks_neither_for_nor_against(inputs, name, asked):
    saliency = served(inputs, name, asked)
    if saliency.signed:
        pytest.skip(f"{name} has signs")
    assert saliency.scores.min() >= 0
    for style, said in texts_of(saliency):
        # "important for the prediction" in the templates of Feldhus et al. 2023 tells no direction
        words = re.sub(r"important for\b", "important", said.text)
        assert not re.search(r"\b(for|against|speaks?)\b", words), (style, said.text)


@pytest.mark.parametrize(("inputs", "name"), EXPLAINED)
def test_a_method_refuses_the_questions_that_it_does_not_answer(inputs, name):
    explainer = getattr(METHODS.get(name), inputs)
    plain = made(inputs, name, None)
    if isinstance(plain, str):
        pytest.skip(f"the model of this test can't serve {name}: {plain}")
    for asked in QUERIES:
        if all(kind in explainer.questions for kind in asked.split()):
            continue
        refusal = made(inputs, name, asked)
        assert isinstance(refusal, str), f"{name} answers a {asked} question"
        assert name in refusal


@pytest.mark.parametrize(("inputs", "name"), EXPLAINED)
def test_sentences_name_the_decision_only_where_the_method_looks_at_it(inputs, name):
    saliency = served(inputs, name, "pointwise")
    looks = bool(getattr(METHODS.get(name), inputs).questions)
    assert names_label(saliency) == looks
    for style, said in texts_of(saliency):
        if not looks:
            assert f"'{saliency.query.label}'" not in said.text, (style, said.text)
            assert check(said.claims, saliency)
            for sentence in read_sentences(said.text, saliency) if style != "smv" else ():
                assert not sentence.unread, sentence
                assert check(sentence.claims, saliency)
    if not looks:
        for query in (saliency.query, *QUERIES.values()):
            model = Bag() if inputs == "tokens" else transformer()
            given = "the film is not bad" if inputs == "tokens" else np.zeros((16, 16, 3), dtype=np.float32)
            with pytest.raises(UsageError, match=f"{name} looks at no class"):
                attribute(model, given, query, method=name, class_names=NAMES)


def test_all_methods_are_looked_at():
    assert {name for _, name in EXPLAINED} == set(METHODS)
