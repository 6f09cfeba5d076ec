"""The commands never give a class the captions of another one."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image

from agents import PairDescriptions, write_pairs
from agents.prompting import Contrast

NAMES = ["american bulldog", "Bengal", "Birman"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_tiny_clip):
    """A tiny CLIP, photos in folders whose sorted order is not that of the pair file, and FuDD's kind of file."""
    root = tmp_path_factory.mktemp("world")
    make_tiny_clip(root / "clip")
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
    assert "of 2 captions for class 0, 'Bengal', are about 'american-bulldog'" in wrong.stderr
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


def test_prompts_go_out_in_cupls_form_and_classify_alike(saywhy, world, tmp_path):
    photos = world / "photos" / "train"
    done = run(saywhy, world, "improve", "--shots", photos, "--folds", 0, "--out", tmp_path / "p.json")
    assert done.returncode == 0, done.stderr
    flat = json.loads((tmp_path / "p.cupl.json").read_text())
    assert flat == json.loads((tmp_path / "p.json").read_text())["prompts"]
    (tmp_path / "set.json").write_text(json.dumps({"my_cats": flat}))
    call = ["classify", "--images", world / "photos", "--classes", world / "wrong.json", "--prompts"]
    made = [run(saywhy, world, *call, tmp_path / file) for file in ("p.json", "p.cupl.json", "set.json")]
    assert [one.returncode for one in made] == [0, 0, 0], made[0].stderr
    assert made[0].stdout == made[1].stdout == made[2].stdout
    rows = list(csv.DictReader(made[0].stdout.splitlines()))
    assert {row["label"] for row in rows} == {"american-bulldog", "Bengal", "Birman"}  # and not "train"
    (tmp_path / "q.cupl.json").symlink_to(tmp_path / "elsewhere.json")
    refused = run(saywhy, world, "improve", "--shots", photos, "--folds", 0, "--out", tmp_path / "q.json")
    assert refused.returncode == 2
    assert "q.cupl.json is a link" in refused.stderr


def test_what_could_not_be_checked_and_what_is_missing_is_told(saywhy, world, tmp_path):
    bare = PairDescriptions({(0, 1): [Contrast("x", ("a photo of an american bulldog", "spots"))]})
    write_pairs(bare, tmp_path / "bare.json")
    call = ["classify", "--images", world / "photos", "--classes", world / "right.json"]
    done = run(saywhy, world, *call, "--descriptions", tmp_path / "bare.json")
    assert "the captions of 'Bengal' do not name it" in done.stderr
    (tmp_path / "few.json").write_text(json.dumps({"bengal": ["spots"], "Bierman": ["cream"]}))
    done = run(saywhy, world, *call, "--prompts", tmp_path / "few.json")
    assert done.returncode == 1
    assert "2 of the 3 classes, 'american bulldog' first, have no descriptions" in done.stderr
    assert "'Bierman' is in no class list, and 'Birman' has no descriptions" in done.stderr


def test_images_of_other_classes_do_not_silence_the_figures(saywhy, world, tmp_path):
    table = tmp_path / "some.csv"
    photos = world / "photos" / "train"
    table.write_text(f"path,label\n{photos}/Bengal/60.png,bengal\n{photos}/birman/60.png,owl\n")
    done = run(saywhy, world, "classify", "--images", table, "--classes", world / "right.json")
    assert "1 image of other classes than the list's, left out of these figures" in done.stderr
    assert "first look" in done.stderr
    assert [row["label"] for row in csv.DictReader(done.stdout.splitlines())] == ["Bengal", "owl"]
