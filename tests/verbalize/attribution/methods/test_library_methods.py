"""Methods of captum for images, against captum called directly, loops over the weights, and evidence that is known."""

from __future__ import annotations

import captum.attr
import numpy as np
import pytest
import torch
from captum.attr._utils.custom_modules import Addition_Module
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import METHODS, score_of_query

NAMES = ("a", "b", "c")
SIZE = (10, 14)
LIBRARY = ("saliency", "gradient_shap", "deep_lift", "lrp", "layer_grad_cam", "kernel_shap", "lime")
OLDER = ("integrated_gradients", "input_x_gradient", "occlusion", "shapley")
SIDE = 5
QUICK = {"samples": 20, "steps": 4, "patch": SIDE}
LINEAR_IN_THE_SCORE = tuple(name for name in (*LIBRARY, *OLDER) if name != "saliency")


class Seen(nn.Module):
    """A network that remembers the sizes of the batches that it saw."""

    def __init__(self, channels=3, inplace=False):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(inplace=inplace), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3, padding=1),
            nn.ReLU(inplace=inplace), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3),
        )  # fmt: skip
        self.sizes = sizes = []
        self.body[0].register_forward_pre_hook(lambda _layer, inputs: sizes.append(len(inputs[0])))
        self.eval()

    def forward(self, images):
        return self.body(images)


@pytest.fixture(scope="module")
def network():
    return Seen()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((5, *SIZE, 3), dtype=np.float32)


def tensor(image):
    return torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None]


def settings(method):
    return {name: value for name, value in QUICK.items() if name in METHODS.get(method).pixels.uses}


def explained(network, image, method, query=None, **options):
    return attribute(network, image, query, method=method, class_names=NAMES, **{**settings(method), **options})


def squares():
    rows, columns = torch.arange(SIZE[0]) // SIDE, torch.arange(SIZE[1]) // SIDE
    return (rows[:, None] * 3 + columns[None, :])[None, None]


# --- agreement with the library ----------------------------------------------------------------------------------------


def test_saliency_is_the_largest_absolute_gradient(network, images):
    direct = captum.attr.Saliency(network).attribute(tensor(images[0]).requires_grad_(), target=1)[0].amax(0)
    found = explained(network, images[0], "saliency", Query("b"))
    np.testing.assert_allclose(found.scores, direct.numpy(), atol=1e-7)
    assert not found.signed


def test_gradient_shap_is_captums_with_the_same_draws(network, images):
    options = {"samples": 20, "seed": 3, "noise": 0.05, "baseline": "black"}
    found = explained(network, images[0], "gradient_shap", Query("c"), **options)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - captum draws from the global state
    direct = captum.attr.GradientShap(network).attribute(
        tensor(images[0]), baselines=torch.zeros(1, 3, *SIZE), n_samples=20, stdevs=0.05, target=2
    )
    np.testing.assert_allclose(found.scores, direct[0].sum(0).detach().numpy(), atol=1e-6)


def test_gradient_shap_comes_near_the_change_of_the_score_from_the_backgrounds(network, images):
    found = explained(network, images[0], "gradient_shap", Query("c"), samples=2000, backgrounds=images[1:])
    with torch.no_grad():
        change = network(tensor(images[0]))[0, 2] - np.mean([float(network(tensor(one))[0, 2]) for one in images[1:]])
    assert found.scores.sum() == pytest.approx(float(change), abs=0.01)
    with pytest.raises(UsageError, match="backgrounds must be images of the shape"):
        explained(network, images[0], "gradient_shap", backgrounds=images[1:, :5])


def test_deep_lift_is_captums_where_captum_is_exact(images):
    torch.manual_seed(1)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(240, 3)).eval()
    found = explained(plain, images[0], "deep_lift", Query("b"))
    with pytest.warns(UserWarning, match="hooks"):
        direct = captum.attr.DeepLift(plain).attribute(
            tensor(images[0]).requires_grad_(), baselines=torch.full((1, 3, *SIZE), 0.5), target=1
        )
    np.testing.assert_allclose(found.scores, direct[0].sum(0).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "query",
    [None, Query("a", versus=("b", "c")), Query("ab", members=("a", "b")), Query("ab", members=("a", "b"), versus=("c",))],
)
def test_deep_lift_sums_to_the_change_of_the_score(network, images, query):
    """Also behind max pooling, where captum alone misses it, and for groups, whose score is no single logit."""
    for image in images:
        found = explained(network, image, "deep_lift", query)
        with torch.no_grad():
            both = score_of_query(network(torch.cat([tensor(image), torch.full((1, 3, *SIZE), 0.5)])), found.query, NAMES)
        assert found.scores.sum() == pytest.approx(float(both[0] - both[1]), abs=1e-5)


