"""Blocks cover every set of pixels, however they are split."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.bounds.proving.blocks import Block, along_curve, first_blocks, possible, split


def sets_of(block):
    """All sets of different pixels in a block, by enumeration."""
    return {frozenset(chosen) for chosen in itertools.product(*map(list, block.slots)) if len(set(chosen)) == len(chosen)}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3), st.randoms(use_true_random=False))
def test_split_blocks_hold_every_set_of_pixels(height, width, pixels, random):
    every = np.arange(height * width, dtype=np.int32)
    waiting = first_blocks(lambda numbers: every[numbers], height, width, pixels)
    found, share = set(), 0.0
    while waiting:
        block = waiting.pop()
        if not possible(block, every):
            share += block.share
            assert not sets_of(block)
        elif block.size == 1 or random.random() < 0.1:
            found |= sets_of(block)
            share += block.share
        else:
            place = random.choice([place for place, slot in enumerate(block.slots) if len(slot) > 1])
            order = list(block.slots[place])
            cut = random.randint(1, len(order) - 1)
            halves = (np.array(part, dtype=np.int32) for part in (order[:cut], order[cut:]))
            waiting += split(block, place, *halves)
    assert found == set(map(frozenset, itertools.combinations(range(height * width), pixels)))
    assert share == pytest.approx(1)


@pytest.mark.parametrize(("height", "width", "pixels"), [(28, 28, 1), (28, 28, 2), (17, 30, 2), (12, 9, 3), (64, 5, 2)])
def test_first_blocks_of_larger_images_hold_every_set_of_pixels(height, width, pixels):
    every = np.arange(height * width, dtype=np.int32)
    blocks = first_blocks(lambda numbers: every[numbers], height, width, pixels)
    held = np.zeros((height * width,) * min(pixels, 2), dtype=bool)
    for block in blocks:
        if pixels == 1:
            held[block.slots[0]] = True
        for first, second in itertools.permutations(block.slots, 2):
            held[np.ix_(first, second)] = True
    assert held.all()
    assert len(blocks) <= 3000
    if pixels == 3:  # any three patches stand together
        patches = {tuple(slot) for block in blocks for slot in block.slots}
        assert len(blocks) == math.comb(len(patches) + 2, 3)
        assert sorted(itertools.chain(*patches)) == every.tolist()


def test_equal_slots_become_one_block_per_number_of_pixels_in_the_first_half():
    slot, other = np.arange(4, dtype=np.int32), np.array([7], dtype=np.int32)
    made = split(Block((slot, other, slot), 1.0), 0, slot[:2], slot[2:])
    assert sorted(sorted(tuple(part) for part in block.slots) for block in made) == sorted(
        sorted(slots) for slots in ([(7,), (0, 1), (0, 1)], [(7,), (0, 1), (2, 3)], [(7,), (2, 3), (2, 3)])
    )


def test_a_curve_holds_each_pixel_of_a_patch_once_and_halves_lie_together():
    patch = np.arange(80).reshape(8, 10)[2:6, 3:7]
    order = along_curve(patch, 10)
    assert sorted(order) == sorted(patch.ravel())
    for half in (order[:8], order[8:]):
        rows, columns = half // 10, half % 10
        assert (np.ptp(rows) + 1) * (np.ptp(columns) + 1) == 8
