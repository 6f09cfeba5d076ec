"""A second verifier, which shares no code with the first: mixed-integer programs, solved by HiGHS through scipy."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
optimize = pytest.importorskip("scipy.optimize")
sparse = pytest.importorskip("scipy.sparse")

from torch import nn  # noqa: E402

from adversarial.bounds.networks import read_module  # noqa: E402
from adversarial.bounds.proving.prover import Prover  # noqa: E402

CLOSE = 1e-5  # of a margin to 0: HiGHS keeps constraints to 1e-6 or so, and the network multiplies that
SECONDS = 5.0  # of a program; most are solved in a tenth of that, and a few would take an hour


class Model:
    """Variables with bounds, and rows of constraints."""

    def __init__(self):
        self.low, self.high, self.whole, self.rows = [], [], [], []

    def variables(self, low, high, *, whole=False):
        low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
        start = len(self.low)
        self.low += low.ravel().tolist()
        self.high += high.ravel().tolist()
        self.whole += [int(whole)] * low.size
        return np.arange(start, len(self.low)).reshape(low.shape)

    def row(self, at, factors, low=-np.inf, high=np.inf):
        self.rows.append((list(at), list(factors), low, high))

    def least(self, at, factors):
        """Below and above the least of a linear function: one number twice where the solver comes to its end in time."""
        rows = np.repeat(np.arange(len(self.rows)), [len(row[0]) for row in self.rows])
        columns, values = (np.concatenate([row[part] for row in self.rows]) for part in (0, 1))
        matrix = sparse.csr_array((values, (rows, columns)), shape=(len(self.rows), len(self.low)))
        cost = np.zeros(len(self.low))
        np.add.at(cost, at, factors)
        held = optimize.LinearConstraint(matrix, [row[2] for row in self.rows], [row[3] for row in self.rows])
        found = optimize.milp(
            cost, integrality=self.whole, bounds=optimize.Bounds(self.low, self.high), constraints=held,
            options={"mip_rel_gap": 0.0, "time_limit": SECONDS},
        )  # fmt: skip
        if found.success:
            return found.fun, found.fun
        assert found.status == 1, found.message  # the time is up
        bound = -np.inf if found.mip_dual_bound is None else found.mip_dual_bound
        return bound, np.inf if found.x is None else found.fun


def modelled(module, picture, pixels):
    """The network as a model in which at most so many pixels have other values; and the variables of its scores."""
    model, high, wide, channels = Model(), *picture.shape
    image = model.variables(np.zeros((channels, high, wide)), 1.0)
    changed = model.variables(np.zeros((high, wide)), 1.0, whole=True)
    model.row(changed.ravel(), np.ones(changed.size), high=pixels)
    for (y, x, channel), value in np.ndenumerate(picture.astype(float)):
        model.row([image[channel, y, x], changed[y, x]], [1, -(1 - value)], high=value)
        model.row([image[channel, y, x], changed[y, x]], [1, value], low=value)
    values = [image]
    for layer, reads in zip(module.layers, module.reads, strict=True):
        given = [values[place] for place in reads]
        match layer:
            case nn.ReLU():
                values.append(_relu(model, given[0]))
            case nn.MaxPool2d():
                values.append(_largest(model, layer, given[0]))
            case nn.Flatten():
                values.append(given[0].ravel())
            case _:
                values.append(_affine(model, layer, given))
    return model, values[-1]


def _affine(model, layer, given):
    sizes = [part.size for part in given]
    zeros = [torch.zeros(1, *part.shape, dtype=torch.float64) for part in given]
    with torch.no_grad():
        offset = layer(*zeros)[0]
        columns = []
        for place, part in enumerate(given):
            eye = torch.eye(part.size, dtype=torch.float64).reshape(part.size, *part.shape)
            inputs = [eye if other == place else zero.expand(part.size, *zero.shape[1:]) for other, zero in enumerate(zeros)]
            columns.append((layer(*inputs) - offset).reshape(part.size, -1).T.numpy())
    matrix, shift = np.concatenate(columns, axis=1), offset.numpy().ravel()
    at = np.concatenate([part.ravel() for part in given])
    assert matrix.shape == (len(shift), sum(sizes))
    low, high = (np.array(side)[at] for side in (model.low, model.high))
    up, down = np.maximum(matrix, 0), np.minimum(matrix, 0)
    made = model.variables(up @ low + down @ high + shift, up @ high + down @ low + shift)
    for row, variable, constant in zip(matrix, made, shift, strict=True):
        used = np.flatnonzero(row)
        model.row([variable, *at[used]], [1, *-row[used]], constant, constant)
    return made.reshape(offset.shape)


def _relu(model, given):
    made = np.empty_like(given)
    for place, x in np.ndenumerate(given):
        low, high = model.low[x], model.high[x]
        y = made[place] = int(model.variables(max(low, 0), max(high, 0)))
        if low >= 0:
            model.row([y, x], [1, -1], 0, 0)
        elif high > 0:
            on = int(model.variables(0, 1, whole=True))
            model.row([y, x], [1, -1], low=0)
            model.row([y, x, on], [1, -1, -low], high=-low)
            model.row([y, on], [1, -high], high=0)
    return made


def _largest(model, layer, given):
    kernel, stride, padding = (
        value if isinstance(value, tuple) else (value, value) for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    channels, high, wide = given.shape
    counts = [(size + 2 * pad - reach) // step + 1 for size, pad, reach, step in zip((high, wide), padding, kernel, stride)]  # noqa: B905
    made = np.empty((channels, *counts), dtype=int)
    for channel, row, column in np.ndindex(*made.shape):
        window = [
            int(given[channel, y, x])
            for y in range(row * stride[0] - padding[0], row * stride[0] - padding[0] + kernel[0])
            for x in range(column * stride[1] - padding[1], column * stride[1] - padding[1] + kernel[1])
            if 0 <= y < high and 0 <= x < wide
        ]
        most = max(model.high[one] for one in window)
        y = made[channel, row, column] = int(model.variables(max(model.low[one] for one in window), most))
        wins = model.variables(np.zeros(len(window)), 1, whole=True)
        model.row(wins, np.ones(len(window)), 1, 1)
        for one, win in zip(window, wins, strict=True):
            model.row([y, one], [1, -1], low=0)
            room = most - model.low[one]
            model.row([y, one, win], [1, -1, room], high=room)
    return made


def least_margin(module, picture, label, pixels):
    """Below and above how far the label is ahead at the least, where at most so many pixels change."""
    model, scores = modelled(module, picture, pixels)
    others = (other for other in range(len(scores)) if other != label)
    return tuple(np.min([model.least([scores[label], scores[other]], [1, -1]) for other in others], axis=0))


def agrees(programs, seed, most=2):
    rng = np.random.default_rng(seed)
    kind = programs.KINDS[seed % len(programs.KINDS)]
    size = (*(int(side) for side in rng.integers(1, 4, 2)), int(rng.choice([1, 1, 3])))
    module = programs.build(rng, kind, *size, int(rng.integers(2, 4)), str(rng.choice(programs.QUIRKS[:6])))
    picture = programs.image(rng, *size, str(rng.choice(["inside", "ends", "both"])))
    label = int(programs.scores(module, picture[None]).argmax())

    def flips(images):
        return programs.scores(module, images).argmax(1) != label

    prover = Prover(read_module(module, size), picture.astype(np.float64), label, flips=flips)
    prover.run(most, 20)
    double, truth = copy.deepcopy(module).double(), math.inf
    for pixels in range(min(most, size[0] * size[1]) + 1):
        low, high = least_margin(double, picture, label, pixels)
        if high < -CLOSE - prover.allowance:
            truth = pixels
            break
        if low <= CLOSE + prover.allowance:  # rounding decides, or the solver's time is up
            assert prover.proved < pixels or high >= -CLOSE
            return False
    least = truth if truth < math.inf else pixels + 1
    assert prover.proved + 1 <= least <= truth <= prover.fewest
    if prover.open or prover.stuck:  # the proof did not come to its end in time
        return False
    assert (prover.proved + 1, prover.fewest) == (least, truth)
    return True


def test_the_integer_program_knows_a_network_that_is_solved_by_hand():
    """Two pixels x and y, scores 2 x + y and 1.5: from (1, 1), one pixel brings 3 down to 1, two to 0."""
    module = nn.Module()
    layer = nn.Linear(2, 2).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, 1.0], [0.0, 0.0]]))
        layer.bias.copy_(torch.tensor([0.0, 1.5]))
    module.layers, module.reads = [nn.Flatten(), layer], [(0,), (1,)]
    picture = np.ones((1, 2, 1), np.float32)
    margins = [least_margin(module, picture, 0, pixels) for pixels in (0, 1, 2)]
    assert np.array(margins) == pytest.approx(np.array([[1.5, 1.5], [-0.5, -0.5], [-1.5, -1.5]]))


@pytest.mark.parametrize("seed", [1, 3, 6, 7, 9])
def test_proofs_agree_with_integer_programs(programs, seed):
    torch.set_num_threads(1)
    agrees(programs, seed)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))  # 400 in all, side by side
def test_proofs_agree_with_integer_programs_on_many_networks(programs, part):
    torch.set_num_threads(1)
    decided = sum(agrees(programs, seed) for seed in range(100 + 100 * part, 200 + 100 * part))
    assert decided > 50  # a quarter lie on the boundary by construction (ties, same classes); a few take too long
