"""Concepts of constructed networks, in which they are known, and of the sign network."""

import numpy as np
import pytest
import torch
from torch import nn

from saywhy import signs
from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, check
from verbalize.concepts import concepts_page, concepts_png, extract_concepts, strategies_png, strategy_graph
from verbalize.concepts.placing import placed
from verbalize.draw import pixel_heatmap_png

NAMES = ("fire", "water", "meadow")


class Colours(nn.Module):
    """Its layer `seen` has one channel for red, one for green and one for blue; fire is red, water blue and a little green."""

    def __init__(self):
        super().__init__()
        self.see, self.seen = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)
        self.last = nn.Linear(3, 3)
        with torch.no_grad():
            self.see.weight.copy_(torch.eye(3)[:, :, None, None])
            self.see.bias.fill_(-0.5)  # a colour counts above one half
            self.last.weight.copy_(torch.tensor([[4.0, 0.0, 0.0], [0.0, 1.0, 4.0], [0.0, 4.0, 0.0]]))
            self.last.bias.zero_()

    def forward(self, images):
        return self.last(self.seen(self.see(images)).mean(dim=(2, 3)))


def pictures(count=12, size=(20, 24)):
    """In each picture, a red patch at the upper left, a green one at the upper right, a blue one at the bottom: some of them."""
    random = np.random.default_rng(0)
    images = np.full((count, *size, 3), 0.2, dtype=np.float32)
    for index, image in enumerate(images):
        here = [bool((index % 7 + 1) >> bit & 1) for bit in range(3)]
        for colour, place in enumerate((np.s_[1:8, 1:9], np.s_[1:8, 14:22], np.s_[12:19, 5:18])):
            if here[colour]:
                image[(*place, colour)] = random.uniform(0.8, 1.0)
    return images


@pytest.fixture(scope="module")
def concepts():
    model = Colours().eval().requires_grad_(requires_grad=False)
    found = extract_concepts(model, pictures(), layer="seen", count=3, patch=6, class_names=NAMES, batch_size=7)
    colours = found.bank.directions.argmax(axis=1)
    assert sorted(colours.tolist()) == [0, 1, 2]  # the planted concepts are the channels
    return found.named([("red", "green", "blue")[colour] for colour in colours])


def column(concepts, name):
    return concepts.names.index(name)


def test_planted_concepts_are_recovered(concepts):
    assert concepts.error < 1e-3
    assert np.allclose(np.sort(concepts.bank.directions, axis=1)[:, -1], 1.0, atol=1e-3)
    best = concepts.top_crops(column(concepts, "red"), 3)
    for image, top, left, bottom, right in concepts.crops[best].tolist():
        cut = pictures()[image, top:bottom, left:right]
        assert (cut[..., 0] > 0.5).mean() > 0.6


def test_maps_show_where_a_concept_is(concepts):
    image = pictures()[6:7]  # holds all three patches
    where = concepts.maps(image)[0, column(concepts, "blue")]
    assert where.shape == (20, 24)
    assert where[12:19, 5:18].min() > 0.2
    assert np.abs(where[:11]).max() < 1e-3


@pytest.mark.parametrize("estimator", ["occlusion", "gradient_input", "integrated_gradients"])
def test_signed_estimators_agree_on_a_linear_head(concepts, estimator):
    images = pictures()
    found = concepts.importance(images, Query("water"), estimator=estimator)
    seen = np.maximum(images - 0.5, 0).mean(axis=(1, 2))  # N×3
    assert found[:, column(concepts, "green")] == pytest.approx(seen[:, 1] * 1.0, abs=2e-3)
    assert found[:, column(concepts, "blue")] == pytest.approx(seen[:, 2] * 4.0, abs=2e-3)
    assert found[:, column(concepts, "red")] == pytest.approx(0.0, abs=2e-3)


def test_sobol_indices_of_a_linear_head(concepts):
    images = pictures()[6:7]
    found = concepts.importance(images, Query("water"), samples=512)[0]
    seen = np.maximum(images - 0.5, 0).mean(axis=(1, 2))[0]
    weights = np.array([0.0, seen[1] * 1.0, seen[2] * 4.0]) ** 2
    expected = weights / weights.sum()
    assert [found[column(concepts, name)] for name in ("red", "green", "blue")] == pytest.approx(expected, abs=0.02)


