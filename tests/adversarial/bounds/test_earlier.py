"""A proof goes on from an earlier bound on the same network, image and label, and from no other."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from adversarial import fewest_pixels  # noqa: E402
from adversarial.bounds import earlier as earlier_bounds  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402

ONES = np.ones((2, 3, 1), np.float32)
NO_TIME = 1e-6


@pytest.fixture(scope="module")
def threshold():
    """The sum of six pixels, against 2, so that five must be lost; the third row is behind a ReLU that ones never pass."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[1.0] * 6, [0.0] * 6, [-1.0] * 6]))
        module[1].bias.copy_(torch.tensor([0.0, 1.5, -1.0]))
        module[3].weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
        module[3].bias.zero_()
    return module


@pytest.fixture(scope="module")
def two(threshold):
    bound = fewest_pixels(threshold, ONES, 0, at_most=2, seconds=30)
    assert (bound.lower, bound.upper) == (3, 5)
    return bound


def test_without_time_nothing_is_lost_and_with_time_it_goes_on(threshold, two):
    got = fewest_pixels(threshold, ONES, 0, at_most=6, seconds=NO_TIME, earlier=two)
    assert (got.lower, got.upper, got.proof.finished) == (3, 5, False)
    assert got.proof.rounding == two.proof.rounding > 0
    assert got.proof.seconds >= two.proof.seconds
    again = fewest_pixels(threshold, ONES, 0, at_most=6, seconds=30, earlier=got)
    assert (again.lower, again.upper, again.exact) == (5, 5, True)
    fewer = fewest_pixels(threshold, ONES, 0, at_most=1, seconds=NO_TIME, earlier=two)
    assert (fewer.lower, fewer.proof.finished) == (3, True)


def test_the_better_of_a_journal_and_a_bound_counts(threshold, two, tmp_path):
    path = tmp_path / "journal"
    fewest_pixels(threshold, ONES, 0, at_most=1, seconds=30, journal=path)
    assert fewest_pixels(threshold, ONES, 0, at_most=6, seconds=NO_TIME, journal=path, earlier=two).lower == 3
    assert fewest_pixels(threshold, ONES, 0, at_most=6, seconds=NO_TIME, journal=path).lower == 3  # it is in the journal now
    one = fewest_pixels(threshold, ONES, 0, at_most=1, seconds=30)
    assert fewest_pixels(threshold, ONES, 0, at_most=6, seconds=30, journal=path, earlier=one).lower == 5


def test_bounds_on_something_else_are_refused(threshold, two):
    unseen, other = copy.deepcopy(threshold), ONES.copy()
    with torch.no_grad():
        unseen[1].weight[2, 0] -= 1e-6  # a weight that this image does not use
    other[0, 0] = 0.999
    loose = copy.deepcopy(threshold)
    with torch.no_grad():
        loose[1].bias[1] = 5.5
    changed = replace(two, proof=replace(two.proof, pixels=3))
    unknown = replace(two, proof=replace(two.proof, digest=""))
    for network, image, bound in (
        (unseen, ONES, two), (loose, ONES, two), (threshold, other, two), (threshold, ONES, changed), (threshold, ONES, unknown),
    ):  # fmt: skip
        with pytest.raises(earlier_bounds.OtherBoundError, match="another network, image or label"):
            fewest_pixels(network, image, 0, seconds=NO_TIME, earlier=bound)
    dark = np.zeros_like(ONES)
    dark_bound = fewest_pixels(threshold, dark, 1, at_most=1, seconds=30)
    assert dark_bound.lower == 2
    with pytest.raises(earlier_bounds.OtherBoundError):
        fewest_pixels(threshold, ONES, 0, seconds=NO_TIME, earlier=dark_bound)
    with pytest.raises(UsageError, match="must be a bound"):
        fewest_pixels(threshold, ONES, 0, earlier={"lower": 3})


@pytest.mark.parametrize("kind", ["no example", "too large a value", "not a number", "another shape", "the image itself"])
def test_an_example_counts_only_once_the_network_confirms_it(threshold, two, kind):
    witness = ONES.copy()
    witness[0, 0] = {"no example": 0, "too large a value": -9, "not a number": np.nan}.get(kind, 1)
    if kind == "another shape":
        witness = np.zeros((2, 2, 1), np.float32)
    got = fewest_pixels(threshold, ONES, 0, at_most=2, seconds=30, earlier=replace(two, upper=1, witness=witness))
    assert (got.lower, got.upper) == (3, 5)


def test_an_example_refutes_a_bound(threshold, two, monkeypatch):
    monkeypatch.setattr(earlier_bounds, "digest_of", lambda prover, pixels: two.proof.digest)
    forged = replace(two, proof=replace(two.proof, pixels=5))
    with pytest.raises(earlier_bounds.OtherBoundError, match="5 pixels flip"):
        fewest_pixels(threshold, ONES, 0, seconds=NO_TIME, earlier=forged)
