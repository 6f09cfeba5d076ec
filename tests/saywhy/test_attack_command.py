"""`saywhy attack`: a folder an image, resumable, bad images told, true to the budget."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from adversarial.distances import DISTANCES, Distance, clipped_ray
from saywhy.cli.commands import attack
from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError

MODULE = '''
"""Three classes told by the mean of two patches of four pixels: no pixel alone can flip it, and two can."""
import numpy as np

asked = 0
fail_after = 10**9


def predict(images):
    global asked
    asked += len(images)
    if asked > fail_after:
        raise ConnectionError("the endpoint has gone")
    right, left = (images[:, y : y + 2, x : x + 2].mean(axis=(1, 2, 3)) for y, x in ((3, 8), (8, 2)))
    return np.stack([np.full(len(images), 0.6), right, left], axis=1)
'''
RIGHT, LEFT = ({(y + i, x + j) for i in (0, 1) for j in (0, 1)} for y, x in ((3, 8), (8, 2)))


@pytest.fixture
def model(tmp_path, monkeypatch):
    (tmp_path / "toy_model.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("toy_model", None)
    import toy_model

    yield toy_model
    sys.modules.pop("toy_model", None)


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    attack.register(app)
    app.command("other")(lambda: None)  # so that the command keeps its name

    def run(*arguments):
        words = [
            "attack",
            *map(str, arguments),
            "--target",
            "python:toy_model:predict",
            "--trust",
            "--scores",
            "logits",
            "--out",
            "out",
        ]
        return CliRunner().invoke(app, words)

    return run


def photo(name="one.png", *, size=(12, 12), seed=0, mode="RGB"):
    grey = np.random.default_rng(seed).integers(60, 120, size=(*size, 3), dtype=np.uint8)
    Image.fromarray(grey).convert(mode).save(name)
    return name


def record(name):
    with open(f"out/{name}/result.json", encoding="utf-8") as stream:  # noqa: PTH123
        return json.load(stream)


def test_an_image_gets_a_folder_with_pictures_and_a_record(command, model):
    done = command(photo(), "--budget", 1000, "--classes", names_file())
    assert done.exit_code == 0, done.output
    found = record("one")
    assert found["success"]
    assert found["distance"] == {"name": "l0", "value": 2.0}
    places = {tuple(change[:2]) for change in found["changed"]}
    assert places < RIGHT or places < LEFT
    assert found["sentence"].startswith("Changing 2 pixels at the ")
    assert "turns 'none' into '" in found["sentence"]
    assert found["queries"] <= 1000
    assert model.asked <= 1000
    assert found["settings"]["seed"] == 0
    assert found["sentence"] in done.output


def names_file():
    with open("names.txt", "w", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write("none\nright\nleft\n")
    return "names.txt"


def test_the_adversarial_picture_is_the_finding(command, model):
    """Saved, read back and asked about as it is, it flips; and it can be attacked as any image can."""
    photo()
    assert command("one.png", "--budget", 300).exit_code == 0
    images = [np.asarray(Image.open(f"out/one/{name}.png")) for name in ("original", "adversarial")]
    np.testing.assert_array_equal(images[0], np.asarray(Image.open("one.png")))
    assert images[1].shape == (12, 12, 3)
    assert (images[0] != images[1]).any(axis=2).sum() == record("one")["changed_pixels"]
    scores = model.predict(np.stack(images).astype(np.float32) / 255)
    assert scores.argmax(axis=1).tolist() == [record("one")[name]["index"] for name in ("label", "adversarial_label")]
    assert scores[0].argmax() != scores[1].argmax()
    assert command("out/one/adversarial.png", "--budget", 60).exit_code == 0
    assert record("adversarial")["label"] == record("one")["adversarial_label"]


def test_an_image_that_may_not_be_read_is_reported_and_the_others_go_on(command, model, monkeypatch):
    photo("a.png"), photo("closed.png", seed=1)
    may, opened = os.access, os.open

    def refuse(path, *mode, **options):
        if str(path).endswith("closed.png"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *mode, **options)

    # For the administrator no file is closed, so the refusal is played.
    monkeypatch.setattr(os, "access", lambda path, *mode, **options: "closed" not in str(path) and may(path, *mode, **options))
    monkeypatch.setattr(os, "open", refuse)
    done = command("closed.png", "a.png", "--budget", 50)
    assert done.exit_code == 1
    assert "closed.png: it can't be read (Permission denied)" in " ".join(done.output.split())
    assert record("a")["queries"] <= 50


def test_fewer_class_names_than_classes_are_refused(command, model, tmp_path):
    (tmp_path / "two.txt").write_text("none\nright\n")
    done = command(photo(), "--budget", 60, "--classes", "two.txt")
    assert done.exit_code == 1
    assert "not attacked: one: the classifier returned 3 scores per image but has 2 names" in done.output


def test_a_goal_by_name_and_labels_by_line(command, model):
    done = command(photo("a.png"), photo("b.png", seed=1), "--budget", 400, "--classes", names_file(), "--goal", "left")
    assert done.exit_code == 0, done.output
    for name in ("a", "b"):
        assert record(name)["adversarial_label"]["name"] == "left"
        assert {tuple(change[:2]) for change in record(name)["changed"]} < LEFT
        assert record(name)["goal"] == {"index": 2, "name": "left"}


def test_what_is_there_is_not_attacked_again(command, model):
    photo("a.png"), photo("b.png", seed=1)
    assert command("a.png", "--budget", 50).exit_code == 0
    asked = model.asked
    assert command("a.png", "--budget", 50).exit_code == 0
    assert model.asked == asked
    both = command("a.png", "b.png", "--budget", 50)
    assert both.exit_code == 0
    assert "1 result written to out; 1 were there already" in both.output
    forced = command("a.png", "--budget", 50, "--force")
    assert "1 result written" in forced.output


def test_results_of_other_settings_are_not_mixed_up(command, model):
    assert command(photo(), "--budget", 50).exit_code == 0
    before = record("one")
    photo("two.png", seed=1)
    other = command("one.png", "two.png", "--budget", 60)
    assert other.exit_code == 1
    assert "not attacked: one: out/one holds the result of another image or of other settings; write to" in other.output
    assert record("one") == before
    assert record("two")["budget"] == 60  # the others go on
    photo("one.png", seed=9)
    assert command("one.png", "--budget", 50).exit_code == 1
    assert record("one") == before
    assert command("one.png", "--budget", 60, "--force").exit_code == 0
    assert record("one")["budget"] == 60


def test_one_bad_image_is_told_and_the_others_go_on(command, model, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG junk")
    np.save("nan.npy", np.full((12, 12, 3), np.nan))
    done = command(photo("a.png"), "bad.png", "missing.png", "nan.npy", "--budget", 40)
    assert done.exit_code == 1
    assert record("a")["version"] == 1
    for name in (
        "bad.png",
        "missing.png: there is no such file",
        "nan.npy: an image must be float in [0, 1], but this one holds NaN",
    ):
        assert f"not attacked: {name}" in done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["a"]


def test_resizing_is_asked_for(command, model):
    done = command(photo("large.png", size=(24, 36)), "--budget", 40, "--resize", "12x14")
    assert done.exit_code == 0, done.output
    assert record("large")["shape"] == [12, 14, 3]


def test_images_of_several_sizes_are_attacked_in_one_run(command, model):
    done = command(photo("a.png"), photo("b.png", size=(14, 12)), "--budget", 40)
    assert done.exit_code == 0, done.output
    assert record("b")["shape"] == [14, 12, 3]


def signs_command(*arguments):
    app = typer.Typer()
    attack.register(app)
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["attack", *map(str, arguments), "--target", "demo:signs", "--out", "out", "--budget", "12"])


def test_a_wrong_size_is_told_and_resized_only_when_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo("large.png", size=(64, 50))
    done = signs_command("large.png")
    assert done.exit_code == 1
    assert "large: the image is 64 x 50 (height x width) but the classifier takes 48 x 48; use --resize auto" in done.output
    assert signs_command("large.png", "--resize", "auto").exit_code == 0
    assert record("large")["shape"] == [48, 48, 3]
    photo("grey.png", size=(48, 48), mode="L")
    assert signs_command("grey.png").exit_code == 0
    assert record("grey")["shape"] == [48, 48, 3]


def test_options_reach_the_target(command, model):
    assert attack.read_options(["layout=nchw", "mean=[0.5, 0.5, 0.5]", "threads=2"], "logits") == {
        "layout": "nchw", "mean": [0.5, 0.5, 0.5], "threads": 2, "scores": "logits",
    }  # fmt: skip
    done = command(photo(), "--option", "layout=nchw")
    assert isinstance(done.exception, UsageError)
    assert "layout" in str(done.exception)
    assert isinstance(command(photo(), "--option", "nonsense").exception, UsageError)
    for pairs, scores in ((["layout=nchw", "layout=nhwc"], None), (["scores=logits"], "logits")):
        with pytest.raises(UsageError, match="is given twice"):
            attack.read_options(pairs, scores)


def test_images_of_one_name_have_folders_of_their_own(command, model, tmp_path):
    (tmp_path / "x").mkdir()
    photo("one.png")
    photo("x/one.png", seed=1)
    assert command("one.png", "x/one.png", "--budget", 30).exit_code == 0
    assert sum(path.is_dir() for path in (tmp_path / "out").iterdir()) == 2


def test_arrays_of_images_with_labels(command, model):
    images = np.random.default_rng(0).integers(60, 120, (3, 12, 12, 3), dtype=np.uint8)
    np.savez("set.npz", images=images, labels=[0, 1, 0])
    done = command("set.npz", "--budget", 60)
    assert done.exit_code == 0, done.output
    assert record("set-0")["label"]["index"] == 0
    # the second is said to be of class 1 but is classified as 0
    assert record("set-1")["distance"]["value"] == 0
    assert "nothing to attack" in record("set-1")["sentence"]


def test_equal_images_are_all_written(command, model):
    image = np.full((12, 12, 3), 90, np.uint8)
    np.save("twice.npy", np.stack([image, image]))
    assert command("twice.npy", "--budget", 40).exit_code == 0
    assert record("twice-0")["changed"] == record("twice-1")["changed"]


def test_what_was_found_before_the_classifier_failed_is_kept_but_not_as_finished(command, model):
    model.fail_after = 100
    done = command(photo(), "--budget", 300)
    assert done.exit_code == 1
    assert "the endpoint has gone" in done.output
    kept = record("one")
    assert kept["settings"]["finished"] is False
    assert "the endpoint has gone" in kept["note"]
    model.fail_after = 10**9
    again = command("one.png", "--budget", 300)
    assert again.exit_code == 0, again.output
    assert record("one")["settings"]["finished"] is True


def test_a_prior_takes_the_place_of_sift(command, model):
    photo()
    prior = np.zeros((6, 6))
    prior[4, 1] = 7.5
    np.save("prior.npy", prior)
    assert command("one.png", "--budget", 60, "--prior", "prior.npy").exit_code == 0
    assert record("one")["settings"]["prior"]
    np.save("prior.npy", -prior)
    assert "nowhere above 0" in command("one.png", "--budget", 60, "--prior", "prior.npy", "--force").output


def test_same_seed_same_result(command, model):
    photo()
    records = []
    for _ in range(2):
        assert command("one.png", "--budget", 120, "--distance", "l2", "--seed", 3, "--force").exit_code == 0
        records.append(record("one"))
    assert records[0] == records[1]


def test_a_distance_of_ones_own_is_taken_by_name(command, model, monkeypatch):
    """With its own geometry: the values of the right-hand patch may be changed at a hundredth of the others' cost."""
    costs = np.ones((12, 12, 1))
    costs[3:5, 8:10] = 0.01

    def cheap_patch(differences):
        return np.sqrt((costs * differences**2).sum(axis=(1, 2, 3)))

    def nearest(slope, need, low, high):
        return clipped_ray(slope / costs, slope, need, low, high)

    monkeypatch.setattr(DISTANCES, "_loaded", dict(DISTANCES._loaded))
    assert "no distance 'cheap'; use one of l0, l1" in str(command(photo(), "--distance", "cheap").exception)
    DISTANCES.register("cheap", Distance(name="cheap", title="cheap-patch L2", measure=cheap_patch, nearest=nearest))
    done = command("one.png", "--distance", "cheap", "--budget", 900, "--classes", names_file())
    assert done.exit_code == 0, done.output
    found = record("one")
    assert found["adversarial_label"]["name"] == "right"
    assert "in cheap-patch L2 distance turns 'none' into 'right'" in found["sentence"]
    assert found["distance"]["name"] == "cheap"
    assert found["distance"]["value"] == found["distances"]["cheap"] < found["distances"]["l2"] / 5


