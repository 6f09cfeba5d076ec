"""Bounds on errors of rounding: never below what is observed, and not absurdly above it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from adversarial.bounds.networks import evaluate, inference_error, interval_activations, read_module, read_onnx
from adversarial.bounds.networks.network import Add, MaxPool, Network, Node, Relu
from adversarial.bounds.networks.operations import Conv, Dense, Scale
from adversarial.bounds.networks.precision import gamma
from adversarial.bounds.networks.rearranging import Reshape, Transpose


def random_network(seed, *, channels=3, size=6, classes=4, depth=2):
    """Convolutions with batch normalisation and shortcuts, a pool, and a matrix; and the same as a torch module's steps."""
    random = np.random.default_rng(seed)

    def numbers(*shape):
        return torch.from_numpy(random.normal(size=shape).astype(np.float32)).double()

    shape = (channels, size, size)
    nodes = [Node(Transpose((size, size, channels), (2, 0, 1)), (-1,), shape)]
    for _ in range(depth):
        here = len(nodes) - 1
        conv = Conv(numbers(channels, channels, 3, 3), numbers(channels), shape, (1, 1), (1, 1), ((1, 1), (1, 1)))
        scale = Scale(numbers(channels, 1, 1), numbers(channels, 1, 1), shape)
        nodes += [Node(conv, (here,), shape), Node(scale, (here + 1,), shape), Node(Relu(), (here + 2,), shape)]
        nodes.append(Node(Add(), (here + 3, here), shape))
    half = (channels, size // 2, size // 2)
    flat = channels * (size // 2) ** 2
    last = len(nodes) - 1
    nodes += [Node(MaxPool((2, 2), (2, 2)), (last,), half), Node(Reshape(half, (flat,)), (last + 1,), (flat,))]
    nodes.append(Node(Dense(numbers(classes, flat), numbers(classes), (flat,)), (last + 2,), (classes,)))
    return Network(tuple(nodes), (size, size, channels))


def run_in(kind, network, images):
    """Scores of a network whose operations are computed in another format, by torch."""
    values = {-1: images.to(kind)}
    for index, node in enumerate(network.nodes):
        inputs = [values[place] for place in node.inputs]
        op = node.op
        match op:
            case Relu():
                values[index] = inputs[0].relu()
            case Add():
                values[index] = inputs[0] + inputs[1]
            case MaxPool():
                values[index] = nn.functional.max_pool2d(inputs[0], op.kernel, op.stride)
            case Conv():
                values[index] = nn.functional.conv2d(inputs[0], op.weight.to(kind), op.bias.to(kind), padding=1)
            case Scale():
                values[index] = inputs[0] * op.factor.to(kind) + op.shift.to(kind)
            case Dense():
                values[index] = nn.functional.linear(inputs[0], op.weight.to(kind), op.bias.to(kind))
            case _:
                values[index] = op.forward(inputs[0])
    return values[len(network.nodes) - 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_inference_stays_within_the_bound(seed):
    network = random_network(seed)
    images = torch.from_numpy(np.random.default_rng(seed).random((5, 6, 6, 3), np.float32))
    exact = evaluate(network, images)
    low, high = images.amin(0, keepdim=True), images.amax(0, keepdim=True)
    for box in (interval_activations(network, low, high), interval_activations(network, images, images)):
        for kind in (torch.float32, torch.float16, torch.bfloat16):
            bound = inference_error(network, box, str(kind).removeprefix("torch."))
            assert ((run_in(kind, network, images).double() - exact).abs() <= bound).all()


def test_the_bound_of_one_image_is_within_some_thousands_of_what_is_seen():
    ratios = []
    for seed in range(10):
        network = random_network(seed)
        images = torch.from_numpy(np.random.default_rng(seed).random((20, 6, 6, 3), np.float32))
        bound = inference_error(network, interval_activations(network, images, images))
        ratios.append(
            float(((run_in(torch.float32, network, images).double() - evaluate(network, images)).abs() / bound).amax())
        )
    assert 1e-4 < max(ratios) <= 1


def test_differences_of_scores_and_shared_errors():
    network = random_network(1)
    image = torch.rand(1, 6, 6, 3, dtype=torch.float64)
    box = interval_activations(network, image, image)
    single = inference_error(network, box)
    difference = inference_error(network, box, rows=torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, 0]]))
    assert difference.shape == (1, 2)
    assert difference[0, 0] <= single[0, 0] + single[0, 1]
    torch.testing.assert_close(difference[0, 1], single[0, 2])


