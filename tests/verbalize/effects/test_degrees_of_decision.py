"""Sentences that compare how decisive parts are, or tone it down, are neither true nor false where the model is given."""

import pytest

from verbalize import Query, TokenSaliency, check_text
from verbalize.models import TextFunction

# the map calls 'acting' the most important word; the decision hinges on 'great' alone
MAP = TokenSaliency(["the", "acting", "was", "great", "not", "dull"], [0, 0.9, 0, 0.2, 0, -0.4], Query("pos"))
MODEL = TextFunction(
    lambda texts: [[3.0 * ("great" in text) + 0.5 * ("acting" in text), 1.0 + ("dull" in text)] for text in texts],
    ("pos", "neg"),
)


@pytest.mark.parametrize(
    "text",
    [
        "'acting', not 'great', is decisive.",
        "'acting' rather than 'great' is decisive.",
        "'acting' is more decisive than 'great'.",
        "'great' is less decisive than 'acting'.",
        "The decision depends most on 'acting'.",
        "'great', not 'acting', is decisive.",
        "'great' is more decisive than 'acting'.",
        "'great' is hardly decisive.",
        "'great' is far from decisive.",
        "'great' is anything but decisive.",
        "'acting' is anything but decisive.",
        "'great' is one of two decisive words.",
    ],
)
def test_degrees_and_comparisons_are_left_open(text):
    assert check_text(text, MAP, model=MODEL).status == "not verified"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'great' is decisive.", "true"),
        ("'acting' is decisive.", "false"),
        ("The decisive word is 'acting', not 'great'.", "false"),
        ("'acting' is more important than 'great'.", "true"),
        ("'great' is more important than 'acting'.", "false"),
    ],
)
def test_other_sentences_keep_their_verdict(text, expected):
    assert check_text(text, MAP, model=MODEL).status == expected


def test_without_the_model_the_map_alone_is_asked():
    assert check_text("'acting' is more decisive than 'great'.", MAP).status == "true"
