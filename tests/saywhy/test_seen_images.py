"""Nobody is told that prompts or a classifier help on the very images that they were made with."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from agents import write_pairs
from agents.prompting import Contrast, PairDescriptions

NAMES = ["cat", "dog"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_tiny_clip, saywhy_once):
    """A tiny CLIP, two classes of coloured noise with three shots and two photos each, and what `improve` makes of the shots."""
    root = tmp_path_factory.mktemp("world")
    make_tiny_clip(root / "clip")
    draw = np.random.default_rng(0)
    for index, name in enumerate(NAMES):
        for part, count in (("shots", 3), ("photos", 2)):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 120, size=(24, 24, 3), dtype=np.uint8)
                pixels[..., index] += np.uint8(100)
                Image.fromarray(pixels).save(root / part / name / f"{number}.png")
    (root / "classes.json").write_text(json.dumps(NAMES), encoding="utf-8")
    shutil.copytree(root / "shots", root / "mixed")
    for name in NAMES:
        for photo in (root / "photos" / name).iterdir():
            shutil.copy(photo, root / "mixed" / name / f"new{photo.name}")
    done = saywhy_once(
        "improve", "--shots", root / "shots", "--encoder", f"clip:{root / 'clip'}", "--folds", 0, "--method", "prototype",
        "--out", root / "p.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def saywhy_once(in_process, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return lambda *words: in_process.run_command(*words, folder=folder)


FILES = [("--prompts", "p.json"), ("--classifier", "p.classifier.npz")]


@pytest.mark.parametrize(("option", "file"), FILES)
def test_classify_leaves_the_shots_out_of_its_figures_and_not_out_of_its_table(saywhy, world, option, file):
    call = ["classify", "--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}", option, world / file]
    own = saywhy(*call, "--images", world / "shots")
    assert own.returncode == 0, own.stderr
    assert f"6 images with which {world / file} was made, or copies, left out of these figures" in own.stderr
    assert "none is left" in own.stderr
    assert "first look" not in own.stderr
    assert len(list(csv.DictReader(own.stdout.splitlines()))) == 6
    mixed, alone = (saywhy(*call, "--images", world / part).stderr for part in ("mixed", "photos"))
    assert "6 images with which" in mixed
    assert "with which" not in alone
    figures = [line for line in alone.splitlines() if line.startswith("first look")]
    assert figures
    assert figures[0] in mixed


@pytest.mark.parametrize(("option", "file"), FILES)
def test_a_shot_in_another_format_is_recognised(saywhy, world, tmp_path, option, file):
    for name in NAMES:
        (tmp_path / "again" / name).mkdir(parents=True)
        for shot in (world / "shots" / name).iterdir():
            Image.open(shot).save(tmp_path / "again" / name / f"{shot.stem}.bmp")
    told = saywhy(
        "classify", "--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}", "--images", tmp_path / "again",
        option, world / file,
    ).stderr  # fmt: skip
    assert "6 images with which" in told
    if option == "--prompts":
        judged = saywhy(
            "evaluate", "prompts", world / file, "--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}",
            "--images", tmp_path / "again",
        )  # fmt: skip
        assert judged.returncode == 2
        assert "or copies of them; give images" in judged.stderr


def test_a_classifier_that_does_not_say_what_it_was_made_of_is_told(saywhy, world, tmp_path):
    arrays = {name: array for name, array in np.load(world / "p.classifier.npz").items() if not name.startswith("seen")}
    np.savez(tmp_path / "old.npz", **arrays)
    told = saywhy(
        "classify", "--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}", "--images", world / "shots",
        "--classifier", tmp_path / "old.npz",
    ).stderr  # fmt: skip
    assert "does not say which images it was made of" in told


@pytest.mark.parametrize("times", [1, 2])
def test_evaluate_prompts_leaves_the_shots_out(saywhy, world, tmp_path, times):
    shutil.copytree(world / "clip", tmp_path / "other")
    encoders = [f"clip:{world / 'clip'}", f"clip:{tmp_path / 'other'}"][:times]
    call = ["evaluate", "prompts", world / "p.json", "--classes", world / "classes.json", "--draws", 0]
    call += [word for one in encoders for word in ("--encoder", one)]
    mixed = saywhy(*call, "--images", world / "mixed", "--json")
    assert mixed.returncode == 1, mixed.stderr
    assert "this and 5 more are shots with which" in mixed.stderr
    found = json.loads(mixed.stdout)
    first = found if times == 1 else found["encoders"][0]["report"]
    assert first["comparison"]["images"] == 4
    own = saywhy(*call, "--images", world / "shots")
    assert own.returncode == 2
    assert "all of these images are shots" in own.stderr
    assert saywhy(*call, "--images", world / "photos").returncode == 0


def test_prompts_that_do_not_say_what_they_were_searched_with_are_told(saywhy, world, tmp_path):
    content = json.loads((world / "p.json").read_text(encoding="utf-8"))
    plain = {"prompts": content["prompts"]}
    old = {key: value for key, value in content.items() if key != "shots"}
    common = ["--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}", "--images", world / "shots"]
    for number, (file, unknown) in enumerate(((plain, False), (old, True))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(file), encoding="utf-8")
        classified = saywhy("classify", *common, "--prompts", path)
        judged = saywhy("evaluate", "prompts", path, *common, "--draws", 0)
        assert judged.returncode == classified.returncode == 0
        assert ("does not say which images" in classified.stderr) == unknown
        assert ("Nothing says with which labelled images" in judged.stdout) == unknown


def test_prompts_of_the_first_look_count_as_searched(saywhy, world, tmp_path):
    described = {(0, 1): [Contrast("face", ("a cat with whiskers", "a dog with a collar"))]}
    write_pairs(PairDescriptions(described, dict(enumerate(NAMES))), tmp_path / "pairs.json")
    common = ["--classes", world / "classes.json", "--encoder", f"clip:{world / 'clip'}", "--first", world / "p.json", "--k", 2]
    told = saywhy("classify", *common, "--images", world / "mixed", "--descriptions", tmp_path / "pairs.json")
    assert f"6 images with which {world / 'p.json'} was made" in told.stderr, told.stderr
    judged = saywhy(
        "evaluate", "prompts", tmp_path / "pairs.json", *common, "--images", world / "mixed", "--json", "--draws", 0
    )
    report = json.loads(judged.stdout)
    assert (report["comparison"]["images"], report["left_out"], report["may_be_seen"]) == (4, 6, False)
