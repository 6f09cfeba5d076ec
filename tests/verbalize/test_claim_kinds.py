"""The truth conditions of all kinds of claims, against slow definitions in exact arithmetic, and on maps at their limits."""

import json
import pickle
import re
import timeit
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from verbalize import Claim, PixelSaliency, Prediction, Query, SaliencyError, TokenSaliency, check
from verbalize.claims import CLAIM_KINDS, coverage_of, named_parts
from verbalize.claims.claim import told_fields

#                              0      1    2        3       4       5
FILM = TokenSaliency(["not", "a", "great", "fine", "film", "dull"], [-2.0, 0.0, 3.0, 1.5, 0.5, -1.0], Query("positive"))
SAID = Prediction("positive", 0.7, {"positive": 0.7, "negative": 0.2, "mixed": 0.1})
SURE = TokenSaliency(["great"], [1.0], Query("positive"), prediction=SAID)

ROOT = Path(__file__).parents[2]


def claim_with(kind, **fields):
    """A claim with those of the fields that tell something about a claim of its kind."""
    return Claim(kind, **told_fields(kind, fields))


def outcome(claim, saliency=FILM):
    """ "true", "undecided", or the kind of the falsehood."""
    report = check([claim], saliency)
    assert bool(report) is (not report.errors and not report.undecided)
    for found in (*report.errors, *report.undecided):
        assert found.message
        assert found.claim is claim
    return report.errors[0].kind if report.errors else "undecided" if report.undecided else "true"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (Claim("matters", (2,)), "true"),
        (Claim("matters", (0,)), "true"),  # whichever way it speaks
        (Claim("matters", (0,), direction="supports"), "wrong sign"),
        (Claim("matters", (5,)), "true"),  # 1 of 8; an even share is 1.33, half of it 0.67
        (Claim("matters", (1,)), "wrong number"),
        (Claim("matters", (4,)), "undecided"),  # 0.5: a sixth of the strongest
        (Claim("near_zero", (1,)), "true"),
        (Claim("near_zero", (4,)), "undecided"),
        (Claim("near_zero", (5,)), "wrong number"),
        (Claim("near_zero", (0, 3, 4)), "wrong number"),  # they cancel, yet each is strong
        (Claim("strength", (2,), value=0.75, tolerance=0.25), "true"),
        (Claim("strength", (3,), value=0.75, tolerance=0.25), "true"),  # just half of the strongest
        (Claim("strength", (4,), value=0.75, tolerance=0.25), "wrong number"),
        (Claim("strength", (4,), value=0.25, tolerance=0.25), "true"),
        (Claim("strength", (2, 3), value=0.75, tolerance=0.25), "true"),  # stronger than the strongest word is strong
        (Claim("strength", (5,), direction="opposes", value=0.25, tolerance=0.25), "true"),
        (Claim("strength", (0,), direction="opposes", value=0.25, tolerance=0.25), "wrong number"),
        (Claim("strength", (0,), direction="supports", value=0.75, tolerance=0.25), "wrong sign"),
        (Claim("strength", (0,), value=0.75, tolerance=0.25), "true"),  # whichever way it speaks
        (Claim("strength", (1,), value=0.25, tolerance=0.25), "true"),
        (Claim("strength", (0, 3, 4), value=0.25, tolerance=0.25), "undecided"),  # they cancel, yet each is strong
        (Claim("only", (2, 3, 4)), "true"),
        (Claim("only", (2, 3)), "wrong rank"),
        (Claim("only", (1, 2, 3, 4)), "wrong sign"),
        (Claim("only", (0, 5), direction="opposes"), "true"),
        (Claim("least_important", (1,)), "true"),
        (Claim("least_important", (4,)), "wrong rank"),
        (Claim("least_important", (4,), direction="supports"), "true"),
        (Claim("least_important", (3,), direction="supports"), "wrong rank"),
        (Claim("least_important", (4,), shared=True), "true"),  # the second from below, of six
        (Claim("least_important", (2,), shared=True), "wrong rank"),
        (Claim("least_important", (5,), direction="opposes"), "true"),
        (Claim("rank", (3,), value=2), "true"),
        (Claim("rank", (4,), value=3), "true"),
        (Claim("rank", (4,), value=2), "wrong rank"),
        (Claim("rank", (5,), value=2, direction="opposes"), "true"),
        (Claim("rank", (5,), value=2), "wrong sign"),
        (Claim("rank", (3,), value=2.5), "wrong rank"),
        (Claim("rank", (4,), value=2, tolerance=1), "true"),  # among the first three
        (Claim("rank", (0,), value=2, tolerance=1), "wrong sign"),
        (Claim("rank", (3,), value=4, tolerance=2), "true"),  # not the first of six
        (Claim("rank", (0,), value=4, tolerance=2), "true"),  # nor is a word of the other side
        (Claim("rank", (2,), value=4, tolerance=2), "wrong rank"),
        (Claim("rank", (2, 3), value=1), "true"),
        (Claim("equal", (2,), other=(3,)), "wrong number"),
        (Claim("equal", (0,), other=(3, 4)), "wrong number"),  # the same sum, 2, but not the same strongest word
        (Claim("ratio", (2,), other=(3,), value=2.0), "true"),
        (Claim("ratio", (2,), other=(0,), value=1.5), "true"),
        (Claim("ratio", (2,), other=(0,), value=1.5, direction="supports"), "wrong sign"),
        (Claim("ratio", (2,), other=(3,), value=3.0), "wrong number"),
        (Claim("ratio", (2,), other=(1,), value=3.0), "wrong number"),
        (Claim("difference", (2,), other=(0,), value=5.0), "true"),
        (Claim("difference", (0,), other=(2,), value=5.0), "wrong number"),
        (Claim("difference", (0,), other=(2,), value=5.0, direction="opposes"), "true"),
        (Claim("count", direction="supports", value=3), "true"),
        (Claim("count", direction="opposes", value=3), "wrong number"),
        (Claim("count", value=5), "true"),
        (Claim("count", value=6), "wrong number"),
        (Claim("count", (2,), value=5), "undecided"),
        (Claim("balance", direction="supports"), "true"),
        (Claim("balance", direction="opposes"), "wrong number"),
        (Claim("balance", direction="opposes", value=0.375, tolerance=0.005), "true"),
        (Claim("balance", direction="supports", value=0.7, tolerance=0.05), "wrong number"),
        (Claim("absent", None, quote="boring"), "true"),
        (Claim("absent", None, quote="GREAT"), "wrong absence"),
        (Claim("absent", None, quote="fine  film"), "wrong absence"),
        (Claim("absent", None, quote="in"), "undecided"),  # inside "fine"
        (Claim("absent", None, quote="gre"), "undecided"),
        (Claim("absent", None, quote="lm"), "undecided"),
        (Claim("absent", None), "undecided"),
        (Claim("absent", (2,)), "wrong absence"),
        (Claim("absent", (9,)), "part not in the input"),
        (Claim("near_zero", None, quote="boring"), "part not in the input"),
        (Claim("ratio", (2,), other=None, value=2.0), "part not in the input"),
        (Claim("rank", (), value=1), "part not in the input"),
        (Claim("matters", (2,), label="negative"), "wrong label"),
    ],
)
def test_truth_conditions(claim, expected):
    assert outcome(claim) == expected


