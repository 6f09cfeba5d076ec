"""Designs promise balance; here it is counted."""

import re
from collections import Counter
from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.study.design import StudyFile, blocks, cells_of, in_order, williams
from evals.study.design.evenness import uneven_hints
from evals.study.design.file import ConditionPart, DesignPart, TaskPart
from evals.study.design.latin import columns, tournament

SIMULATION = TaskPart(name="simulation", kind="simulation")
PREFERENCE = TaskPart(name="preferred", kind="preference")


def study(conditions, tasks=(SIMULATION,), seed=0, **design):
    names = [ConditionPart(name=f"c{n}", kind="none") for n in range(conditions)]
    return StudyFile(title="t", seed=seed, conditions=names, tasks=list(tasks), design=DesignPart(**design))


def ids(n):
    return [f"i{k}" for k in range(n)]


def even(counts, at_most=1):
    """Whether counts differ by at most that."""
    return max(counts) - min(counts) <= at_most


@pytest.mark.parametrize("size", range(2, 10))
def test_a_williams_square_is_balanced_for_carryover(size):
    square = williams(size)
    assert len(square) == size * (1 + size % 2)
    assert all(sorted(row) == list(range(size)) for row in square)
    assert all(len(set(Counter(row[n] for row in square).values())) == 1 for n in range(size))
    follows = Counter(pair for row in square for pair in pairwise(row))
    assert set(follows) == {(a, b) for a in range(size) for b in range(size) if a != b}
    assert len(set(follows.values())) == 1


KNOWN = {(4, 3): 4, (5, 4): 5, (6, 3): 10, (7, 3): 7, (7, 4): 7, (8, 4): 14, (9, 3): 12, (10, 3): 30, (11, 5): 11, (12, 6): 22}
"""(conditions, block size): blocks of the smallest design, from the tables of Cochran and Cox (1957), chapter 11."""


@pytest.mark.parametrize(("conditions", "size"), [(v, k) for v in range(3, 12) for k in range(2, v)])
def test_any_two_conditions_share_equally_many_blocks(conditions, size):
    designed = blocks(conditions, size)
    together = Counter(pair for block in designed for pair in combinations(block, 2))
    assert len(together) == conditions * (conditions - 1) // 2
    assert len(set(together.values())) == 1
    assert len(designed) == KNOWN.get((conditions, size), len(designed))
    ordered = columns(designed, conditions)
    assert {tuple(sorted(block)) for block in ordered} == set(designed)
    for place in range(size):
        assert len(set(Counter(block[place] for block in ordered).values())) == 1


@pytest.mark.parametrize("size", range(2, 9))
def test_each_side_is_as_frequent_for_every_condition(size):
    pairs = list(tournament(size))
    assert {frozenset(pair) for pair in pairs} == {frozenset(pair) for pair in combinations(range(size), 2)}
    assert len(pairs) == size * (size - 1) // 2
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    assert all(abs(left[one] - right[one]) <= 1 for one in range(size))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(1, 23), st.sampled_from(["random", "fixed"]), st.integers(0, 5))
def test_latin(conditions, items, order, seed):
    cells = cells_of(study(conditions, kind="latin", items=items, order=order, seed=seed), ids(items))
    for cell in cells:
        assert [trial.item for trial in cell.trials] == ids(items)
        counts = Counter(trial.conditions for trial in cell.trials)
        assert even([counts[(f"c{n}",)] for n in range(conditions)])
    crossed = Counter(trial for cell in cells for trial in cell.trials)
    assert len(crossed) == items * conditions
    assert len(set(crossed.values())) == 1
    if order == "fixed" and items >= 2 * conditions:  # block by block, over all cells, each condition follows each other
        follows = Counter((a.conditions, b.conditions) for cell in cells for a, b in pairwise(cell.trials[:conditions]))
        assert len(follows) == conditions * (conditions - 1)
        assert len(set(follows.values())) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(0, 3))