def test_contrastive_and_group_queries(concepts):
    images = pictures()[6:7]
    seen = np.maximum(images - 0.5, 0).mean(axis=(1, 2))[0]
    contrast = concepts.importance(images, Query("fire", ("water",)), estimator="occlusion")[0]
    assert contrast[column(concepts, "red")] == pytest.approx(4 * seen[0], abs=2e-3)
    assert contrast[column(concepts, "blue")] == pytest.approx(-4 * seen[2], abs=2e-3)
    group = concepts.importance(images, Query("wet", (), ("water", "meadow")), estimator="occlusion")[0]
    logits = np.array([seen[1] + 4 * seen[2], 4 * seen[1]])
    without = np.array([4 * seen[2], 0.0])
    assert group[column(concepts, "green")] == pytest.approx(
        np.logaddexp.reduce(logits) - np.logaddexp.reduce(without), abs=2e-3
    )


def test_sentences_name_concepts_and_their_importance(concepts):
    images = pictures()
    values = concepts.importance(images, Query("water"))
    for index, one in enumerate(concepts.saliencies(images, Query("water"))):
        sums = {name: one.scores[mask].sum() for name, mask in zip(one.mask_names, one.masks, strict=True)}
        assert sums == pytest.approx({name: values[index, column(concepts, name)] for name in sums})
        said = TemplateVerbalizer().verbalize(one)
        assert check(said.claims, one)
        if {"green", "blue"} <= set(sums) and not values[index, column(concepts, "red")] > 1e-6:
            assert said.text.startswith("The region 'blue'")
    pro = concepts.saliencies(images[6:7], Query("fire", ("water",)), estimator="occlusion")[0]
    text = TemplateVerbalizer().verbalize(pro).text
    assert "The region 'red'" in text.split("speaks most for 'fire' rather than 'water'")[0]
    assert "The region 'blue'" in text.split("speaks most against that choice")[0]


@pytest.mark.parametrize("seed", range(10))
def test_every_concept_that_matters_has_a_region_of_its_own(seed):
    random = np.random.default_rng(seed)
    amounts = random.random((5, 6, 7)) * np.array([1, 9, 9, 0.1, 0])[:, None, None]
    amounts[2] = 3 * amounts[1]  # lies wherever another does
    importance = random.normal(size=5)
    scores, masks, kept = placed(amounts, importance)
    assert kept == (0, 1, 2, 3, 4)
    assert masks.sum(axis=0).max() == 1
    assert [scores[mask].sum() for mask in masks] == pytest.approx(importance)
    assert np.abs(scores).sum() == pytest.approx(np.abs(importance).sum())
    with pytest.raises(UsageError, match="5 concepts can't be shown in a picture of 4 pixels"):
        placed(amounts[:, :2, :2], importance)


def test_by_default_each_image_is_asked_about_its_own_label(concepts):
    images = pictures()[[0, 3]]  # red alone, and blue alone
    maps = concepts.saliencies(images)
    assert [one.query.label for one in maps] == ["fire", "water"]
    assert np.allclose(concepts.importance(images)[1], concepts.importance(images[1:], Query("water"))[0])


def test_batches_do_not_change_anything(concepts):
    from dataclasses import replace

    images = pictures()
    alone = replace(concepts, batch_size=1)
    for estimator in ("sobol", "integrated_gradients"):
        one, other = (some.importance(images, estimator=estimator, samples=8) for some in (alone, concepts))
        assert np.allclose(one, other, atol=1e-5)


def test_a_layer_of_tokens_and_other_extractors():
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    model = ViTForImageClassification(ViTConfig(**small, image_size=(16, 24), patch_size=4, num_labels=2)).eval()
    layer = next(name for name, _ in model.named_modules() if name.endswith(("layers.0", "layer.0")))
    images = torch.rand(4, 3, 16, 24)
    with pytest.raises(UsageError, match="negative activations"):
        extract_concepts(model, images, layer=layer, count=3, patch=8)
    for extractor in ("kmeans", "pca"):
        found = extract_concepts(model, images, layer=layer, count=3, patch=8, extractor=extractor)
        assert found.maps(images).shape == (4, 3, 16, 24)
        assert found.layout.leading == 1
        assert check(TemplateVerbalizer().verbalize(found.saliencies(images[:1])[0]).claims, found.saliencies(images[:1])[0])


