"""How far the scores of inference in floating point can be from the exact ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch.nn import functional

from adversarial.bounds.networks.evaluating import max_pool, running
from adversarial.bounds.networks.network import Add, MaxPool, Relu
from adversarial.bounds.networks.operations import Scale
from adversarial.bounds.networks.precision import FORMATS, SPARE, gamma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from adversarial.bounds.networks.network import Affine, Network, Node, Precision

    Interval: TypeAlias = tuple[Tensor, Tensor]

SOFTMAX = 64  # units of rounding that a softmax may cost, times 1 + log K + the largest score; see `_in_softmax`
TOGETHER = 2**25  # numbers of one array of rows that go back through the network together: 256 MB


class _Known(NamedTuple):
    """Of a node: its bounds in exact arithmetic, the error of the computed numbers, and the part that the node itself adds.

    Attributes:
        terms: of the sum that the node may be a part of, where a runtime fuses it with what is added to it; 0 for none.
    """

    low: Tensor
    high: Tensor
    error: Tensor
    own: Tensor
    terms: int = 0

    @property
    def most(self) -> Tensor:
        """The largest magnitude that is computed."""
        return torch.maximum(self.low.abs(), self.high.abs()) + self.error


def inference_error(
    network: Network,
    intervals: Sequence[Interval],
    precision: Precision | None = None,
    *,
    rows: Tensor | None = None,
    sums: Sequence[Tensor | None] | None = None,
    backwards: bool = True,
) -> Tensor:
    """How far scores can be from the exact ones where a network is run in floating point, for all images in boxes.

    The first argument goes from node to node. Let x be the exact input of an affine node W x + b, x' the computed one,
    |x' - x| <= e and |x| <= a. The computed output is the result of W x' + b with rounding, which adds at most
    d = g (|W| (a + e) + |b|), whatever the order of the sum, with g from `gamma`; and |W x' - W x| <= |W| e. ReLU and the
    largest of several numbers round nothing and never stretch an error. A sum of two nodes is rounded once; where one of them
    is a sum of n products, a runtime may begin that sum with the other one, which then is rounded n times. Batch
    normalisation is covered as an operation of its own, and folded into the weights before it: the operations that this takes
    are among the spare ones of `gamma`, and its shift counts with the magnitudes of the numbers of which it is a difference.
    Results below the smallest normal number may be flushed to 0, which costs at most that number each time. Where a number
    may overflow, the error is infinite.

    The second argument goes back, and loses less where signs cancel: the error of a score is the sum over all nodes of J d.
    There J is a product of the matrices W, and of diagonal matrices for ReLUs: of 1 where the input is surely positive, of 0
    where it is surely negative, and of a number in [0, 1] elsewhere. For the largest of several numbers, the error is a mixture
    of the errors of those that may be the largest. Intervals for J are carried from the scores to the image. The smaller of the
    two bounds is returned. Both are computed in float64 and increased by their own rounding.

    A last softmax that the network leaves out adds what `_in_softmax` says, to every row.

    What the bound does not cover stands at `gamma`.

    Args:
        network: the network.
        intervals: bounds of each node in exact arithmetic, (N, *shape) each, for N boxes of images in [0, 1], such as those of
            `interval_activations`.
        precision: in which the network is run; None for the network's own. "float64" bounds the error of `evaluate`.
        rows: (R, K) sums of scores whose errors are wanted, such as differences of two scores; None for the scores themselves.
            Such sums are taken as exact, of scores that are not.
        sums: for each affine node, what |W| |x| + |b| is at most for these images, (N, *shape), where that is known to be less
            than what the intervals say; None for the other nodes.
        backwards: whether the second argument is made too, which takes some ten times as long.

    Returns:
        (N, R) float64.
    """
    known = _forward(network, intervals, precision if precision is not None else network.precision, sums)
    scores = known[len(network.nodes) - 1]
    wanted = torch.eye(network.classes).to(scores.error) if rows is None else rows.to(scores.error)
    plain = scores.error @ wanted.abs().T
    least = _certain(plain)
    if backwards:
        largest = max(math.prod(node.shape) for node in network.nodes) * len(plain)
        parts = wanted.split(max(TOGETHER // largest, 1))
        back = torch.cat([_backward(network, known, part) for part in parts], 1)
        least = torch.minimum(least, _certain(back))
    least = least * (1 + 1e-12)
    return least + _in_softmax(scores, precision or network.precision) if network.softmax else least


def _forward(
    network: Network, intervals: Sequence[Interval], precision: Precision, sums: Sequence[Tensor | None] | None
) -> dict[int, _Known]:
    """What is known of each node by going from node to node; -1 is the image."""
    first = intervals[0][0]
    image = first.new_zeros(len(first), *network.image_shape)
    # images are float32, so that only the shorter formats round them
    rounded = image + (FORMATS[precision].unit if precision in {"float16", "bfloat16"} else 0.0)
    given = iter(zip(intervals, sums if sums is not None else [None] * len(intervals), strict=True))

    def step(node: Node, *inputs: _Known) -> _Known:
        (low, high), least = next(given)
        passed, own = _error(node, inputs, precision, least)
        error = _certain((passed + own) * (1 + 4 * gamma("float64", getattr(node.op, "terms", 2))))
        over = torch.maximum(low.abs(), high.abs()) + error > FORMATS[precision].largest
        error, own = (torch.where(over, torch.inf, one) for one in (error, _certain(own)))
        return _Known(low, high, error, own, _terms(node, inputs))

    start = _Known(image, image + 1, rounded, rounded)
    return {-1: start, **dict(enumerate(running(network, start, step, forget=False)))}


def _error(node: Node, inputs: Sequence[_Known], precision: Precision, least: Tensor | None) -> tuple[Tensor, Tensor]:
    """(N, *shape): the error that a node passes on, and the one that it adds."""
    unit, smallest, largest = FORMATS[precision]
    first = inputs[0]
    nothing = first.error.new_zeros(())
    match node.op:
        case Relu():
            return torch.where(first.high + first.error <= 0, 0.0, first.error), nothing.expand_as(first.error)
        case MaxPool():
            passed = max_pool(node.op, first.error)
            return passed, nothing.expand_as(passed)
        case Add():
            second = inputs[1]
            fused = [gamma(precision, one.terms) if one.terms > 1 else 0.0 for one in inputs]
            own = unit * (first.most + second.most) + 2 * smallest
            return first.error + second.error, own + torch.maximum(fused[0] * second.most, fused[1] * first.most)
        case affine if affine.terms == 0:
            passed = affine.linear(first.error)
            return passed, nothing.expand_as(passed)
        case affine:
            absolute, relative = affine.absolute(), gamma(precision, affine.terms)
            sums = absolute.forward(first.most)
            if least is not None:
                sums = torch.minimum(sums, least + absolute.linear(first.error))
            flushed = (affine.terms + SPARE) * smallest * (3 + first.most.amax()) + absolute.linear(
                torch.full_like(first.most, smallest)
            )
            own = relative * sums + flushed
            return absolute.linear(first.error), torch.where(sums * (1 + relative) > largest, torch.inf, own)


def _terms(node: Node, inputs: Sequence[_Known]) -> int:
    """How many products a runtime may still add something to, before it rounds their sum: also behind batch normalisation."""
    match node.op:
        case Relu() | Add() | MaxPool():
            return 0
        case Scale():
            return inputs[0].terms + node.op.terms
        case affine:
            return affine.terms if affine.terms else inputs[0].terms


def _in_softmax(scores: _Known, precision: Precision) -> Tensor:
    """(N, 1): how far ahead one score must be of another, so that it stays ahead in a softmax or its logarithm.

    Let all K computed scores be at most M in magnitude, m the largest of them, u the unit of rounding, and one operation of a
    runtime, an exponential or logarithm too, at most four units in the last place off, which is 8 u of its result. An
    exponential reads a difference z - m that is off by u |z - m| <= 2 M u; a logarithm softmax, whichever way it is computed,
    sums up and rounds numbers of magnitude at most 2 M + log K. What all classes share, m and the sum, cancels out. So each of
    two classes is off, as a logarithm, by at most 2 M u + 8 u (an exponential) + u (a quotient) + 8 u (2 M + log K) (a
    logarithm and a difference), both by less than 64 u (1 + M + log K). What becomes 0 below the smallest number belongs to
    another class than the first, whose share is at least 1 / K.
    """
    most = scores.most.flatten(1).amax(1, keepdim=True)
    classes = math.log(scores.low[0].numel())
    return SOFTMAX * FORMATS[precision].unit * (1 + classes + most)


def _certain(error: Tensor) -> Tensor:
    """Infinite where it is not a number, as zero times infinity."""
    return torch.where(error.isnan(), torch.inf, error)


def _backward(network: Network, known: dict[int, _Known], rows: Tensor) -> Tensor:
    """(N, R): bounds on the errors of rows (R, K) of scores, by what every node adds."""
    last = len(network.nodes) - 1
    many = rows.expand(len(known[last].error), *rows.shape)
    waiting: dict[int, Interval] = {last: (many, many)}
    total = rows.new_zeros(many.shape[:2])
    for place in range(last, -1, -1):
        if place not in waiting:
            continue
        low, high = waiting.pop(place)
        total = total + _met(low, high, known[place].own)
        node = network.nodes[place]
        for source in node.inputs:
            made = _through(node, low, high, known[source])
            before = waiting.get(source)
            waiting[source] = made if before is None else (made[0] + before[0], made[1] + before[1])
    low, high = waiting[-1]
    return total + _met(low, high, known[-1].own)


def _met(low: Tensor, high: Tensor, error: Tensor) -> Tensor:
    """(N, R): the sum of the magnitudes of rows (N, R, *shape) times the errors (N, *shape)."""
    most = torch.maximum(low.abs(), high.abs()).flatten(2)
    relative = 1 + 4 * gamma("float64", most.shape[2])
    return torch.einsum("nrs,ns->nr", most, error.flatten(1)) * relative


def _through(node: Node, low: Tensor, high: Tensor, source: _Known) -> Interval:
    """Intervals of rows (N, R, *shape) over a node's outputs, as rows over one of its inputs."""
    match node.op:
        case Relu():
            alive, surely = source.high + source.error > 0, source.low - source.error >= 0
            return _weighted(low, high, surely[:, None], alive[:, None])
        case Add():
            return low, high
        case MaxPool():
            return _unpooled(node.op, low, high, source)
        case affine:
            return _unmapped(affine, low, high)


