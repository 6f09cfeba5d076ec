"""No bound lies above a known adversarial example: random small networks, and the truth by brute force."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import read_module  # noqa: E402
from adversarial.bounds.proving import bounding, nearby, prover  # noqa: E402
from adversarial.bounds.proving.prover import Prover  # noqa: E402

SECONDS = 3.0  # of a proof; nearly all are done in a tenth of that
ANY = {
    "seed": st.integers(0, 2**31 - 1),
    "kind": st.integers(0, 11),
    "quirk": st.integers(0, 7),
    "size": st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3])),
    "classes": st.integers(2, 5),
    "how": st.sampled_from(["inside", "ends", "both", "constant", "grid"]),
    "apart": st.sampled_from([1e-6, 1e-3, 0.1]),
}
ONCE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def holds(programs, most, *, seed, kind, quirk, size, classes, how, apart, seconds=SECONDS):
    """Prove, and try to find an example that the proof denies."""
    rng = np.random.default_rng(seed)
    module = programs.build(rng, programs.KINDS[kind], *size, classes, programs.QUIRKS[quirk])
    picture = programs.image(rng, *size, how)
    if programs.QUIRKS[quirk] == "near the boundary":
        programs.onto_boundary(module, picture, apart)
    label = int(programs.scores(module, picture[None]).argmax())

    def flips(images):
        return programs.scores(module, images).argmax(1) != label

    proof = Prover(read_module(module, size), picture.astype(np.float64), label, flips=flips)
    proof.run(most, seconds)
    lower, upper = proof.proved + 1, proof.fewest
    assert lower <= upper
    assert lower <= programs.fewest_by_force(copy.deepcopy(module).double(), picture, label, most, seed=seed)
    if upper < math.inf:
        assert flips(proof.witness[None])[0]
        assert 0 <= proof.witness.min() <= proof.witness.max() <= 1
        assert (proof.witness != picture).any(axis=2).sum() == upper
    if not proof.open and not proof.stuck:  # nothing was left open: an example of one pixel more, or all that was asked
        assert upper == lower or proof.proved == min(most, size[0] * size[1])


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=ONCE)
@given(**ANY)
@pytest.mark.long
def test_no_bound_is_above_a_known_example(programs, **drawn):
    torch.set_num_threads(1)
    holds(programs, 2, **drawn)


# parts of networks, which are bounded by themselves: rectangles of tiles, and layers bounded forwards or backwards
PARTS = ANY | {"tile": st.sampled_from([1, 2, 4]), "products": st.sampled_from([0, 300, 60_000_000])}
# blocks of one batch that lie in different parts, one of them in none
MIXED = {"seed": 262144, "kind": 7, "quirk": 0, "size": (5, 3, 1), "classes": 2, "how": "constant", "apart": 1e-6}


def holds_in_parts(programs, *, tile, products, **drawn):
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearby, "LEAST_PRODUCTS", 0)
        patch.setattr(nearby, "TILE", tile)
        for module in (bounding, prover):
            patch.setattr(module, "MOST_PRODUCTS", products)
        holds(programs, 1, **drawn, seconds=1.0)


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=ONCE)
@example(**MIXED, tile=4, products=0)
@given(**PARTS)
def test_no_bound_that_is_made_in_parts_is_above_a_known_example(programs, **drawn):
    holds_in_parts(programs, **drawn)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(2))
@settings(max_examples=400, deadline=None, suppress_health_check=ONCE, print_blob=True)
@given(**PARTS)
def test_no_bound_of_many_networks_that_is_made_in_parts_is_above_a_known_example(programs, part, **drawn):
    holds_in_parts(programs, **drawn)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(4))  # 2,000 in all, side by side
@settings(max_examples=500, deadline=None, suppress_health_check=ONCE, print_blob=True)
@given(**ANY)
def test_no_bound_of_two_thousand_networks_is_above_a_known_example(programs, part, **drawn):
    torch.set_num_threads(1)
    holds(programs, 2, **drawn)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=200, deadline=None, suppress_health_check=ONCE, print_blob=True)
@given(**ANY | {"size": st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 3]))})
def test_no_bound_is_above_a_known_example_of_three_pixels(programs, **drawn):
    holds(programs, 3, **drawn)
