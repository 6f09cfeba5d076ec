"""Pictures as files, by kind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.draw import (
    PICTURES,
    Picture,
    draw_to_file,
    heatmap_html,
    heatmap_png,
    page_of_maps,
    pixel_heatmap_png,
    token_heatmap_html,
    token_heatmap_png,
)
from verbalize.parts import find_regions

WORDS = TokenSaliency(["good", "film", "dull"], [2.0, 1.0, -1.0], Query("positive"), id="w")


def test_options_without_effect_on_a_heatmap_are_refused():
    for draw in (token_heatmap_html, token_heatmap_png, heatmap_html, heatmap_png):
        with pytest.raises(UsageError, match="mask_labels has no effect without a legend"):
            draw(WORDS, mask_labels=True, legend=False)
    spot = PixelSaliency([[1.0, 0.0]], Query("stop"))
    with pytest.raises(UsageError, match="mask_labels has no effect without a legend"):
        pixel_heatmap_png(spot, mask_labels=True)
    with pytest.raises(UsageError, match="overlay=False has no effect on a map without an image"):
        pixel_heatmap_png(spot, overlay=False)
    masked = PixelSaliency([[1.0, 0.0]], Query("stop"), masks=[[[True, False]]])
    assert len(find_regions(masked)) == 1
    for given in ({"mass": 0.6}, {"max_regions": 5}, {"method": "components"}):
        with pytest.raises(UsageError, match="no effect on a map with masks"):
            find_regions(masked, **given)


@pytest.mark.parametrize("kind", list(PICTURES))
def test_every_kind_is_a_file_of_its_own_form(tmp_path, kind):
    path = tmp_path / f"x{PICTURES.get(kind).suffix}"
    draw_to_file(WORDS, path, kind)
    if path.suffix == ".png":
        with Image.open(path) as picture:
            assert picture.format == "PNG"
    else:
        html = path.read_text(encoding="utf-8")
        assert html.startswith("<!doctype html>")
        assert ("dull" in html) == (kind == "html")  # what speaks against it is never given as a reason


def test_options_count_or_are_refused(tmp_path):
    draw_to_file(WORDS, tmp_path / "one.html", "rationale", max_words=1)
    assert "film" not in (tmp_path / "one.html").read_text(encoding="utf-8")
    draw_to_file(WORDS, tmp_path / "masked.html", "html", mask_labels=True)
    assert "positive" not in (tmp_path / "masked.html").read_text(encoding="utf-8")
    for kind, options in (("rationale", {"mask_labels": True}), ("html", {"max_words": 3}), ("png", {"max_words": 3})):
        with pytest.raises(UsageError, match=next(iter(options))):
            draw_to_file(WORDS, tmp_path / "no.html", kind, **options)
    with pytest.raises(UsageError, match="use one of html, png, rationale"):
        draw_to_file(WORDS, tmp_path / "no.html", "svg")
    with pytest.raises(UsageError, match="only for text maps"):
        draw_to_file(PixelSaliency(np.ones((4, 4)), Query("stop")), tmp_path / "no.html", "rationale")
    assert not (tmp_path / "no.html").exists()


def test_a_kind_of_picture_from_outside_is_used_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(PICTURES, "_loaded", dict(PICTURES._loaded))
    PICTURES.register("text", Picture("the bare words", ".txt", lambda saliency: " ".join(saliency.tokens).encode()))
    draw_to_file(WORDS, tmp_path / "x.txt", "text")
    assert (tmp_path / "x.txt").read_text() == " ".join(WORDS.tokens)
    with pytest.raises(UsageError, match="mask_labels has no effect on the kind of picture 'text'"):
        draw_to_file(WORDS, tmp_path / "y.txt", "text", mask_labels=True)


def test_one_page_has_many_maps_and_goes_on_after_one_that_it_can_not_show(tmp_path):
    page = tmp_path / "page.html"
    with page_of_maps(page, "rationale", title="a <page>", max_words=1) as add:
        add(WORDS)
        with pytest.raises(UsageError, match="only for text maps"):
            add(PixelSaliency(np.ones((4, 4)), Query("stop")))
        add(TokenSaliency(["so", "fine"], [0.1, 1.0], Query("positive"), id="<second>"))
        assert not page.exists()
    html = page.read_text(encoding="utf-8")
    assert html.count("<section>") == html.count("</section>") == 2
    assert "<title>a &lt;page&gt;</title>" in html
    assert "&lt;second&gt;" in html
    assert "film" not in html
    for kind, options in (("png", {}), ("html", {"max_words": 2})):
        with pytest.raises(UsageError), page_of_maps(tmp_path / "no.html", kind, **options):
            pass
    with pytest.raises(RuntimeError), page_of_maps(tmp_path / "no.html", "html"):
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html"]