def test_within(conditions, items, seed):
    cells = cells_of(study(conditions, kind="within", items=items, seed=seed), ids(items))
    first = Counter()
    for cell in cells:
        assert Counter(cell.trials) == Counter(dict.fromkeys(cell.trials, 1))
        assert len(cell.trials) == items * conditions
        rounds = [cell.trials[n * items : (n + 1) * items] for n in range(conditions)]
        for one in rounds:
            assert sorted(trial.item for trial in one) == sorted(ids(items))
            assert even([Counter(trial.conditions for trial in one)[(f"c{n}",)] for n in range(conditions)])
        first.update(rounds[0])
    assert len(set(first.values())) == 1  # each item begins under each condition equally often
    assert len(first) == items * conditions


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 7), st.integers(2, 6), st.integers(1, 20))
def test_blocks(conditions, size, items):
    size = min(size, conditions - 1)
    cells = cells_of(study(conditions, kind="blocks", block_size=size, items=items), ids(items))
    for cell in cells:
        counts = Counter(trial.conditions[0] for trial in cell.trials)
        assert len(counts) == min(size, items)
        assert even(list(counts.values()))
    crossed = Counter(trial for cell in cells for trial in cell.trials)
    assert len(crossed) == items * conditions
    assert len(set(crossed.values())) == 1
    if items >= size:
        seen = [{trial.conditions[0] for trial in cell.trials} for cell in cells]
        together = Counter(pair for one in seen for pair in combinations(sorted(one), 2))
        assert len(set(together.values())) == 1


def test_mixed_and_between():
    cells = cells_of(study(5, kind="mixed", groups=[["c0", "c3"], ["c1", "c2", "c4"]], items=12), ids(12))
    groups = Counter(cell.name.split("-")[1] for cell in cells)
    assert set(groups.values()) == {6}  # so that both groups get equally many participants
    for cell in cells:
        counts = Counter(trial.conditions[0] for trial in cell.trials)
        assert set(counts) in ({"c0", "c3"}, {"c1", "c2", "c4"})
        assert len(set(counts.values())) == 1
    between = cells_of(study(3, kind="between", items=4), ids(4))
    assert [{trial.conditions for trial in cell.trials} for cell in between] == [{("c0",)}, {("c1",)}, {("c2",)}]


def test_conditions_are_spread_over_each_kind_of_item():
    items = ids(24)
    strata = {item: "positive" if n % 2 else "negative" for n, item in enumerate(items)}  # in step with two conditions
    for conditions in (2, 3, 4):
        for cell in cells_of(study(conditions, kind="latin", items=24), items, strata=strata):
            counts = Counter((strata[trial.item], trial.conditions[0]) for trial in cell.trials)
            assert even(list(counts.values()))
            assert len(counts) == 2 * conditions


def test_more_items_than_one_participant_sees_are_shown_equally_often():
    cells = cells_of(study(2, kind="latin", items=8), ids(20))
    assert all(len(cell.trials) == 8 for cell in cells)
    crossed = Counter(trial for cell in cells for trial in cell.trials)
    assert len(crossed) == 40
    assert len(set(crossed.values())) == 1
    assert len({cell.name for cell in cells}) == len(cells)


@pytest.mark.parametrize("conditions", [2, 3, 4])
@pytest.mark.parametrize("tasks", [(SIMULATION, PREFERENCE), (PREFERENCE,)])
def test_comparisons_are_balanced_in_pairs_and_sides(conditions, tasks):
    items = 12
    cells = cells_of(study(conditions, tasks, kind="latin", items=items, participants=120), ids(items))
    shown = Counter()
    for cell in cells:
        compared = [trial for trial in cell.trials if len(trial.conditions) == 2]
        assert len(cell.trials) - len(compared) == (items if SIMULATION in tasks else 0)
        assert sorted(trial.item for trial in compared) == sorted(ids(items))
        pairs = Counter(trial.conditions for trial in compared)
        assert even([pairs[(f"c{a}", f"c{b}")] for a in range(conditions) for b in range(conditions) if a != b])
        shown.update(compared)
    assert len(shown) == items * conditions * (conditions - 1)  # each item with each pair on each side
    assert len(set(shown.values())) == 1