def _weighted(low: Tensor, high: Tensor, least: Tensor, most: Tensor) -> Interval:
    """Intervals times weights between `least` and `most`, each 0 or 1."""
    return torch.where(low < 0, low * most, low * least), torch.where(high > 0, high * most, high * least)


def _unmapped(affine: Affine, low: Tensor, high: Tensor) -> Interval:
    """Rows through an affine node, wider by the rounding of that in float64."""
    shape = low.shape[:2]
    flat_low, flat_high = low.flatten(0, 1), high.flatten(0, 1)
    if affine.terms == 0:
        back = affine.transposed(flat_low), affine.transposed(flat_high)
    else:
        relative = 4 * gamma("float64", math.prod(affine.after))
        centre = (flat_low + flat_high) / 2
        radius = (flat_high - flat_low) / 2 + relative * torch.maximum(flat_low.abs(), flat_high.abs())
        middle, spread = affine.transposed(centre), affine.absolute().transposed(radius) * (1 + relative)
        back = middle - spread, middle + spread
    return back[0].unflatten(0, shape), back[1].unflatten(0, shape)


def _unpooled(pool: MaxPool, low: Tensor, high: Tensor, source: _Known) -> Interval:
    """Rows through the largest of windows. Numbers that are surely not the largest get nothing."""
    top, left, bottom, right = pool.padding
    around = (left, right, top, bottom)
    images, rows, channels = low.shape[:3]

    def windows(x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 1, C, numbers of a window, windows)."""
        padded = functional.pad(x, around, value=-torch.inf).flatten(0, 1)[:, None]
        return functional.unfold(padded, pool.kernel, stride=pool.stride).unflatten(0, (images, 1, channels))

    floor = windows(source.low - source.error).amax(3, keepdim=True)
    may = windows(source.high + source.error) >= floor
    may &= windows(torch.zeros_like(source.low)) == 0
    only = may & (may.sum(3, keepdim=True) == 1)
    size = source.low.shape[2:]
    padded = (size[0] + top + bottom, size[1] + left + right)

    def spread(x: Tensor) -> Tensor:
        folded = functional.fold(x.flatten(0, 2), padded, pool.kernel, stride=pool.stride)
        return folded[:, 0, top : top + size[0], left : left + size[1]].unflatten(0, (images, rows, channels))

    each = _weighted(low.flatten(3)[:, :, :, None], high.flatten(3)[:, :, :, None], only, may)
    return spread(each[0]), spread(each[1])