def test_what_has_no_effect_is_refused_before_anything_is_asked(command, model):
    np.save("prior.npy", np.ones((6, 6)))
    ways = {
        ("--manipulation", "corners"): "--distance l0, --player-two random or --engine mcts.",
        ("--prior", "prior.npy"): "--distance l0 or --player-two competitive.",
    }
    for options, way in ways.items():
        done = command(photo(), "--distance", "l2", *options)
        assert isinstance(done.exception, UsageError)
        assert str(done.exception) == f"{options[0]} has no effect with --distance l2. Leave it out, or use {way}"
    assert model.asked == 0


def test_only_what_changes_the_result_makes_other_settings(command, model):
    assert command(photo(), "--budget", 50).exit_code == 0
    same = command("one.png", "--budget", 50, "--batch-size", 7)
    assert "1 were there already" in same.output
    other = command("one.png", "--budget", 50, "--seed", 7)
    assert other.exit_code == 1
    assert "other settings" in other.output


def test_an_attack_is_taken_by_name(command, model):
    assert command(photo(), "--attack", "random_pixels", "--budget", 200).exit_code == 0
    assert record("one")["settings"]["attack"] == "random_pixels"
    assert "no attack 'magic'; use one of feature_guided" in str(command("one.png", "--attack", "magic").exception)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--label", "0", "--labels", "x"], "not both"),
        (["--label", "cat"], "class names are not known"),
        (["--goal", "9x"], "--goal"),
        (["--resize", "big"], "HEIGHTxWIDTH"),
        (["--resize", "auto"], "doesn't say what size it takes"),
        (["--manipulation", "blur"], "no manipulation"),
        (["--prior", "no.npy"], "no.npy"),
        (["--classes", "no.txt"], "no.txt"),
        (["--engine", "mcts", "--player-two", "competitive"], "--engine mcts can play the cooperative game only; leave out"),
        (["--engine", "mcts", "--attack", "waves"], "--engine mcts already chooses the attack; leave out --attack."),
        (
            ["--player-two", "random", "--attack", "waves"],
            "--player-two random already chooses the attack; leave out --attack.",
        ),
        (["--attack", "waves"], "--attack waves can't be used with --distance l0; use another"),
        (["--attack", "mcts_game", "--player-two", "competitive"], "can't be used with --player-two competitive"),
        (["--engine", "mcts", "--batch-size", "8"], "--batch-size has no effect here"),
        (
            ["--attack", "waves", "--distance", "l2", "--manipulation", "corners"],
            "no effect with --attack waves. Leave one of them out.",
        ),
        (["--classes", "x", "--option", "names=y"], "leave one of them out"),
    ],
)
def test_wrong_options_are_named_before_anything_is_asked(command, model, options, said):
    done = command(photo(), *options)
    assert isinstance(done.exception, UsageError) or said in done.output
    assert said in str(done.exception) + done.output
    assert model.asked == 0


def test_labels_must_be_as_many_as_images(command, model, tmp_path):
    (tmp_path / "labels.txt").write_text("0\n1\n")
    done = command(photo(), "--labels", "labels.txt")
    assert "2 labels for 1 images" in str(done.exception)


def test_an_image_of_the_goal_class_is_told(command, model):
    done = command(photo(), "--goal", "0")
    assert done.exit_code == 1
    assert "one: its label is already the class given with --goal" in done.output


def test_the_demo_classifier_is_a_target():
    classifier = load_classifier("demo:signs")
    shape = classifier.image_shape
    assert shape == (48, 48, 3)
    assert "stop" in classifier.class_names
    with pytest.raises(UsageError, match="demo:signs"):
        load_classifier("demo:cats")