def test_fewer_comparisons_and_few_conditions():
    task = PREFERENCE.model_copy(update={"conditions": ["c0", "c2"]})
    cells = cells_of(study(3, (SIMULATION, task), kind="latin", items=10, comparisons=4), ids(10))
    compared = [trial for cell in cells for trial in cell.trials if len(trial.conditions) > 1]
    assert {frozenset(trial.conditions) for trial in compared} == {frozenset({"c0", "c2"})}
    assert len(compared) == 4 * len(cells)
    mixed = study(4, (PREFERENCE,), kind="mixed", groups=[["c0", "c1"], ["c2", "c3"]], items=6)
    sides = Counter(trial for cell in cells_of(mixed, ids(6)) for trial in cell.trials)
    assert len(sides) == 6 * 4
    assert len(set(sides.values())) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 10**6))
def test_a_random_order_alternates_conditions(conditions, items, seed):
    cell = cells_of(study(conditions, kind="latin", items=items), ids(items))[0]
    found = in_order(cell.trials, Random(seed))
    assert Counter(found) == Counter(cell.trials)
    names = [trial.conditions[0] for trial in found]
    assert all(len(set(names[n : n + 3])) > 1 for n in range(len(names) - 2))
    for n in range(0, items - conditions + 1, conditions):
        assert len(set(names[n : n + conditions])) == conditions
    assert found == in_order(cell.trials, Random(seed))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(2, 9), st.integers(0, 10**6))
def test_no_item_comes_twice_in_a_row(conditions, items, seed):
    tasks = (SIMULATION, PREFERENCE)
    cell = cells_of(study(conditions, tasks, kind="within", items=items), ids(items))[0]
    found = in_order(cell.trials, Random(seed))
    assert Counter(found) == Counter(cell.trials)
    assert all(a.item != b.item for a, b in pairwise(found))
    single = [len(trial.conditions) == 1 for trial in found]
    assert single == sorted(single, reverse=True)


def test_over_participants_each_condition_follows_each_other_one_about_equally_often():
    cell = cells_of(study(4, kind="latin", items=40), ids(40))[0]
    follows = Counter()
    for seed in range(300):
        names = [trial.conditions[0] for trial in in_order(cell.trials, Random(seed))]
        follows.update(pairwise(names))
    counts = [follows[(a, b)] for a in names for b in names if a != b]
    assert max(counts) / min(counts) < 1.15


@pytest.mark.parametrize(
    ("design", "items", "said"),
    [
        ({"kind": "latin"}, 17, "over the 5 conditions, .* take 15 or 20"),
        ({"kind": "latin"}, 20, None),
        ({"kind": "latin"}, 3, "take 5 items"),
        ({"kind": "blocks", "block_size": 2}, 17, "over the 2 conditions of a block.* take 16 or 18"),
        ({"kind": "blocks", "block_size": 3}, 20, "over the 3 conditions of a block.* take 18 or 21"),
        ({"kind": "blocks", "block_size": 2}, 18, None),
        ({"kind": "mixed", "groups": [["a", "b"], ["c", "d", "e"]]}, 20, "over the 3 conditions of a group.* take 18 or 24"),
        ({"kind": "mixed", "groups": [["a", "b"], ["c", "d", "e"]]}, 17, "over the 2 and 3 conditions.* take 12 or 18"),
        ({"kind": "mixed", "groups": [["a"], ["b", "c", "d", "e"]]}, 20, None),
        ({"kind": "between"}, 17, None),
        ({"kind": "within"}, 17, None),
    ],
)
def test_numbers_of_items_that_can_not_be_spread_evenly_are_told(design, items, said):
    found = uneven_hints(DesignPart(**design), list("abcde"), items)
    assert len(found) == (said is not None)
    if said is not None:
        assert re.search(said, found[0])
