"""Names of labels that people are to guess, found in explanations and not in the words of the input."""

from __future__ import annotations

import pytest

from evals.study.items import Stimulus
from evals.study.stimuli.leaks import VOCABULARY, leaks_in, leaks_of, names_of, replaced

SENTIMENT = names_of(["positive", "negative"], {"positive": ["positiv", "好评"]})
OWN = "a positive end to a great film"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The model predicted 'positive' because of 'great'.", ["positive"]),
        ("It is positively great.", ["positively"]),
        ("It is POSITIVE.", ["POSITIVE"]),
        ("It is pos\u00edtive, or p\u200bositive.", ["pos\u00edtive", "p\u200bositive"]),
        ("It is non-positive.", ["positive"]),
        ("The positivity of 'great'.", ["positivity"]),
        ("Classified as neg.", ["neg"]),
        ("Die Bewertung ist positiv.", ["positiv"]),
        ("\u8fd9\u662f\u597d\u8bc4", ["\u597d\u8bc4"]),
        ("It speaks for 'positive' rather than for the other.", ["positive"]),
        ("“Positive” is what was predicted; the label is “positive”.", ["positive"]),
        ("The only positive thing.", ["positive"]),
        ("'positive' speaks most for the label.", []),
        ("\"a positive end\" speaks most for the label.", []),
        ("\u00bb positive \u00ab is the most important word.", []),
        ("The word at position 5 is composed of positions.", []),
        ("The label was chosen because of 'great'.", []),
        ("Marked words: “positive”, “great film”. They speak most for the label that the model chose.", []),
        ("Words such as \"positive\" and 'great' have high scores.", []),
        ("", []),
    ],
)  # fmt: skip
def test_names_are_found_in_their_forms_and_not_in_quotations_of_the_input(text, found):
    assert leaks_in(text, SENTIMENT, OWN) == found


@pytest.mark.parametrize(
    ("labels", "text", "found"),
    [
        (["World", "Sports", "Sci/Tech"], "a sporting word, worldwide", ["sporting", "worldwide"]),
        (["World", "Sports", "Sci/Tech"], "technology and science", ["technology", "science"]),
        (["World", "Sports", "Sci/Tech"], "the words matter", []),
        (["speed limit 30", "speed limit 50"], "the speed limit 50", ["speed limit 50"]),
        (["speed limit 30", "speed limit 50"], "with 50% of the evidence, the speed", []),
        (["1 star", "5 stars"], "a five-star review", ["five-star", "star"]),
        (["1 star", "5 stars"], "5 words", []),
        (["0", "1"], "1 word, with 10%, predicted as 1", ["1"]),
        (["entailment", "contradiction", "neutral"], "it entails and contradicts", ["entails", "contradicts"]),
        (["hateSpeech", "neither"], "hateful", ["hateful"]),
        (["toxic comment", "normal comment"], "a toxic comment", ["toxic", "toxic comment"]),
        (["toxic comment", "normal comment"], "the comment", []),
        (["sad", "joy"], "the sadness of it", ["sadness"]),
    ],
)
def test_labels_of_several_words_and_of_other_kinds(labels, text, found):
    assert sorted(leaks_in(text, names_of(labels))) == sorted(found)


GOOD, ARABIC, HAPPY = ["хорошо", "плохо"], ["إيجابي", "سلبي"], ["😀", "😡"]