def test_lrp_is_captums(images):
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 5, padding=1), Squeezed()).eval()
    for rule, made in (
        ("epsilon", captum.attr._utils.lrp_rules.EpsilonRule),
        ("gamma", captum.attr._utils.lrp_rules.GammaRule),
    ):
        found = explained(plain, images[0], "lrp", Query("b"), rule=rule)
        before = [parameter.clone() for parameter in plain.parameters()]
        for layer in (plain[0], plain[3]):
            layer.rule = made()
        plain[4].rule = captum.attr._utils.lrp_rules.EpsilonRule()
        direct = captum.attr.LRP(plain).attribute(tensor(images[0]).requires_grad_(), target=1)
        np.testing.assert_allclose(found.scores, direct[0].sum(0).detach().numpy(), atol=1e-5)
        assert all(torch.equal(one, two) for one, two in zip(before, plain.parameters(), strict=True))


class Squeezed(nn.Module):
    """The mean over all places."""

    def forward(self, features):
        return features.mean(dim=(2, 3))


def test_layer_grad_cam_is_captums(network, images):
    found = explained(network, images[0], "layer_grad_cam", Query("a", versus=("b",)), layer="body.3")
    method = captum.attr.LayerGradCam(lambda batch: network(batch)[:, :2] @ torch.tensor([1.0, -1.0]), network.body[3])
    coarse = method.attribute(tensor(images[0]).requires_grad_())
    fine = functional.interpolate(coarse, size=SIZE, mode="bilinear")[0, 0]
    np.testing.assert_allclose(found.scores, fine.detach().numpy(), atol=1e-6)
    assert found.signed
    assert found.scores.min() < 0


def test_kernel_shap_is_captums(network, images):
    found = explained(network, images[0], "kernel_shap", Query("b"), samples=60, seed=5)
    torch.manual_seed(5)
    direct = captum.attr.KernelShap(lambda batch: network(batch)[:, 1]).attribute(
        tensor(images[0]), baselines=torch.full((1, 3, *SIZE), 0.5), feature_mask=squares(), n_samples=60
    )
    areas = squares().flatten().bincount()[squares()]
    np.testing.assert_allclose(found.scores, (direct[0, 0] / areas[0, 0]).numpy(), atol=1e-5)


def test_lime_is_the_weighted_ridge_regression_of_the_sampled_scores(network, images):
    found = explained(network, images[0], "lime", Query("b"), samples=50, seed=2)
    linear_model = pytest.importorskip("sklearn.linear_model")
    torch.manual_seed(2)
    kept, scores, weights = [], [], []
    for _ in range(50):
        keep = torch.bernoulli(torch.full((1, 6), 0.5))
        there = keep[0][squares()]
        with torch.no_grad():
            scores.append(float(network(tensor(images[0]) * there + 0.5 * (1 - there))[0, 1]))
        kept.append(keep[0].numpy())
        weights.append(np.exp(-((1 - np.sqrt(keep.mean().item())) ** 2) / 0.25**2))
    ridge = linear_model.Ridge(alpha=1).fit(kept, scores, sample_weight=weights)
    sums = [found.scores[(squares()[0, 0] == part).numpy()].sum() for part in range(6)]
    np.testing.assert_allclose(sums, ridge.coef_, atol=1e-5)


# --- promises of all of them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", LINEAR_IN_THE_SCORE)
def test_a_contrastive_map_is_the_difference_of_two_pointwise_maps(network, images, method):
    parts = [explained(network, images[0], method, Query(label)).scores for label in ("a", "b")]
    found = explained(network, images[0], method, Query("a", versus=("b",)))
    np.testing.assert_allclose(found.scores, parts[0] - parts[1], atol=1e-5)


@pytest.mark.parametrize("method", [*LIBRARY, *OLDER])
def test_a_group_is_the_logarithm_of_the_sum_of_exponentials(images, method):
    """As the one class of a network that computes this logarithm itself, where the method can look through it."""
    torch.manual_seed(0)
    network = Seen()

    class Grouped(nn.Module):
        def forward(self, batch):
            logits = network(batch)
            return torch.stack([logits[:, :2].logsumexp(1), logits[:, 2]], dim=1)

    if method in ("deep_lift", "lrp"):
        pytest.skip("these have no rule for a logarithm in the network; they start behind it")
    here, there = ({"layer": "body.4"}, {"layer": "inner.body.4"}) if method == "layer_grad_cam" else ({}, {})
    found = explained(network, images[0], method, Query("ab", members=("a", "b")), **here)
    grouped = Grouped()
    grouped.inner = network
    expected = attribute(
        grouped.eval(), images[0], Query("ab"), method=method, class_names=("ab", "c"), **settings(method), **there
    )
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


