"""Sets of changes in little memory: they come back as they were put in, and large ones take few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial.attacks.large_pictures.kept_sets import SMALL, KeptSets, NodesOfSets

SETS = st.lists(
    st.one_of(
        st.sets(st.integers(0, 10**7), max_size=6),
        st.integers(SMALL - 1, 3 * SMALL).flatmap(lambda n: st.integers(0, 10**6).map(lambda first: {first + 7 * i for i in range(n)})),
    ).map(lambda one: tuple(sorted(one))),
    max_size=8,
    unique=True,
)  # fmt: skip


@given(SETS)
def test_sets_come_back_as_they_were(sets):
    kept, nodes = KeptSets(), NodesOfSets()
    for node, changes in enumerate(sets):
        assert changes not in nodes
        kept.append(changes)
        nodes[changes] = node
    assert list(kept) == sets
    assert kept[: len(sets)] == sets
    assert [kept.size(place) for place in range(len(kept))] == [len(changes) for changes in sets]
    assert [nodes[changes] for changes in sets] == list(range(len(sets)))
    assert nodes == {changes: node for node, changes in enumerate(sets)}
    if sets:
        assert kept[-1] == sets[-1]
        assert nodes != dict.fromkeys(sets, -1)
        del nodes[sets[0]]
        assert nodes.get(sets[0]) is None


@pytest.mark.parametrize("gap", [1, 300, 70_000])
def test_wide_steps_are_kept(gap):
    changes = tuple(range(5, 5 + gap * 100, gap))
    kept = KeptSets()
    kept.append(changes)
    assert kept[0] == changes


def test_large_sets_take_two_bytes_per_change_at_most_on_a_picture_of_512_square():
    rng, kept = np.random.default_rng(0), KeptSets()
    for _ in range(20):
        kept.append(tuple(np.unique(rng.integers(0, 512 * 512 * 8, 5000)).tolist()))
    assert kept.nbytes <= 2 * sum(kept.size(place) for place in range(20))


def test_large_sets_that_are_not_held_are_not_listed():
    with pytest.raises(TypeError, match="not held"):
        list(NodesOfSets())
