"""Pictures of maps: nothing in a record is markup, every word is there, the sign shows without colour."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from verbalize.draw.heatmaps import (
    heatmap_html,
    heatmap_page,
    heatmap_png,
    image_png,
    pixel_heatmap_png,
    save_picture,
    token_heatmap_html,
    token_heatmap_png,
)
from verbalize.draw.rationale import extractive_rationale
from verbalize.saliency import PixelSaliency, Prediction, Query, SaliencyError, TokenSaliency

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;</span></style>"


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its attributes, and its text outside of styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.words = [], [], "", []
        self._open = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in ("img", "meta"):
            self._open.append((tag, dict(attrs)))
        if tag == "span" and "title" in dict(attrs):
            self.words.append(["", dict(attrs)])

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        inside = self._open[-1] if self._open else ("", {})
        if inside[0] != "style":
            self.text += data
        if inside[0] == "span" and "title" in inside[1]:
            self.words[-1][0] += data


def tokens(words, scores, label="positive", **fields):
    return TokenSaliency(words, scores, Query(label, **fields.pop("query", {})), **fields)


def pixels(scores, **fields):
    return PixelSaliency(np.asarray(scores, dtype=float), Query("cat", versus=("dog",)), **fields)


def opened(png):
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB")).astype(int)


def test_each_word_shows_once_with_its_score_and_its_sign():
    page = Page(token_heatmap_html(tokens(["good", "bad", "film"], [0.5, -1.0, 0.0])))
    assert [(text, attributes["title"], attributes.get("class")) for text, attributes in page.words] == [
        ("good", "+0.5", "pro"),
        ("bad", "-1", "con"),
        ("film", "0", None),
    ]
    opacities = [float(re.search(r"background:rgba\(\d+,\d+,\d+,([\d.]+)\)", w[1]["style"])[1]) for w in page.words[:2]]
    assert opacities[1] == pytest.approx(2 * opacities[0])


def test_signs_show_without_colour_and_nothing_is_fetched_or_run():
    html = token_heatmap_html(tokens(["good", "bad"], [1, -1]))
    assert re.search(r"\.con\{border-bottom:2px dashed", html)
    assert re.search(r"\.pro[^}]*border-bottom:2px solid", html)
    assert not re.search(r"https?:|<script|@import|url\(", html)


def linear(rgb):
    rgb = np.asarray(rgb, dtype=float) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def shades():
    """The colours of the strongest word for and against, as (r, g, b, opacity)."""
    page = Page(token_heatmap_html(tokens(["good", "bad"], [1, -1])))
    return [
        [float(n) for n in re.search(r"background:rgba\(([\d.,]+)\)", attributes["style"])[1].split(",")]
        for _, attributes in page.words
    ]


@pytest.mark.parametrize(("ink", "paper"), [("#1b1d22", "#fff"), ("#eceae4", "#14161a"), ("#000", "#fff"), ("#fff", "#000")])
def test_the_strongest_words_stay_readable_in_light_and_dark(ink, paper):
    """The contrast that WCAG 2.2 (success criterion 1.4.3) asks of text: 4.5 to 1."""
    from PIL import ImageColor

    def luminance(rgb):
        return float(linear(rgb) @ [0.2126, 0.7152, 0.0722])

    for *colour, opacity in shades():
        below = opacity * np.array(colour) + (1 - opacity) * np.array(ImageColor.getrgb(paper))
        light, dark = sorted((luminance(below), luminance(ImageColor.getrgb(ink))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


# Machado, Oliveira & Fernandes (2009), severity 1: what people without one kind of cone see, in linear RGB
PROTAN = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTAN = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
TRITAN = [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]


@pytest.mark.parametrize("matrix", [PROTAN, DEUTAN, TRITAN], ids=["protan", "deutan", "tritan"])
def test_for_and_against_differ_to_colour_blind_readers(matrix):
    seen = [np.clip(np.array(matrix) @ linear(colour), 0, 1) for *colour, _ in shades()]
    srgb = [np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055) * 255 for c in seen]
    assert np.abs(srgb[0] - srgb[1]).max() > 80


def test_the_text_keeps_its_spacing():
    text = "  So   good,\n\nso\tgood!  "
    saliency = tokens(["So", "good", ",", "so", "good", "!"], [0.1, 1, 0, 0.2, 0.5, 0], text=text)
    page = Page(heatmap_html(saliency))
    assert page.text == text
    assert [word for word, _ in page.words] == list(saliency.tokens)


def test_words_without_their_text_are_set_apart():
    assert Page(heatmap_html(tokens(["a", "b", "c"], [1, 2, 3]))).text == "a b c"


@pytest.mark.parametrize("draw", [heatmap_html, token_heatmap_html, lambda saliency: heatmap_page([saliency], title=HOSTILE)])
def test_markup_in_a_record_is_text_in_the_page(draw):
    saliency = tokens(
        [HOSTILE, "fine"], [1.0, -0.5], label=HOSTILE, query={"versus": ("</title><script>",)}, id=HOSTILE,
        prediction=Prediction("<b>yes</b>", 0.9),
    )  # fmt: skip
    page = Page(draw(saliency))
    assert not {"script", "b", "a"} & set(page.tags)
    assert not any(name.startswith("on") for _, attributes in page.attributes for name in attributes)
    assert not any(tag == "img" for tag, _ in page.attributes)
    assert HOSTILE in page.text


def test_what_no_page_can_show_is_replaced():
    page = Page(token_heatmap_html(tokens(["a\x00b", "\u202ereversed", "ok"], [1, 1, 1]), legend=False))
    assert page.text == "a\ufffdb \ufffdreversed ok"
    with pytest.raises(SaliencyError, match="half a character"):  # no map holds what no file can
        tokens(["\ud800"], [1.0])


def test_the_question_is_told_unless_labels_are_masked():
    saliency = tokens(["a"], [1.0], query={"versus": ("negative", "neutral")}, prediction=Prediction("positive", 0.93))
    assert (
        "What speaks for positive rather than negative or neutral? The model says: positive (93%)."
        in Page(token_heatmap_html(saliency)).text
    )
    for html in (
        token_heatmap_html(saliency, mask_labels=True),
        heatmap_html(saliency),
        heatmap_page([saliency], mask_labels=True),
    ):
        assert not re.search("positive|negative|neutral|93", html)
    image = np.zeros((4, 4, 3), dtype=np.float32)
    html = heatmap_html(pixels(np.eye(4), image=image, prediction=Prediction("cat")), mask_labels=True, legend=True)
    assert "What speaks for the label rather than the other?" in html
    assert not re.search("cat|dog", re.sub(r"base64,[^\"]*", "", html))


@pytest.mark.parametrize(
    ("words", "scores"), [([], []), (["a"], [0.0]), (["a", "b"], [0, 0]), (["a"], [1e308]), (["a"], [-5e-324])]
)
def test_empty_flat_and_extreme_maps_are_drawn(words, scores):
    page = Page(token_heatmap_html(tokens(words, scores)))
    assert [word for word, _ in page.words] == words
    assert "nan" not in "".join(str(attributes) for _, attributes in page.attributes)
    assert opened(token_heatmap_png(tokens(words, scores))).shape[1] == 900


def test_a_very_long_text_is_a_page_but_too_tall_a_picture():
    saliency = tokens(["word"] * 60_000, np.linspace(-1, 1, 60_000))
    assert token_heatmap_html(saliency, legend=False).count("</span>") == 60_000
    with pytest.raises(UsageError, match=r"60000 words.*as HTML"):
        token_heatmap_png(saliency)


def test_word_pictures_wrap_and_tint():
    saliency = tokens(["good"] + ["plain"] * 40 + ["bad"], [1.0] + [0.0] * 40 + [-1.0])
    narrow, wide = opened(token_heatmap_png(saliency, width=300)), opened(token_heatmap_png(saliency, width=900))
    assert (narrow.shape[1], wide.shape[1]) == (300, 900)
    assert narrow.shape[0] > 1.5 * wide.shape[0]
    bare = opened(token_heatmap_png(tokens(["good", "bad"], [1.0, -1.0]), legend=False))
    blue = (bare[:, :, 2] - bare[:, :, 0] > 60).any(axis=0)
    orange = (bare[:, :, 0] - bare[:, :, 2] > 60).any(axis=0)
    assert np.flatnonzero(blue).max() < np.flatnonzero(orange).min()  # "good" stands left of "bad"
    assert (bare[:24] == 255).all()
    assert (bare[:, -24:] == 255).all()


def test_one_endless_word_is_broken_to_fit():
    picture = opened(token_heatmap_png(tokens(["a" * 2000], [1.0]), width=400))
    assert (picture[:, -20:] == 255).all()
    assert picture.shape[0] > 1000


def test_other_scripts_are_drawn():
    words = ["русский", "Ελληνικά", "שלום", "🙂"]
    assert opened(token_heatmap_png(tokens(words, [1, -1, 1, -1]))).std() > 5


def test_text_without_a_font_is_told_by_its_script(monkeypatch):
    from verbalize.draw import fonts

    monkeypatch.setattr(fonts, "_installed", tuple)
    for cached in (fonts._font_with, fonts._runs, fonts.width_of):
        monkeypatch.setattr(fonts, cached.__name__, cached.__wrapped__)
    with pytest.warns(fonts.MissingGlyphWarning, match="has Chinese and Devanagari characters, such as"):
        token_heatmap_png(tokens(["film", "中文", "हिन्दी"], [1, 1, 1]))


def columns_of(picture, colour):
    """The columns in which a colour (0 red, 2 blue) prevails."""
    return np.flatnonzero((picture[:, :, colour] - picture[:, :, 2 - colour] > 60).any(axis=0))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["שלום", "עולם"], "against, for"),  # Hebrew begins at the right
        (["good", "film"], "for, against"),
        (["2024", "עולם"], "against, for"),
        (["film", "שלום"], "for, against"),  # English text with a Hebrew word
        (["שלום", "film"], "against, for"),
    ],
)
def test_words_stand_in_the_order_of_their_script(words, order):
    picture = opened(token_heatmap_png(tokens(words, [1.0, -1.0]), legend=False))
    blue, orange = columns_of(picture, 2), columns_of(picture, 0)
    assert ("for, against" if blue.max() < orange.min() else "against, for") == order
    assert (min(blue.min(), orange.min()) > 450) == (words[0] != "film" and words[0] != "good")  # at the right edge


def test_the_order_of_words_is_that_of_the_bidirectional_algorithm():
    """The cases are worked out by hand from Unicode Standard Annex 9, with words as units."""
    from verbalize.draw.lines import in_order

    def shown(words, backwards):
        return [text for _, text, _, _ in in_order([(0, word, None) for word in words], 900, 20, backwards=backwards)]

    assert shown(["a", "א", "ב", "c"], False) == ["a", "ב", "א", "c"]
    assert shown(["א", "ב", "a", "c", "ג"], True) == ["ג", "a", "c", "ב", "א"]
    assert shown(["a", "א", "7", "ב", "."], False) == ["a", "ב", "7", "א", "."]
    assert shown(["א", "a", "!"], True) == ["!", "a", "א"]


def test_maps_without_signs_matter_and_speak_for_nothing():
    saliency = tokens(["attention", "is", "here"], [0.9, 0.1, 0.4], signed=False)
    page = Page(token_heatmap_html(saliency))
    assert [attributes.get("class") for _, attributes in page.words] == ["matters", "matters", "matters"]
    assert "What matters for positive?" in page.text
    picture = opened(token_heatmap_png(saliency, legend=False))
    assert (picture[:, :, 0] > picture[:, :, 1] + 30).any()  # violet, not blue
    scores = np.zeros((40, 40))
    scores[4:16, 4:16] = 1.0
    regions = Page(heatmap_html(pixels(scores, signed=False), legend=True))
    assert "region at the upper left: matters, 100% of the importance, 9% of the picture" in regions.text
    for text in (page.text, regions.text):
        assert "speaks" not in text


def test_pixels_show_their_sign_over_the_image_in_squares():
    scores = np.zeros((8, 10))
    scores[1, 2], scores[6, 8] = 2.0, -2.0
    image = np.full((8, 10, 3), 0.5, dtype=np.float32)
    picture = opened(pixel_heatmap_png(pixels(scores, image=image)))
    assert picture.shape == (320, 400, 3)
    cells = picture.reshape(8, 40, 10, 40, 3)
    assert (cells == cells[:, :1, :, :1]).all()  # every pixel of the map is one even square
    small = cells[:, 0, :, 0]
    assert small[1, 2, 2] > small[1, 2, 0] + 60
    assert small[6, 8, 0] > small[6, 8, 2] + 60
    rest = np.delete(small.reshape(-1, 3), [12, 68], axis=0)
    assert (rest == rest[0]).all()
    assert len(set(rest[0].tolist())) == 1  # grey where nothing is said
    assert (opened(pixel_heatmap_png(pixels(scores, image=image), overlay=False))[0, 0] == 255).all()


def test_large_pictures_keep_their_size_and_long_ones_stay_bounded():
    assert opened(pixel_heatmap_png(pixels(np.eye(400, 500)))).shape == (400, 500, 3)
    assert max(opened(pixel_heatmap_png(pixels(np.ones((1, 2000))))).shape) <= 2560


def test_regions_are_outlined_and_numbered():
    scores = np.zeros((40, 40))
    scores[4:16, 4:16], scores[24:36, 24:36] = 1.0, -1.0
    plain, outlined = (opened(pixel_heatmap_png(pixels(scores), regions=regions)) for regions in (False, True))
    changed = (plain != outlined).any(axis=2)
    factor = plain.shape[0] // 40
    assert changed[4 * factor, 4 * factor : 16 * factor].all()  # a whole line for, a broken one against
    assert 0.2 < changed[24 * factor, 24 * factor : 36 * factor].mean() < 0.9
    assert changed[9 * factor : 11 * factor, 9 * factor : 11 * factor].any()  # the number
    assert not changed[18 * factor : 22 * factor].any()


def test_in_noise_no_region_is_outlined():
    saliency = pixels(np.random.default_rng(0).normal(size=(40, 40)))
    assert pixel_heatmap_png(saliency, regions=True) == pixel_heatmap_png(saliency)
    page = Page(heatmap_html(saliency))
    assert "No region stands out." in page.text
    assert "ol" not in page.tags


def test_the_legend_stands_below_the_picture():
    saliency = pixels(np.eye(12))
    bare, captioned = opened(pixel_heatmap_png(saliency)), opened(pixel_heatmap_png(saliency, legend=True))
    assert captioned.shape[0] > bare.shape[0]
    left = (captioned.shape[1] - bare.shape[1]) // 2
    np.testing.assert_array_equal(captioned[: bare.shape[0], left : left + bare.shape[1]], bare)


def test_a_pixel_map_as_html_carries_its_picture_and_names_its_regions():
    scores = np.zeros((40, 40))
    scores[4:16, 4:16], scores[24:36, 24:36] = 1.0, -0.5
    page = Page(heatmap_html(pixels(scores)))
    (image,) = [attributes for tag, attributes in page.attributes if tag == "img"]
    kind, _, encoded = image["src"].partition(",")
    assert kind == "data:image/png;base64"
    assert opened(base64.b64decode(encoded)).shape[:2] == (320, 320)
    assert "region at the upper left: speaks for, 67% of all the evidence, 9% of the picture" in page.text
    assert "region at the lower right: speaks against, 33% of all the evidence" in page.text
    assert "region at the upper left" in image["alt"]


@pytest.mark.parametrize("scores", [[[0.0]], [[1.0]], np.zeros((3, 3)), np.full((3, 3), -1e-320), np.full((2, 2), 1e308)])
def test_flat_and_extreme_pixel_maps_are_drawn(scores):
    assert opened(pixel_heatmap_png(pixels(scores), regions=True, legend=True)).size
    assert "<img" in heatmap_html(pixels(scores))


def test_grey_images_and_one_pixel_wide_ones_are_drawn():
    for shape in ((5, 7), (5, 7, 1), (5, 7, 4), (1, 9, 3), (9, 1, 3)):
        saliency = pixels(np.ones(shape[:2]), image=np.ones(shape, dtype=np.float32))
        assert opened(heatmap_png(saliency)).size


def test_a_map_without_pixels_is_refused():
    with pytest.raises(UsageError, match="no pixels"):
        pixel_heatmap_png(pixels(np.zeros((0, 0)), id="void"))


def test_the_image_alone_comes_back_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, size=(6, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(opened(image_png(pixels(np.ones((6, 9)), image=image))), image)
    with pytest.raises(UsageError, match="carries no image"):
        image_png(pixels(np.eye(3)))


def test_a_rationale_is_the_top_words_in_text_order():
    saliency = tokens(
        ["a", "truly", "great", "film", "but", "long"], [0.1, 0.5, 0.9, 0.3, -0.9, 0.4], text="a truly great film, but long"
    )
    rationale = extractive_rationale(saliency, 3)
    assert rationale.part == (1, 2, 5)
    assert rationale.text == "… truly great … long"
    assert Page(rationale.html).text == rationale.text
    assert extractive_rationale(saliency, 99).part == (0, 1, 2, 3, 5)


@pytest.mark.parametrize("scores", [[-1.0, -2.0], [0.0, 0.0]])
def test_a_rationale_is_empty_where_nothing_speaks_for_the_label(scores):
    rationale = extractive_rationale(tokens(["a", "b"], scores), 5)
    assert (rationale.part, rationale.text) == ((), "")


def test_ties_in_a_rationale_go_to_the_earlier_word_and_its_markup_is_escaped():
    rationale = extractive_rationale(tokens([HOSTILE, "b", "c"], [1, 1, 1]), 2)
    assert rationale.part == (0, 1)
    assert rationale.text == HOSTILE + " b …"
    assert set(Page(rationale.html).tags) == {"p", "mark"}


def test_a_rationale_of_pixels_or_of_no_words_is_refused():
    with pytest.raises(UsageError, match="only for text maps; use --kind html or png"):
        extractive_rationale(pixels(np.eye(2)))
    with pytest.raises(UsageError, match="max_words"):
        extractive_rationale(tokens(["a"], [1.0]), 0)


def test_saving_chooses_by_the_ending_and_leaves_nothing_half_written(tmp_path):
    save_picture(tokens(["a"], [1.0]), tmp_path / "a.PNG")
    save_picture(pixels(np.eye(4)), tmp_path / "p.png")
    save_picture(pixels(np.eye(4)), tmp_path / "p.html")
    assert Page((tmp_path / "p.html").read_text(encoding="utf-8")).tags.count("img") == 1
    with pytest.raises(UsageError, match=r"\.html or \.png"):
        save_picture(pixels(np.eye(4)), tmp_path / "p.gif")
    with pytest.raises(UsageError, match="no pixels"):
        save_picture(pixels(np.zeros((0, 3))), tmp_path / "void.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "p.html", "p.png"]


def test_html_needs_no_imaging_library():
    code = (
        "import sys, verbalize.draw.heatmaps as p; from verbalize import TokenSaliency, Query;"
        "p.token_heatmap_html(TokenSaliency(['a'], [1.0], Query('x')));"
        "sys.exit(bool({'cv2', 'PIL', 'matplotlib', 'torch', 'spacy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
