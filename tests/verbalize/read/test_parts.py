"""Parts in a text: quotations of any style, other spellings, ordinals, words without quotes, regions of pictures."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from verbalize import PixelSaliency, Query, TokenSaliency, check, read_claims, read_sentences


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


lies = load(Path(__file__).parents[1] / "lies.py")
FILM = lies.FILM
MAP = TokenSaliency(
    ["a", "great", "movie", "with", "great", "acting", "but", "couldn", "'", "t", "save", "the", "tv", "actors/actresses"],
    [0.1, 2.0, -0.2, 0.0, 1.0, 0.5, -0.1, -0.6, -0.3, -0.2, 0.0, 0.0, 0.4, 0.31],
    Query("positive"),
)


def said(text, saliency=FILM):
    return [(claim.kind, claim.part) for claim in read_claims(text, saliency)]


@pytest.mark.parametrize("marks", ["''", '""', "“”", "‘’", "„“", "‟”", "»«", "«»", "``", "‹›", "›‹", "””", "「」"])
@pytest.mark.parametrize("space", ["", " "])
def test_every_style_of_quotes(marks, space):
    if space and marks in ("''", "``", "‘’"):
        pytest.skip("an apostrophe with a blank inside is none of these")
    text = f"The words {marks[0]}{space}great{space}{marks[1]} and {marks[0]}{space}dull plot{space}{marks[1]} speak for it."
    assert said(text) == [("supports", (1,)), ("supports", (5, 6))]


def test_american_commas_belong_to_the_sentence():
    assert said('Words such as "great," "fine," and "acting" have positive scores.') == [
        ("supports", (1,)), ("supports", (8,)), ("supports", (9,)),
    ]  # fmt: skip
    assert said('The word with a positive score is "great." "Dull" has a negative score.') == [
        ("supports", (1,)),
        ("opposes", (5,)),
    ]


def test_a_comma_of_the_input_is_kept_where_it_is_quoted():
    assert said("'acting ,' is important.") == [("supports", (9, 10))]
    assert said("'acting,' is important.") == [("supports", (9, 10))]


@pytest.mark.parametrize(
    ("quote", "part"),
    [("COULDN'T SAVE", (7, 8, 9, 10)), ("couldn’t", (7, 8, 9)), ("tv actors/actresses", (12, 13)), ("tv actors / actresses", (12, 13)),
     ("Acting", (5,)), ("acted", None), ("save a", None), ("great acting", (4, 5))],
)  # fmt: skip
def test_parts_in_other_spellings(quote, part):
    assert said(f'"{quote}" speaks for it.', MAP) == [("supports", part)]


def test_words_cut_by_a_tokenizer_are_found():
    cut = TokenSaliency(
        ["my", "grip", "e", "with", "anti", "virus", "is", "fa", "bu", "lio", "us"], np.arange(11.0), Query("x")
    )
    assert said('"gripe" is important.', cut) == [("supports", (1, 2))]
    assert said('"anti-virus" is important.', cut) == [("supports", (4, 5))]
    assert said('"fa", "bu", "lio", and "us" are important.', cut) == [("supports", (i,)) for i in (7, 8, 9, 10)]


def test_what_is_not_in_the_input_counts_against_the_text():
    report = check(read_claims("The words 'great' and 'marvellous' have high importance scores.", FILM), FILM)
    assert {error.kind for error in report.errors} == {"part not in the input"}
    assert report.precision == 0.5


def test_apostrophes_open_nothing():
    assert read_sentences("It's the actors' film, isn't it? Rock 'n' roll!", FILM)[0].claims == ()
    assert said("It's the word 'great' that's important for the model's decision.") == [("supports", (1,))]


def test_ordinals_and_the_benefit_of_the_doubt():
    assert said("The second 'great' is important.", MAP) == [("supports", (4,))]
    assert said("The last occurrence of the word 'great' is important.", MAP) == [("supports", (4,))]
    assert said("The third 'great' is important.", MAP) == [("supports", None)]
    assert said("'great' is important.", MAP) == [("supports", (1,))]
    assert said("Both occurrences of 'great' are important.", MAP) == [("supports", (1,)), ("supports", (4,))]
    assert said("'great' has a score of 1.0.", MAP) == [("share", (4,))]
    assert said("The words 'great' and 'great' are important.", MAP) == [("supports", (1,)), ("supports", (4,))]


def test_parts_without_quotes():
    assert said("The word great is important.") == [("supports", (1,))]
    assert said("The words great, fine and acting are important.") == [("supports", (i,)) for i in (1, 8, 9)]
    assert said("The dull plot speaks against the label, with a score of -1.9.") == [("opposes", (5, 6)), ("share", (5, 6))]
    assert read_sentences("'great' is more important than fine acting.", FILM)[0].unread  # some words in quotes, some without
    assert said("The word at position 2 is important, and so are the words at positions 9 to 10.") == [
        ("supports", (1,)), ("supports", (8, 9)),
    ]  # fmt: skip


def picture(names=None):
    scores = np.zeros((32, 32))
    scores[2:8, 2:8], scores[22:30, 22:30] = 1.0, -0.5
    image = np.full((32, 32, 3), 0.5, dtype=np.float32)
    image[2:8, 2:8] = (0.9, 0.05, 0.05)
    image[22:30, 22:30] = (0.05, 0.1, 0.9)
    masks = np.stack([scores > 0, scores < 0]) if names else None
    return PixelSaliency(scores, Query("stop"), image=image, masks=masks, mask_names=names)


def test_regions_by_place_and_colour():
    stop = picture()
    assert said("The red region at the upper left speaks for 'stop'.", stop) == [("supports", (0,))]
    assert said("The upper left corner is the most important region.", stop)[0] == ("supports", (0,))
    assert said("The blue region at the lower right speaks against 'stop'.", stop) == [("opposes", (1,))]
    assert said("The green region at the upper right speaks for 'stop'.", stop) == [("supports", None)]
    assert not check(read_claims("The blue region at the lower right speaks for 'stop'.", stop), stop)


def test_regions_by_name():
    named = picture(("sky", "traffic light"))
    assert said("The region 'sky' is more important than the traffic light.", named) == [("more_important_than", (0,))]
    assert said("The sky supports the label, and 'traffic light' opposes it.", named) == [("supports", (0,)), ("opposes", (1,))]
