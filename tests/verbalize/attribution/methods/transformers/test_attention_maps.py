"""Rollout, class attention and attention times gradient, against plain loops over what the models themselves return."""

import numpy as np
import pytest
import tiny_models as tiny
import torch
from torch import nn
from torch.nn import functional
from transformers import (
    BeitConfig,
    BeitForImageClassification,
    ConvNextConfig,
    ConvNextForImageClassification,
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
)  # fmt: skip

from saywhy_core.classifiers import CallableClassifier
from saywhy_core.errors import UsageError
from verbalize import Query, attribute

METHODS = ("rollout", "class_attention", "attention_gradient")
CLASSLESS = ("rollout", "class_attention", "token_cut")


def by_hand(name, attentions, gradients, readers):
    """The scores of all tokens of one input: heads×T×T per layer as nested loops."""
    tokens = attentions[0].shape[1]
    flow = np.eye(tokens)
    if name == "class_attention":
        mean = attentions[-1].mean(axis=0)
        return np.array([np.mean([mean[i, t] for i in readers]) for t in range(tokens)])
    for attention, slope in zip(attentions, gradients, strict=True):
        step = np.zeros((tokens, tokens))
        for i in range(tokens):
            for j in range(tokens):
                for a, g in zip(attention, slope, strict=True):
                    step[i, j] += (a[i, j] if name == "rollout" else max(0.0, a[i, j] * g[i, j])) / len(attention)
        flow = (step + np.eye(tokens)) / 2 @ flow if name == "rollout" else flow + step @ flow
    if name == "attention_gradient":
        flow = flow - np.eye(tokens)
    return np.array([np.mean([flow[i, t] for i in readers]) for t in range(tokens)])


def enlarged(values, grid, size):
    coarse = torch.as_tensor(values, dtype=torch.float32).reshape(1, 1, *grid)
    return functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)[0, 0].numpy()


def seen_by_transformers(model, image, score):
    """Attention and its gradients as the model itself returns them."""
    model.set_attn_implementation("eager")
    output = model(pixel_values=tiny.batch_of(image[None]).requires_grad_(), output_attentions=True)
    slopes = torch.autograd.grad(score(output.logits[0]), output.attentions)
    model.set_attn_implementation("sdpa")
    return [one[0].detach().numpy() for one in output.attentions], [one[0].numpy() for one in slopes]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("model", "grid", "prefix", "readers"),
    [
        (lambda: tiny.vit(), (4, 4), 1, [0]),
        (lambda: tiny.vit(size=(24, 36)), (4, 6), 1, [0]),
        (lambda: DeiTForImageClassification(DeiTConfig(**tiny.SIZES, image_size=24)), (4, 4), 2, [0]),
        (lambda: DeiTForImageClassificationWithTeacher(DeiTConfig(**tiny.SIZES, image_size=24)), (4, 4), 2, [0, 1]),
        (lambda: BeitForImageClassification(BeitConfig(**tiny.SIZES, image_size=24)), (4, 4), 1, range(1, 17)),
        (
            lambda: Dinov2WithRegistersForImageClassification(
                Dinov2WithRegistersConfig(**tiny.SIZES, image_size=24, num_register_tokens=3)
            ),
            (4, 4), 4, [0, *range(4, 20)],
        ),
    ],
    ids=["vit", "not square", "deit", "two class tokens", "averaged tokens", "registers"],
)  # fmt: skip
def test_maps_are_those_of_the_formulas(name, model, grid, prefix, readers):
    torch.manual_seed(1)
    network = model().eval().requires_grad_(requires_grad=False)
    image = tiny.pictures(1, grid[0] * 6, grid[1] * 6)[0]
    asked = Query("b") if name == "attention_gradient" else None
    attentions, slopes = seen_by_transformers(network, image, lambda logits: logits[1])
    registers = isinstance(network, Dinov2WithRegistersForImageClassification)
    found = attribute(network, image, asked, method=name)
    if registers:  # this model reads the class token and the mean of the others: which others is its own affair
        readers = [0, *range(1, attentions[0].shape[1])] if _reads_registers(network) else readers
    expected = by_hand(name, attentions, slopes, list(readers))[prefix:]
    np.testing.assert_allclose(found.scores, enlarged(expected, grid, image.shape[:2]), rtol=1e-4, atol=1e-6)
    assert not found.signed
    assert found.scores.max() > 0


