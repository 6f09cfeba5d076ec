"""Lies and truths about one small map in many words: no lie is verified, and every truth is read whole."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from verbalize import check, read_sentences


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


lies = load(Path(__file__).parents[1] / "lies.py")
FILM = lies.FILM


def filled(texts, **words):
    for text in texts:
        for name, word in words.items():
            text = text.replace(name, word)
        yield text


def read(text):
    """The outcome of a text, as "false", "unread", "true" or "undecided"; and its claims."""
    sentences = read_sentences(text, FILM)
    claims = [claim for sentence in sentences for claim in sentence.claims]
    report = check(claims, FILM)
    if report.errors:
        return "false", claims
    if any(sentence.unread for sentence in sentences):
        return "unread", claims
    return ("true" if report else "undecided"), claims


FALSE = {
    "sign": [*filled(lies.SUPPORTING, X="dull"), *filled(lies.OPPOSING, X="great")],
    "absent": [*filled(lies.SUPPORTING, X="terrible"), *filled(lies.OPPOSING, X="terrible")],
    "rank": [*filled(lies.TOP, X="fine"), *filled(lies.AHEAD, X="acting", Y="great"), *lies.UNIMPORTANT, *lies.NOTHING],
    "number": [*filled(lies.SCORE, N="1.4"), *filled(lies.SHARE, N="40 %")],
    "label": lies.LABEL,
}
TRUE = [
    *filled(lies.SUPPORTING, X="great"), *filled(lies.OPPOSING, X="dull"), *filled(lies.TOP, X="great"),
    *filled(lies.AHEAD, X="great", Y="acting"), *filled(lies.SCORE, N="2.0"), *filled(lies.SHARE, N="59 %"),
]  # fmt: skip


@pytest.mark.parametrize("kind", FALSE)
def test_no_lie_is_verified_and_most_are_found(kind):
    outcomes = {text: read(text)[0] for text in FALSE[kind]}
    assert not [text for text, outcome in outcomes.items() if outcome in ("true", "undecided")]
    found = Counter(outcomes.values())["false"]
    assert found >= 0.85 * len(outcomes), [text for text, outcome in outcomes.items() if outcome == "unread"]


# Truths that no rule reads whole yet. The list only gets shorter.
UNREAD = {
    "'great' is followed by 'acting' in importance.",
    "The model was drawn to 'positive' because of \"great\".",
    "Words like 'great' (and others) speak for 'positive'.",
    "The model looked at 'great' and concluded that the review is positive.",
    "The most important words are led by 'great', which outweighs 'acting'.",
    "Although 'acting' is less important, 'great' is more important than 'acting'.",
}


@pytest.mark.parametrize("text", TRUE)
def test_a_truth_is_read_whole(text):
    outcome, claims = read(text)
    assert outcome == ("unread" if text in UNREAD else "true")
    assert claims or text in UNREAD


# words that change what a sentence says, put in at any place of it

OPERATORS = [
    "not",
    "hardly",
    "only",
    "almost",
    "never",
    "no",
    "least",
    "less",
    "twice",
    "half",
    "other",
    "except",
    "without",
    "unless",
    "if",
    "far",
    "second",
    "last",
    "wrongly",
    "supposedly",
    "most",
    "more",
    "three",
    "few",
    "nothing",
    "nearly",
    "equally",
    "against",
    "instead of",
    "or",
    "zero",
    "low",
    "negative",
    "weakly",
    "first",
]
BASE = [
    "'great' speaks for 'positive'.",
    "'dull' speaks against 'positive'.",
    "'great' is important.",
    "'great' is the most important word.",
    "The most important word is 'great'.",
    "'great' is more important than 'acting'.",
    "'great' has a higher score than 'fine'.",
    "'great' holds 59 % of the evidence for 'positive'.",
    "'great' has a score of 2.0.",
    "The word 'great' contributes positively to the prediction.",
    "'fine' is the second most important word for 'positive'.",
    "The model predicted 'positive' because of 'great'.",
]
# Sentences that mean the same with the word, or say less than without it. A word said twice in a row says it once.
HARMLESS = {
    "'great' holds only 59 % of the evidence for 'positive'.",
    "'great' has a score of only 2.0.",
    "'great' is the first most important word.",
    "The first most important word is 'great'.",
    "'great' is first the most important word.",
    "first The most important word is 'great'.",
}


@pytest.mark.parametrize(
    "text", [*BASE[::3], *(pytest.param(text, marks=pytest.mark.long) for text in BASE if text not in BASE[::3])]
)
def test_a_word_that_changes_a_sentence_is_not_passed_over(text):
    outcome, claims = read(text)
    assert outcome == "true"
    words = text.split(" ")
    passed: list[str] = []
    for operator in OPERATORS:
        for place in range(len(words) + 1):
            if operator in words[max(0, place - 1) : place + 1]:
                continue
            changed = " ".join([*words[:place], operator, *words[place:]])
            after, made = read(changed)
            if after == "true" and set(made) == set(claims) and changed not in HARMLESS:
                passed.append(changed)
    assert not passed
