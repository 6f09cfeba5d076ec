"""What every command does about its output, an interruption, an empty input, and options that no map uses."""

import os

import numpy as np
import pytest

from agents.prompting import Contrast, PairDescriptions, write_pairs
from verbalize import PixelSaliency, Query, TokenSaliency, write_saliency

MAP = TokenSaliency(["good", "film"], [1.0, -1.0], Query("positive"), id="a")


@pytest.fixture
def folder(tmp_path):
    write_saliency([MAP], tmp_path / "maps.jsonl")
    write_saliency([PixelSaliency(np.eye(4), Query("stop"), id="p")], tmp_path / "pixels.jsonl")
    (tmp_path / "texts.jsonl").write_text('{"id": "a", "text": "Good speaks most for \'positive\'."}\n')
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "photos.csv").write_text("path,label\nno.png,cat\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.jsonl").write_text("no map\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    return tmp_path


@pytest.mark.parametrize("out", ["same", "link", "hard", "folder/../same"])
@pytest.mark.parametrize(
    ("read", "words"),
    [
        ("maps.jsonl", "convert maps.jsonl"),
        ("maps.jsonl", "verbalize maps.jsonl"),
        ("maps.jsonl", "verbalize texts.jsonl --background maps.jsonl"),
        ("texts.jsonl", "evaluate wording texts.jsonl --maps maps.jsonl"),
        ("maps.jsonl", "evaluate wording texts.jsonl --maps maps.jsonl"),
        ("photos.csv", "improve --shots photos.csv --encoder clip:none"),
        ("classes.txt", "classify --classes classes.txt --images photos.csv --encoder clip:none"),
        ("classes.txt", "describe --classes classes.txt --all-pairs --llm http://127.0.0.1:9/v1#m"),
    ],
)
def test_an_output_is_none_of_the_inputs(saywhy, folder, read, words, out):
    (folder / "link").symlink_to(folder / read)
    os.link(folder / read, folder / "hard")
    before = (folder / read).read_bytes()
    done = saywhy(*words.split(), "--out", out.replace("same", read), folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "is the same file as" in done.stderr
    assert (folder / read).read_bytes() == before


@pytest.mark.parametrize(
    ("out", "says"),
    [("folder", "is a folder; name a file"), ("maps.jsonl/out", "can't be written to"), ("link/o", "not a folder")],
)
def test_an_output_that_cannot_be_written_is_told_before_the_work(saywhy, folder, out, says):
    (folder / "link").symlink_to(folder / "nowhere")
    done = saywhy("convert", "missing.jsonl", "--out", out, folder=folder)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize("words", ["check empty.jsonl --maps maps.jsonl", "evaluate wording empty.jsonl --maps maps.jsonl"])
def test_no_texts_are_an_error(saywhy, folder, words):
    done = saywhy(*words.split(), folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "empty.jsonl holds no texts" in done.stderr


@pytest.mark.parametrize("command", ["convert", "verbalize"])
def test_no_empty_output_is_made(saywhy, folder, command):
    done = saywhy(command, "broken.jsonl", "--out", "out.jsonl", folder=folder)
    assert done.returncode == 1
    assert "not read: broken.jsonl, line 1" in done.stderr
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("maps", "options", "says"),
    [
        ("maps.jsonl", "--tokenizer nosuch --image nopic.png", "tokenizer (--tokenizer) and image (--image) have no effect"),
        ("maps.jsonl", "--class-names classes.txt", "class_names (--class-names) has no effect"),
        ("maps.jsonl", "--background pairs.json", "--background has an effect on contrastive maps alone"),
        ("pixels.jsonl", "--max-words 3", "--max-words has an effect on maps over texts alone"),
        (
            "maps.jsonl",
            "--pictures --style narrate --llm http://127.0.0.1:9/v1#m",
            "--pictures has an effect on maps over pixels alone",
        ),
    ],
)
def test_an_option_that_no_map_uses_is_an_error_and_nothing_is_written(saywhy, folder, maps, options, says):
    contrast = Contrast("ears", ("a photo of a cat with small ears.", "a photo of a dog with long ears."))
    write_pairs(PairDescriptions({(0, 1): (contrast,)}, {0: "cat", 1: "dog"}), folder / "pairs.json")
    done = saywhy("verbalize", maps, *options.split(), "--out", "out.jsonl", folder=folder)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("command", "words", "says"),
    [
        ("convert", ["--out", "out.jsonl"], "no output file was written"),
        ("picture", ["--out", "pictures"], "the pictures in OUT are kept"),
        (
            "verbalize",
            ["--style", "narrate", "--llm", "http://127.0.0.1:9/v1#m", "--out", "o.jsonl"],
            "the same command goes on with the other maps",
        ),
    ],
)
def test_an_interruption_says_what_is_kept(saywhy, folder, monkeypatch, command, words, says):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("saywhy.cli.options.maps.MapReader.__iter__", stopped)
    done = saywhy(command, "maps.jsonl", *words, folder=folder)
    assert done.returncode == 130
    assert "interrupted: " in done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("command", ["verbalize", "check", "convert", "picture", "describe", "classify", "improve", "demo"])
def test_help_names_the_exit_status_of_an_interruption(saywhy, command):
    shown = " ".join(saywhy(command, "--help").stdout.split())
    assert "130 it was interrupted" in shown


def test_one_is_singular(saywhy, folder):
    assert "1 map written" in saywhy("convert", "maps.jsonl", "--out", "o.jsonl", folder=folder).stderr
    assert "1 text written" in saywhy("verbalize", "maps.jsonl", "--out", "t.jsonl", folder=folder).stderr
    assert "1 text, " in saywhy("check", "t.jsonl", "--maps", "maps.jsonl", folder=folder).stdout