def test_a_tie_is_no_place_of_its_own_unless_the_text_says_so():
    tied = TokenSaliency(list("abcd"), [3.0, 2.0, 2.0, 1.0], Query("x"))
    assert outcome(Claim("rank", (1,), value=2), tied) == "wrong rank"
    assert outcome(Claim("rank", (1,), value=2, shared=True), tied) == "true"
    assert outcome(Claim("rank", (1, 2), value=2, shared=True), tied) == "true"
    assert outcome(Claim("rank", (0, 3), value=1, shared=True), tied) == "undecided"
    assert outcome(Claim("rank", (3,), value=4), tied) == "true"
    assert outcome(Claim("equal", (1,), other=(2,)), tied) == "true"
    zeros = TokenSaliency(list("abcd"), [3.0, 0.0, 0.0, 1.0], Query("x"))
    assert outcome(Claim("least_important", (1,)), zeros) == "wrong rank"
    assert outcome(Claim("least_important", (1,), shared=True), zeros) == "true"
    assert outcome(Claim("least_important", (1,), other=(2,)), zeros) == "true"


def test_a_weak_word_is_not_among_the_most_important_only_because_there_are_few():
    few = TokenSaliency(list("abc"), [9.0, 8.0, 0.1], Query("x"))
    assert [outcome(Claim("most_important", (i,), shared=True), few) for i in range(3)] == ["true", "true", "undecided"]