def _reads_registers(network):
    tokens = torch.randn(1, 20, 16, requires_grad=True)
    layer = network.base_model
    handle = layer.register_forward_hook(lambda _m, _g, output: type(output)(last_hidden_state=tokens))
    network(pixel_values=torch.rand(1, 3, 24, 24)).logits.square().sum().backward()
    handle.remove()
    return bool((tokens.grad[0, 1:4] != 0).any())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("class_token", [True, False])
def test_transformers_of_plain_torch(name, batch_first, class_token):
    model = tiny.PlainTransformer(batch_first=batch_first, class_token=class_token)
    image = tiny.pictures(1)[0]
    found = attribute(model, image, Query("b") if name == "attention_gradient" else None, method=name, class_names=tiny.NAMES)
    tokens = torch.tensor(0)
    attentions, weights = [], []
    x = model.cut(tiny.batch_of(image[None])).flatten(2).transpose(1, 2)
    x = torch.cat([model.start, x], dim=1) if class_token else x
    tokens = x.shape[1]
    for layer in model.encoder.layers:  # the layer written out: attention, residual, norm, network, residual, norm
        part = layer.self_attn
        q, k, v = functional.linear(x[0], part.in_proj_weight, part.in_proj_bias).chunk(3, dim=-1)
        heads = [one.reshape(tokens, 2, 8).transpose(0, 1) for one in (q, k, v)]
        attention = (heads[0] @ heads[1].transpose(1, 2) / 8**0.5).softmax(dim=-1).requires_grad_()
        mixed = part.out_proj((attention @ heads[2]).transpose(0, 1).reshape(1, tokens, 16))
        x = layer.norm1(x + mixed)
        x = layer.norm2(x + layer.linear2(torch.relu(layer.linear1(x))))
        attentions.append(attention)
    logits = model.head(x[:, 0] if class_token else x.mean(dim=1))
    weights = torch.autograd.grad(logits[0, 1], attentions)
    readers = [0] if class_token else list(range(tokens))
    expected = by_hand(name, [one.detach().numpy() for one in attentions], [one.numpy() for one in weights], readers)
    np.testing.assert_allclose(found.scores, enlarged(expected[-16:], (4, 4), (24, 24)), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", [*METHODS, "token_cut"])
def test_a_batch_gives_the_maps_of_single_images(name):
    model, images = tiny.vit(), tiny.pictures(5)
    together = attribute(model, images, method=name, batch_size=3)
    for one, image in zip(together, images, strict=True):
        np.testing.assert_allclose(one.scores, attribute(model, image, method=name).scores, atol=1e-6)


def test_queries_of_a_batch_are_answered_one_by_one():
    model, images = tiny.vit(), tiny.pictures(3)
    queries = [Query("a"), Query("b", ("c",)), Query("either", members=("a", "b"))]
    together = attribute(model, images, queries, method="attention_gradient")
    for one, image, query in zip(together, images, queries, strict=True):
        np.testing.assert_allclose(one.scores, attribute(model, image, query, method="attention_gradient").scores, atol=1e-6)
    pointwise = attribute(model, images[1], Query("b"), method="attention_gradient")
    assert np.abs(pointwise.scores - together[1].scores).max() > 1e-4


@pytest.mark.parametrize("name", CLASSLESS)
def test_methods_that_look_at_no_class_take_no_query(name):
    model, image = tiny.vit(), tiny.pictures(1)[0]
    other = next(label for label in tiny.NAMES if label != attribute(model, image, method=name).prediction.label)
    for query in (Query(other), Query("a", ("b",))):
        with pytest.raises(UsageError, match=f"{name} looks at no class"):
            attribute(model, image, query, method=name)


@pytest.mark.parametrize("name", [*METHODS, "token_cut"])
@pytest.mark.parametrize(
    "model",
    [
        lambda: ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=3)),
        lambda: ConvNextForImageClassification(ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, num_labels=3)),
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 22 * 22, 3)),
    ],
    ids=["resnet", "convnext", "plain"],
)
def test_networks_without_attention_are_refused(name, model):
    with pytest.raises(UsageError, match="the model shows no attention"):
        attribute(model().eval(), tiny.pictures(1)[0], method=name)


def test_attention_in_windows_is_refused():
    config = SwinConfig(image_size=24, patch_size=3, embed_dim=12, depths=[1, 1], num_heads=[2, 2], window_size=2, num_labels=3)
    with pytest.raises(UsageError, match="as with windows or merged tokens"):
        attribute(SwinForImageClassification(config).eval(), tiny.pictures(1)[0], method="rollout")


def test_black_boxes_are_refused():
    box = CallableClassifier(lambda images: np.zeros((len(images), 3)), "logits", tiny.NAMES)
    with pytest.raises(UsageError, match="rollout needs the attention of the model"):
        attribute(box, tiny.pictures(1)[0], method="rollout")


