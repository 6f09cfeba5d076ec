"""The commands never give a class the captions of another one."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from PIL import Image

from agents import PairDescriptions, write_pairs
from agents.prompting import Contrast

NAMES = ["american bulldog", "Bengal", "Birman"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A tiny CLIP, photos in folders whose sorted order is not that of the pair file, and FuDD's kind of file."""
    root = tmp_path_factory.mktemp("world")
    path = Path(__file__).parents[1] / "agents" / "tiny_clip.py"
    spec = importlib.util.spec_from_file_location("tiny_clip", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_tiny_clip(root / "clip")
    for number, name in enumerate(["american_bulldog", "Bengal", "birman"]):
        (root / "photos" / "train" / name).mkdir(parents=True)
        for shade in (60, 120):
            Image.new("RGB", (24, 24), (shade, 80 * number, 200)).save(root / "photos" / "train" / name / f"{shade}.png")
    looks = ["a broad chest", "spots", "a cream coat"]
    captions = [f"a photo of a {name}, with {look}." for name, look in zip(NAMES, looks, strict=True)]
    entries = {(i, j): [Contrast("look", (captions[i], captions[j]))] for i, j in ((0, 1), (0, 2), (1, 2))}
    write_pairs(PairDescriptions(entries), root / "fudd.json")
    write_pairs(PairDescriptions(entries, dict(enumerate(NAMES))), root / "ours.json")
    (root / "right.json").write_text(json.dumps(NAMES))
    (root / "wrong.json").write_text(json.dumps(["Bengal", "Birman", "american-bulldog"]))
    return root


def run(saywhy, world, *arguments):
    return saywhy(*arguments, "--encoder", f"clip:{world / 'clip'}", "--embeddings", world / "kept")


def commands(world, classes, out):
    photos = world / "photos" / "train"
    yield "improve", "--shots", photos, "--classes", classes, "--descriptions"
    yield "classify", "--images", photos, "--classes", classes, "--out", out, "--descriptions"
    yield "evaluate", "prompts", "--images", photos, "--classes", classes, "--draws", 0


@pytest.mark.parametrize("which", [0, 1, 2])
def test_numbers_of_another_order_are_refused_and_names_fit_any(saywhy, world, tmp_path, which):
    def command(file, classes):
        options = list(commands(world, world / classes, tmp_path / "out.csv"))[which]
        ends = ["--out", tmp_path / "p.json", "--rounds", 1] if which == 0 else []
        return run(saywhy, world, *options, world / file, *ends)

    wrong = command("fudd.json", "wrong.json")
    assert wrong.returncode == 2
    assert "1 of 1 captions for class 0, 'Bengal', are about 'american-bulldog'" in wrong.stderr
    assert command("fudd.json", "right.json").returncode == 0
    assert command("ours.json", "wrong.json").returncode == 0


def test_improve_without_a_list_refuses_the_order_of_folders(saywhy, world, tmp_path):
    done = run(
        saywhy,
        world,
        "improve",
        "--shots",
        world / "photos" / "train",
        "--descriptions",
        world / "fudd.json",
        "--out",
        tmp_path / "p",
    )
    assert done.returncode == 2
    assert "are about 'american bulldog'" in done.stderr
    assert "--classes FILE" in done.stderr
    assert not (tmp_path / "p").exists()


def test_folders_above_the_classes(saywhy, world, tmp_path):
    photos = ["--shots", world / "photos", "--out", tmp_path / "p.json"]
    done = run(saywhy, world, "improve", *photos)
    assert done.returncode == 2
    assert "name the folder above the classes" in done.stderr
    assert run(saywhy, world, "improve", *photos, "--classes", world / "right.json").returncode == 0
    assert list(json.loads((tmp_path / "p.json").read_text())["prompts"]) == NAMES
