"""Networks that are no subject of a proof: where their graph, or what is read of it, is not what is run."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from adversarial.bounds.networks import (  # noqa: E402
    evaluate,
    inference_error,
    interval_activations,
    read_module,
    read_onnx,
)
from adversarial.bounds.networks.comparing import unlike  # noqa: E402
from adversarial.bounds.proving.items import _extreme  # noqa: E402
from adversarial.bounds.proving.relaxations import relu_lines  # noqa: E402
from adversarial.bounds.subject import open_subject  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402

SHAPE = (3, 2, 1)


class Counting(nn.Module):
    """Its scores grow with each call."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        return self.last(x.flatten(1)) * self.calls


class Subtracting(nn.Module):
    """What torch takes in the other order."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 3)

    def forward(self, x):
        return self.last(torch.rsub(x.flatten(1), 0.7, alpha=2.0))


def onnx_of(path, nodes, constants=()):
    from onnx import helper, numpy_helper, save

    value = helper.make_tensor_value_info
    made = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants]
    graph = helper.make_graph(
        [helper.make_node(kind, reads, [name], **given) for kind, reads, name, given in nodes],
        "g", [value("image", 1, ["n", 1, 3, 2])], [value("scores", 1, None)], made,
    )  # fmt: skip
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_a_module_whose_scores_hang_on_more_than_the_image_is_refused():
    torch.manual_seed(0)
    with pytest.raises(UsageError, match="returns scores that differ by"):
        open_subject(Counting(), SHAPE)


@pytest.mark.parametrize("shift", [1e-2, np.nan])
@pytest.mark.parametrize("last", [nn.Identity(), nn.Softmax(1), nn.LogSoftmax(1)])
def test_scores_that_rounding_does_not_explain_are_seen(programs, shift, last):
    rng = np.random.default_rng(0)
    module = nn.Sequential(programs.build(rng, "residual", *SHAPE, 3), last).eval()
    network, images = read_module(module, SHAPE), rng.random((2, *SHAPE), dtype=np.float32)
    assert unlike(network, lambda given: programs.scores(module, given), images) is None
    assert unlike(network, lambda given: programs.scores(module, given) + np.array([0, shift, 0]), images) is not None


def test_a_constant_less_a_multiple_is_read_as_torch_computes_it():
    torch.manual_seed(0)
    module = Subtracting().eval()
    images = torch.rand(4, *SHAPE)
    got = module(images.permute(0, 3, 1, 2)).detach().double()
    assert torch.allclose(evaluate(read_module(module, SHAPE), images), got, atol=1e-5)
    open_subject(module, SHAPE)


@pytest.mark.parametrize(
    ("nodes", "constants", "said"),
    [
        # no axes are all of them
        ([("ReduceMean", ["image", "axes"], "scores", {"keepdims": 0})], [("axes", np.zeros(0, np.int64))], "the batch"),
        (
            [("Dropout", ["image", "ratio", "training"], "a", {}), ("Flatten", ["a"], "scores", {})],
            [("ratio", np.float32(0.5)), ("training", np.array(True))],
            "at random",
        ),
        (
            [("Flatten", ["image"], "a", {}), ("Gemm", ["a", "w", "c"], "scores", {})],
            [("w", np.ones((6, 3), np.float32)), ("c", np.ones((3, 1), np.float32))],
            "a constant of",
        ),
    ],
)  # fmt: skip
def test_what_onnx_means_otherwise_is_refused(tmp_path, nodes, constants, said):
    pytest.importorskip("onnx")
    with pytest.raises(UsageError, match=said):
        read_onnx(onnx_of(tmp_path / "a.onnx", nodes, constants), channels="first")


def test_constants_that_onnx_multiplies_along_axes_are_read_so(tmp_path):
    pytest.importorskip("onnx")
    nodes = [
        ("ReduceProd", ["c"], "row", {"axes": [0], "keepdims": 0}),
        ("Flatten", ["image"], "a", {}),
        ("Mul", ["a", "row"], "scores", {}),
    ]
    network = read_onnx(
        onnx_of(tmp_path / "a.onnx", nodes, [("c", np.arange(1, 13, dtype=np.float32).reshape(2, 6))]), channels="first"
    )
    assert evaluate(network, np.ones((1, *SHAPE)))[0].tolist() == [7.0, 16.0, 27.0, 40.0, 55.0, 72.0]


@pytest.mark.parametrize("backwards", [True, False])
def test_a_softmax_costs_its_rounding_whichever_way_errors_are_carried(backwards):
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(6, 3)).eval()
    networks = [read_module(one, SHAPE) for one in (plain, nn.Sequential(plain, nn.Softmax(1)).eval())]
    box = torch.zeros(1, *SHAPE), torch.ones(1, *SHAPE)
    without, with_it = (inference_error(one, interval_activations(one, *box), backwards=backwards) for one in networks)
    assert (with_it - without).min() > 64 * 2.0**-24


def test_what_is_added_to_a_sum_of_products_may_be_rounded_with_each_of_them():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Conv2d(1, 1, 3, padding=1, bias=False)
            self.inner.weight.data.fill_(2.0**-20)

        def forward(self, x):
            return (x + self.inner(x)).flatten(1)

    network = read_module(Residual().eval(), SHAPE)
    ones = torch.ones(1, *SHAPE)
    error = inference_error(network, interval_activations(network, ones, ones))
    # added up one after the other in float32, beginning at 1: each of the products is less than half a unit, and is lost
    running = np.float32(1)
    for _ in range(6):
        running += np.float32(2.0**-25)
    assert running == 1
    assert error.min() > 9 * 2.0**-24


def test_bounds_that_are_no_numbers_prove_nothing():
    nothing = torch.full((1, 2), torch.nan)
    lines = relu_lines(torch.zeros(1, 2), nothing, nothing)
    assert lines.below(torch.ones(1, 1, 2))[0].isnan().all()
    at = torch.zeros(1, 1, dtype=torch.long)
    assert _extreme(at, torch.full((1, 1), torch.nan), 1, "amin", 1).isnan().all()
