"""Affine operations: their transposes are exact, their offsets and magnitudes fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.bounds.networks.operations import Conv, Dense, Scale, Sum
from adversarial.bounds.networks.rearranging import Cut, Pad, Reshape, Transpose


def numbers(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def check(op, seed=0):
    """Against the matrix that unit vectors spell out."""
    x, v = numbers(seed + 1, 3, *op.before), numbers(seed + 2, 3, *op.after)
    size = int(np.prod(op.before))
    columns = op.linear(torch.eye(size, dtype=torch.float64).reshape(size, *op.before)).reshape(size, -1)
    bias = op.forward(torch.zeros(1, *op.before, dtype=torch.float64)).reshape(-1)
    assert op.forward(x).shape == (3, *op.after)
    torch.testing.assert_close(op.forward(x).reshape(3, -1), x.reshape(3, -1) @ columns + bias)
    torch.testing.assert_close(op.transposed(v).reshape(3, -1), v.reshape(3, -1) @ columns.T)
    torch.testing.assert_close(op.offset(v), v.reshape(3, -1) @ bias)
    magnitudes = op.absolute()
    torch.testing.assert_close(magnitudes.linear(x.abs()).reshape(3, -1), x.abs().reshape(3, -1) @ columns.abs())
    assert (magnitudes.forward(torch.zeros_like(x)).reshape(3, -1) >= bias.abs() - 1e-12).all()
    assert (columns.count_nonzero(0) <= max(op.terms, 1)).all()
    assert op.to("cpu").after == op.after


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_convolutions(data):
    axes, groups = data.draw(st.sampled_from([1, 2])), data.draw(st.sampled_from([1, 2, 3]))
    few = st.integers(1, 3)
    kernel = [data.draw(few) for _ in range(axes)]
    stride, dilation = (tuple(data.draw(few) for _ in range(axes)) for _ in range(2))
    padding = tuple((data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in range(axes))
    size = [
        max(d * (k - 1) + 1 - sum(p), 1) + data.draw(st.integers(0, 4))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    inputs, outputs = groups * data.draw(few), groups * data.draw(few)
    bias = numbers(5, outputs) if data.draw(st.booleans()) else None
    check(Conv(numbers(4, outputs, inputs // groups, *kernel), bias, (inputs, *size), stride, dilation, padding, groups))


def test_a_convolution_by_plain_loops():
    x, weight = numbers(0, 1, 2, 5, 6), numbers(1, 4, 2, 3, 2)
    op = Conv(weight, None, (2, 5, 6), (2, 3), (1, 2), ((1, 0), (0, 2)))
    padded = np.zeros((2, 6, 8))
    padded[:, 1:, :6] = x[0]
    assert op.after == (4, 2, 2)
    for row in range(2):
        for column in range(2):
            window = padded[:, 2 * row : 2 * row + 3, 3 * column : 3 * column + 3 : 2]
            np.testing.assert_allclose(op.forward(x)[0, :, row, column], (weight.numpy() * window).sum((1, 2, 3)))


@pytest.mark.parametrize(
    "op",
    [
        Dense(numbers(0, 4, 3), numbers(1, 4), (3,)),
        Dense(numbers(0, 4, 3), numbers(1, 4), (2, 5, 3)),
        Dense(numbers(0, 4, 3), None, (2, 3)),
        Scale(numbers(0, 3, 1, 1), numbers(1, 1, 4, 1), (3, 4, 5)),
        Scale(numbers(0, 3, 1, 1), numbers(1, 1, 4, 1), (1, 4, 5)),
        Scale(torch.tensor(-2.0).double(), torch.tensor(0.5).double(), (3, 2)),
        Scale(numbers(0, 3), numbers(1, 3), (3,), numbers(1, 3).abs() + 1),
        Sum((3, 4, 5), (1, 2), -0.05),
        Sum((3, 4), (0,)),
        Reshape((3, 4), (2, 6)),
        Transpose((3, 4, 5), (2, 0, 1)),
        Cut((3, 7), 1, range(1, 7, 3)),
        Cut((3, 7), 0, range(2, -1, -1)),
        Pad((3, 4), ((0, 0), (2, 1)), 1.5),
        Pad((3, 4), ((1, 0), (0, 0))),
    ],
    ids=lambda op: type(op).__name__,
)
def test_other_operations(op):
    check(op)
