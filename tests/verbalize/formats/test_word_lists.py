"""Scores of words and phrases find their places in a text: nothing is lost, whatever the text and the phrases are."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbalize import Query, read_saliency
from verbalize.formats.word_lists import occurrences, spread

LETTERS = st.sampled_from(["a", "b", "é", "e\u0301", "你", "好", "ก", "า", "'", ".", " ", "  ", "\n", "😀"])
TEXTS = st.lists(LETTERS, min_size=1, max_size=25).map("".join)


@given(TEXTS, st.data())
def test_a_text_gets_all_of_the_scores_of_its_features(text, data):
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).map(tuple)
    places = st.lists(spans.filter(lambda span: text[slice(*span)].strip()).map(lambda span: [span]), min_size=1, max_size=3)
    features = data.draw(st.lists(st.tuples(places, st.integers(-9, 9)), max_size=4)) if text.strip() else []
    found = spread(text, features, Query("x"))
    assert found.scores.sum() == pytest.approx(sum(score for _, score in features), abs=1e-9)
    assert "".join("".join(found.tokens).split()) == "".join(text.split())
    assert all(word.strip() for word in found.tokens)


@given(st.lists(st.sampled_from(["great", "Great", "film", "so", "greatest"]), min_size=1, max_size=12))
def test_occurrences_are_those_of_whole_words(words):
    text = " ".join(words)
    for word in set(words):
        assert occurrences(text, word) == [[match.span()] for match in re.finditer(rf"\b{word}\b", text)]


def test_a_score_is_shared_out_as_computed_by_hand():
    text = "no good film, no fun"
    # "no" at two places; "good film" over eight letters, of which "good" has four
    features = [(occurrences(text, "no"), -2.0), (occurrences(text, "good film"), 4.0), (occurrences(text, "fun"), 1.0)]
    found = spread(text, features, Query("x"))
    assert found.tokens == ("no", "good", "film", ",", "no", "fun")
    np.testing.assert_allclose(found.scores, [-1, 2, 2, 0, -1, 1])


def test_results_of_one_explainer_keep_all_their_maps_in_a_list():
    def explained(sign):
        weights = {"pos": [{"feature": "great", "weight": sign * 0.5}], "neg": []}
        targets = [{"target": name, "score": 1.0, "proba": None, "feature_weights": weights} for name in ("yes", "no")]
        return {"estimator": "e", "targets": targets}

    maps = read_saliency([explained(1), explained(-1)])
    assert [(one.query.label, one.scores.tolist()) for one in maps] == [
        ("yes", [0.5]),
        ("no", [0.5]),
        ("yes", [-0.5]),
        ("no", [-0.5]),
    ]
    assert len({one.id for one in maps}) == 4