def test_equal_parts_may_differ_by_a_twentieth_or_as_the_claim_says():
    near = TokenSaliency(list("abc"), [1.0, 0.96, 0.94], Query("x"))
    assert outcome(Claim("equal", (0,), other=(1,)), near) == "true"
    assert outcome(Claim("equal", (0,), other=(2,)), near) == "wrong number"
    assert outcome(Claim("equal", (0,), other=(2,), tolerance=0.1), near) == "true"
    assert outcome(Claim("equal", (0,), other=(1,), tolerance=1e-6), near) == "wrong number"


def test_a_strong_word_on_the_weak_side_is_strong_in_one_sense_only():
    lopsided = TokenSaliency(["bad", "nice"], [-5.0, 0.1], Query("x"))
    assert outcome(Claim("strength", (1,), direction="supports", value=0.75, tolerance=0.25), lopsided) == "undecided"
    assert outcome(Claim("strength", (0,), direction="opposes", value=0.75, tolerance=0.25), lopsided) == "true"


def test_in_a_long_text_a_small_share_may_still_be_a_strong_word():
    long = TokenSaliency([f"w{i}" for i in range(24)], [1.0] * 20 + [0.06, 0.06, 0.12, -0.06], Query("x"))
    assert outcome(Claim("near_zero", (0,)), long) == "wrong number"  # 4.9 % of all, as strong as any
    assert outcome(Claim("near_zero", (20,)), long) == "true"
    assert outcome(Claim("near_zero", (20, 21)), long) == "undecided"  # together 0.12
    assert outcome(Claim("near_zero", (22,)), long) == "undecided"
    assert outcome(Claim("near_zero", (20, 23)), long) == "true"
    assert outcome(Claim("near_zero", (20,), direction="opposes"), long) == "undecided"
    peaked = TokenSaliency([f"w{i}" for i in range(22)], [4.0, *[1.0] * 19, 0.6, 0.5], Query("x"))
    assert outcome(Claim("matters", (20,)), peaked) == "true"  # an even share is 1.095
    assert outcome(Claim("matters", (21,)), peaked) == "undecided"


def test_punctuation_marks_are_words_to_some():
    marked = TokenSaliency(["fine", ",", "nice", "but"], [1.0, 0.2, 1.0, -1.0], Query("x"))
    assert outcome(Claim("count", direction="supports", value=2), marked) == "undecided"
    assert outcome(Claim("count", direction="supports", value=3), marked) == "undecided"
    assert outcome(Claim("count", direction="supports", value=1), marked) == "wrong number"
    ended = TokenSaliency(["fine", "."], [1.0, 0.2], Query("x"))
    assert outcome(Claim("count", direction="supports", value=2), ended) == "true"  # all of them
    assert outcome(Claim("only", (0, 2)), marked) == "undecided"
    assert outcome(Claim("only", (0, 1, 2)), marked) == "true"


@pytest.mark.parametrize(
    ("claim", "saliency", "expected"),
    [
        (Claim("predicted", label="Positive"), SURE, "true"),
        (Claim("predicted", label="negative"), SURE, "wrong label"),
        (Claim("predicted"), SURE, "undecided"),
        (Claim("predicted", label="positive"), FILM, "true"),
        (Claim("predicted", label="negative"), FILM, "wrong label"),
        (Claim("confidence", value=0.7), SURE, "true"),
        (Claim("confidence", value=0.7), FILM, "undecided"),
        (Claim("confidence", value=0.75, tolerance=0.005), SURE, "wrong number"),
        (Claim("confidence", label="negative", value=0.2), SURE, "true"),
        (Claim("confidence", label="negative", value=0.7), SURE, "wrong number"),
        (Claim("confidence", label="other", value=0.7), SURE, "undecided"),
        (Claim("runner_up", label="negative"), SURE, "true"),
        (Claim("runner_up", label="mixed"), SURE, "wrong label"),
        (Claim("runner_up", label="mixed", value=3), SURE, "true"),
        (Claim("runner_up", label="mixed", value=4), SURE, "undecided"),
        (Claim("runner_up", label="negative"), FILM, "undecided"),
    ],
)
def test_claims_about_the_model(claim, saliency, expected):
    assert outcome(claim, saliency) == expected


def predicting(prediction, query=Query("dog")):  # noqa: B008 - a query never changes
    return TokenSaliency(["ears"], [1.0], query, prediction=prediction)