@pytest.mark.parametrize("method", [*LIBRARY, *OLDER])
def test_batches_give_the_maps_of_single_images_and_bound_the_memory(network, images, method):
    single = [explained(network, image, method).scores for image in images]
    for size in (1, 3):
        network.sizes.clear()
        found = explained(network, list(images), method, batch_size=size)
        # deep_lift runs an image beside its baseline
        assert max(network.sizes) <= max(size, 2 if method == "deep_lift" else 1)
        for one, expected in zip(found, single, strict=True):
            np.testing.assert_allclose(one.scores, expected, atol=1e-5)


@pytest.mark.parametrize("method", ["saliency", "deep_lift", "lrp", "occlusion", "layer_grad_cam"])
def test_a_loader_gives_batches_and_each_image_its_own_query(network, images, method):
    queries = [Query("a"), Query("b", versus=("c",)), Query("ab", members=("a", "b")), None, Query("c")]
    loader = torch.utils.data.DataLoader(torch.from_numpy(images).permute(0, 3, 1, 2), batch_size=2)
    batches = list(attribute(network, loader, queries, method=method, class_names=NAMES, **settings(method)))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    for one, image, query in zip([one for batch in batches for one in batch], images, queries, strict=True):
        np.testing.assert_allclose(one.scores, explained(network, image, method, query).scores, atol=1e-5)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("method", [*LIBRARY, *OLDER])
def test_frozen_and_in_place_networks_are_explained_and_not_touched(images, method, inplace):
    frozen, free = Seen(inplace=inplace).requires_grad_(False), Seen()
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    np.testing.assert_allclose(
        explained(frozen, images[0], method).scores, explained(free, images[0], method).scores, atol=1e-5
    )
    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())
    assert sum(len(layer._forward_hooks) + len(layer._forward_pre_hooks) for layer in frozen.modules()) == 1  # the test's own
    assert all(parameter.grad is None for parameter in (*frozen.parameters(), *free.parameters()))


@pytest.mark.parametrize("method", [*LIBRARY, *OLDER])
def test_grey_and_constant_images_are_explained(method):
    network = Seen(channels=1)
    grey = np.random.default_rng(1).random((7, 11), dtype=np.float32)
    assert explained(network, grey, method).shape == (7, 11)
    assert np.isfinite(explained(network, np.full((7, 11), 0.5, np.float32), method).scores).all()


@pytest.mark.parametrize("method", ["gradient_shap", "kernel_shap", "lime"])
def test_the_seed_decides(network, images, method):
    first, again, other = (explained(network, images[0], method, seed=seed).scores for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("method", ["kernel_shap", "lime"])
def test_an_image_of_one_square_has_one_value(network, images, method):
    found = explained(network, images[0], method, Query("b"), patch=20)
    with torch.no_grad():
        change = network(tensor(images[0]))[0, 1] - network(torch.full((1, 3, *SIZE), 0.5))[0, 1]
    assert found.scores.sum() == pytest.approx(float(change), abs=1e-5)
    assert np.ptp(found.scores) < 1e-7


class Planted(nn.Module):
    """Only the red of the left upper quarter counts."""

    class_names = ("red", "other")

    def __init__(self):
        super().__init__()
        self.colour, self.relu = nn.Conv2d(3, 2, 1), nn.ReLU()
        self.colour.weight.data = torch.tensor([[1.0, -0.5, -0.5], [-0.5, 0.5, 0.5]])[..., None, None]
        self.colour.bias.data.zero_()
        self.head = nn.Linear(2 * 64, 2, bias=False)
        self.head.weight.data.zero_()
        place = torch.zeros(2, 8, 8)
        place[0, :4, :4] = 1
        self.head.weight.data[0] = place.flatten()
        self.eval()

    def forward(self, images):
        return self.head(self.relu(self.colour(images)).flatten(1))


@pytest.mark.parametrize("method", [name for name in (*LIBRARY, *OLDER) if name != "layer_grad_cam"])
def test_the_decisive_quarter_is_found(method):
    image = np.random.default_rng(4).random((8, 8, 3), dtype=np.float32) * 0.3
    image[..., 0] += 0.6
    options = {"patch": 2} if "patch" in METHODS.get(method).pixels.uses else {}
    options |= {"baseline": "black"} if "baseline" in METHODS.get(method).pixels.uses else {}
    scores = attribute(Planted(), image, Query("red"), method=method, **options).scores
    inside = np.zeros((8, 8), bool)
    inside[:4, :4] = True
    assert (scores[inside][:, None] > scores[~inside]).mean() > 0.95


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("gradient_shap", {"samples": 0}, "samples must be a whole number of 1 or more"),
        ("gradient_shap", {"noise": -1.0}, "noise must be a number of 0 or more"),
        ("kernel_shap", {"samples": 1}, "samples must be 2 or more"),
        ("lime", {"steps": 4}, "steps has no effect on the method 'lime'"),
        ("lrp", {"rule": "zplus"}, "rule must be one of epsilon, gamma, alpha1_beta0"),
        ("layer_grad_cam", {"layer": "body.7"}, "gives no feature maps"),
        ("layer_grad_cam", {"layer": "conv9"}, "no layer 'conv9'"),
    ],
)
def test_bad_settings_are_told_in_a_sentence(network, images, method, options, message):
    with pytest.raises(UsageError, match=message):
        attribute(network, images[0], method=method, class_names=NAMES, **options)


