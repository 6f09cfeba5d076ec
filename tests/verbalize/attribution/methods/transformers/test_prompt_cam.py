"""Class prompts: their training, their attention, and what is refused."""

import numpy as np
import pytest
import tiny_models as tiny
import torch
from torch.nn import functional
from transformers import BeitConfig, BeitForImageClassification, ResNetConfig, ResNetForImageClassification

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import train_prompts


def coloured(count=24, seed=0):
    """Images with one coloured patch: red is class "red", green "green"."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(0.3, 0.5, (count, 24, 24, 3)).astype(np.float32)
    labels, places = np.arange(count) % 2, rng.integers(0, 4, (count, 2))
    for image, label, (row, column) in zip(images, labels, places, strict=True):
        image[6 * row : 6 * row + 6, 6 * column : 6 * column + 6] = np.eye(3)[label]
    return images, labels, places


@pytest.fixture(scope="module")
def prompted():
    images, labels, _ = coloured()
    return train_prompts(tiny.vit(), images, labels, class_names=("red", "green"), passes=60)


def test_prompts_learn_the_classes_of_a_frozen_model(prompted):
    images, labels, _ = coloured(40, seed=1)
    assert (prompted(tiny.batch_of(images)).argmax(dim=1).numpy() == labels).mean() >= 0.9
    for name, value in tiny.vit().state_dict().items():
        torch.testing.assert_close(prompted.backbone.state_dict()[f"model.{name}"], value)
    assert not any(one.requires_grad or one.grad is not None for one in prompted.parameters())


def test_logits_and_map_are_those_of_the_formulas(prompted):
    image = coloured(1)[0][0]
    model = tiny.vit()
    with torch.no_grad():
        tokens = model(pixel_values=tiny.batch_of(image[None]), output_hidden_states=True).hidden_states[-2]
        layer = model.vit.layers[-1]
        tokens = torch.cat([tokens, prompted.prompts[None]], dim=1)
        normed = layer.layernorm_before(tokens)[0]
        q, k = (part(normed).reshape(19, 2, 8) for part in (layer.attention.q_proj, layer.attention.k_proj))
        outputs = layer(tokens)[0, -2:]
    mean, variance = outputs.mean(dim=1, keepdim=True), outputs.var(dim=1, keepdim=True, correction=0)
    logits = (outputs - mean) / (variance + 1e-5).sqrt() @ prompted.direction
    torch.testing.assert_close(prompted(tiny.batch_of(image[None]))[0], logits, rtol=1e-3, atol=1e-4)
    maps = []
    for prompt in (17, 18):
        heads = [torch.stack([q[prompt, h] @ k[t, h] / 8**0.5 for t in range(19)]).softmax(dim=0) for h in range(2)]
        mean_map = torch.stack(heads).mean(dim=0)[1:17].reshape(1, 1, 4, 4)
        maps.append(functional.interpolate(mean_map, size=(24, 24), mode="bilinear", align_corners=False)[0, 0].numpy())
    for label, expected in zip(("red", "green"), maps, strict=True):
        found = attribute(prompted, image, Query(label), method="prompt_cam")
        np.testing.assert_allclose(found.scores, expected, rtol=1e-4, atol=1e-6)
        assert not found.signed
    group = attribute(prompted, image, Query("any", members=("red", "green")), method="prompt_cam").scores
    weights = logits.softmax(dim=0).numpy()
    np.testing.assert_allclose(group, weights[0] * maps[0] + weights[1] * maps[1], rtol=1e-3, atol=1e-6)


def test_a_batch_gives_the_maps_of_single_images(prompted):
    images, labels, _ = coloured(5)
    queries = [Query(("red", "green")[label]) for label in labels]
    for one, image, query in zip(attribute(prompted, images, queries, method="prompt_cam"), images, queries, strict=True):
        np.testing.assert_allclose(one.scores, attribute(prompted, image, query, method="prompt_cam").scores, atol=1e-6)


def test_the_seed_decides_and_progress_is_told():
    images, labels, _ = coloured(4)
    told = []
    first, again, other = (
        train_prompts(
            tiny.vit(), images, labels, class_names=("r", "g"), passes=2, seed=seed, on_progress=lambda *done: told.append(done)
        )
        for seed in (0, 0, 1)
    )
    torch.testing.assert_close(first.prompts, again.prompts, rtol=0, atol=0)
    assert not torch.equal(first.prompts, other.prompts)
    assert told[:2] == [(1, 2), (2, 2)]


def test_names_as_labels_and_the_names_of_the_model():
    images, labels, _ = coloured(4)
    by_name = train_prompts(tiny.vit(), images, ["a", "b", "a", "b"], passes=1)
    by_number = train_prompts(tiny.vit(), images, labels, passes=1)
    assert by_name.class_names == tiny.NAMES
    torch.testing.assert_close(by_name.prompts, by_number.prompts, rtol=0, atol=0)


def test_plain_torch_takes_prompts():
    images, labels, _ = coloured(6)
    prompted = train_prompts(tiny.PlainTransformer(), images, labels, class_names=("r", "g"), passes=2)
    assert attribute(prompted, images[0], method="prompt_cam").scores.max() > 0
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in prompted.modules())


def test_contrastive_questions_are_refused(prompted):
    with pytest.raises(UsageError, match="prompt_cam can't answer a contrastive question; it answers: pointwise, group"):
        attribute(prompted, coloured(1)[0][0], Query("red", ("green",)), method="prompt_cam")


def test_a_model_without_prompts_is_refused():
    with pytest.raises(UsageError, match="prompt_cam needs class prompts; train them with train_prompts"):
        attribute(tiny.vit(), tiny.pictures(1)[0], method="prompt_cam")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            lambda: ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[1])),
            "keys of the model",
        ),
        (
            lambda: BeitForImageClassification(BeitConfig(**tiny.SIZES, image_size=24, use_relative_position_bias=True)),
            "takes no tokens beside those of the image",
        ),
        (lambda: tiny.PlainTransformer(batch_first=False), "tokens on its first axis"),
    ],
    ids=["no attention", "positions between patches", "tokens first"],
)
def test_models_that_take_no_prompts_are_refused(model, message):
    images, labels, _ = coloured(4)
    with pytest.raises(UsageError, match=message):
        train_prompts(model().eval(), images, labels, class_names=("r", "g"), passes=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [0, 1]}, "4 images and 2 labels"),
        ({"labels": [0, 1, 2, 5]}, "5 is no class: there are 3"),
        ({"labels": ["a", "b", "a", "d"]}, "'d' is no class"),
        ({"labels": [0, 0, 0, 0], "class_names": ("r",)}, "two classes or more"),
        ({"passes": 0}, "must be above zero"),
        ({"rate": 0}, "must be above zero"),
        ({"batch_size": 0}, "must be above zero"),
    ],
)
def test_wrong_arguments(changes, message):
    images, labels, _ = coloured(4)
    given = {"labels": labels, **changes}
    with pytest.raises(UsageError, match=message):
        train_prompts(tiny.vit(), images, **given)