def test_scores_that_are_no_probabilities_decide_no_confidence():
    logits = predicting(Prediction("dog", 0.9, {"dog": 4.0, "cat": 1.5}))
    assert outcome(Claim("confidence", label="dog", value=0.9), logits) == "true"
    assert outcome(Claim("confidence", label="cat", value=1.5), logits) == "undecided"
    assert outcome(Claim("runner_up", label="cat"), logits) == "true"
    first_two = predicting(Prediction("dog", 0.6, {"dog": 0.6, "cat": 0.3}))  # of more classes; they do not sum to 1
    assert outcome(Claim("confidence", label="cat", value=0.3), first_two) == "true"
    unsure = predicting(Prediction("dog", None, {"dog": 0.6, "cat": 0.3}))
    assert outcome(Claim("confidence", label="cat", value=0.3), unsure) == "undecided"


def test_a_runner_up_needs_scores_that_agree_with_the_prediction():
    losses = predicting(Prediction("dog", scores={"dog": 0.1, "cat": 2.0, "fox": 3.0}))
    assert outcome(Claim("runner_up", label="cat"), losses) == "undecided"
    tied = predicting(Prediction("dog", scores={"dog": 0.6, "cat": 0.2, "fox": 0.2}))
    assert outcome(Claim("runner_up", label="cat"), tied) == "wrong label"
    assert outcome(Claim("runner_up", label="cat", shared=True), tied) == "true"


def test_a_group_of_classes_and_a_contrastive_question():
    dogs = Query("dog", members=("beagle", "husky"))
    said = Prediction("husky", 0.5, {"husky": 0.5, "beagle": 0.25, "tabby": 0.25})
    assert outcome(Claim("predicted", label="dog"), predicting(said, dogs)) == "true"
    assert outcome(Claim("predicted", label="beagle"), predicting(said, dogs)) == "wrong label"
    assert outcome(Claim("confidence", label="dog", value=0.75), predicting(said, dogs)) == "true"
    assert outcome(Claim("predicted", label="husky"), predicting(None, dogs)) == "undecided"
    why_not = Query("dog", versus=("cat",))
    assert outcome(Claim("predicted", label="cat"), predicting(None, why_not)) == "undecided"
    assert outcome(Claim("predicted", label="fox"), predicting(None, why_not)) == "wrong label"
    assert outcome(Claim("predicted", label="cat"), predicting(Prediction("cat"), why_not)) == "true"


UNSIGNED = TokenSaliency(["a", "great", "film"], [0.0, 0.7, 0.3], Query("positive"), signed=False)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (Claim("supports", (1,)), "undecided"),
        (Claim("opposes", (1,)), "undecided"),
        (Claim("supports", (7,)), "part not in the input"),
        (Claim("supports", (1,), label="negative"), "wrong label"),
        (Claim("most_important", (1,)), "true"),
        (Claim("most_important", (2,)), "wrong rank"),
        (Claim("most_important", (1,), direction="supports"), "undecided"),
        (Claim("most_important", (0,)), "wrong sign"),
        (Claim("more_important_than", (1,), other=(2,)), "true"),
        (Claim("share", (1,), value=0.7), "true"),
        (Claim("share", (1,), value=0.0, of="negative"), "undecided"),
        (Claim("balance"), "undecided"),
        (Claim("no_clear_evidence", direction="opposes"), "undecided"),
        (Claim("no_clear_evidence"), "wrong rank"),
        (Claim("matters", (1,)), "true"),
        (Claim("near_zero", (0,)), "true"),
        (Claim("strength", (1,), value=0.75, tolerance=0.25), "true"),
        (Claim("only", (1, 2)), "true"),
        (Claim("rank", (2,), value=2), "true"),
        (Claim("count", value=2), "true"),
        (Claim("ratio", (1,), other=(2,), value=7 / 3), "true"),
        (Claim("absent", None, quote="dull"), "true"),
        (Claim("predicted", label="positive"), "true"),
    ],
)
def test_an_unsigned_map_tells_what_matters_but_not_which_way(claim, expected):
    assert outcome(claim, UNSIGNED) == expected


# Definitions in exact arithmetic, with loops, written from the table in docs/claims.md. They return True, False, or None.


def spoken(claim):
    return "opposes" if "opposes" in (claim.direction, claim.kind) else "supports"


def toward(scores, direction):
    return [-score for score in scores] if direction == "opposes" else list(scores)


def speaks(scores, part, direction):
    mine = [toward(scores, direction)[i] for i in part]
    return sum(mine) > 0 and min(mine) >= 0


def near(value, claim):
    return abs(F(claim.value) - value) <= F(claim.tolerance) + F(1, 10**9)


