"""The model's own remark comes out only where it is general knowledge about a word of the input."""

import json

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel

from verbalize import Narrator, PixelSaliency, Prediction, Query, TokenSaliency
from verbalize.narrate.comment import comment_of

WORDS = [
    "the",
    "staff",
    "of",
    "rude",
    "and",
    "the",
    "room",
    "smelled",
    "dull",
    ",",
    "a",
    "great",
    "view",
    "and",
    "lousy",
    "service",
    "but",
    "splendid",
    "breakfast",
]
STAY = TokenSaliency(
    WORDS,
    [0.1 * place for place in range(len(WORDS))],
    Query("negative"),
    prediction=Prediction("negative", 0.9, {"negative": 0.9, "positive": 0.1}),
)
HONEST = [
    "'rude' is what guests write of bad service.",
    "'dull' is what critics call a film that bores them.",
    "'great' is a common word for things that people enjoy.",
    "In hotel reviews, 'rude' is often used of staff.",
    "'lousy' means very bad.",
    "'lousy' is slang for bad.",
    "'splendid' is an old word for something very fine.",
    "'dull' is often said of films without any action.",
    "'rude' describes people who do not behave politely. 'lousy' is informal English for poor.",
    "The word 'rude' is used by guests about staff.",
    "'rude' is the opposite of polite.",
    "In everyday English, “lousy” means bad or poor.",
    "'great' is a word people use to praise something.",
]
HOSTILE = {
    "importance": [
        "'rude' is what tips people over to a bad opinion.", "'rude' is what carries the weight.", "'great' is what swings hearts.",
        "'rude' is what clinches it.", "'rude' is a word that settles everything.", "'rude' is what matters to guests.",
        "'rude' is a word for smoking guns.", "'rude' means culprit.", "'rude' is slang for dealbreaker.", "'rude' stands for all that counts.",
        "'rude' means bad; it was key.", "'rude' is found in lists of flagged words.", "'rude' is worth more than 'great'.",
    ],
    "amounts and attention": [
        f"'{word}' means {gloss}."
        for word in ("of", "rude")
        for gloss in (
            "little", "very little", "much", "so much", "nothing", "ignored", "overlooked", "minor", "slight things", "marginal", "trivial",
            "irrelevant", "key", "crucial", "unimportant", "insignificant", "negligible", "zilch", "a great deal", "barely anything",
            "something", "something small", "disregarded", "a bit", "useless", "vital", "inconsequential", "secondary", "filler", "noise",
            "unnoticed", "unheeded", "skipped", "meaningless", "next to nil", "of consequence", "substantial things", "dispensable",
            "tiniest of things", "unimpressive weight", "unneeded", "paramount", "business", "the world",
        )
    ] + ["'rude' is a word of consequence.", "'rude' is a word people ignore.", "'rude' is often used in vain by few.", "'rude' is what few people heed."],
    "numbers": ["'rude' is a word for 90% of guests.", "'rude' is used by half of guests.", "'rude' means ten points less."],
    "the model": [
        "'rude' is the reason the model said no.", "'rude' is what the network saw.", "'rude' is what m0dels call bad.",
        "'rude' is used when machines judge.", "'rude' is what every detector wants.", "'rude' means a feature for classifiers.",
    ],
    "a label": [
        "'rude' means negative.", "'rude' is a word for negativity.", "'rude' is the opposite of positive.", "'rude' means n e g a t i v e.",
        "'rude' means negativ.", "'rude' is what guests say when they are right.",
    ],
    "this input": [
        "The reviewer hated it.", "'rude' is what this guest felt.", "'rude' comes from a paid critic.", "'rude' is used by the bad people here.",
        "'rude' is what made guests angry.", "'rude' is what ruined dinners.", "The guest is angry. 'rude' means bad.",
    ],
    "another script or language": [
        "'rude' means ganz entscheidend.", "'rude' означает важность.", "'rude' значит bad.", "'rude' means bаd.", "'rude' est un mot important.",
        "'rude' means 重要.", "'rude' means entscheidungsrelevant.",
    ],
    "what is no plain text": [
        "'rude' means b\u200bad.", "'rude' means bad\u202e.", "'rude' means bad.\nIgnore it.", "'rude' means <b>bad</b>.", "'rude' means bad. See www.x.com",
        "'rude' means **bad**.", "'rude' means bad\x1b[31m.", "'rude' means bad, mail a@b.c", "'rude' means b4d.", "'rude' means BAD.",
    ],
    "what is not in the input": ["'zzz' means bad.", "'rud' means bad.", "'sublime' is a word for great things."],
    "its length": [
        "'rude' means bad. 'lousy' means bad. 'dull' means boring.", "'rude' means bad" + " and poor" * 20 + ".", "'rude' means bad" * 40,
    ],
}  # fmt: skip


@pytest.mark.parametrize("comment", HONEST)
def test_an_honest_remark_is_kept(comment):
    assert comment_of(comment, STAY) == (comment, "")


@pytest.mark.parametrize(("why", "comment"), [(why, comment) for why, comments in HOSTILE.items() for comment in comments])
def test_a_remark_on_anything_else_is_refused(why, comment):
    kept, reason = comment_of(comment, STAY)
    assert not kept, why
    assert reason


def test_no_remark_is_no_fault():
    assert comment_of(" ", STAY) == ("", "")


def test_pictures_have_no_words_to_remark_on():
    assert comment_of("'rude' means bad.", PixelSaliency(np.ones((4, 4)), Query("stop")))[0] == ""


@pytest.mark.parametrize(("comment", "kept"), [(HONEST[0], True), ("'rude' is why it is negative.", False)])
def test_it_stands_apart_from_the_text(comment, kept):
    plan = {"groups": [[1]], "comment": comment}
    made = Narrator(FakeListChatModel(responses=[json.dumps(plan)])).narrate(STAY)
    assert made.comment == (comment if kept else "")
    assert comment not in made.text
    assert ("comment" in made.to_record()) is kept
    assert [entry.partition(":")[0] for entry in made.left_out] == ([] if kept else ["the comment"])
