"""Arrays N×H×W: grey images where the model takes grey ones, and refused where they may be something else."""

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.models import ImageModel


def _model(channels):
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]
    return ImageModel(nn.Sequential(*layers).eval(), ("a", "b", "c"))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_a_model_of_grey_images_takes_a_batch_without_channels(kind):
    pixels = np.random.default_rng(0).random((6, 10, 9), dtype=np.float32)
    found = attribute(_model(1), kind(pixels), method="saliency")
    expected = attribute(_model(1), pixels[..., None], method="saliency")
    assert len(found) == 6
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.scores, wanted.scores)
    (batch, last) = attribute(_model(1), iter([kind(pixels[:5]), kind(pixels[:2])]), method="saliency")
    assert (len(batch), len(last)) == (5, 2)


@pytest.mark.parametrize(("channels", "shape"), [(3, (6, 10, 9)), (1, (3, 10, 9)), (1, (4, 10, 9))])
def test_what_may_be_one_image_is_refused(channels, shape):
    with pytest.raises(UsageError, match="grey images or one image"):
        attribute(_model(channels), torch.zeros(shape), method="saliency")


def test_one_image_stays_one():
    assert attribute(_model(1), torch.zeros(1, 10, 9), method="saliency").scores.shape == (10, 9)
    assert attribute(_model(1), np.zeros((10, 9), dtype=np.float32), method="saliency").scores.shape == (10, 9)
    assert attribute(_model(3), torch.zeros(3, 10, 9), method="saliency").scores.shape == (10, 9)
    assert attribute(_model(7), np.zeros((10, 9, 7), dtype=np.float32), method="saliency").scores.shape == (10, 9)
