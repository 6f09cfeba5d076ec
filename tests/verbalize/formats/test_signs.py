"""`signed`: what a file or its method says holds, what the caller says fills the gap, and a contradiction is an error."""

import json

import numpy as np
import pytest

from verbalize import PixelSaliency, Query, SaliencyError, TokenSaliency, read_saliency, write_saliency
from verbalize.formats import FORMATS, Format, ReadOptions, iter_saliency


def brought(document):
    """What a plug-in's reader may do that has never heard of signs."""
    return Format(
        "brought",
        "a format of a plug-in",
        lambda value: isinstance(value, dict) and "mine" in value,
        lambda value, options: iter([TokenSaliency(["a", "b"], one, options.query("x")) for one in value["mine"]]),
    )


@pytest.fixture
def plugin(monkeypatch):
    known, names = brought(None), list(FORMATS)
    get = FORMATS.get
    monkeypatch.setattr(FORMATS, "get", lambda name: known if name == "brought" else get(name))
    monkeypatch.setattr(type(FORMATS), "__iter__", lambda self: iter([*names, "brought"]))


def test_maps_of_a_plug_in_take_the_sign_that_the_caller_says(plugin):
    document = {"mine": [[1.0, 2.0], [2.0, 0.0]]}
    assert [found.signed for found in read_saliency(document)] == [True, True]
    assert [found.signed for found in read_saliency(document, signed=False)] == [False, False]
    problems = []
    maps = read_saliency({"mine": [[1.0, 2.0], [2.0, -1.0]]}, signed=False, on_problem=problems.append)
    assert [found.signed for found in maps] == [False]
    assert "negative" in str(problems[0])


@pytest.mark.parametrize("signed", [True, False])
def test_what_a_file_says_is_not_overruled(tmp_path, signed):
    maps = [
        TokenSaliency(["a"], [1.0], Query("x"), id="a", signed=signed),
        PixelSaliency(np.eye(3), Query("x"), id="p", signed=signed),
    ]
    write_saliency(maps, tmp_path / "maps.jsonl")
    assert read_saliency(tmp_path / "maps.jsonl", signed=signed) == maps
    with pytest.raises(SaliencyError, match="leave out signed"):
        read_saliency(tmp_path / "maps.jsonl", signed=not signed)


def test_one_option_serves_words_and_pixels():
    (words,) = read_saliency([["a", 1.0]], label="x", signed=False)
    (pixels,) = read_saliency(np.eye(3), label="x", signed=False)
    assert not words.signed
    assert not pixels.signed


def test_options_can_be_used_for_two_sources():
    options = ReadOptions(label="x", signed=False)
    assert len(list(iter_saliency([["a", 1.0]], options))) == 1
    assert options.used == set()
    own = json.loads('{"version": 1, "query": {"label": "x"}, "tokens": ["a"], "scores": [1]}')
    assert len(list(iter_saliency([["a", 1.0]], options))) == 1
    with pytest.raises(SaliencyError):
        list(iter_saliency(own, ReadOptions(axes="hw")))


def test_options_say_while_reading_which_had_no_effect_yet():
    options = ReadOptions(label="x", axes="hw")
    for _ in iter_saliency([["a", 1.0]], options, on_problem=None):
        assert options.unused() == ["axes"]
        break