# --- networks that captum alone can't follow ---------------------------------------------------------------------------


class Residual(nn.Module):
    """Functional ReLUs, an addition, a mean and a module that is called twice."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(4, 3)
        self.eval()

    def forward(self, images):
        start = self.relu(self.first(images))
        inner = self.relu(self.second(start))
        return self.head(functional.relu(start + inner).mean(dim=(2, 3)))


class Spelled(nn.Module):
    """The same network as captum wants it."""

    def __init__(self, network):
        super().__init__()
        self.first, self.second, self.head = network.first, network.second, network.head
        self.relus, self.add = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.ReLU()]), Addition_Module()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.eval()

    def forward(self, images):
        start = self.relus[0](self.first(images))
        inner = self.relus[1](self.second(start))
        return self.head(self.pool(self.relus[2](self.add(start, inner))).flatten(1))


def test_lrp_of_a_residual_network_is_that_of_the_network_spelled_out(images):
    network = Residual()
    direct = captum.attr.LRP(Spelled(network)).attribute(tensor(images[0]).requires_grad_(), target=1)
    found = explained(network, images[0], "lrp", Query("b"))
    np.testing.assert_allclose(found.scores, direct[0].sum(0).detach().numpy(), atol=1e-5)


def test_lrp_without_biases_conserves_the_score(images):
    network = Residual()
    for layer in (network.first, network.second, network.head):
        layer.bias.data.zero_()
    for query in (Query("b"), Query("b", versus=("a",))):
        found = explained(network, images[0], "lrp", query)
        with torch.no_grad():
            score = score_of_query(network(tensor(images[0])), query, NAMES)
        assert found.scores.sum() == pytest.approx(float(score[0]), abs=1e-5)


def test_deep_lift_of_a_residual_network_sums_to_the_change(images):
    network = Residual()
    found = explained(network, images[0], "deep_lift", Query("b"))
    with torch.no_grad():
        both = network(torch.cat([tensor(images[0]), torch.full((1, 3, *SIZE), 0.5)]))[:, 1]
    assert found.scores.sum() == pytest.approx(float(both[0] - both[1]), abs=1e-5)


class Gelu(nn.Module):
    def __init__(self, *, module):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        self.act = nn.GELU() if module else functional.gelu
        self.eval()

    def forward(self, images):
        return self.head(self.act(self.first(images)).mean(dim=(2, 3)))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        self.eval()

    def forward(self, images):
        found = functional.gelu(self.first(images)).mean(dim=(2, 3))
        return self.head(found if found.sum() > 0 else -found)


class Answering(nn.Module):
    """A network that hands its logits through a function."""

    def __init__(self, inner, answer):
        super().__init__()
        self.inner, self.answer = inner, answer
        self.eval()

    def forward(self, images):
        return self.answer(self.inner(images))


ANSWERS = {
    "mapping": lambda logits: {"logits": logits, "other": logits.exp()},
    "tuple": lambda logits: (logits, logits + 1),
    "half": lambda logits: logits.half().float(),
    "type": lambda logits: logits.type(torch.float64),
    "double": lambda logits: logits.double(),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("method", ["lrp", "deep_lift", "salient_relevance", "layer_grad_cam", "integrated_gradients"])
def test_the_form_of_the_answer_changes_no_map(network, images, method, answer):
    plain = explained(network, images[0], method)
    found = explained(Answering(network, ANSWERS[answer]), images[0], method)
    np.testing.assert_allclose(found.scores, plain.scores, atol=2e-3 * np.abs(plain.scores).max())


@pytest.mark.parametrize("method", ["lrp", "deep_lift"])
def test_layers_without_a_rule_are_named(images, method):
    with pytest.raises(UsageError, match=rf"{method} .* the layer 'act' \(GELU\)"):
        explained(Gelu(module=True), images[0], method)
    with pytest.raises(UsageError, match=rf"{method} .* the layer 'gelu' \(.*gelu\)"):
        explained(Gelu(module=False), images[0], method)
    with pytest.raises(UsageError, match=r"can't be traced|has no rule for some non-linear step"):
        explained(Branching(), images[0], method)