def test_the_most_important_concept_is_named_with_its_share_of_all():
    classifier = signs.load()
    labels = np.repeat([classifier.class_names.index("stop"), classifier.class_names.index("no entry")], 2)
    images = signs.draw_signs(labels, seed=1, dirt=0.2)
    found = extract_concepts(classifier.module(), images, layer="features.11", count=4, class_names=classifier.class_names)
    for values, saliency in zip(found.importance(images), found.saliencies(images), strict=True):
        said = TemplateVerbalizer().verbalize(saliency)
        best = int(values.argmax())
        assert found.names[best] in said.text.split(",")[0]
        (first, *_) = [claim for claim in said.claims if claim.kind == "share" and claim.of == "absolute"]
        assert saliency.mask_names[first.part[0]] == found.names[best]
        assert first.value == pytest.approx(values[best] / values.sum(), abs=0.006)


def test_the_sign_network():
    classifier = signs.load()
    wanted = [classifier.class_names.index(name) for name in ("stop", "no entry", "give way")]
    labels = np.repeat(wanted, 6)
    images = signs.draw_signs(labels, seed=3, dirt=0.2)
    found = extract_concepts(classifier.module(), images, layer="features.11", count=5, class_names=classifier.class_names)
    assert found.error < 0.5
    importance = found.importance(images, samples=8)
    graph = strategy_graph(importance, found.names, classifier.predict(images).argmax(axis=1) == labels)
    assert sum(len(one.members) for one in graph.strategies) == 18
    with pytest.raises(UsageError, match="after a ReLU"):
        found.within(0, "features.8", 2)
    sub = found.within(1, "features.9", 2)
    assert sub.names == ("concept 2.1", "concept 2.2")
    assert sub.importance(images[:2], samples=4).shape == (2, 2)


def test_pictures_and_page(concepts):
    importance = concepts.importance(pictures())
    graph = strategy_graph(importance, concepts.names)
    for png in (concepts_png(concepts, importance), strategies_png(graph)):
        assert png.startswith(b"\x89PNG")
    page = concepts_page(concepts, Query("water"), images=2, crops=2, title="Colours & more")
    assert page.count("<section>") == 2
    assert "Colours &amp; more" in page
    assert pixel_heatmap_png(concepts.saliencies(pictures()[:1])[0], regions=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: one.importance(pictures(), Query("ice")), "no class 'ice'"),
        (lambda one: one.importance(pictures(size=(22, 24))), "the concepts are for images"),
        (lambda one: one.importance(pictures()[0]), r"images\[None\]"),
        (lambda one: one.importance([]), "no images"),
        (lambda one: one.importance(pictures(), estimator="x"), "estimator"),
        (lambda one: one.importance(pictures(), estimator="occlusion", samples=4), "samples has no effect"),
        (lambda one: one.importance(pictures(), estimator="occlusion", seed=4), "seed has no effect"),
        (lambda one: one.importance(pictures(), samples=12), "power of two"),
        (lambda one: one.named(["a", "a", "b"]), "each of its own"),
        (lambda one: one.top_crops(3), "from 0 to 2"),
        (lambda one: one.top_crops(0, 0), "1 or more"),
        (lambda one: one.within(7, "see", 2), "from 0 to 2"),
        (lambda one: concepts_png(one, np.ones(4)), "of the 3 concepts"),
        (lambda one: extract_concepts(Colours().eval(), pictures(), layer="seen", patch=99), "side of a crop"),
        (lambda one: extract_concepts(Colours().eval(), pictures(), layer="seen", leading=1, count=3), "leading has no effect"),
        (lambda one: extract_concepts(Colours().eval(), pictures(), layer="seen", batch_size=0), "batch_size"),
        (
            lambda one: extract_concepts(Colours().eval(), pictures(), layer="last", extractor="pca", count=2).maps(pictures()),
            "no places",
        ),
    ],
)
def test_wrong_input_is_told(concepts, call, message):
    with pytest.raises(UsageError, match=message):
        call(concepts)
