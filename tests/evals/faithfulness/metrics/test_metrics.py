"""Each metric against the formula in plain loops: one masked input at a time, no sharing."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import Hide, evaluate, sweep
from evals.faithfulness.metrics.correlations.subsets import SUBSETS, subset_masks
from saywhy_core.errors import UsageError
from tests.evals.faithfulness.planted import Additive, good_maps, text_model
from verbalize import PixelSaliency, Query, TokenSaliency, attribute

NAMES = ("a", "b", "c")
QUERIES = (Query("a"), Query("b", ("a",)), Query("pair", (), ("a", "c")), Query("c", ("a", "b")))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    head = (nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(54, 3))
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), *head).eval()


@pytest.fixture(scope="module")
def maps():
    """Images of two sizes, one of them twice; signed maps with ties; all kinds of query."""
    chance = np.random.default_rng(0)
    images = [chance.random((height, 7, 3), dtype=np.float32) for height in (6, 9, 6)]
    images.append(images[0])
    return [
        PixelSaliency(np.round(chance.normal(size=image.shape[:2]), 1), query, image=image)
        for image, query in zip(images, QUERIES, strict=True)
    ]


def forward(net, image, hidden, fill=0.0):
    """The logits of one image of which the pixels `hidden` are set to a value."""
    changed = image.reshape(-1, 3).copy()
    changed[list(hidden)] = fill
    with torch.no_grad():
        return net(torch.from_numpy(changed.reshape(image.shape)).permute(2, 0, 1)[None])[0].double().numpy()


def score(logits, query, scale):
    """The score of a query, written out."""
    wanted = [NAMES.index(name) for name in (query.members or (query.label,))]
    against = [NAMES.index(name) for name in query.versus]
    if scale == "probabilities":
        shares = np.exp(logits) / np.exp(logits).sum()
        return shares[wanted].sum() - shares[against].sum()
    return np.log(np.exp(logits[wanted]).sum()) - (np.log(np.exp(logits[against]).sum()) if against else 0.0)


def ranked(saliency):
    scores = saliency.scores.reshape(-1).tolist()
    return sorted(range(len(scores)), key=lambda place: (-scores[place], place))


def curve(net, saliency, scale, shares, *, bottom=False):
    order = ranked(saliency)[::-1] if bottom else ranked(saliency)
    if bottom:  # hiding the bottom share is keeping the rest, rounded as the top share is
        counts = [len(order) - int((1 - share) * len(order) + 0.5 + 1e-9) for share in shares]
    else:
        counts = [int(share * len(order) + 0.5) for share in shares]
    return [score(forward(net, saliency.image, order[:count]), saliency.query, scale) for count in counts]


def area(values):
    return sum((first + second) / 2 for first, second in pairwise(values)) / (len(values) - 1)


def expected(net, saliency, scale):
    shares = [step / 20 for step in range(21)]
    down = curve(net, saliency, scale, shares)
    up = curve(net, saliency, scale, shares, bottom=True)
    whole = down[0]
    bins = [0.01, 0.05, 0.1, 0.2, 0.5]
    half = curve(net, saliency, scale, [0.5], bottom=True)[0]
    kept = subset_masks(saliency, *SUBSETS.values())
    falls = [whole - score(forward(net, saliency.image, np.flatnonzero(~row)), saliency.query, scale) for row in kept]
    sums = [saliency.scores.reshape(-1)[~row].sum() for row in kept]
    best = max(0.0, np.mean(np.multiply(sums, falls)) / np.mean(np.square(sums)))
    return {
        "deletion": area(down),
        "insertion": area(up),
        "comprehensiveness": np.mean([whole - value for value in curve(net, saliency, scale, bins)]),
        "sufficiency": np.mean([whole - value for value in curve(net, saliency, scale, [1 - q for q in bins], bottom=True)]),
        "monotonicity": np.mean([after >= before - 1e-6 for before, after in pairwise(down[::-1])]),
        "average_drop": max(0.0, whole - half) / whole if whole > 0 else np.nan,
        "average_gain": max(0.0, half - whole) / (1 - whole) if scale == "probabilities" else np.nan,
        "increase": float(half > whole),
        "infidelity": np.mean([(own - fall) ** 2 for own, fall in zip(sums, falls, strict=True)]),
        "infidelity_scaled": np.mean([(best * own - fall) ** 2 for own, fall in zip(sums, falls, strict=True)]),
        "faithfulness_correlation": np.corrcoef(sums, falls)[0, 1],
    }


@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_metrics_of_images_are_their_formulas(net, maps, scale):
    found = evaluate(net, maps, class_names=NAMES)
    for row, saliency in enumerate(maps):
        for name, value in expected(net, saliency, scale).items():
            assert found.of(name, scale).values[row] == pytest.approx(value, abs=1e-5, nan_ok=True), (row, name)


def test_correlations_of_single_words_by_hand():
    text = "a vile and long film"
    saliency = TokenSaliency(text.split(), [0.1, 0.9, 0.2, 0.3, 0.4], Query("bad"), text=text)
    found = evaluate(text_model(), [saliency], metrics=["tau_correlation", "monotonicity_correlation"])
    # "vile" changes "bad" - its logit is 0 whatever is hidden; the probability falls without it and rises without others
    assert np.isnan(found.of("tau_correlation", "logits").values[0])
    effects = [-1, 1, -1, -1, -1]  # their order; four are tied
    pairs = [(first, second) for first in range(5) for second in range(first)]
    scores = saliency.scores
    agree = sum(np.sign(effects[i] - effects[j]) * np.sign(scores[i] - scores[j]) for i, j in pairs)
    assert found.of("tau_correlation", "probabilities").values[0] == pytest.approx(agree / np.sqrt(10 * 4))
    assert found.of("monotonicity_correlation", "probabilities").values[0] > 0


def test_max_sensitivity_tells_a_steady_from_a_shaky_method():
    maps = good_maps(3)
    model = Additive()
    weights = model.weights.numpy()

    def steady(images, queries):
        return [
            PixelSaliency(image.mean(axis=2) * weights, query, image=image)
            for image, query in zip(images, queries, strict=True)
        ]

    def shaky(images, queries):
        chance = np.random.default_rng(0)
        return [
            PixelSaliency(chance.random(image.shape[:2]), query, image=image)
            for image, query in zip(images, queries, strict=True)
        ]

    options = {"metrics": ["max_sensitivity"], "class_names": ("object", "other")}
    calm = evaluate(model, maps, explain=steady, **options)["max_sensitivity"]
    wild = evaluate(model, maps, explain=shaky, **options)["max_sensitivity"]
    assert calm.scale == "none"
    assert (calm.values < 0.03).all()
    assert (wild.values > 10 * calm.values).all()
    assert evaluate(model, maps, explain=steady, radius=0.1, **options)["max_sensitivity"].mean > calm.mean


def test_passes_of_explaining_again_are_counted():
    maps = good_maps(2)
    model = Additive()

    def explain(images, queries):
        names = ("object", "other")
        return attribute(model, images, queries, method="integrated_gradients", class_names=names, steps=4)

    found = evaluate(
        model, maps, metrics=["deletion", "max_sensitivity"], explain=explain, class_names=("object", "other"),
        perturbations=3, steps=4,
    )  # fmt: skip
    assert found.sweeps == 2 * (1 + 4)  # the image and its four steps
    assert found.backwards >= 2 * 3
    assert found.forwards >= found.sweeps + 2 * 3


@pytest.mark.parametrize("what", ["infidelity", "infidelity_scaled"])
def test_infidelity_agrees_with_captum(net, maps, what):
    """Captum is given the indicator of the hidden pixels as perturbation, and the map shared by the channels."""
    metrics = pytest.importorskip("captum.metrics")
    saliency = maps[0]
    kept = torch.from_numpy(subset_masks(saliency, *SUBSETS.values()).reshape(-1, 1, *saliency.shape))
    image = torch.tensor(saliency.image).permute(2, 0, 1)[None]
    share = torch.from_numpy(saliency.scores / 3).float()[None, None].expand(1, 3, -1, -1)

    def perturb(inputs):
        return (~kept).float().expand(-1, 3, -1, -1), torch.where(kept, inputs, torch.zeros(()))

    found = metrics.infidelity(
        net, perturb, image, share, target=0, n_perturb_samples=len(kept), normalize=what == "infidelity_scaled"
    )
    falls_with_map = evaluate(net, [saliency], metrics=["faithfulness_correlation"], class_names=NAMES).outcomes[0].mean > 0
    ours = evaluate(net, [saliency], metrics=[what], class_names=NAMES).outcomes[0].mean
    if what == "infidelity" or falls_with_map:
        assert ours == pytest.approx(float(found), rel=1e-3)
    else:
        assert ours >= float(found)


def test_max_sensitivity_agrees_with_captum(net, maps):
    metrics = pytest.importorskip("captum.metrics")
    from evals.faithfulness.metrics.robustness.max_sensitivity import changed

    @torch.enable_grad()
    def plain(images):
        images = images.detach().requires_grad_(True)
        found = torch.autograd.grad(net(images)[:, 0].sum(), images)[0]
        return found.sum(dim=1, keepdim=True).repeat(1, 3, 1, 1)

    def explain(images, queries):
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return [PixelSaliency(one[0].numpy(), query) for one, query in zip(plain(batch), queries, strict=True)]

    image = np.clip(maps[0].image, 0.05, 0.95)
    (own,) = explain([image], [Query("a")])
    saliency = PixelSaliency(own.scores, Query("a"), image=image)
    ours = evaluate(net, [saliency], metrics=["max_sensitivity"], explain=explain, class_names=NAMES)["max_sensitivity"].mean
    noisy = torch.from_numpy(np.stack([changed(image, 0.02, (0, sample)) for sample in range(10)])).permute(0, 3, 1, 2)

    def captum_explains(inputs):
        return (plain(inputs[0] if isinstance(inputs, tuple) else inputs),)

    found = metrics.sensitivity_max(
        captum_explains,
        torch.from_numpy(image).permute(2, 0, 1)[None],
        perturb_func=lambda inputs: noisy,
        n_perturb_samples=10,
    )
    assert ours == pytest.approx(float(found), rel=1e-4)


def test_ferret_definitions_of_a_text():
    """ferret: for each share of 10 % to 100 % the top tokens are cut out, or stay alone; the mean change of the probability."""
    text = "this vile film is long and so very dull indeed"
    words = text.split()
    chance = np.random.default_rng(3)
    saliency = TokenSaliency(words, chance.normal(size=10), Query("bad"), text=text)
    order = np.argsort(-saliency.scores)
    model = text_model()

    def probability(kept):
        logits = np.array(model.function([" ".join(words[place] for place in sorted(kept))])[0])
        return float(np.exp(logits[1]) / np.exp(logits).sum())

    bins = tuple(share / 10 for share in range(1, 11))
    whole = probability(range(10))
    comprehensive = np.mean([whole - probability(order[count:]) for count in range(1, 11)])
    sufficient = np.mean([whole - probability(order[:count]) for count in range(1, 11)])
    found = evaluate(model, [saliency], metrics=["comprehensiveness", "sufficiency"], bins=bins)
    assert found.of("comprehensiveness", "probabilities").mean == pytest.approx(comprehensive)
    assert found.of("sufficiency", "probabilities").mean == pytest.approx(sufficient)


def test_settings_out_of_range_are_refused(net, maps):
    for name, setting in (
        ("deletion", {"steps": 0}),
        ("increase", {"share": 1.5}),
        ("infidelity", {"samples": 1}),
        ("tau_correlation", {"cells": 0}),
        ("comprehensiveness", {"bins": (2.0,)}),
    ):
        with pytest.raises(UsageError):
            evaluate(net, maps, metrics=[name], class_names=NAMES, **setting)
    with pytest.raises(UsageError, match="shares"):
        Hide("top", ())
    with pytest.raises(UsageError, match="perturbations"):
        evaluate(net, maps, metrics=["max_sensitivity"], explain=lambda *_: [], perturbations=0, class_names=NAMES)
    assert sweep(net, maps, class_names=NAMES).forwards > 0
