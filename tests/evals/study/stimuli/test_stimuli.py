"""What participants see under each condition: safe HTML, the same input everywhere, and what the map says."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from evals.study.stimuli import KINDS
from evals.study.stimuli.controls import shuffled
from evals.study.stimuli.heatmap import levels_of
from evals.study.stimuli.making import Making
from verbalize import PixelSaliency, Prediction, Query, TokenSaliency

TEXTS = {
    "english": TokenSaliency(["great", "acting", "but", "a", "slow", "end"], [0.9, 0.5, -0.2, 0.0, -0.6, 0.01], Query("positive"),
                             text="great  acting,\nbut a slow end!", id="english"),
    "markup": TokenSaliency(["<script>alert(1)</script>", "&amp;", '"><img', "src=x", "onerror=y>"], [1, 0.5, -0.5, 0.2, 0], Query("<b>"),
                            id="markup"),
    "hebrew": TokenSaliency(["סרט", "טוב", "מאוד"], [0.1, 1.0, 0.4], Query("positive"), text="סרט טוב מאוד", id="hebrew"),
    "emoji": TokenSaliency(["👩‍👩‍👧", "❤️", "movie", "\u202egnp"], [0.3, 1.0, 0.2, 0.1], Query("positive"), id="emoji"),
    "long word": TokenSaliency(["x" * 3000, "good"], [0.2, 1.0], Query("positive"), id="long"),
    "one": TokenSaliency(["good"], [1.0], Query("positive"), id="one"),
    "flat": TokenSaliency(["it", "is", "a", "film"], [0.0] * 4, Query("positive"), id="flat"),
    "against": TokenSaliency(["awful", "film"], [-1.0, -0.2], Query("positive"), id="against"),
    "unsigned": TokenSaliency(["fine", "film"], [1.0, 0.2], Query("positive"), signed=False, id="unsigned"),
    "tiny scores": TokenSaliency(["fine", "film"], [1e-300, -1e-301], Query("positive"), id="tiny"),
    "many": TokenSaliency([f"w{n}" for n in range(3000)], np.sin(np.arange(3000.0)), Query("positive"), id="many"),
}  # fmt: skip
KINDS_OF_TEXTS = ("heatmap", "rationale", "ranked", "text", "none", "random", "combined")


def picture(number=0, signed=True):
    scores = np.zeros((24, 24))
    scores[2:9, 2:9], scores[14:20, 14:20] = 1.0, -0.5 if signed else 0.5
    image = np.full((24, 24, 3), 0.4)
    image[2:9, 2:9] = (0.9, 0.1, 0.1)
    return PixelSaliency(scores, Query("stop"), image=image, signed=signed, id=f"p{number}", prediction=Prediction("stop"))


class Kept(dict):
    def add(self, png):
        name = f"images/{hashlib.sha256(png).hexdigest()}.png"
        self[name] = png
        return name


def making(*maps, kept=None, mask_labels=True, **more):
    return Making(maps=maps, seed=1, mask_labels=mask_labels, add_picture=(kept if kept is not None else Kept()).add, folder=Path(),
                  **more)  # fmt: skip


def show(kind, *maps, options=None, **more):
    made = making(*maps, **more)
    return KINDS.get(kind).show(made, options or {})


class Strict(HTMLParser):
    """Fails at whatever a strict content security policy forbids, and gathers the text."""

    ALLOWED = frozenset({"div", "p", "span", "mark", "ol", "li", "figure", "img", "bdi"})
    ATTRIBUTES = frozenset({"class", "dir", "src", "alt", "width", "height"})

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.words, self._input = [], "", 0

    def handle_starttag(self, tag, attrs):
        assert tag in self.ALLOWED, tag
        assert {name for name, _ in attrs} <= self.ATTRIBUTES, attrs
        for name, value in attrs:
            assert name != "src" or re.fullmatch(r"images/[0-9a-f]+\.png", value), value
        if tag != "img":
            self.open.append(("class", "words") in [(name, value.split()[0]) for name, value in attrs])

    def handle_endtag(self, tag):
        assert self.open, f"{tag} closes nothing"
        self.open.pop()

    def handle_data(self, data):
        if any(self.open):
            self.words += data


def read(html):
    strict = Strict()
    strict.feed(html)
    strict.close()
    assert not strict.open, "an element stays open"
    return strict


@pytest.mark.parametrize("name", TEXTS)
def test_the_input_is_laid_out_alike_and_safely_in_every_condition(name):
    saliency = TEXTS[name]
    inputs = {}
    for kind in KINDS_OF_TEXTS:
        (shown,) = show(kind, saliency)
        if shown.html:
            inputs[kind] = read(shown.html).words
    assert len(set(inputs.values())) == 1, inputs
    (words,) = set(inputs.values())
    if saliency.text is not None:
        assert words == saliency.text, "spaces and line ends are kept"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("kind", KINDS_OF_TEXTS)
def test_pictures_have_sizes_and_words_for_those_who_do_not_see_them(kind, signed):
    kept = Kept()
    (shown,) = show(kind, picture(signed=signed), kept=kept)
    if kind == "none":
        assert shown.html == ""
        return
    read(shown.html)
    assert shown.text
    for tag in re.findall(r"<img[^>]*>", shown.html):
        assert re.search(r'alt="[^"]{3,}"', tag)
        assert 'width="336" height="336"' in tag, "24 pixels are enlarged 14 times, to 320 or more"
        assert re.search(r'src="([^"]*)"', tag)[1] in kept


def test_heatmaps_shade_by_the_share_of_the_highest_score():
    assert levels_of(np.array([0.9, 0.5, -0.2, 0.0, -0.6, 0.01])) == [10, 6, -2, 0, -7, 0]
    assert levels_of(np.array([900.0, 500.0, -200.0, 0.0, -600.0, 10.0])) == [10, 6, -2, 0, -7, 0], (
        "whatever the size of the scores"
    )
    assert levels_of(np.zeros(3)) == [0, 0, 0]
    (shown,) = show("heatmap", TEXTS["english"])
    assert '<span class="h+10">great</span>  <span class="h+6">acting</span>,\n<span class="h-2">but</span> a ' in shown.html
    assert "great [+1.0]  acting [+0.6],\nbut [-0.2] a slow [-0.7] end!" in shown.text
    assert shown.top == "great"
    (shown,) = show("heatmap", TEXTS["unsigned"])
    assert '<span class="m10">fine</span> <span class="m2">film</span>' in shown.html


def test_rationales_mark_only_what_speaks_for_the_label():
    (shown,) = show("rationale", TEXTS["english"], options={"max_words": 2})
    assert re.findall("<mark>(.*?)</mark>", shown.html) == ["great", "acting"]
    (shown,) = show("rationale", TEXTS["against"])
    assert "<mark>" not in shown.html
    assert "No word speaks for the label" in shown.text


def test_a_rationale_of_a_picture_keeps_the_colours_of_its_regions_alone():
    import io

    from PIL import Image

    kept = Kept()
    (shown,) = show("rationale", picture(), kept=kept)
    (name,) = re.findall(r'src="([^"]*)"', shown.html)
    pixels = np.asarray(Image.open(io.BytesIO(kept[name]))).astype(int)
    coloured = (pixels.max(axis=2) - pixels.min(axis=2)) > 20
    assert coloured[5 * 14, 5 * 14], "the region for the label"
    assert not coloured[16 * 14, 16 * 14], "not the one against it"
    assert not coloured[23 * 14, 1 * 14]


def test_ranked_lists_name_the_words_in_the_order_of_their_scores():
    saliency = TokenSaliency(["good", "cast", "good", ",", "fine"], [0.2, 0.0, 0.9, 1.0, 0.5], Query("positive"))
    (shown,) = show("ranked", saliency, options={"top": 2})
    assert re.findall("<li>(.*?)</li>", shown.html) == ["the second &#x27;good&#x27;", "&#x27;fine&#x27;"], "no comma"
    assert shown.top == "good"


def test_texts_are_those_of_verbalize_and_masked():
    from verbalize import TemplateVerbalizer

    for options in ({}, {"style": "ranked"}, {"style": "smv"}, {"length": "paragraph"}):
        settings = {"mask_labels": True, **options}
        (shown,) = show("text", TEXTS["english"], options=options)
        assert TemplateVerbalizer(**settings).verbalize(TEXTS["english"]).text in shown.text
    (shown,) = show("text", TEXTS["english"], mask_labels=False)
    assert "'positive'" in shown.text


@pytest.mark.parametrize("kind", ["text", "ranked", "rationale", "heatmap", pytest.param("narrate", marks=pytest.mark.long)])
@pytest.mark.parametrize("versus", [(), ("world",), ("world", "sports")])
def test_a_masked_explanation_is_the_same_whichever_label_it_is_of(kind, versus):
    from langchain_core.language_models import FakeListChatModel

    words, scores = ["business", "week", "and", "world", "sports"], [1.0, 0.3, 0.0, 0.6, -0.5]
    found = set()
    for label in ("business", "week", "tech"):
        saliency = TokenSaliency(words, scores, Query(label, versus), id="same", prediction=Prediction(label))
        (shown,) = show(kind, saliency, chat=FakeListChatModel(responses=["The word 'business' is most important."] * 5),
                        options={"style": "smv-gpt"} if kind == "narrate" else {})  # fmt: skip
        found.add((shown.html, shown.text))
    assert len(found) == 1, "not even the way in which a word is quoted tells the label"


def test_quotations_from_right_to_left_are_isolated():
    (shown,) = show("text", TEXTS["hebrew"])
    assert "<bdi>" in shown.html
    assert not re.search("[\u2066-\u2069]", shown.html + shown.text)


def test_a_random_map_is_the_same_in_every_form():
    saliency = TokenSaliency([f"w{n}" for n in range(30)], np.linspace(-1, 1, 30), Query("a"), id="a")
    (heatmap,), (listed,) = show("random", saliency), show("random", saliency, options={"kind": "ranked"})
    strongest = re.search(r'<span class="h\+10">(w\d+)</span>', heatmap.html)[1]
    assert listed.top == heatmap.top == strongest


def test_random_maps_keep_the_scores_and_lose_their_places():
    saliency = TokenSaliency(["w", ",", "x", ".", "y", "z"] * 5, np.arange(30.0), Query("a"), id="a")
    one, again, other = (shuffled(saliency, seed) for seed in (1, 1, 2))
    assert sorted(one.scores) == sorted(saliency.scores)
    assert list(one.scores) == list(again.scores) != list(other.scores)
    marks = [number for number, token in enumerate(saliency.tokens) if token in ",."]
    assert sorted(one.scores[marks]) == sorted(saliency.scores[marks]), "punctuation keeps its scores among itself"


def test_a_random_map_of_a_picture_has_its_histogram_and_its_smoothness():
    rows, columns = np.mgrid[:48, :48]
    scores = np.exp(-((rows - 12) ** 2 + (columns - 30) ** 2) / 60)
    saliency = PixelSaliency(scores, Query("a"), id="a")
    found = shuffled(saliency, 3)
    assert np.array_equal(np.sort(found.scores, axis=None), np.sort(scores, axis=None))
    assert abs(np.corrcoef(found.scores.ravel(), scores.ravel())[0, 1]) < 0.6

    def neighbours(values):
        return np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1]

    white = np.random.default_rng(0).permutation(scores.ravel()).reshape(48, 48)
    assert neighbours(found.scores) > 0.9 > neighbours(white)


def test_the_explanation_of_another_label_is_the_runner_ups():
    prediction = Prediction("a", scores={"a": 0.6, "b": 0.1, "c": 0.3})
    mine = TokenSaliency(["x", "y"], [1, 0], Query("a"), prediction=prediction, id="mine")
    others = [TokenSaliency(["x", "y"], scores, Query(label), id=label) for label, scores in (("b", [0, 1]), ("c", [-1, 0]))]
    (shown,) = show("other", mine, others={"mine": others})
    assert '<span class="h-10">x</span>' in shown.html
    made = making(mine)
    assert KINDS.get("other").show(made, {}) == [None]
    assert "no map of the same input for another label" in str(made.problems[0])


def test_controls_take_the_form_of_other_kinds():
    (shown,) = show("random", TEXTS["english"], options={"kind": "text", "options": {"style": "smv"}})
    assert "most important for the prediction" in shown.text
    from saywhy_core.errors import UsageError

    for kind in ("none", "random", "file"):
        with pytest.raises(UsageError, match="can't take the form"):
            show("random", TEXTS["english"], options={"kind": kind})
    with pytest.raises(UsageError, match="which its kind does not know"):
        show("random", TEXTS["english"], options={"kind": "ranked", "options": {"words": 3}})


@pytest.mark.parametrize(("kind", "options"), [("ranked", {"top": 0}), ("rationale", {"max_words": "3"}), ("text", {"style": "none"}),
                                               ("text", {"length": 5}), ("ranked", {"top": True})])  # fmt: skip
def test_options_that_can_not_be_used_are_refused(kind, options):
    from saywhy_core.errors import UsageError

    with pytest.raises(UsageError):
        show(kind, TEXTS["english"], options=options)


def test_every_class_of_a_stimulus_has_its_rule():
    from evals.study.pages.page import stylesheet

    css = stylesheet().decode()
    for kind in ("h\\+", "h-", "m"):
        assert all(f".{kind}{level} {{" in css for level in range(1, 11))
    for name in ("words", "key", "explanation", "pictures", "marked", "input"):
        assert f".{name}" in css


@pytest.mark.long
def test_a_language_model_says_only_what_is_true():
    from langchain_core.language_models import FakeListChatModel

    made = making(TEXTS["english"], chat=FakeListChatModel(responses=["Everything is positive because of 'slow'."] * 9))
    (shown,) = KINDS.get("narrate").show(made, {"style": "free"})
    from verbalize import TemplateVerbalizer

    told = shown.text.partition("Explanation: ")[2]
    assert told == TemplateVerbalizer(mask_labels=True).verbalize(TEXTS["english"]).text, "the lie is not shown"
    assert [what.split(",")[0] for _, what in made.counts] == ["texts by the template"]
