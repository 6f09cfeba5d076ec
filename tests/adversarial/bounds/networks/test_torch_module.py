"""Torch modules as graphs: the same scores as the module's in float64, and clear refusals."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from adversarial.bounds.networks import evaluate, read_module
from saywhy_core.errors import UsageError


class Residual(nn.Module):
    """Most operations in one module, since following one takes a second."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=(1, 0), stride=(2, 1))
        self.norm, self.plain = nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)
        self.second = nn.Conv2d(4, 4, 3, padding="same", groups=2, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.register_buffer("mean", torch.tensor([0.1, 0.4]).reshape(2, 1, 1))
        self.last = nn.Linear(12, 5)
        for norm in (self.norm, self.plain):
            nn.init.uniform_(norm.running_mean, -1, 1)
            nn.init.uniform_(norm.running_var, 0.5, 2)

    def forward(self, x):
        x = self.first((x - self.mean) / 0.5)
        y = self.norm(x)
        z = self.relu(y)
        z = self.plain(self.second(z)) + 0.5 * y
        z += functional.leaky_relu(x, 0.1)
        z = functional.max_pool2d(functional.pad(z, (1, 0, 0, 1), value=0.25), 2, stride=1, ceil_mode=True)
        z = functional.avg_pool2d(z, 2, padding=1, count_include_pad=False)
        z = torch.cat([functional.relu6(z * 9), 1 - z[:, ::2], z.flip(1)[:, :2]], 1)
        z = z.transpose(2, 3).clamp(min=-1, max=3).permute(0, 1, 3, 2)
        a, b = functional.adaptive_avg_pool2d(z, 1).flatten(1), z.mean((2, 3)).sub(0.3, alpha=2)
        b = b.unsqueeze(1).squeeze()
        return functional.dropout(self.last((a + b)[:, :8] @ torch.ones(8, 12, dtype=a.dtype)), training=self.training)


def double_scores(module, images):
    """Of images with channels last, by the module itself."""
    return copy.deepcopy(module).double().eval()(images.double().permute(0, 3, 1, 2)).detach()


def test_a_residual_module():
    torch.manual_seed(0)
    module = Residual()
    module.norm.eval()
    before = copy.deepcopy(module.state_dict())
    network = read_module(module, (9, 8, 2))
    assert module.training
    assert not module.norm.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    images = torch.rand(4, 9, 8, 2)
    torch.testing.assert_close(evaluate(network, images), double_scores(module, images))
    assert network.precision == "float32"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_numbers_of_short_formats_are_read_at_their_values(kind):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(20, 3), nn.Softmax(1)).to(kind)
    network = read_module(module, (5, 4))
    images = torch.rand(2, 5, 4, 1)
    torch.testing.assert_close(evaluate(network, images), double_scores(module[:2], images))
    assert network.image_shape == (5, 4, 1)
    assert network.precision == str(kind).removeprefix("torch.")


class Choosing(nn.Module):
    """What it does depends on the image."""

    def forward(self, x):
        return x.flatten(1) if x.sum() > 3 else -x.flatten(1)


class Batch(nn.Module):
    """It mixes the images of a batch."""

    def forward(self, x):
        return (x - x.mean(0, keepdim=True)).flatten(1)


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (nn.Sequential(nn.Flatten(), nn.Sigmoid(), nn.Linear(20, 3)), "'sigmoid' \\(node 'sigmoid'\\)"),
        (nn.Sequential(nn.Flatten(), nn.Softmax(1), nn.Linear(20, 3)), "softmax"),
        (Choosing(), "Choosing can't be followed"),
        (Batch(), "mean .*batch"),
        (nn.Sequential(nn.Flatten(), nn.Linear(7, 3)), "doesn't fit"),
        (nn.Flatten(0), "batch|shape"),
    ],
)  # fmt: skip
def test_what_is_not_covered_is_refused_by_name(module, named):
    with pytest.raises(UsageError, match=named):
        read_module(module, (5, 4, 1))


@pytest.mark.parametrize("shape", [(5,), (5, 4, 0), (5, 4, 1, 1), (5, 4.0, 1)])
def test_the_shape_of_an_image_is_checked(shape):
    with pytest.raises(UsageError, match="image_shape"):
        read_module(nn.Flatten(), shape)


def test_the_signs():
    signs = pytest.importorskip("saywhy.signs")
    module = signs.load().module()
    network = read_module(module, (48, 48, 3))
    images = torch.rand(2, 48, 48, 3)
    torch.testing.assert_close(evaluate(network, images), double_scores(module, images))


def test_assertions_of_a_program_that_was_exported_before_compute_nothing():
    class Asserted(nn.Sequential):
        def forward(self, images):
            torch.ops.aten._assert_tensor_metadata.default(images, dtype=images.dtype)
            scores = super().forward(images)
            torch.ops.aten._assert_tensor_metadata.default(scores, dtype=scores.dtype)
            return scores

    torch.manual_seed(1)
    module = Asserted(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3), nn.Softmax(1)).eval()
    network = read_module(module, (5, 5, 1))
    assert network.softmax
    images = torch.rand(3, 5, 5, 1)
    torch.testing.assert_close(evaluate(network, images).softmax(1), double_scores(nn.Sequential(*module), images))