def test_logits_that_ignore_the_tokens_are_refused():
    model = tiny.vit()
    nn.init.zeros_(model.classifier.weight)
    with pytest.raises(UsageError, match="the score does not depend on the attention"):
        attribute(model, tiny.pictures(1)[0], method="class_attention")


@pytest.mark.parametrize("name", [*METHODS, "token_cut"])
def test_the_model_is_as_it_was(name):
    model = tiny.vit()
    model.vit.layers[0].attention.q_proj.weight.requires_grad_(requires_grad=True)
    attribute(model, tiny.pictures(1)[0], method=name)  # transformers installs hooks of its own at the first call
    before = [(len(one._forward_hooks), len(one._forward_pre_hooks)) for one in model.modules()]
    assert model.config._attn_implementation == "sdpa"
    attribute(model, tiny.pictures(2), method=name)
    assert [(len(one._forward_hooks), len(one._forward_pre_hooks)) for one in model.modules()] == before
    assert model.config._attn_implementation == "sdpa"
    assert all(one.grad is None for one in model.parameters())
    assert [one.requires_grad for one in model.parameters()].count(True) == 1


def test_the_model_is_as_it_was_after_an_error():
    model = tiny.PlainTransformer()
    enabled = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(UsageError, match="can't take an image"):
        attribute(model, tiny.pictures(1, 4, 4)[0], method="rollout", class_names=tiny.NAMES)
    nn.init.zeros_(model.head.weight)
    with pytest.raises(UsageError, match="does not depend"):
        attribute(model, tiny.pictures(1)[0], method="rollout", class_names=tiny.NAMES)
    assert torch.backends.mha.get_fastpath_enabled() == enabled
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in model.modules())


@pytest.mark.parametrize("kind", [torch.bfloat16, pytest.param(torch.float16, marks=pytest.mark.long)])
def test_half_precision(kind):
    image = tiny.pictures(1)[0]
    for name in METHODS:
        exact, coarse = (attribute(model, image, method=name) for model in (tiny.vit(), tiny.vit().to(kind)))
        assert np.corrcoef(exact.scores.ravel(), coarse.scores.ravel())[0, 1] > 0.9


def test_patches_without_a_convolution_lie_in_the_proportions_of_the_image():
    model = tiny.PlainTransformer(unfold=True)
    for height, width in ((24, 24), (12, 36), (36, 24)):
        found = attribute(model, tiny.pictures(1, height, width)[0], method="class_attention", class_names=tiny.NAMES)
        assert found.shape == (height, width)
    with pytest.raises(UsageError, match="which patches of the image they stand for is unknown"):
        attribute(model, tiny.pictures(1, 25, 24)[0], method="class_attention", class_names=tiny.NAMES)


def test_a_constructed_attention_is_found():
    """The queries of one head are made to look for the patch whose key is the farthest from the mean."""
    model = tiny.PlainTransformer()
    part = model.encoder.layers[-1].self_attn
    seen = {}
    handle = part.register_forward_pre_hook(lambda _m, given, named: seen.update(x=given[0]), with_kwargs=True)
    image = tiny.pictures(1)[0]
    with torch.enable_grad():
        model(tiny.batch_of(image[None]).requires_grad_())
    handle.remove()
    keys = functional.linear(seen["x"][0, 1:].detach(), part.in_proj_weight[16:24], part.in_proj_bias[16:24])
    away = keys - keys.mean(dim=0)
    wanted = int(away.norm(dim=1).argmax())
    part.in_proj_weight.data[:16] = 0
    part.in_proj_bias.data[:16] = 0  # the second head reads all tokens alike
    part.in_proj_bias.data[:8] = 2 * away[wanted]
    scores = attribute(model, image, method="class_attention", class_names=tiny.NAMES).scores
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    assert (row // 6, column // 6) == divmod(wanted, 4)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", [*METHODS, "token_cut"])
def test_callers_may_have_switched_gradients_off(name, off):
    image = np.random.default_rng(0).random((24, 24, 3), dtype=np.float32)
    model = tiny.vit()
    with off():
        found = attribute(model, image, method=name)
    np.testing.assert_allclose(found.scores, attribute(model, image, method=name).scores, atol=1e-6)


def test_a_grey_image_for_a_model_of_rgb_is_told():
    with pytest.raises(UsageError, match=r"with 1 channel\(s\); where it takes RGB"):
        attribute(tiny.vit(), np.ones((24, 24, 1), dtype=np.float32), method="rollout")
