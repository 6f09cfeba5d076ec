"""The best spans, against brute force in exact arithmetic; the published searches, against their definitions."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbalize.parts.spans import Span, best_spans, best_spans_holding, convolution_search, span_search, total_order
from verbalize.saliency import SaliencyError


def brute_force(scores, max_words, max_spans, bridge, holding=None, price=0.0, breaks=()):
    """Every set of tokens, by the words of the definition: greatest sum less the price, fewest words, earliest."""
    allowed = [i for i, score in enumerate(scores) if score >= -bridge or i == holding]
    best = None
    for size in range(min(max_words, len(allowed)) + 1):
        for chosen in combinations(allowed, size):
            if holding is not None and holding not in chosen:
                continue
            if sum(i - 1 not in chosen or i in breaks for i in chosen) > max_spans:
                continue
            key = (-sum(Fraction(scores[i]) - Fraction(price) for i in chosen), size, chosen)
            if best is None or key < best:
                best = key
    return best[2]


def tokens_of(spans):
    return tuple(i for span in spans for i in range(span.start, span.stop))


def rounded_sum(scores):
    try:
        return float(sum(map(Fraction, scores)))
    except OverflowError:
        return math.inf


whole_scores = st.lists(st.integers(-3, 3).map(float), max_size=9)
any_scores = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8)
decimal_scores = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.1 + 0.2, -0.1, 0.0, 1e-300, 5e-324, 1e300]), max_size=9)
limits = st.tuples(st.integers(0, 6), st.integers(0, 4), st.sampled_from([0.0, 0.05, 0.1, 1.0, 2.0, 1e308]))
prices = st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.0, 5e-324, 1e300, 1e308])


@settings(max_examples=400, deadline=None)
@given(st.one_of(whole_scores, any_scores, decimal_scores), limits, prices, st.lists(st.integers(0, 8), max_size=2))
def test_best_spans_are_those_of_brute_force(scores, limit, price, breaks):
    max_words, max_spans, bridge = limit
    breaks = [place for place in breaks if place <= len(scores)]
    spans = best_spans(scores, max_words=max_words, max_spans=max_spans, bridge=bridge, price=price, breaks=breaks)
    assert tokens_of(spans) == brute_force(scores, max_words, max_spans, bridge, price=price, breaks=breaks)
    assert all(a.stop < b.start or (a.stop == b.start and b.start in breaks) for a, b in pairwise(spans))
    assert not any(span.start < place < span.stop for span in spans for place in breaks)
    assert all(span.score == rounded_sum(scores[span.start : span.stop]) for span in spans)


@settings(max_examples=300, deadline=None)
@given(st.one_of(whole_scores, any_scores, decimal_scores), limits, prices, st.data())
def test_best_spans_that_hold_a_token_are_those_of_brute_force(scores, limit, price, data):
    max_words, max_spans, bridge = limit
    if not (scores and max_words and max_spans):
        return
    held = data.draw(st.integers(0, len(scores) - 1))
    breaks = data.draw(st.lists(st.integers(0, len(scores)), max_size=2))
    spans = best_spans_holding(
        scores, held, max_words=max_words, max_spans=max_spans, bridge=bridge, price=price, breaks=breaks
    )
    assert tokens_of(spans) == brute_force(scores, max_words, max_spans, bridge, held, price, breaks)


@pytest.mark.parametrize("draw", ["normal", "whole", "float32", "all positive"])
def test_narrowing_the_search_loses_nothing_on_maps_too_long_for_brute_force(draw):
    rng = np.random.default_rng(5)
    for _ in range(30):
        n = int(rng.integers(20, 70))
        scores = {
            "normal": rng.normal(size=n),
            "whole": rng.integers(-2, 4, n).astype(float),
            "float32": rng.normal(size=n).astype(np.float32).astype(float),
            "all positive": np.abs(rng.normal(size=n)),
        }[draw]
        max_words, max_spans, bridge = int(rng.integers(1, 9)), int(rng.integers(1, 4)), float(rng.choice([0.0, 0.5, 9.0]))
        price = float(rng.choice([0.0, 0.25, 0.9]))
        breaks = sorted({int(place) for place in rng.integers(0, n, int(rng.integers(0, 4)))})
        spans = best_spans(scores, max_words=max_words, max_spans=max_spans, bridge=bridge, price=price, breaks=breaks)
        exact = plain_programme([Fraction(x) for x in scores.tolist()], max_words, max_spans, bridge, price, breaks)
        chosen = tokens_of(spans)
        assert (sum(Fraction(float(scores[i])) - Fraction(price) for i in chosen), len(chosen)) == exact


def plain_programme(scores, max_words, max_spans, bridge, price, breaks):
    """(Greatest sum, fewest words) by the textbook programme over (spans, words, last token taken or not), in fractions."""
    states = {(0, 0, False): Fraction(0)}
    for index, score in enumerate(scores):
        after = {}
        for (spans, words, taken), total in states.items():
            taken = taken and index not in breaks
            options = [((spans, words, False), total)]
            if score >= -bridge and words < max_words and spans + (not taken) <= max_spans:
                options.append(((spans + (not taken), words + 1, True), total + score - Fraction(price)))
            for key, value in options:
                after[key] = max(after.get(key, value), value)
        states = after
    total, words = max((total, -words) for (_, words, _), total in states.items())
    return total, -words


def test_spans_by_hand():
    scores = [0.0, 3.0, -1.0, 4.0, 0.0, 0.0, 5.0, -2.0]
    assert best_spans(scores, max_words=2, max_spans=2) == (Span(3, 4, 4.0), Span(6, 7, 5.0))
    assert best_spans(scores, max_words=9, max_spans=1) == (Span(3, 7, 9.0),)
    assert best_spans(scores, max_words=9, max_spans=1, bridge=1.0) == (Span(1, 7, 11.0),)
    assert best_spans(scores, max_words=3, max_spans=1, bridge=1.0) == (Span(1, 4, 6.0),)
    assert Span(1, 4, 6.0).part == (1, 2, 3)
    assert best_spans([0.2, 3.0, 0.9, 2.0, 0.4], max_words=9, max_spans=1, price=1.0) == (Span(1, 4, 5.9),)  # 3 - 0.1 + 1
    assert best_spans([0.2, 3.0, 0.9, 2.0, 0.4], max_words=9, max_spans=2, price=1.0) == (Span(1, 2, 3.0), Span(3, 4, 2.0))
    assert best_spans([1.0, 1.0, 1.0], max_words=9, max_spans=2, breaks=[1]) == (Span(0, 1, 1.0), Span(1, 3, 2.0))
    assert len(Span(1, 4, 6.0)) == 3


def test_ties_take_the_fewest_words_then_the_earliest():
    assert best_spans([1, 0, 1, 1], max_words=2, max_spans=2) == (Span(0, 1, 1.0), Span(2, 3, 1.0))
    assert best_spans([1, 1, 1, 1], max_words=2, max_spans=2) == (Span(0, 2, 2.0),)
    assert best_spans([0, 0, 2, 0], max_words=4, max_spans=2) == (Span(2, 3, 2.0),)
    # in doubles 0.1 + 0.2 exceeds 0.3, if by 5.6e-17 only; and 0.3 + 5e-324 exceeds 0.3, though no double can say so
    assert tokens_of(best_spans([0.3, -1, 0.1, 0.2], max_words=2, max_spans=1)) == (2, 3)
    assert tokens_of(best_spans([0.3, -1, 0.3, 5e-324], max_words=2, max_spans=1)) == (2, 3)


@pytest.mark.parametrize("scores", [[], [0.0, 0.0], [-1.0, -0.5]])
def test_no_span_where_nothing_is_to_be_had(scores):
    assert best_spans(scores, max_words=3, max_spans=3, bridge=10.0) == ()


def test_a_held_token_is_held_whatever_it_costs():
    assert best_spans([2, 2, 0, 3], max_words=2, max_spans=1) == (Span(0, 2, 4.0),)
    assert best_spans_holding([2, 2, 0, 3], 3, max_words=2, max_spans=1) == (Span(3, 4, 3.0),)
    assert best_spans_holding([2, -9, 2], 1, max_words=3, max_spans=1) == (Span(0, 3, -5.0),)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_spans([1, math.nan], max_words=1, max_spans=1), "token 1 is nan"),
        (lambda: best_spans([1, math.inf], max_words=1, max_spans=1), "finite"),
        (lambda: best_spans([[1.0]], max_words=1, max_spans=1), "one number per token"),
        (lambda: best_spans(["a"], max_words=1, max_spans=1), "must be numbers"),
        (lambda: best_spans([1], max_words=-1, max_spans=1), "max_words must be a whole number"),
        (lambda: best_spans([1], max_words=1, max_spans=1.5), "max_spans must be a whole number"),
        (lambda: best_spans([1], max_words=1, max_spans=1, bridge=-1), "bridge"),
        (lambda: best_spans([1], max_words=1, max_spans=1, bridge=math.nan), "bridge"),
        (lambda: best_spans([1], max_words=1, max_spans=1, price=-1), "price"),
        (lambda: best_spans([1], max_words=1, max_spans=1, price=math.inf), "price must be finite"),
        (lambda: best_spans([1], max_words=1, max_spans=1, breaks=[2]), "no token 2 for a break"),
        (lambda: best_spans([1], max_words=1, max_spans=1, breaks=[-1]), "a break must be a whole number"),
        (lambda: best_spans_holding([1], 1, max_words=1, max_spans=1), "no token 1"),
        (lambda: best_spans_holding([1], 0, max_words=0, max_spans=1), "at least 1"),
        (lambda: convolution_search([1.0] * 9, 3), "filter_length"),
        (lambda: span_search([1.0], 0), "filter_length"),
        (lambda: span_search([1.0], 3, share=0.0), "share"),
        (lambda: total_order([1.0], sgn="?"), "sgn"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(SaliencyError, match=message):
        call()


@pytest.mark.parametrize("kind", ["normal", "ones"])
def test_cost_grows_no_faster_than_the_text(kind):
    def cost(n):
        scores = np.random.default_rng(1).normal(size=n) if kind == "normal" else np.ones(n)
        best = math.inf
        for _ in range(7):
            start = time.thread_time()
            best_spans(scores, max_words=12, max_spans=3)
            best = min(best, time.thread_time() - start)
        return best

    assert cost(2000) <= 5 * cost(500)


def test_span_search_finds_what_its_definition_says():
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.normal(size=int(rng.integers(1, 25)))
        top = sorted(scores, reverse=True)[: max(1, int(len(scores) * 0.4))]
        least = max(sum(top) / len(top), 0.0)
        expected = {
            tuple(range(a, b))
            for a in range(len(scores))
            for b in range(a + 1, min(a + 4, len(scores)) + 1)
            if (scores[a:b] > 0).all() and scores[a:b].mean() > least
        }
        peak = int(np.argmax(scores))
        if scores[peak] > 0 and not any(peak in run for run in expected):
            expected.add((peak,))
        found = span_search(scores, 4)
        assert {snippet.indices for snippet in found} == expected
        assert all(snippet.score == pytest.approx(scores[list(snippet.indices)].mean()) for snippet in found)
        assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_convolution_search_finds_what_its_definition_says():
    rng = np.random.default_rng(1)
    for _ in range(30):
        scores = rng.normal(size=int(rng.integers(5, 16)))
        top = sorted(scores, reverse=True)[: max(1, int(len(scores) * 0.4))]
        least = max(sum(top) / len(top), 0.0)
        expected = {
            tuple(start + place for place in places)
            for start in range(len(scores) - 4)
            for ones in (2, 3)
            for places in combinations(range(5), ones)
            if all(scores[start + place] > 0 for place in places)
            and np.mean([scores[start + place] for place in places]) > least
        }
        peak = int(np.argmax(scores))
        if scores[peak] > 0 and not any(peak in run for run in expected):
            expected.add((peak,))
        assert {snippet.indices for snippet in convolution_search(scores, 5)} == expected


@pytest.mark.parametrize("search", [convolution_search, span_search])
def test_published_faults_are_mended(search):
    last = [0.1, 0.0, 0.2, -0.1, 0.1, 0.0, 3.0, 2.9]
    assert any(7 in snippet.indices for snippet in search(last, 5)), "the last token was never looked at"
    alone = [0.5, 0.5, -1.0, -1.0, -1.0, 9.0, -1.0, -1.0, -1.0]
    assert 5 in search(alone, 5)[0].indices, "an isolated top token was left out"
    assert search([-3.0, -1.0, -2.0, -1.5, -1.0, -2.0], 5) == (), "negative tokens were named as important"
    assert search([0.0] * 6, 5) == (), "dividing by the largest score made nan"
    assert search([], 5) == ()
    against = search([-3.0, -2.0, 1.0, 1.0, 1.0, 1.0], 5, share=0.8, sgn="-")
    assert {i for snippet in against for i in snippet.indices} == {0, 1}
    assert all(snippet.score < 0 for snippet in against)


def test_total_order_ranks_what_has_the_sign_and_ties_as_they_stand():
    scores = [0.2, -0.5, 0.9, 0.0, 0.2, -0.1]
    assert total_order(scores) == (2, 0, 4)
    assert total_order(scores, sgn="-") == (1, 5)
