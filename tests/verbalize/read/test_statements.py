"""What a text says of the parts: scores, shares, ranks, comparisons, denials, labels."""

import importlib.util
import sys
from pathlib import Path

import pytest

from verbalize import Query, TokenSaliency, check, read_claims


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


lies = load(Path(__file__).parents[1] / "lies.py")
FILM = lies.FILM


def said(text, saliency=FILM):
    return [(claim.kind, claim.part) for claim in read_claims(text, saliency)]


@pytest.mark.parametrize(
    ("written", "value", "tolerance"),
    [("2", 2.0, 0.5), ("2.0", 2.0, 0.05), ("2.34", 2.34, 0.005), ("-1.2", -1.2, 0.05), ("−1.2", -1.2, 0.05), ("1,234.5", 1234.5, 0.05),
     ("2.3e-2", 0.023, 0.0005)],
)  # fmt: skip
def test_scores_with_the_precision_they_are_written_in(written, value, tolerance):
    (claim,) = [claim for claim in read_claims(f"'great' has a score of {written}.", FILM) if claim.kind == "share"]
    assert (claim.of, claim.part) == ("score", (1,))
    assert claim.value == pytest.approx(value)
    assert claim.tolerance == pytest.approx(tolerance)


@pytest.mark.parametrize(
    ("written", "value", "tolerance"),
    [("46%", 0.46, 0.005), ("46 %", 0.46, 0.005), ("46.2 per cent", 0.462, 0.0005), ("46 percent", 0.46, 0.005), ("0.46", 0.46, 0.005),
     ("half", 0.5, 0.05), ("almost half", 0.5, 0.05), ("about a third", 1 / 3, 0.05), ("two thirds", 2 / 3, 0.05), ("about 40 %", 0.4, 0.05),
     ("more than 40 %", 0.7, 0.3), ("at most 40 %", 0.2, 0.2)],
)  # fmt: skip
def test_shares(written, value, tolerance):
    (claim,) = [
        claim
        for claim in read_claims(f"'great' holds {written} of the evidence for 'positive'.", FILM)
        if claim.kind == "share"
    ]
    assert (claim.of, claim.part) == ("positive", (1,))
    assert claim.value == pytest.approx(value)
    assert claim.tolerance == pytest.approx(tolerance)


def test_what_a_share_is_a_share_of():
    def of(text):
        return [claim.of for claim in read_claims(text, FILM) if claim.kind == "share"]

    assert of("'dull' holds 46 % of the evidence against 'positive'.") == ["negative"]
    assert of("'dull' (46 %) speaks against it.") == ["negative"]
    assert of("'dull' accounts for 46 % of the total importance.") == ["absolute"]
    assert of("'great' (2.0) and 'fine' (0.8) are important.") == ["score", "score"]


def test_the_top_and_those_named_with_it():
    claims = read_claims("'great' and 'fine' are the most important words.", FILM)
    top = [(claim.part, claim.other, claim.shared) for claim in claims if claim.kind == "most_important"]
    assert top == [((1,), (8,), False), ((8,), (1,), False)]
    assert check(claims, FILM)
    assert all(
        claim.shared
        for claim in read_claims("'fine' is one of the most important words.", FILM)
        if claim.kind == "most_important"
    )


@pytest.mark.xfail(reason="'there are words such as' with a clause after it is not read yet", strict=True)
def test_words_that_there_are():
    text = "Words like 'great' have high scores. Although there are words such as 'fine', they have lower scores than 'great'."
    assert ("more_important_than", (1,)) in said(text)


def test_lower_scores_are_lower_than_those_named_before():
    text = "'great' and 'fine' have high importance scores, while 'acting' has a lower importance score."
    pairs = [(claim.part, claim.other) for claim in read_claims(text, FILM) if claim.kind == "more_important_than"]
    assert pairs == [((1,), (9,)), ((8,), (9,))]


def test_long_lists_are_compared_by_the_pairs_that_decide():
    n = 40
    tokens = [f"w{i}" for i in range(n)]
    high = ", ".join(f"'w{i}'" for i in range(n // 2))
    low = ", ".join(f"'w{i}'" for i in range(n // 2, n))
    text = f"The words {high} are more important than {low}."
    true = TokenSaliency(tokens, [2.0] * (n // 2) + [1.0] * (n // 2), Query("x"))
    assert check(read_claims(text, true), true)
    assert len(read_claims(text, true)) < n
    for swapped in (3, n - 1):
        scores = true.scores.copy()
        scores[swapped] = 0.5 if swapped < n // 2 else 2.5
        false = TokenSaliency(tokens, scores, Query("x"))
        assert not check(read_claims(text, false), false)


def test_negation():
    assert said("'dull' does not support 'positive'.") == [("share", (5,))]
    assert check(read_claims("'dull' does not support 'positive'.", FILM), FILM)
    assert not check(read_claims("'great' does not support 'positive'.", FILM), FILM)
    assert not check(read_claims("'dull' does not speak against 'positive'.", FILM), FILM)
    down = TokenSaliency(["a", "b"], [-1.0, -2.0], Query("x"))
    assert check(read_claims("'a' does not support 'x'.", down), down)


def test_ranks_below_the_first():
    assert check(read_claims("'fine' is the second most important word.", FILM), FILM)
    assert not check(read_claims("'acting' is the second most important word.", FILM), FILM)
    assert not check(read_claims("'great' is the second most important word.", FILM), FILM)


def test_only():
    one = TokenSaliency(["a", "b", "c"], [1.0, -1.0, 0.0], Query("x"))
    assert check(read_claims("Only 'a' speaks for 'x'.", one), one)
    assert not check(read_claims("Only 'great' speaks for 'positive'.", FILM), FILM)


def test_labels():
    def labels(text, saliency=FILM):
        return [(claim.label, claim.versus) for claim in read_claims(text, saliency)]

    assert labels("'great' speaks for 'positive'.") == [("positive", None)]
    assert labels("'great' speaks for 'Negative'.") == [("Negative", None)]
    assert labels("'great' contributes to the {placeholder} sentiment.") == [(None, None)]
    assert labels("'great' speaks for the label.") == [(None, None)]
    assert labels("'great' indicates positive sentiment.") == [("positive", None)]
    assert labels("'dull' has a negative score.") == [(None, None)]
    either = TokenSaliency(["great", "world"], [1.0, -1.0], Query("sports", versus=("world", "business")))
    assert labels("'great' speaks for 'sports' rather than 'world' or 'business'.", either) == [
        ("sports", ("world", "business"))
    ]
    assert [error.kind for error in check(read_claims("'great' speaks for 'sports'.", either), either).errors] == [
        "wrong label"
    ]


def test_a_word_that_is_the_label_too():
    both = TokenSaliency(["positive", "words"], [2.0, -1.0], Query("positive"))
    claims = read_claims("'positive' speaks for 'positive'.", both)
    assert [(claim.kind, claim.part, claim.label) for claim in claims] == [("supports", (0,), "positive")]
