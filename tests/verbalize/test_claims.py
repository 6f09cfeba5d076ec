"""Each truth condition of `check`, on maps small enough to be judged by eye."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbalize import Claim, Query, SaliencyError, TokenSaliency, check
from verbalize.claims.claim import told_fields

#                              0      1    2        3        4       5
FILM = TokenSaliency(["not", "a", "great", "great", "film", "dull"], [-2.0, 0.0, 3.0, 3.0, 0.5, -1.0], Query("positive"))
PEAK = TokenSaliency(["a", "great", "film"], [0.5, 3.0, 1.0], Query("positive"))
GREAT, FIRST, SECOND = (2, 3), (2,), (3,)


def kinds(claims, saliency=FILM, **options):
    return [error.kind for error in check(claims if isinstance(claims, list) else [claims], saliency, **options).errors]


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (Claim("supports", FIRST), None),
        (Claim("supports", GREAT), None),
        (Claim("supports", (1, 2)), None),  # a word that scores 0 may stand in a phrase
        (Claim("supports", (1,)), "wrong sign"),  # but says nothing by itself
        (Claim("supports", (0,)), "wrong sign"),
        (Claim("supports", (0, 2)), "wrong sign"),  # 3 - 2 > 0, yet "not" is no evidence for it
        (Claim("opposes", (0,)), None),
        (Claim("opposes", (0, 5)), None),
        (Claim("opposes", FIRST), "wrong sign"),
        (Claim("supports", None, quote="splendid"), "part not in the input"),
        (Claim("supports", (6,)), "part not in the input"),
        (Claim("supports", (-1,)), "part not in the input"),
        (Claim("supports", ()), "part not in the input"),
        (Claim("most_important", GREAT), None),
        (Claim("most_important", FIRST), "wrong rank"),  # the second "great" is just as important
        (Claim("most_important", FIRST, other=SECOND), None),
        (Claim("most_important", FIRST, shared=True), None),
        (Claim("most_important", (4,)), "wrong rank"),
        (Claim("most_important", (0,)), "wrong sign"),
        (Claim("most_important", (0,), direction="opposes"), None),
        (Claim("most_important", (5,), direction="opposes"), "wrong rank"),
        (Claim("more_important_than", FIRST, other=(4,)), None),
        (Claim("more_important_than", (4,), other=FIRST), "wrong rank"),
        (Claim("more_important_than", FIRST, other=SECOND), "wrong rank"),
        (Claim("more_important_than", FIRST, other=None), "part not in the input"),
        (Claim("more_important_than", (0,), other=(5,), direction="opposes"), None),
        (Claim("more_important_than", (0,), other=(5,)), "wrong sign"),
        (Claim("share", FIRST, value=0.46, tolerance=0.005), None),  # 3 / 6.5 = 46.15 %
        (Claim("share", FIRST, value=0.47, tolerance=0.005), "wrong number"),
        (Claim("share", FIRST, value=0.462, tolerance=0.0005), None),
        (Claim("share", (0,), value=2 / 3, tolerance=0.005, of="negative"), None),
        (Claim("share", (0,), value=0.2105, tolerance=0.0001, of="absolute"), None),  # 2 / 9.5
        (Claim("share", (0,), value=-2.0, tolerance=0.05, of="score"), None),
        (Claim("share", (0,), value=2.0, tolerance=0.05, of="score"), "wrong number"),
        (Claim("no_clear_evidence"), "wrong rank"),
        (Claim("no_clear_evidence", direction="opposes"), "wrong rank"),
        (Claim("supports", FIRST, label="Positive"), None),
        (Claim("supports", FIRST, label="negative"), "wrong label"),
        (Claim("supports", FIRST, label="positive", versus=("negative",)), "wrong label"),
    ],
)
def test_truth_conditions(claim, expected):
    assert kinds(claim) == ([expected] if expected else [])


def test_a_bridge_lets_a_slightly_negative_word_stand_in_a_phrase():
    phrase = TokenSaliency(["not", "half", "bad"], [2.0, -0.1, 1.0], Query("positive"))
    claim = Claim("supports", (0, 1, 2))
    assert kinds(claim, phrase) == ["wrong sign"]
    assert kinds(claim, phrase, bridge=0.1) == []
    assert kinds(claim, phrase, bridge=0.05) == ["wrong sign"]


def test_one_of_the_most_important_reaches_to_the_third_place_and_no_further():
    saliency = TokenSaliency(list("abcde"), [5, 4, 3, 2, 1], Query("x"))
    assert [kinds(Claim("most_important", (i,), shared=True), saliency) for i in range(4)] == [[], [], [], ["wrong rank"]]


@pytest.mark.parametrize(
    ("scores", "direction", "true"),
    [
        ([], None, True),
        ([0, 0], None, True),
        ([2, 2], None, True),
        ([2, 2.1], None, False),
        ([5], None, False),
        ([-1, -2], "supports", True),
        ([-1, -2], "opposes", False),
        ([-1, -2], None, False),
        ([1, 0], "opposes", True),
    ],
)
def test_no_clear_evidence(scores, direction, true):
    saliency = TokenSaliency([f"w{i}" for i in range(len(scores))], scores, Query("x"))
    assert bool(check([Claim("no_clear_evidence", direction=direction)], saliency)) is true


def test_contrastive_maps_are_never_worded_as_pointwise_ones():
    saliency = TokenSaliency(["round", "ears"], [1.0, -2.0], Query("cat", ("dog",)))
    said = {"label": "cat", "versus": ("dog",)}
    mirrored = {"label": "dog", "versus": ("cat",)}
    assert kinds(Claim("supports", (0,), **said), saliency) == []
    assert kinds(Claim("supports", (0,), label="cat"), saliency) == ["wrong label"]
    assert kinds(Claim("supports", (0,), label="cat", versus=("fox",)), saliency) == ["wrong label"]
    assert kinds(Claim("opposes", (0,), **mirrored), saliency) == []
    assert kinds(Claim("supports", (1,), **mirrored), saliency) == []
    assert kinds(Claim("supports", (0,), **mirrored), saliency) == ["wrong sign"]
    assert kinds(Claim("most_important", (1,), **mirrored), saliency) == []
    assert kinds(Claim("share", (1,), value=1.0, **mirrored), saliency) == []
    assert kinds(Claim("share", (1,), value=2.0, of="score", **mirrored), saliency) == []
    assert kinds(Claim("no_clear_evidence", direction="opposes", **mirrored), saliency) == ["wrong rank"]


def test_a_group_may_be_called_by_any_of_its_members():
    saliency = TokenSaliency(["round", "ears"], [1.0, -2.0], Query("dog", members=("beagle", "husky")))
    assert kinds(Claim("supports", (0,), label="husky"), saliency) == []
    assert kinds(Claim("supports", (0,), label="tabby"), saliency) == ["wrong label"]


def test_the_report_counts_what_is_not_in_the_input():
    report = check(
        [Claim("supports", FIRST), Claim("supports", None, quote="splendid"), Claim("opposes", (0,)), Claim("supports", (5,))],
        FILM,
    )
    assert report.precision == 0.5
    assert not report
    assert report.counts() == {
        "part not in the input": 1, "wrong sign": 1, "wrong rank": 0, "wrong number": 0, "wrong label": 0, "wrong absence": 0,
        "wrong effect": 0,
    }  # fmt: skip
    assert "splendid" in report.errors[0].message
    assert check([], FILM).precision == 1.0


def test_messages_say_what_is_true():
    (error,) = check([Claim("most_important", (0,), quote="a")], PEAK).errors
    assert "'great' scores 3" in error.message
    (error,) = check([Claim("share", (1,), value=0.5)], PEAK).errors
    assert "66.7%" in error.message


parts = st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True).map(tuple)


@given(
    st.builds(
        lambda kind, **fields: Claim(kind, **told_fields(kind, fields)),
        kind=st.sampled_from(["supports", "opposes", "most_important", "more_important_than", "share", "no_clear_evidence"]),
        part=st.none() | parts,
        other=st.none() | parts,
        direction=st.sampled_from([None, "supports", "opposes"]),
        value=st.floats(-5, 5),
        tolerance=st.floats(0, 1),
        of=st.sampled_from(["positive", "negative", "absolute", "score"]),
        label=st.sampled_from([None, "positive", "negative"]),
        versus=st.sampled_from([None, ("negative",)]),
        shared=st.booleans(),
        quote=st.none() | st.text(),
    )
)
def test_records_come_back_as_they_were(claim):
    assert Claim.from_record(json.loads(json.dumps(claim.to_record()))) == claim
    check([claim], FILM)


@pytest.mark.parametrize(
    "record",
    [
        {},
        [],
        {"kind": "praises"},
        {"kind": "share"},
        {"kind": "share", "value": "much"},
        {"kind": "supports", "part": ["a"]},
        {"kind": "supports", "colour": 1},
    ],
)
def test_records_that_are_no_claims(record):
    with pytest.raises(SaliencyError):
        Claim.from_record(record)


def test_an_ordering_is_judged_by_sum_and_by_peak():
    saliency = TokenSaliency(list("abcd"), [3.0, 2.0, 2.0, 0.5], Query("x"))
    assert kinds(Claim("more_important_than", (0,), other=(1, 2)), saliency) == ["wrong rank"]  # 3 < 2 + 2
    assert kinds(Claim("more_important_than", (1, 2), other=(0,)), saliency) == ["wrong rank"]  # 2 < 3
    assert kinds(Claim("more_important_than", (0, 3), other=(1,)), saliency) == []


def test_check_is_quick_on_long_texts():
    import time

    count = 50_000
    saliency = TokenSaliency(["w"] * count, np.random.default_rng(0).normal(size=count), Query("x"))
    start = time.thread_time()
    check([Claim("most_important", (i,)) for i in range(20)], saliency)
    assert time.thread_time() - start < 2
