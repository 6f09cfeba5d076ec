"""What holds of every style, built in or brought by a plug-in."""

import numpy as np
import pytest

from verbalize import (
    Claim,
    PixelSaliency,
    Query,
    TemplateVerbalizer,
    TokenSaliency,
    check,
    check_text,
    read_claims,
    read_sentences,
)
from verbalize.write import LENGTHS, STYLES, Style

WORDS = ["the", "plot", "was", "thin", "but", "a", "great", "cast", "made", "it", "great", "fun"]


def maps(count):
    rng = np.random.default_rng(5)
    for number in range(count):
        query = Query("good", versus=("bad",)) if number % 2 else Query("good")
        yield TokenSaliency(WORDS, np.round(rng.normal(size=len(WORDS)) ** 3, number % 4), query)
        if number % 4 == 0:
            yield TokenSaliency(WORDS, np.abs(rng.normal(size=len(WORDS)) ** 3), query, signed=False)
    for _ in range(max(2, count // 6)):
        scores = np.kron(rng.normal(size=(3, 3)) ** 3, np.ones((6, 6)))
        yield PixelSaliency(scores, Query("stop"))
        yield PixelSaliency(np.abs(scores), Query("stop"), signed=False)


@pytest.mark.parametrize("count", [12, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", list(STYLES))
def test_each_style_says_only_what_is_true_of_random_maps(name, count):
    style = STYLES.get(name)
    assert style.summary
    assert set(style.lengths) <= set(LENGTHS)
    for length in style.lengths:
        verbalizer = TemplateVerbalizer(style=name, length=length)
        for saliency in maps(count):
            made = verbalizer.verbalize(saliency)
            assert made.text
            assert check(made.claims, saliency), made.text
            sentences = read_sentences(made.text, saliency)
            assert check([claim for sentence in sentences for claim in sentence.claims], saliency), made.text
            assert not any(sentence.unread for sentence in sentences), made.text


def test_a_style_from_outside_is_used_by_name(monkeypatch):
    monkeypatch.setattr(STYLES, "_loaded", dict(STYLES._loaded))

    def say(draft, limits):
        top = (int(np.argmax(draft.evidence.net)),)
        draft.say(f"{draft.name(top)} is the most important word here", Claim("most_important", top))

    STYLES.register("pointing", Style("points at one word", say, lengths=("short",)))
    saliency = TokenSaliency(["great", "film"], [2.0, 1.0], Query("good"))
    made = TemplateVerbalizer(style="pointing").verbalize(saliency)
    assert made.text == "'great' is the most important word here."
    assert Claim("most_important", (0,)).part in {claim.part for claim in read_claims(made.text, saliency)}
    assert made.style == "pointing"


def test_a_mark_among_many_is_named_by_its_neighbours():
    words = ["one", ",", "two", ",", "three", ",", "four", ",", "five", ",", "six"]
    saliency = TokenSaliency(words, [0.0 if index != 5 else 1.0 for index in range(len(words))], Query("good"))
    text = TemplateVerbalizer().verbalize(saliency).text
    assert "the ',' in 'three, four'" in text.replace("The", "the")
    assert check_text(text, saliency)
