"""Class-name-free descriptions: no name stays, and what is told of them is right."""

from __future__ import annotations

import numpy as np
import pytest

from agents import PairDescriptions
from agents.prompting import Contrast
from evals.prompts import NameRemover, evaluate_pairs, evaluate_prompts, holm, pairs_without_class_names, without_class_names

NAMES = ["Egyptian Mau", "cat", "St. Bernard", "orange_tree", "a"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a photo of an egyptian-mau, spotted.", "a photo of an object, spotted."),
        ("A cat's ears, unlike Cats or a category", "An object's ears, unlike objects or a category"),
        ("St. Bernards are large", "objects are large"),
        ("an Orange Tree with an orange", "an object with an orange"),
        ("concat the_cat Mau", "concat the_cat Mau"),
        ("", ""),
    ],
)
def test_names_go_as_whole_words_in_any_spelling(text, left):
    assert NameRemover(NAMES[:4])(text) == left


def test_names_with_signs_of_patterns_and_of_one_letter():
    assert NameRemover(["c++", "{}", "(b)"])("a c++ and {} and (b).") == "an object and object and object."
    assert NameRemover(["7"])("a 7 with 17 lines") == "an object with 17 lines"
    assert NameRemover(["狗"], "动物")("一只 狗") == "一只 动物"
    assert NameRemover([])("as it is") == "as it is"
    assert NameRemover(["  "])("as it is") == "as it is"


def test_every_text_loses_all_names():
    prompts = {"cat": ["a cat, not a dog"], "dog": ["a dog, loud", "hairy"]}
    assert without_class_names(prompts, neutral="pet") == {"cat": ["a pet, not a pet"], "dog": ["a pet, loud", "hairy"]}


def test_pairs_without_captions_get_a_template_that_names_nobody():
    pairs = PairDescriptions({(0, 1): [Contrast("size", ("a small cat", "an owl like no cat"))]})
    bare = pairs_without_class_names(pairs, ["cat", "owl", "fish"], needed=[(0, 1), (2, 1)], template="a photo of a {}.")
    assert [one.captions for one in bare[0, 1]] == [("a small object", "an object like no object")]
    assert [one.captions for one in bare[1, 2]] == [("a photo of an object.",) * 2]
    assert (0, 2) not in bare


class Words:
    """A text is the sum of its words that are known; those of names stand apart from those of looks."""

    known = ("cat", "dog", "owl", "red", "blue", "green")

    def encode_texts(self, texts):
        rows = np.array([[float(word in text) for word in self.known] for text in texts], dtype=np.float32) + 0.01
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


CLASSES = ["cat", "dog", "owl"]
LABELS = np.repeat(np.arange(3), 12)


def pictures(name, look):
    """Images that show names and looks with these strengths; the classes look red, blue and green."""
    noise = np.random.default_rng(0).normal(0, 0.02, size=(36, 6))
    return (name * np.eye(6)[LABELS] + look * np.eye(6)[LABELS + 3] + noise).astype(np.float32)


PROMPTS = {"cat": ["a red cat"], "dog": ["a blue dog"], "owl": ["a green owl"]}
PAIRS = PairDescriptions(
    {
        (0, 1): [Contrast("colour", ("a red cat", "a blue dog"))],
        (0, 2): [Contrast("colour", ("a red cat", "a green owl"))],
        (1, 2): [Contrast("colour", ("a blue dog", "a green owl"))],
    }
)


@pytest.mark.parametrize("look", [0.0, 1.0])
def test_descriptions_alone_tell_classes_apart_where_images_show_them(look):
    for report in (
        evaluate_prompts(Words(), CLASSES, PROMPTS, pictures(1, look), LABELS, draws=2),
        evaluate_pairs(Words(), CLASSES, PAIRS, pictures(1, look), LABELS, k=3, draws=2),
    ):
        (nameless,) = [one for one in report.controls if one.name == "without class names"]
        if look:
            assert nameless.accuracies == (1.0,)
            assert report.claims["alone"] < 0.05
            assert "Without class names, too," in report.verdict
        else:
            assert nameless.accuracies[0] < 0.7
            assert report.claims["alone"] > 0.05
            assert "Without class names, nothing here shows" in report.verdict


def test_mixing_in_the_first_look_does_not_help_the_nameless():
    same = [evaluate_pairs(Words(), CLASSES, PAIRS, pictures(1, 0), LABELS, k=3, draws=2, mix=mix) for mix in (1.0, 0.1)]
    assert same[0].controls[4].accuracies == same[1].controls[4].accuracies


def test_p_values_of_several_tests_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.02]) == [0.02]
    assert holm([]) == []
