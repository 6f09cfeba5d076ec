"""Sentences: their places, what is not read of them, and what they take from the sentence before."""

import importlib.util
import sys
from pathlib import Path

import pytest

from verbalize import read_claims, read_sentences


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


def test_sentences_carry_their_places_and_claims():
    text = "  The word 'great' is important. The reviewer liked it!\n\nHowever, \"dull\" has a negative score. "
    sentences = read_sentences(text, FILM)
    assert [sentence.text for sentence in sentences] == [text[sentence.start : sentence.stop] for sentence in sentences]
    assert [len(sentence.claims) for sentence in sentences] == [1, 0, 1]
    assert [sentence.unread for sentence in sentences] == [False, True, False]
    assert "".join(text.split()) == "".join("".join(sentence.text for sentence in sentences).split())


@pytest.mark.parametrize(
    "text",
    ["The importance of the text as a whole is hard to judge.", "'great' goes with the sky.",
     "The evidence is overwhelming.", "Nearly everything hinges on the final word.", "The word 'great' holds 17 apples.", "Something scored 3.7 here.", "Great speaks volumes: it is decisive, as is the director's name."],
)  # fmt: skip
def test_what_seems_to_speak_of_the_map_but_is_not_read_is_surfaced(text):
    assert any(sentence.unread for sentence in read_sentences(text, FILM))


def test_a_list_under_a_heading():
    text = "The most important words are:\n- 'great'\n- 'fine'\n\nThe plot is thin."
    assert [claim.part for claim in read_claims(text, FILM) if claim.kind == "most_important"] == [(1,), (8,)]


def test_they_are_the_words_of_the_sentence_before():
    assert said("The words 'dull' and 'plot' stand out. They have negative scores.") == [
        ("opposes", (5,)),
        ("opposes", (6,)),
    ]