def test_double_precision_against_fractions():
    """A chain of two matrices with a ReLU, in exact rational numbers."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(7, 8)).astype(np.float32), random.normal(size=(3, 7)).astype(np.float32)
    one, two = torch.from_numpy(first).double(), torch.from_numpy(second).double()
    shape = (2, 4, 1)
    nodes = (
        Node(Reshape(shape, (8,)), (-1,), (8,)), Node(Dense(one, None, (8,)), (0,), (7,)), Node(Relu(), (1,), (7,)),
        Node(Dense(two, None, (7,)), (2,), (3,)),
    )  # fmt: skip
    network = Network(nodes, shape)
    image = random.random((1, *shape)).astype(np.float32)
    x = [Fraction(float(value)) for value in image.reshape(-1)]
    hidden = [max(sum(Fraction(float(w)) * v for w, v in zip(row, x, strict=True)), Fraction(0)) for row in first]
    exact = [sum(Fraction(float(w)) * v for w, v in zip(row, hidden, strict=True)) for row in second]
    box = interval_activations(network, image, image)
    bound = inference_error(network, box, "float64")[0]
    for k, value in enumerate(evaluate(network, image)[0]):
        assert abs(Fraction(float(value)) - exact[k]) <= Fraction(float(bound[k])) < Fraction(1, 10**12)
        assert Fraction(float(box[-1][0][0, k])) <= exact[k] <= Fraction(float(box[-1][1][0, k]))


def test_batch_normalisation_folded_by_a_runtime(tmp_path, write_onnx, runtime_scores):
    """A large mean with a small variance: the shift is a difference of large numbers."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper.make_node
    random = np.random.default_rng(0)
    steps = [
        make("Transpose", ["image"], ["x"], perm=[0, 3, 1, 2]), make("Conv", ["x", "w"], ["a"]),
        make("BatchNormalization", ["a", "s", "b", "m", "v"], ["y"]), make("Relu", ["y"], ["r"]),
        make("Flatten", ["r"], ["f"]), make("MatMul", ["f", "last"], ["scores"]),
    ]  # fmt: skip
    means = np.array([300, -200, 1e4, 3], np.float32)
    constants = {
        "w": random.normal(size=(4, 3, 3, 3)).astype(np.float32), "s": np.ones(4, np.float32), "b": 1e3 * np.sign(means),
        "m": means, "v": np.full(4, 1e-4, np.float32), "last": random.normal(size=(48, 3)).astype(np.float32),
    }  # fmt: skip
    path = write_onnx(tmp_path / "a.onnx", steps, {name: array.astype(np.float32) for name, array in constants.items()})
    network = read_onnx(path)
    images = random.random((20, 6, 5, 3)).astype(np.float32)
    difference = (torch.from_numpy(runtime_scores(path, images)).double() - evaluate(network, images)).abs()
    bound = inference_error(network, interval_activations(network, images, images))
    assert (difference <= bound).all()
    assert difference.max() > 1e-3


def test_no_bound_where_numbers_overflow_or_lose_every_digit():
    network = random_network(0)
    box = interval_activations(network, torch.zeros(1, 6, 6, 3), torch.ones(1, 6, 6, 3))
    wide = [(low * 1e38, high * 1e38) for low, high in box]
    assert inference_error(network, wide).isinf().all()
    assert gamma("bfloat16", 1000) == float("inf")


@pytest.mark.long
def test_intervals_hold_all_images_of_a_box():
    network = read_module(
        nn.Sequential(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4)), (5, 6, 2)
    )
    low = torch.rand(3, 5, 6, 2, dtype=torch.float64)
    high = low + torch.rand_like(low)
    below, above = interval_activations(network, low, high)[-1]
    for share in torch.rand(50, 3, 5, 6, 2, dtype=torch.float64).round():
        scores = evaluate(network, low + share * (high - low))
        assert (below <= scores).all()
        assert (scores <= above).all()