def brute(claim, scores):
    kind, part, other = claim.kind, claim.part, claim.other
    facing = toward(scores, claim.direction)
    mass = sum(abs(score) for score in scores)
    top = max(abs(score) for score in scores)
    mine = [scores[i] for i in part]
    rest = [i for i in range(len(scores)) if i not in part]
    if kind in ("supports", "opposes"):
        return speaks(scores, part, spoken(claim)) if claim.direction in (None, kind) else None
    if kind in ("near_zero", "matters"):
        weight = max(abs(sum(mine)), *(abs(score) for score in mine))
        small = 20 * abs(sum(mine)) <= mass and 10 * weight <= top
        if kind == "near_zero":
            if small:
                wrong_side = claim.direction and sum(facing[i] for i in part) < 0
                return None if wrong_side else True
            return False if 4 * weight > top else None
        if claim.direction and not speaks(scores, part, claim.direction):
            return False
        if small or sum(mine) == 0:
            return False
        large = 2 * len(scores) * abs(sum(mine)) >= mass or 4 * abs(sum(mine)) >= top or 10 * abs(sum(mine)) >= mass
        return True if large else None
    if kind == "strength" and claim.direction is None:
        weights = (abs(sum(mine)), max(abs(score) for score in mine))
        found = {near(min(F(1), weight / top) if top else F(0), claim) for weight in weights}
        return found.pop() if len(found) == 1 else None
    if kind == "strength":
        if not speaks(scores, part, spoken(claim)):
            return False
        total = sum(facing[i] for i in part)
        found = {near(min(F(1), total / max(facing)), claim), near(min(F(1), total / top), claim)}
        return found.pop() if len(found) == 1 else None
    if kind == "only":
        return all(facing[i] > 0 for i in part) and all(facing[i] <= 0 for i in rest)
    if kind == "no_clear_evidence":
        if claim.direction is None:
            return len(set(scores)) == 1 and (len(scores) > 1 or scores[0] == 0)
        return all(score <= 0 for score in facing)
    if kind == "most_important" and not claim.shared:
        named = {*part, *other}
        best = max(facing[i] for i in part)
        return speaks(scores, part, spoken(claim)) and all(facing[i] < best for i in range(len(scores)) if i not in named)
    if kind == "least_important" and not claim.shared:
        if claim.direction and not speaks(scores, part, claim.direction):
            return False
        weights = [abs(score) for score in scores]
        among = [i for i in range(len(scores)) if i not in {*part, *other}]
        among = [i for i in among if not claim.direction or facing[i] > 0]
        return all(weights[j] < weights[i] for i in among for j in part) if among else None
    if kind == "rank":
        ranged = claim.tolerance >= 0.5
        to_the_end = ranged and claim.value + claim.tolerance >= len(scores)
        if not to_the_end and not speaks(scores, part, spoken(claim)):
            return False
        best = max(facing[i] for i in part)
        place = 1 + sum(facing[i] > best for i in rest)
        ties = sum(facing[i] == best for i in rest)
        if ranged:
            return near(place, claim)
        if not near(place, claim) or (ties and not claim.shared):
            return False
        return None if claim.shared and any(facing[i] != best for i in part) else True
    if kind == "more_important_than":
        ahead = sum(facing[i] for i in part) > sum(facing[i] for i in other)
        return speaks(scores, part, spoken(claim)) and ahead and max(facing[i] for i in part) > max(facing[i] for i in other)
    if kind == "share":
        sides = {"positive": max, "negative": lambda score, zero: max(-score, zero), "absolute": lambda score, _: abs(score)}
        if claim.of == "score":
            return near(sum(mine), claim)
        total = sum(sides[claim.of](score, F(0)) for score in scores)
        if total == 0:
            return claim.value == 0
        return near(sum(sides[claim.of](score, F(0)) for score in mine) / total, claim)
    theirs = [scores[i] for i in other]
    if claim.direction and kind in ("equal", "ratio"):
        for one in (part, other):
            if not speaks(scores, one, claim.direction):
                return False
    if kind == "equal":
        allowed = F(claim.tolerance) or F(1, 20)
        pairs = [(abs(sum(mine)), abs(sum(theirs)))]
        pairs.append((max(abs(s) for s in mine), max(abs(s) for s in theirs)))
        return all(abs(a - b) <= (allowed + F(1, 10**9)) * max(a, b) for a, b in pairs)
    if kind == "ratio":
        return sum(theirs) != 0 and near(abs(sum(mine)) / abs(sum(theirs)), claim)
    if kind == "difference":
        return near(sum(facing[i] for i in part) - sum(facing[i] for i in other), claim)
    if kind == "count":
        return near(sum(score > 0 for score in facing) if claim.direction else sum(score != 0 for score in scores), claim)
    if kind == "balance":
        side = sum(max(score, F(0)) for score in facing)
        if claim.value is not None:
            return mass > 0 and near(side / mass, claim)
        return 2 * side > mass
    raise AssertionError(kind)


