"""What every command does about its output, an interruption, an empty input, and options that no map uses."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from agents.prompting import Contrast, PairDescriptions, write_pairs
from saywhy_core.disk.locks import FileLock, folder_lock
from saywhy_core.disk.sqlite import open_database
from verbalize import PixelSaliency, Query, TokenSaliency, read_saliency, write_saliency

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


def picture_of(path, side=4):
    Image.fromarray(np.arange(side * side, dtype=np.uint8).reshape(side, side)).save(path)


@pytest.mark.parametrize("out", [".", "folder/..", "linked"])
def test_a_picture_is_not_drawn_over_the_map_that_it_shows(saywhy, folder, out):
    """The file's name comes from the map's id, so that only the writing itself can find out."""
    picture_of(folder / "heat.png")
    (folder / "linked").symlink_to(folder)
    before = (folder / "heat.png").read_bytes()
    done = saywhy("picture", "heat.png", "--label", "x", "--kind", "png", "--out", out, folder=folder)
    assert done.returncode == 1
    assert "heat.png is one of the files that are read" in done.stderr
    assert (folder / "heat.png").read_bytes() == before


def test_a_picture_is_not_drawn_over_the_photo_of_its_map(saywhy, folder):
    picture_of(folder / "photo.png")
    np.save(folder / "photo.npy", np.eye(4))
    before = (folder / "photo.png").read_bytes()
    words = "photo.npy --image photo.png --label x --kind png --out ."
    done = saywhy("picture", *words.split(), folder=folder)
    assert (done.returncode, (folder / "photo.png").read_bytes()) == (1, before)


def test_what_stands_in_the_place_of_one_picture_does_not_stop_the_others(saywhy, folder):
    names = ("device", "input", "folder", "foreign", "cache", "locked", "good")
    write_saliency([replace(MAP, id=name) for name in names], folder / "seven.jsonl")
    out = folder / "out"
    (out / "folder.html").mkdir(parents=True)
    (out / "device.html").symlink_to("/dev/full")
    (out / "input.html").symlink_to(folder / "seven.jsonl")
    (out / "foreign.html.lock").write_text("mine")
    open_database(out / "cache.html", what="audit", schema="CREATE TABLE IF NOT EXISTS a (b)", version=1).close()
    before = (folder / "seven.jsonl").read_bytes()
    with FileLock(out / "locked.html"):
        done = saywhy("picture", "seven.jsonl", "--out", "out", folder=folder)
    assert done.returncode == 1, done.stderr
    assert "1 picture written to out" in done.stderr
    assert (out / "good.html").is_file()
    assert [line.split(":")[0] for line in done.stderr.splitlines()].count("not drawn") == 6
    assert "locked.html is being written by" in done.stderr
    assert (folder / "seven.jsonl").read_bytes() == before
    assert (out / "device.html").is_symlink()
    assert not (out / "locked.html").exists()


@pytest.mark.long
def test_a_text_is_not_written_into_a_folder_that_another_process_fills(folder):
    (folder / "out").mkdir()
    done = []
    with folder_lock(folder / "out"):
        for out in ("out/a.html", "folder/a.html"):
            words = [sys.executable, "-m", "saywhy", "verbalize", "maps.jsonl", "--out", out, "--format", "text"]
            done.append(subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False))
    assert [one.returncode for one in done] == [2, 0], done
    assert f"the folder out is being written by another process ({os.getpid()})" in done[0].stderr.replace(f"{folder}/", "")
    assert not (folder / "out" / "a.html").exists()


def test_the_arrays_of_a_file_of_maps_are_not_overwritten(saywhy, folder):
    """A copy of the records still means the arrays of the first file, so these are inputs of what reads the copy."""
    (folder / "pixels.jsonl").rename(folder / "copy.jsonl")
    array = next((folder / "pixels.jsonl.arrays").iterdir())
    before = array.read_bytes()
    done = saywhy("convert", "copy.jsonl", "--out", "pixels.jsonl", folder=folder)
    assert done.returncode == 0
    assert array.read_bytes() == before
    assert read_saliency(folder / "copy.jsonl") == read_saliency(folder / "pixels.jsonl")


def test_an_attack_does_not_overwrite_its_image(saywhy, folder):
    (folder / "out" / "panel").mkdir(parents=True)
    image = folder / "out" / "panel" / "panel.png"
    Image.fromarray(np.full((48, 48, 3), 90, dtype=np.uint8)).save(image)
    before = image.read_bytes()
    saywhy("attack", str(image), "--target", "demo:signs", "--budget", "5", "--out", "out", folder=folder)
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        "classify --classes classes.txt --images photos --encoder clip:none",
        "improve --shots photos --encoder clip:none",
        "improve --shots photos.csv --test photos --encoder clip:none",
        "describe --classes classes.txt --images photos --encoder clip:none --llm http://127.0.0.1:9/v1#m",
        "evaluate prompts prompts.json --classes classes.txt --images photos --encoder clip:none",
    ],
)
@pytest.mark.parametrize("out", ["photos/out.json", "photos/cat/out.json", "folder/../photos/new/out.json", "link/out.json"])
def test_nothing_is_written_into_a_folder_of_images_that_is_read(saywhy, folder, words, out):
    (folder / "photos" / "cat").mkdir(parents=True)
    picture_of(folder / "photos" / "cat" / "a.png")
    (folder / "link").symlink_to(folder / "photos")
    done = saywhy(*words.split(), "--out", out, folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "a folder that is read" in done.stderr
    assert sorted(path.name for path in (folder / "photos").rglob("*")) == ["a.png", "cat"]


@pytest.mark.parametrize("option", ["--embeddings", "--out"])
def test_no_folder_of_embeddings_is_made_among_the_images(saywhy, folder, option):
    (folder / "photos").mkdir()
    picture_of(folder / "photos" / "a.png")
    words = f"classify --classes classes.txt --images photos --encoder clip:none {option} photos/kept"
    done = saywhy(*words.split(), folder=folder)
    assert done.returncode == 2
    assert "a folder that is read" in done.stderr


def test_a_model_file_named_in_a_text_is_an_input_too(saywhy, folder):
    (folder / "net.onnx").write_bytes(b"weights")
    words = "classify --classes classes.txt --images photos.csv --encoder conse:net.onnx --out net.onnx"
    done = saywhy(*words.split(), folder=folder)
    assert done.returncode == 2
    assert "is the same file as --encoder" in done.stderr
    assert (folder / "net.onnx").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ("verbalize maps.jsonl --out maps.jsonl", "MAPS maps.jsonl;"),
        ("verbalize texts.jsonl --background maps.jsonl --out maps.jsonl", "--background maps.jsonl;"),
        ("check texts.jsonl --map maps.jsonl --llm http://h/v1#m --cache texts.jsonl", "TEXTS texts.jsonl;"),
    ],
)
def test_an_input_is_named_as_in_the_help(saywhy, folder, words, called):
    assert f"is the same file as {called}" in saywhy(*words.split(), folder=folder).stderr


@pytest.mark.parametrize("side", ["-wal", "-shm", "-journal"])
def test_what_lies_in_the_place_of_a_side_file_of_the_cache_stays(saywhy, folder, side):
    (folder / f"m.sqlite{side}").write_bytes((folder / "maps.jsonl").read_bytes())
    (folder / f"w.jsonl.replies.sqlite{side}").write_bytes((folder / "maps.jsonl").read_bytes())
    (folder / f"texts.jsonl{side}").write_text("mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    model = "--style composed --llm http://127.0.0.1:9/v1#m"
    for words, says in (
        (
            f"verbalize m.sqlite{side} {model} --out w.jsonl --cache m.sqlite",
            f"which is MAPS m.sqlite{side}; name another file",
        ),
        (f"verbalize w.jsonl.replies.sqlite{side} {model} --out w.jsonl", "which is one of the files that are read"),
        (f"verbalize maps.jsonl {model} --out k.sqlite{side} --cache k.sqlite", f"which is --out k.sqlite{side}; name another"),
        (f"verbalize maps.jsonl {model} --out x.jsonl --cache texts.jsonl", "texts.jsonl"),
    ):
        done = saywhy(*words.split(), folder=folder)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert says in done.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_two_outputs_are_two_files(saywhy, folder):
    words = "describe --classes classes.txt --all-pairs --llm http://127.0.0.1:9/v1#m --out a.json --cache ./a.json"
    done = saywhy(*words.split(), folder=folder)
    assert done.returncode == 2
    assert "is the same file as" in done.stderr


def test_the_report_beside_the_prompts_is_an_output_too(saywhy, folder):
    (folder / "prompts.report.json").write_text('{"cat": ["a cat."], "dog": ["a dog."]}')
    words = "improve --shots photos.csv --test photos.csv --descriptions prompts.report.json --encoder clip:none"
    done = saywhy(*words.split(), "--out", "prompts.json", folder=folder)
    assert done.returncode == 2
    assert "prompts.report.json is one of the files that are read" in done.stderr


def test_a_device_or_a_pipe_is_written_through_and_stays_what_it_is(saywhy, folder):
    os.mkfifo(folder / "pipe")
    reader = subprocess.Popen(["cat", folder / "pipe"], stdout=subprocess.PIPE, text=True)
    for out in ("/dev/null", "pipe"):
        done = saywhy("convert", "maps.jsonl", "--out", out, folder=folder)
        assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
        assert not (folder / out).is_file()
    assert json.loads(reader.communicate(timeout=60)[0])["tokens"] == ["good", "film"]


@pytest.mark.parametrize(
    ("words", "folders"),
    [
        ("classify --classes classes.txt --images photos.csv --encoder clip:none --out new/folder/o.csv", ["new"]),
        ("evaluate wording texts.jsonl --maps broken.jsonl --out new/o.csv", ["new"]),
        ("evaluate prompts no.json --classes classes.txt --images photos.csv --encoder clip:none --out new/o.json", ["new"]),
        ("describe --classes no.txt --all-pairs --llm http://127.0.0.1:9/v1#m --out new/o.json", ["new"]),
    ],
)
def test_a_command_that_fails_before_its_work_leaves_no_folder(saywhy, folder, words, folders):
    saywhy(*words.split(), folder=folder)
    assert not any((folder / name).exists() for name in folders)


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
        ("maps.jsonl", "--tokenizer nosuch --image nopic.png", "--tokenizer and --image have no effect"),
        ("maps.jsonl", "--class-names classes.txt", "--class-names has no effect"),
        ("maps.jsonl", "--background pairs.json", "--background has an effect on contrastive maps alone"),
        ("pixels.jsonl", "--max-words 3", "--max-words has an effect on maps over texts alone"),
        (
            "maps.jsonl",
            "--pictures --style composed --llm http://127.0.0.1:9/v1#m",
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
    ("command", "maps", "options"),
    [
        ("convert", "maps.jsonl", "--tokenizer nosuch"),
        ("verbalize", "maps.jsonl", "--class-names classes.txt"),
        ("verbalize", "pixels.jsonl", "--max-words 3"),
        ("verbalize", "maps.jsonl", "--axes chw"),
        ("check --json texts.jsonl --maps", "maps.jsonl", "--image nopic.png"),
    ],
)
def test_an_option_that_no_map_uses_is_found_before_anything_is_printed(saywhy, folder, command, maps, options):
    done = saywhy(*command.split(), maps, *options.split(), folder=folder)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout


def test_an_option_that_no_map_uses_is_found_before_anything_is_drawn(saywhy, folder):
    done = saywhy("picture", "maps.jsonl", "--out", "pictures", "--tokenizer", "nosuch", folder=folder)
    assert done.returncode == 2
    assert not (folder / "pictures").exists()


def test_maps_before_the_one_that_uses_an_option_are_done_in_order(saywhy, folder):
    """Only the last map gives its class by a number."""
    (folder / "three.jsonl").write_text(
        '{"tokens": ["a"], "scores": [1], "label": "bird", "id": "1"}\n'
        '{"tokens": ["a"], "scores": [1], "label": "fish", "id": "2"}\n'
        '{"tokens": ["a"], "scores": [1], "label": 1, "id": "3"}\n'
    )
    done = saywhy("convert", "three.jsonl", "--class-names", "classes.txt", folder=folder)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["query"]["label"]) for one in records] == [("1", "bird"), ("2", "fish"), ("3", "dog")]


def test_lines_are_printed_while_maps_are_read_once_all_options_had_an_effect(saywhy, folder):
    """The second line is no map; what was read before it is printed all the same."""
    (folder / "two.jsonl").write_text('[["good", 1.0]]\nno map\n')
    done = saywhy("convert", "two.jsonl", "--label", "x", folder=folder)
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1


COMPOSED = ["--style", "composed", "--llm", "http://127.0.0.1:9/v1#m"]


@pytest.mark.parametrize(
    ("command", "words", "says"),
    [
        ("convert", ["--out", "out.jsonl"], "no output file was written"),
        ("picture", ["--out", "pictures"], "no picture was written to OUT"),
        ("picture", ["--out", "drawn"], "the pictures in OUT are kept"),
        ("verbalize", [*COMPOSED, "--out", "o.jsonl"], "no output file was written"),
        ("verbalize", [*COMPOSED, "--out", "begun.jsonl"], "the same command goes on with the other maps"),
    ],
)
def test_an_interruption_says_what_is_kept(saywhy, folder, monkeypatch, command, words, says):
    (folder / "drawn").mkdir()
    (folder / "drawn" / "m.html").write_text("a map")
    (folder / "begun.jsonl.part").write_text("the header\na record\n")

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
