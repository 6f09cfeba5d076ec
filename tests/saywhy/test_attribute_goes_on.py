"""`saywhy attribute` says what it will cost, and a run that was stopped goes on where it was."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from saywhy import signs
from verbalize import read_saliency

COUNTING = """
import os
import pathlib
import signal

import numpy as np

seen = pathlib.Path("calls.txt")


def stop():
    if pathlib.Path("stop.txt").read_text() == "killed":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGINT)


def texts(given):
    with seen.open("a") as stream:
        stream.write("".join(text + "\\n" for text in given))
    if pathlib.Path("stop.txt").exists() and any("third" in text for text in given):
        stop()
    return np.array([[2.0 * text.count("great"), 0.5] for text in given])


def images(given):
    with seen.open("a") as stream:
        stream.write("".join(f"{image.sum():.3f}\\n" for image in given))
    if pathlib.Path("stop.txt").exists() and any(image[0, 0, 0] == 1 for image in given):
        stop()
    return np.stack([given[:, :6].mean((1, 2, 3)), given[:, 6:].mean((1, 2, 3))], axis=1)
"""
KEPT = "the finished maps are kept beside OUT, and the same command goes on with the other inputs"
LINES = ["a great one", "the second", "a third great one", "the last"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counting.py").write_text(COUNTING)
    (tmp_path / "names.txt").write_text("up\ndown\n")
    (tmp_path / "lines.txt").write_text("\n".join(LINES))
    (tmp_path / "pictures").mkdir()
    chance = np.random.default_rng(0)
    for number in range(4):
        pixels = chance.integers(0, 200, (12, 12, 3), dtype=np.uint8)
        pixels[0, 0, 0] = 255 if number == 2 else 0
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"p{number}.png")
    return tmp_path


def _words(kind, *more, out="maps.jsonl"):
    reads = ["--model-option", f"reads={kind}", "--model-option", "scores=logits"]
    settings = ["--option", "patch=6", "--batch-size", "1"] if kind == "images" else []
    model = ["--model", f"python:counting:{kind}", "--trust", *reads, "--classes", "names.txt", "--method", "occlusion"]
    return ["attribute", "pictures" if kind == "images" else "lines.txt", *model, *settings, "--out", out, *more]


def _stopped(saywhy, folder, kind, *, killed=False):
    """Run until the third input, where the run ends by Ctrl-C or, in a process of its own, at once."""
    (folder / "stop.txt").write_text("killed" if killed else "interrupted")
    if killed:
        assert subprocess.run([sys.executable, "-m", "saywhy", *_words(kind)], cwd=folder, check=False).returncode == 9
    else:
        done = saywhy(*_words(kind), folder=folder)
        assert done.returncode == 130
        assert done.stderr.splitlines()[-1] == f"interrupted: {KEPT}"
    (folder / "stop.txt").unlink()


def _asked(folder):
    lines = (folder / "calls.txt").read_text().splitlines()
    (folder / "calls.txt").unlink()
    return lines


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.long)], ids=["interrupted", "killed"])
@pytest.mark.parametrize("kind", ["texts", "images"])
def test_a_run_that_was_stopped_loses_nothing_that_is_finished(saywhy, folder, kind, killed):
    whole = saywhy(*_words(kind), folder=folder)
    assert whole.returncode == 0, whole.stderr
    expected, all_calls = read_saliency(folder / "maps.jsonl"), _asked(folder)
    before = (folder / "maps.jsonl").read_bytes()
    (folder / "maps.jsonl").unlink()
    shutil.rmtree(folder / "maps.jsonl.arrays", ignore_errors=True)

    _stopped(saywhy, folder, kind, killed=killed)
    assert not (folder / "maps.jsonl").exists()
    assert sum('"map"' in line for line in (folder / "maps.jsonl.part").read_text().splitlines()) == 2
    _asked(folder)

    done = saywhy(*_words(kind), folder=folder)
    assert done.returncode == 0, done.stderr
    assert "from an earlier run: 2 maps" in done.stderr
    assert len(_asked(folder)) < len(all_calls) * 0.7
    assert (folder / "maps.jsonl").read_bytes() == before
    for one, wanted in zip(read_saliency(folder / "maps.jsonl"), expected, strict=True):
        assert (one.id, one.query, one.prediction) == (wanted.id, wanted.query, wanted.prediction)
        np.testing.assert_array_equal(one.scores, wanted.scores)
    assert [path.name for path in folder.glob("maps.jsonl.part*") if path.suffix != ".lock"] == []


def test_changed_inputs_and_other_settings_are_computed_anew(saywhy, folder):
    _stopped(saywhy, folder, "texts")
    (folder / "lines.txt").write_text("\n".join(["a great great one", *LINES[1:]]))
    done = saywhy(*_words("texts"), folder=folder)
    assert "from an earlier run: 1 map" in done.stderr
    assert read_saliency(folder / "maps.jsonl")[0].tokens == ("a", "great", "great", "one")
    _stopped(saywhy, folder, "texts")
    other = saywhy(*_words("texts", "--query", "down"), folder=folder)
    assert other.returncode == 0
    assert "earlier run" not in other.stderr
    assert "was made with other settings" in other.stderr
    assert {one.query.label for one in read_saliency(folder / "maps.jsonl")} == {"down"}


def test_the_cost_is_said_beforehand(saywhy, folder):
    done = saywhy(*_words("images"), folder=folder)
    assert "4 images to explain by occlusion; each goes about 9 times through the model, 36 times in all" in done.stderr
    images, _ = signs.samples()
    np.save(folder / "signs.npy", images[:2])
    words = ["--model", "demo:signs", "--option", "steps=4", "--out", "signs.jsonl"]
    done = saywhy("attribute", "signs.npy", *words, folder=folder)
    said = "2 images to explain by integrated_gradients; each goes about 4 times through the model and back, 8 times in all"
    assert said in done.stderr
    np.savez(folder / "signs.npz", images=images[:3], labels=np.arange(3))
    words = ["--model", "demo:signs", "--method", "lrp", "--out", "signs.jsonl"]
    done = saywhy("attribute", "signs.npz", "signs.npy", *words, folder=folder)
    said = "5 images to explain by lrp; each goes about 3 times through the model and 1 time back, 15 times and 5 times back in all"
    assert said in done.stderr
    (folder / "lines.txt").write_text("one\ntwo words\nthree more words\nfour\n")
    done = saywhy(*_words("texts", out="lines.jsonl"), folder=folder)
    assert "by occlusion; on average, each goes at most 3 times through the model, 11 times in all" in done.stderr


def test_maps_that_would_be_packed_are_refused_before_the_work(saywhy, folder):
    done = saywhy(*_words("texts", out="maps.jsonl.gz"), folder=folder)
    assert done.returncode == 2
    assert "name it without .gz" in done.stderr
    assert not (folder / "calls.txt").exists()


@pytest.mark.parametrize(("stop_at", "out", "says"), [
    ("third", "maps.jsonl", KEPT),
    ("great", "maps.jsonl", "no output file was written"),
    ("third", "-", "no output file was written"),
])  # fmt: skip
@pytest.mark.long
def test_a_run_that_gets_sigint_says_what_is_kept_and_goes_on(saywhy, folder, stop_at, out, says):
    (folder / "stop.txt").write_text("interrupted")
    (folder / "counting.py").write_text(COUNTING.replace('"third"', repr(stop_at)))
    words = _words("texts", out=out)
    if says == KEPT:  # once in a process of its own, to which the others do the same
        command = [sys.executable, "-m", "saywhy", *words]
        stopped = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    else:
        stopped = saywhy(*words, folder=folder)
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stderr.splitlines()[-1] == f"interrupted: {says}"
    (folder / "stop.txt").unlink()
    done = saywhy(*_words("texts", out=out), folder=folder)
    assert done.returncode == 0, done.stderr
    assert ("from an earlier run: 2 maps" in done.stderr) == (says == KEPT)
