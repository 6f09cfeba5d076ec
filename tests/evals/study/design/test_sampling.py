"""Items by strata."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.study.design import stratified
from saywhy_core.errors import UsageError

FACTS = {
    f"i{n}": {"label": "pos" if n % 3 else "neg", "model_right": "yes" if n % 4 else "no", "length": str(n)} for n in range(60)
}


def test_kinds_are_drawn_in_proportion():
    drawn = stratified(FACTS, 30)
    counts = Counter((FACTS[name]["label"], FACTS[name]["model_right"]) for name in drawn.ids)
    # of 60 items, 30 are positive and right, 10 positive and wrong, 15 negative and right, 5 negative and wrong
    assert counts[("pos", "yes")] == 15
    assert counts[("pos", "no")] == 5
    assert sorted((counts[("neg", "yes")], counts[("neg", "no")])) in ([2, 8], [3, 7])
    assert drawn.short == ()
    assert list(drawn.ids) == sorted(drawn.ids, key=lambda name: int(name[1:]))


def test_kinds_are_drawn_equally_and_it_is_told_where_there_are_too_few():
    drawn = stratified(FACTS, 40, allocation="equal")
    taken = {one.name: one.taken for one in drawn.strata}
    assert taken["label neg, model_right no"] == 5
    assert sum(taken.values()) == 40
    assert taken["label pos, model_right no"] == 10  # these are all
    assert sorted((taken["label pos, model_right yes"], taken["label neg, model_right yes"])) == [12, 13]
    assert drawn.short == ("10 items are wanted of label neg, model_right no, and there are 5; others stand in for them",)


def test_lengths_are_split_into_thirds():
    drawn = stratified(FACTS, 6, by=("length",), allocation="equal")
    assert Counter(int(name[1:]) // 20 for name in drawn.ids) == {0: 2, 1: 2, 2: 2}
    assert {one.kind["length"] for one in drawn.strata} == {"low", "middle", "high"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["yes", "no", ""])), min_size=1, max_size=40),
    st.data(),
)
def test_a_sample_has_its_size_and_no_kind_is_far_from_its_share(kinds, data):
    facts = {f"i{n}": {"label": a, "model_right": b} for n, (a, b) in enumerate(kinds)}
    by = ("label", "model_right") if any(b for _, b in kinds) else ("label",)
    n = data.draw(st.integers(1, len(facts)))
    drawn = stratified(facts, n, by=by, seed=data.draw(st.integers(0, 3)))
    assert len(drawn.ids) == len(set(drawn.ids)) == n
    for one in drawn.strata:
        assert abs(one.taken - n * one.available / len(facts)) < 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"n": 61}, "61 items can't be drawn from 60"),
        ({"n": 0}, "0 items"),
        ({"n": 5, "by": ("colour",)}, "no item has the fact 'colour'; stratify by some of label, length, model_right"),
        ({"n": 5, "by": ("label", "label")}, "twice"),
        ({"n": 5, "allocation": "odd"}, "proportional or equal"),
    ],
)
def test_what_can_not_be_drawn_is_told(arguments, says):
    with pytest.raises(UsageError, match=says):
        stratified(FACTS, **arguments)
