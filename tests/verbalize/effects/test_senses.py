"""Sentences that may mean two things of the model are true only if both are so, and false only if neither is."""

import re

import pytest

from verbalize import Query, TokenSaliency, check_text
from verbalize.models import TextFunction

TOKENS = ["the", "acting", "was", "great", "and", "the", "plot", "was", "fine", "but", "slow", "."]
GREAT_FIRST = TokenSaliency(TOKENS, [0, 0, 0, 0.9, 0, 0, 0, 0, 0.4, 0, -0.3, 0], Query("positive"), text=" ".join(TOKENS))

# what a text must hold for the model to say "positive"
RULES = {
    "great": lambda words: "great" in words,
    "fine": lambda words: "fine" in words,
    "either": lambda words: bool({"great", "fine"} & words),
    "both": lambda words: {"great", "fine"} <= words,
    "neither": lambda words: "slow" in words,
    "great, and": lambda words: {"great", "and"} <= words,
}


def status(text, rule, saliency=GREAT_FIRST):
    def scores(texts):
        return [[1, 0] if RULES[rule](set(re.findall(r"\w+", one))) else [0, 1] for one in texts]

    return check_text(text, saliency, model=TextFunction(scores, ("positive", "negative"))).status


@pytest.mark.parametrize(
    "text",
    [
        "Only 'great' and 'fine' are decisive.",
        "No words but 'great' and 'fine' are decisive.",
        "The only decisive words are 'great' and 'fine'.",
        "'great' and 'fine' are the only decisive words.",
        "Only 'great' and 'fine' are needed.",
        "Only 'great' and 'fine' are decisive, not 'slow'.",
        "'slow' is not decisive, and only 'great' and 'fine' are decisive.",
    ],
)
def test_the_only_decisive_words_are_each_of_them_and_all_together(text):
    """Of "great" and "fine" each, or both, may not be decisive by itself, though the decision changes without both."""
    found = {rule: status(text, rule) for rule in ("great", "fine", "either", "both", "neither")}
    open_ = "not verified"
    assert found == {"great": open_, "fine": open_, "either": open_, "both": "true", "neither": "false"}


def test_of_a_phrase_that_alone_is_decisive_each_word_counts():
    assert status("Only 'great and' is decisive.", "great") == "not verified"
    assert status("Only 'great and' is decisive.", "great, and") == "true"
    assert status("Only 'great and' is decisive.", "fine") == "false"


def test_what_a_second_clause_says_in_two_senses_is_not_lost():
    text = "'slow' is not decisive, and 'great' alone decides it."
    assert [status(text, rule) for rule in ("great", "fine", "either", "both")] == [
        "true",
        "false",
        "not verified",
        "not verified",
    ]


def test_each_clause_in_two_senses_is_false_only_by_itself():
    text = "'great' alone decides it, not 'fine'."
    # both: 'great' alone is not enough, and without 'fine' the decision changes, but without 'great' it does so, too
    assert [status(text, rule) for rule in ("great", "fine", "both")] == ["true", "false", "not verified"]


FINE_FIRST = TokenSaliency(TOKENS, [0, 0, 0, 0.4, 0, 0, 0, 0, 0.9, 0, -0.3, 0], Query("positive"), text=" ".join(TOKENS))


@pytest.mark.parametrize("text", ["'great' is decisive, unlike 'fine'.", "'great' is decisive, as opposed to 'fine'."])
def test_a_contrast_denies_of_the_other_what_is_said(text):
    found = [status(text, rule, FINE_FIRST) for rule in ("great", "fine", "either", "both")]
    assert found == ["true", "false", "false", "false"]
    turned = text.replace("is decisive", "is not decisive")
    assert [status(turned, rule, FINE_FIRST) for rule in ("great", "fine", "either")] == ["false", "true", "false"]


@pytest.mark.parametrize(
    "text", ["The decision depends on 'great', not on 'fine'.", "'great' makes the difference, but 'fine' does not."]
)
def test_words_of_the_decision_are_not_false_where_only_the_map_refutes_them(text):
    assert status(text, "great") == "not verified"  # the map gives 'fine' some weight, and the model does not need it
    assert status(text, "fine") == "false"
    assert status(text, "both") == "false"  # without 'fine' the decision changes
    no_weight = TokenSaliency(TOKENS, [0, 0, 0, 0.9, 0, 0, 0, 0, 0, 0, -0.3, 0], Query("positive"), text=" ".join(TOKENS))
    assert status(text, "great", no_weight) == "true"
    assert status(text, "both", no_weight) == "false"


def test_the_decisive_word_of_the_model_alone():
    assert status("The decisive word is 'great'.", "great", FINE_FIRST) == "not verified"
    assert status("The decisive word is 'great'.", "fine", FINE_FIRST) == "false"


@pytest.mark.parametrize(
    "text",
    [
        "The most important and decisive word is 'great'.",
        "'great', the most important word, is decisive.",
        "'great' is decisive, and the most important word is 'great'.",
    ],
)
def test_what_is_said_of_the_map_itself_stays_false(text):
    assert status(text, "great", FINE_FIRST) == "false"
    assert status(text, "great") != "false"


def test_words_that_stand_apart_are_quoted_one_by_one():
    model = TextFunction(lambda texts: [[1, 0]] * len(texts), ("positive", "negative"))
    (error,) = check_text("Without 'great' and 'fine', the decision changes.", GREAT_FIRST, model=model).errors
    assert error.message.startswith("without 'great' and 'fine' the model still says 'positive'")
    report = check_text("'great' and 'fine' together are enough for 'positive'.", GREAT_FIRST, model=model)
    assert report.sentences[0].notes == ("'great' and 'fine' alone are enough, and so are 4 of 4 other parts of as many words",)
    (alone,) = check_text("'great' alone decides it.", GREAT_FIRST, model=model).sentences
    assert alone.notes == ()  # there is no note where it is not true
