"""Sentences that compare how decisive parts are, or tone it down, are neither true nor false where the model is given."""

import pytest

from verbalize import Prediction, Query, TemplateVerbalizer, TokenSaliency, check_text
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


@pytest.mark.parametrize("words", [["a", "fine", "film"], ["fine"]])
def test_a_flat_map_says_nothing_of_the_model(words):
    flat = TokenSaliency(words, [0] * len(words), Query("pos"))
    model = TextFunction(lambda texts: [[1.0, 2.0 * ("fine" in text)] for text in texts], ("pos", "neg"))
    said = TemplateVerbalizer().verbalize(flat).text
    assert "stands out for 'pos'" in said
    assert check_text(said, flat, model=model).status == "true"
    assert check_text("No part of the text has any effect on the decision.", flat, model=model).status != "true"


UNSIGNED = TokenSaliency(
    ["a", "fine", "film", "plot"], [0.1, 0.9, 0.5, 0.7], Query("pos"), signed=False, prediction=Prediction("neg")
)
TEMPLATE = "'fine' matters most in the decision on 'pos', with 41% of the importance; 'plot' (32%) also matters."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEMPLATE, "true"),
        (TEMPLATE.replace("41", "32"), "false"),
        ("'fine' bewilders most, with 41% of the importance; 'plot' (32%) also matters.", "not verified"),
        ("'fine' matters most in the prediction 'pos', with 41% of the importance; 'plot' (32%) also matters.", "not verified"),
    ],
)
def test_a_number_stays_with_its_part(text, expected):
    assert check_text(text, UNSIGNED).status == expected