MAP_KINDS = [name for name, kind in CLAIM_KINDS.items() if not kind.of_model and not kind.of_absence and not kind.of_effect]
# multiples of 1/8 are exact as floats, and so are their sums; few values make ties common
eighths = st.integers(-12, 12).map(lambda number: number / 8)
some_scores = st.lists(eighths, min_size=1, max_size=7) | st.lists(
    st.sampled_from([0.0, 1.0, -1.0, 0.0625, 2.0]), min_size=1, max_size=7
)


@st.composite
def claims_and_scores(draw, kinds=tuple(MAP_KINDS)):
    scores = draw(some_scores)
    kind = draw(st.sampled_from(kinds))
    part = st.lists(st.integers(0, len(scores) - 1), min_size=1, max_size=3)
    values = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 4.0, 0.375, -1.0])
    wanted = CLAIM_KINDS[kind]
    claim = claim_with(
        kind,
        part=tuple(draw(part)) if wanted.needs_part else (),
        other=tuple(draw(part)) if wanted.needs_other or (kind.endswith("t_important") and draw(st.booleans())) else (),
        direction=draw(st.sampled_from([None, "supports", "opposes"])),
        value=None if kind == "balance" and draw(st.booleans()) else draw(values),
        tolerance=draw(st.sampled_from([0.0, 0.0625, 0.25, 0.5, 1.0])),
        of=draw(st.sampled_from(["positive", "negative", "absolute", "score"])),
        shared=draw(st.booleans()) and not kind.endswith("t_important"),
    )
    return claim, scores


def word_map(scores, query=Query("x"), **fields):  # noqa: B008 - a query never changes
    return TokenSaliency([f"w{i}" for i in range(len(scores))], scores, query, **fields)


def told(claim, saliency):
    found = outcome(claim, saliency)
    return {"true": True, "undecided": None}.get(found, False)


@pytest.mark.parametrize("count", [75, pytest.param(1500, marks=pytest.mark.long)])
def test_every_kind_agrees_with_its_definition(count):
    @settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(claims_and_scores())
    def agrees(found):
        claim, scores = found
        assert told(claim, word_map(scores)) is brute(claim, [F(score) for score in scores])

    agrees()


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(claims_and_scores())
def test_the_mirrored_question_has_the_answer_of_the_map_with_reversed_signs(found):
    from dataclasses import replace

    claim, scores = found
    mirrored = replace(claim, label="b", versus=("a",))
    turned = word_map([-score for score in scores], Query("b", versus=("a",)))
    assert told(mirrored, word_map(scores, Query("a", versus=("b",)))) is told(mirrored, turned)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(claims_and_scores(), st.sampled_from([2.0**-1040, 2.0**-996, 2.0**990, 2.0**1020]))
@example((Claim("share", (0,), value=0.0), [1.5, 1.5, 1.5]), 2.0**1023)
def test_tiny_and_huge_scores_are_judged_like_others(found, factor):
    """A power of two changes no ratio, so that only claims of scores and differences of scores change."""
    claim, scores = found
    if claim.kind == "difference" or (claim.kind == "share" and claim.of == "score"):
        nonzero = {score for score in scores if score}
        if nonzero and claim.value and factor > 1:  # huge scores differ by far more, or not at all
            exact = sum(scores[i] for i in claim.part) - sum(scores[i] for i in claim.other if claim.kind == "difference")
            assert told(claim, word_map([score * factor for score in scores])) is False or exact == 0
        told(claim, word_map([score * factor for score in scores]))
        return
    assert told(claim, word_map([score * factor for score in scores])) is told(claim, word_map(scores))