@pytest.mark.parametrize(
    ("labels", "text", "found"),
    [
        (HAPPY, "😀 smile, not 😡", ["😀", "😡"]),
        (["👍 good", "👎 bad"], "it is 👎", ["👎"]),
        ([":)", ":("], "it is :)", [":)"]),
        (["+", "-"], "predicted as +", ["+"]),
        (ARABIC, "الإيجابية عالية", ["الإيجابية"]),
        (ARABIC, "بالسلبي", ["بالسلبي"]),
        (["חיובי", "שלילי"], "הביקורת החיובית", ["החיובית"]),
        (GOOD, "нехорошо", ["нехорошо"]),
        (GOOD, "хорошая игра, плохой фильм", ["хорошая", "плохой"]),
        (GOOD, "x\u043ep\u043eш\u043e", ["x\u043ep\u043eш\u043e"]),
        (["θετικό", "αρνητικό"], "θετικής", ["θετικής"]),
        (["긍정", "부정"], "이것은 긍정적이다", ["긍정"]),
        (["ポジティブ", "ネガティブ"], "これはポジティブ", ["ポジティブ"]),
        (["positive", "negative"], "p o s i t i v e, n.e.g.a.t.i.v.e", ["p o s i t i v e", "n.e.g.a.t.i.v.e"]),
        (["positive", "negative"], "\u0440ositive, p0s1tive, posi-tive, <b>nega</b>tive", ["\u0440ositive", "p0s1tive", "posi-tive", "nega</b>tive"]),
        (["positive", "negative"], "das ist positiv, es negativo, c'est positif", ["positiv", "negativo", "positif"]),
        (["positive", "negative"], "label_positive, pos\u0069\u0301tive", ["positive", "posi\u0301tive"]),
    ],
)  # fmt: skip
def test_names_in_other_scripts_and_spellings(labels, text, found):
    assert leaks_in(text, names_of(labels)) == found


@pytest.mark.parametrize(
    ("labels", "text", "own"),
    [
        (HAPPY, "'😀' is the most important word", "😀 film"),
        (["+", "-"], "a well-known word [+0.5] - and 1 + 1", ""),
        (["正面", "负面"], "“正面”是最重要的", "这是正面的"),
        (GOOD, "плот, хор, «хорошо»", "это хорошо"),
        (ARABIC, "نص عادي", ""),
        (["World", "Sports"], "the w o r d s of a spot", ""),
        (["positive", "negative"], "posit, a pose, a b c, I p o s it", ""),
    ],
)
def test_other_words_in_other_scripts_are_no_leaks(labels, text, own):
    assert leaks_in(text, names_of(labels), own) == []


def test_words_of_the_form_are_no_leaks():
    names = names_of(["important", "other"])
    text = "'fine' is the most important word for the label rather than the other label."
    assert leaks_in(text, names, "a fine film") == ["important", "other"]
    assert leaks_in(text, names, "a fine film", VOCABULARY) == []


def test_names_are_replaced_and_quotations_kept():
    text = "Predicted as 'negative': 'positive' speaks against it, a negative review."
    assert replaced(text, SENTIMENT, OWN) == "Predicted as the label: 'positive' speaks against it, the label review."


def test_every_place_of_a_stimulus_is_looked_at():
    own = "a positive film"
    shown = f'<div class="input"><p class="words">{own}</p></div>'
    fine = Stimulus(f"{shown}<p>the label</p>", f"{own}\n\nExplanation: the label")
    assert leaks_of(fine, SENTIMENT, own) == []
    for html, text in (
        (f"{shown}<p>nega<b>tive</b></p>", ""),
        (f'{shown}<img src="images/negative.png" alt="">', ""),
        (f'{shown}<img src="images/0a.png" alt="negative">', ""),
        (f'{shown}<p class="negative">it</p>', ""),
        (f'{shown}<div class="input">negative</div>', ""),
        (f"{shown}<p>neg&#97;tive</p>", ""),
        (fine.html, f"{own}\n\nExplanation: negative"),
        (fine.html, f"{own}\n\nExplanation: positive"),
    ):
        assert leaks_of(Stimulus(html, text), SENTIMENT, own), (html, text)
    heat = Stimulus('<div class="input"><p class="words heatmap">a <span class="h+10">positive</span> film</p></div>',
                    "How much it speaks\na positive [+1.0] film")  # fmt: skip
    assert leaks_of(heat, SENTIMENT, own) == []
