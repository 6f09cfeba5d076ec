"""Metrics beside Quantus: the same maps, masks, sets and noise in both, and the differences that docs/faithfulness.md names.

The environment variable SAYWHY_QUANTUS names the Python of an environment with quantus and torch.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from evals.faithfulness import evaluate, inverted_map, sweep
from evals.faithfulness.metrics.correlations.subsets import subset_masks
from evals.faithfulness.metrics.robustness.max_sensitivity import changed
from verbalize import PixelSaliency, Query, attribute

PYTHON = os.environ.get("SAYWHY_QUANTUS")
pytestmark = [pytest.mark.long, pytest.mark.skipif(not PYTHON, reason="SAYWHY_QUANTUS names no Python with quantus")]
SIDE, COUNT, STEPS = 9, 6, 9  # Quantus's steps must divide the 81 pixels, and 3 colours of 9 pixels are 27 of its values
NAMES = ("a", "b", "c")
RADIUS, NOISES = 0.05, 5


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.kernel = nn.Parameter(torch.randn(4, 3, 3, 3, generator=generator) / 3)
        self.weights = nn.Parameter(torch.randn(4 * (SIDE - 2) ** 2, 3, generator=generator) / 10)

    def forward(self, batch):
        return functional.relu(functional.conv2d(batch, self.kernel)).flatten(1) @ self.weights


@pytest.fixture(scope="module")
def network():
    return Network().eval()


@pytest.fixture(scope="module")
def maps():
    rng = np.random.default_rng(5)
    images = rng.uniform(0.2, 0.8, (COUNT, SIDE, SIDE, 3)).astype(np.float32)  # noise does not reach 0 or 1
    return [
        PixelSaliency(rng.normal(size=(SIDE, SIDE)), Query(NAMES[index % 3]), image=image) for index, image in enumerate(images)
    ]


@pytest.fixture(scope="module")
def places():
    """Three plausible masks and maps: a point inside, a point outside, and a point inside that ties with one outside."""
    masks, tied = np.zeros((COUNT, SIDE, SIDE), dtype=bool), np.zeros((COUNT, SIDE, SIDE))
    masks[:, :4, :4] = True
    tied[0::3, 2, 2] = tied[1::3, 7, 7] = 1.0
    tied[2::3, 2, 2] = tied[2::3, 7, 7] = 1.0
    return masks, tied


@pytest.fixture(scope="module")
def quantus(network, maps, places, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantus")
    images = np.stack([one.image for one in maps])
    hidden = ~subset_masks(maps[0], 30, 0.2, SIDE, 0)  # cells of one pixel
    pixels = np.stack([np.flatnonzero(row) for row in hidden])
    noise = [[changed(image, RADIUS, (0, sample)) - image for image in images] for sample in range(NOISES)]
    masks, tied = places
    np.savez(
        folder / "given.npz",
        images=images.transpose(0, 3, 1, 2),
        labels=np.array([NAMES.index(one.query.label) for one in maps]),
        maps=np.stack([one.scores for one in maps])[:, None],
        kernel=network.kernel.detach().numpy(),
        weights=network.weights.detach().numpy(),
        step=3 * SIDE * SIDE // STEPS,
        sets=np.concatenate([pixels + colour * SIDE * SIDE for colour in range(3)], axis=1),
        noise=np.array(noise).transpose(0, 1, 4, 2, 3),
        masks=masks[:, None],
        tied=tied[:, None],
    )
    script = Path(__file__).with_name("quantus_reference.py")
    run = [PYTHON, str(script), str(folder / "given.npz"), str(folder / "found.npz")]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(folder / "found.npz"))


def test_the_curve_of_deletion_is_that_of_pixel_flipping(network, maps, quantus):
    swept = sweep(network, maps, shares=[step / STEPS for step in range(1, STEPS + 1)], class_names=NAMES)
    np.testing.assert_allclose(swept.scores("probabilities"), quantus["flipping"], atol=1e-5)


def test_the_area_of_pixel_flipping_lacks_the_step_from_the_whole_image_and_counts_steps(network, maps, quantus):
    ours = evaluate(network, maps, metrics=["deletion"], steps=STEPS, class_names=NAMES).of("deletion", "probabilities").values
    whole = sweep(network, maps, shares=[0.0], class_names=NAMES).scores("probabilities")[:, 0]
    first_step = (whole + quantus["flipping"][:, 0]) / 2
    np.testing.assert_allclose(ours, (quantus["area"] + first_step) / STEPS, atol=1e-5)


def test_black_is_the_darkest_value_of_each_image_for_quantus_and_zero_here(network, maps, quantus):
    assert np.abs(quantus["black"] - quantus["flipping"]).max() > 0.01
    darkest = np.array([one.image.min() for one in maps], dtype=np.float32)
    same = torch.from_numpy(darkest)[:, None, None, None].expand(-1, 3, SIDE, SIDE)
    found = network(same).softmax(dim=1).detach().numpy()
    columns = [NAMES.index(one.query.label) for one in maps]
    np.testing.assert_allclose(quantus["black"][:, -1], found[np.arange(COUNT), columns], atol=1e-5)


def test_faithfulness_correlation_agrees_on_the_same_sets(network, maps, quantus):
    found = evaluate(
        network, maps, metrics=["faithfulness_correlation"], samples=30, subset=0.2, cells=SIDE, class_names=NAMES
    ).of("faithfulness_correlation", "logits")  # fmt: skip
    np.testing.assert_allclose(found.values, quantus["correlation"], atol=1e-4)


def test_max_sensitivity_agrees_on_the_same_noise(network, maps, quantus):
    def explain(inputs, queries):
        return attribute(network, list(inputs), list(queries), method="input_x_gradient", baseline="black", class_names=NAMES)

    own = explain([one.image for one in maps], [one.query for one in maps])
    found = evaluate(
        network, own, metrics=["max_sensitivity"], explain=explain, perturbations=NOISES, radius=RADIUS, class_names=NAMES
    )["max_sensitivity"]  # fmt: skip
    np.testing.assert_allclose(found.values, quantus["sensitivity"], rtol=1e-4)


def test_the_pointing_game_agrees_but_for_ties_which_count_by_their_share_here(network, maps, places, quantus):
    masks, tied = places
    pointed = [PixelSaliency(scores, one.query, image=one.image) for scores, one in zip(tied, maps, strict=True)]
    found = evaluate(network, pointed, metrics=["pointing_game"], truth=list(masks), class_names=NAMES)["pointing_game"].values
    np.testing.assert_allclose(found, np.tile([1.0, 0.0, 0.5], COUNT // 3))
    np.testing.assert_allclose(quantus["pointing"], np.tile([1.0, 0.0, 1.0], COUNT // 3))


def test_monotonicity_of_quantus_never_shows_the_image_and_is_always_true(network, maps, quantus):
    assert quantus["monotone"].all()
    turned = [inverted_map(one) for one in maps]
    both = evaluate(network, [*maps, *turned], metrics=["monotonicity"], steps=STEPS, class_names=NAMES)["monotonicity"].values
    assert both.min() < 1