def test_the_mirrored_question_on_a_map_worked_out_by_hand():
    mirrored = {"label": "dog", "versus": ("cat",)}
    signed = TokenSaliency(["mew", "bark"], [3.0, -1.0], Query("cat", versus=("dog",)))
    assert outcome(Claim("difference", (0,), other=(1,), value=-4.0, **mirrored), signed) == "true"
    assert outcome(Claim("difference", (0,), other=(1,), value=4.0, **mirrored), signed) == "wrong number"
    assert outcome(Claim("rank", (1,), value=1, **mirrored), signed) == "true"
    assert outcome(Claim("balance", **mirrored), signed) == "wrong number"
    assert outcome(Claim("only", (1,), **mirrored), signed) == "true"
    assert outcome(Claim("ratio", (0,), other=(1,), value=3.0, **mirrored), signed) == "true"
    unsigned = TokenSaliency(["mew", "bark"], [3.0, 1.0], Query("cat", versus=("dog",)), signed=False)
    assert outcome(Claim("matters", (0,), **mirrored), unsigned) == "undecided"
    assert outcome(Claim("matters", (0,), label="cat", versus=("dog",)), unsigned) == "true"


def test_a_tiny_score_is_not_a_small_one():
    tiny = word_map([1e-300, 2e-300])
    assert told(Claim("share", (0,), value=1e-10, of="score"), tiny) is False
    assert told(Claim("share", (0,), value=1e-300, of="score"), tiny) is True
    assert told(Claim("difference", (1,), other=(0,), value=1e-10), tiny) is False


LIMITS = [
    [], [0.0], [3.0], [-3.0], [0.0, 0.0], [2.0, 2.0, 2.0], [-1.0, -2.0], [1e300] * 4, [1e308] * 5, [-1e308, 1e308, 5e-324],
    [5e-324, -5e-324], [1e-300, 1e300], [0.1, 0.2, -0.3],
]  # fmt: skip


@pytest.mark.parametrize("kind", CLAIM_KINDS)
def test_no_claim_about_any_map_raises(kind):
    predictions = (None, SAID, Prediction("x", scores={"x": float("nan"), "y": 1.0}))
    maps = [
        word_map(scores, prediction=prediction, signed=signed)
        for scores in LIMITS
        for prediction in predictions
        for signed in ((True,) if scores and min(scores) < 0 else (True, False))
    ]
    for saliency in maps:
        for part in ((), (0,), (1,), (0, 1), (-1,), (10**30,), None):
            for direction in (None, "supports", "opposes"):
                for value in (0.0, 1.0, -2.0, 1e308):
                    fields = {"part": part, "other": part, "direction": direction, "value": value, "shared": value == 1.0}
                    claim = claim_with(kind, quote="w0", **fields)
                    check([claim], saliency)


def test_sums_that_cancel_up_to_rounding_speak_for_nothing():
    masks = np.zeros((1, 1, 3), dtype=bool)
    masks[:] = True
    picture = PixelSaliency([[0.1, 0.2, -0.3]], Query("x"), masks=masks)  # 0.1 + 0.2 - 0.3 is 5.6e-17 in floats
    assert outcome(Claim("supports", (0,)), picture) == "wrong sign"
    assert outcome(Claim("opposes", (0,)), picture) == "wrong sign"
    assert outcome(Claim("matters", (0,)), picture) == "wrong number"
    phrase = check([Claim("supports", (0, 1, 2))], word_map([0.1, 0.2, -0.3]), bridge=0.5)
    assert [error.kind for error in phrase.errors] == ["wrong sign"]


def test_regions_are_counted_ranked_and_compared_by_their_net_scores():
    scores = np.zeros((4, 4))
    scores[0, 0], scores[0, 3], scores[3, 3] = 4.0, 2.0, -1.0
    masks = np.stack([scores == 4.0, scores == 2.0, scores == -1.0])
    picture = PixelSaliency(scores, Query("dog"), masks=masks, mask_names=["head", "tail", "lawn"])
    for claim in (
        Claim("rank", (1,), value=2),
        Claim("rank", (2,), value=2.5, tolerance=0.5),
        Claim("count", direction="supports", value=2),
        Claim("ratio", (0,), other=(1,), value=2.0),
        Claim("only", (2,), direction="opposes"),
        Claim("balance", value=6 / 7),
        Claim("difference", (1,), other=(2,), value=3.0),
        Claim("least_important", (2,)),
        Claim("matters", (0,)),
        Claim("strength", (1,), value=0.5),
    ):
        assert outcome(claim, picture) == "true", claim
    assert outcome(Claim("absent", None, quote="cat"), picture) == "undecided"
    cam = PixelSaliency(np.abs(scores), Query("dog"), signed=False, masks=masks)
    assert outcome(Claim("supports", (0,)), cam) == "undecided"
    assert outcome(Claim("most_important", (0,)), cam) == "true"


def test_absence_is_looked_for_in_the_text_as_it_was_written():
    text = "It couldn’t be called “good”."
    saliency = TokenSaliency(["It", "couldn", "’t", "be", "called", "good"], np.ones(6), Query("x"), text=text)
    assert outcome(Claim("absent", None, quote="couldn't"), saliency) == "wrong absence"
    assert outcome(Claim("absent", None, quote="could"), saliency) == "undecided"
    assert outcome(Claim("absent", None, quote="bad"), saliency) == "true"
    chinese = TokenSaliency(["很", "好", "看"], np.ones(3), Query("x"))
    assert outcome(Claim("absent", None, quote="好看"), chinese) == "undecided"


def test_undecided_claims_do_not_count_in_precision():
    claims = [Claim("supports", (2,)), Claim("opposes", (2,)), Claim("near_zero", (4,)), Claim("confidence", value=0.5)]
    report = check(claims, FILM)
    assert (len(report.errors), len(report.undecided), report.precision) == (1, 2, 0.5)
    assert check(claims[2:], FILM).precision == 1.0
    assert not check(claims[2:], FILM)
    assert pickle.loads(pickle.dumps(report)) == report


def test_claims_about_the_whole_map_or_the_model_name_no_part():
    claims = [
        Claim("absent", (2,)),
        Claim("count", (2,), value=1),
        Claim("predicted", label="positive"),
        Claim("rank", (4,), value=3),
    ]
    assert named_parts(claims, 6) == (4,)
    assert coverage_of(claims, FILM) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "rank", "part": [1]},
        {"kind": "count"},
        {"kind": "confidence", "value": float("nan")},
        {"kind": "ratio", "part": [1], "other": [2], "value": float("inf")},
        {"kind": "balance", "value": float("nan")},
        {"kind": "share", "part": [1], "value": 0.5, "tolerance": float("inf")},
        {"kind": "share", "part": [1], "value": 0.5, "tolerance": -1},
    ],
)
def test_claims_whose_numbers_are_none(record):
    with pytest.raises(SaliencyError):
        Claim.from_record(record)


@pytest.mark.parametrize("kind", CLAIM_KINDS)
def test_records_of_every_kind_come_back(kind):
    fields = {"part": (1,), "other": (2,), "direction": "opposes", "value": 2.0, "tolerance": 0.5, "label": "x", "shared": True}
    claim = claim_with(kind, quote="w", **fields)
    assert Claim.from_record(json.loads(json.dumps(claim.to_record()))) == claim


OTHERS = {
    "part": (1,), "other": (1,), "direction": "supports", "value": 1.0, "tolerance": 0.5, "of": "absolute", "label": "x",
    "versus": ("y",), "shared": True, "negated": True, "becomes": "y", "replacement": "dull",
}  # fmt: skip
NEEDED = {"share", "strength", "ratio", "difference", "rank", "count", "confidence"}


@pytest.mark.parametrize("kind", CLAIM_KINDS)
def test_a_field_without_effect_is_an_error_that_names_it(kind):
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    (fields,) = (
        found
        for kinds, found in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ((?:`\w+`(?:, )?)+) \|$", page, re.MULTILINE)
        if f"`{kind}`" in kinds
    )
    taken = set(re.findall(r"\w+", fields))
    number = {"value": 2.0} if kind in NEEDED else {}
    for name, value in OTHERS.items():
        stated = {**number, name: value}
        if name in taken:
            Claim(kind, **stated)
        else:
            with pytest.raises(SaliencyError, match=f"`{name}` has no effect on a claim of kind {kind}"):
                Claim(kind, **stated)
            with pytest.raises(SaliencyError, match=f"`{name}` has no effect"):
                Claim.from_record({"kind": kind, **stated})


def test_the_docs_show_the_table_of_kinds():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)[: len(CLAIM_KINDS)]  # the first table
    assert rows == [(name, kind.summary, kind.truth) for name, kind in CLAIM_KINDS.items()]


def test_a_check_costs_microseconds_per_claim():
    saliency = TokenSaliency(
        [f"w{i}" for i in range(512)], np.random.default_rng(0).normal(size=512), Query("x"), prediction=SAID
    )
    claims = [
        claim_with(
            name,
            part=(index,) if kind.needs_part else None if kind.of_absence else (),
            other=(index + 1,),
            value=1.0,
            quote="w",
        )
        for name, kind in CLAIM_KINDS.items()
        for index in range(20)
    ]
    seconds = min(timeit.repeat(lambda: check(claims, saliency), number=1, repeat=5)) / len(claims)
    assert seconds < 300e-6  # some 20 microseconds on an idle machine
