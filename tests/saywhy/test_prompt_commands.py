"""describe, classify, improve and evaluate prompts, as a user calls them."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from agents import read_pairs

NAMES = ["cat", "dog", "bird", "fish"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, make_tiny_clip):
    """A tiny CLIP, four classes of coloured noise, five images of each, and class names."""
    root = tmp_path_factory.mktemp("world")
    make_tiny_clip(root / "clip")
    rng = np.random.default_rng(0)
    for index, name in enumerate(NAMES):
        for part, count in (("shots", 1), ("photos", 5)):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 120, size=(24, 24, 3), dtype=np.uint8)
                pixels[..., index % 3] += np.uint8(60 + 30 * (index // 3))
                Image.fromarray(pixels).save(root / part / name / f"{number}.png")
    (root / "classes.json").write_text(json.dumps(NAMES), encoding="utf-8")
    return root


def reply(request):
    text = " ".join(str(message["content"]) for message in request.messages)
    first, second = re.search(r"First class: (\S+)\s+Second class: (\S+)", text).groups()
    if {first, second} == {"cat", "fish"}:
        return "no"
    return json.dumps(
        {
            "attributes": [
                {"attribute": "fur", "first_caption": f"{first} with red fur", "second_caption": f"{second} with blue fur"}
            ]
        }
    )


def test_from_classes_to_a_report(saywhy, world, chat_server, tmp_path):
    server = chat_server(behave=reply)
    out, common = tmp_path / "pairs.json", ["--encoder", f"clip:{world / 'clip'}", "--embeddings", tmp_path / "kept"]
    classes = ["--classes", world / "classes.json"]
    described = saywhy(
        "describe", *classes, "--images", world / "photos", *common, "--llm", f"{server.url}#m", "--k", 4, "--out", out
    )
    assert described.returncode == 1
    assert "cat / fish" in described.stderr
    assert len(read_pairs(out, NAMES)) == 5
    asked = len(server.requests)
    again = saywhy("describe", *classes, "--all-pairs", "--llm", f"{server.url}#m", "--out", out)
    assert again.returncode == 1
    assert len(server.requests) == asked

    table = tmp_path / "table.csv"
    classified = saywhy(
        "classify", *classes, "--images", world / "photos", *common, "--descriptions", out, "--k", 4, "--out", table
    )
    assert classified.returncode == 0
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert len(rows) == 20
    assert {row["label"] for row in rows} == set(NAMES)
    assert all(row["final"] in row["candidates"].split("|") for row in rows)
    assert "1 pair that the images need is not described (cat / fish first)" in classified.stderr

    prompts = tmp_path / "prompts.json"
    improved = saywhy(
        "improve", "--shots", world / "shots", "--test", world / "photos", *classes, *common, "--descriptions", out,
        "--rounds", 1, "--out", prompts,
    )  # fmt: skip
    assert improved.returncode == 0
    assert "McNemar" in improved.stdout
    assert set(json.loads(prompts.read_text(encoding="utf-8"))["prompts"]) == set(NAMES)
    assert not (tmp_path / "prompts.json.state").exists()

    for file, again in ((out, ["--k", 4]), (prompts, [])):
        judged = saywhy("evaluate", "prompts", file, *classes, "--images", world / "photos", *common, "--json", *again)
        report = json.loads(judged.stdout)
        assert report["comparison"]["images"] == 20
        assert [control["name"] for control in report["controls"]][2] == "random words"
    with_prompts = saywhy("classify", *classes, "--images", world / "photos", *common, "--prompts", prompts)
    assert with_prompts.stdout.startswith("path,label,first,final,candidates,scores\n")
    assert len(with_prompts.stdout.splitlines()) == 21


def test_a_classifier_comes_with_a_report_and_classifies(saywhy, world, tmp_path):
    common = ["--encoder", f"clip:{world / 'clip'}", "--embeddings", tmp_path / "kept"]
    shots, prompts = world / "photos", tmp_path / "my.prompts.json"
    words = ["improve", "--shots", shots, "--out", prompts, "--folds", 3, *common]
    done = saywhy(*words, "--method", "anchored-probe", "--must-not-break", shots)
    assert done.returncode == 0, done.stderr
    assert "* anchored-probe" in done.stdout
    assert "unseen folds of the shots" in done.stdout
    assert "give --test" in done.stderr
    report = json.loads((tmp_path / "my.prompts.report.json").read_text(encoding="utf-8"))["alternatives"]
    assert (report["method"], report["folds"]) == ("anchored-probe", 3)
    assert {row["name"] for row in report["methods"]} >= {"prompts", "probe", "tip-adapter", "prompts+prototype"}
    assert all(0 <= row["held_out"]["low"] <= row["held_out"]["high"] <= 1 for row in report["methods"])
    assert len(json.loads(prompts.read_text(encoding="utf-8"))["prompts"]) == 4

    file = tmp_path / "my.prompts.classifier.npz"
    call = ["classify", "--classes", world / "classes.json", "--images", world / "photos", *common, "--classifier"]
    classified = saywhy(*call, file)
    assert classified.returncode == 0, classified.stderr
    rows = list(csv.DictReader(classified.stdout.splitlines()))
    assert sum(row["final"] == row["label"] for row in rows) > 10  # of 20 images that it was made of
    assert all(len(row["candidates"].split("|")) == 4 for row in rows)
    for others, says in ((["--prompts", prompts], "give one of"), (["--mix", 0.5], "--mix goes with --descriptions")):
        refused = saywhy(*call, file, *others)
        assert refused.returncode == 2
        assert says in refused.stderr
    assert saywhy(*call, prompts).returncode == 2
    again = saywhy(*words, "--method", "templates")
    assert again.returncode == 0, again.stderr
    assert "is from an earlier run" in again.stderr


def test_a_classifier_can_not_go_into_a_pipe(saywhy, world):
    words = ["improve", "--shots", world / "shots", "--encoder", f"clip:{world / 'clip'}", "--out", "/dev/null"]
    done = saywhy(*words, "--method", "probe")
    assert done.returncode == 2
    assert "is no file" in done.stderr
    piped = saywhy(*words)
    assert piped.returncode == 0, piped.stderr
    assert "prompts was picked" in piped.stderr


def test_all_pairs_need_no_images_and_a_ceiling_is_kept(saywhy, world, chat_server, tmp_path):
    server = chat_server(behave=reply)
    call = ["describe", "--classes", world / "classes.json", "--all-pairs", "--llm", f"{server.url}#m", "--out"]
    first = saywhy(*call, tmp_path / "pairs.json", "--max-requests", 2, "--concurrency", 1)
    assert first.returncode == 2  # a ceiling was reached, as in every command
    assert "not asked yet" in first.stderr
    assert len(server.requests) == 2
    offline = saywhy(*call, tmp_path / "pairs.json", "--offline")
    assert offline.returncode == 2
    assert "offline" in offline.stderr
    saywhy(*call, tmp_path / "pairs.json")
    assert len(read_pairs(tmp_path / "pairs.json", NAMES)) == 5


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ("alone\n", "names one class alone"),
        ('[["a"],["b"]]', "names one class alone"),  # a line of a text file
        ("\n".join(f"class {number}" for number in range(6000)), "--ceiling pairs=17997000"),
    ],
)
def test_one_class_is_no_pair_and_thousands_are_too_many(saywhy, tmp_path, classes, says):
    (tmp_path / "c.txt").write_text(classes, encoding="utf-8")
    words = ["--classes", tmp_path / "c.txt", "--all-pairs", "--llm", "http://127.0.0.1:9/v1#m", "--out", tmp_path / "o.json"]
    done = saywhy("describe", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["c.txt"]  # no empty reply cache either


def test_a_broken_image_is_left_out_and_reported(saywhy, world, tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "bad.png").write_bytes(b"nothing")
    good = next((world / "photos" / "cat").iterdir())
    (tmp_path / "photos" / "cat" / "good.png").write_bytes(good.read_bytes())
    result = saywhy(
        "classify", "--classes", world / "classes.json", "--images", tmp_path / "photos", "--encoder", f"clip:{world / 'clip'}"
    )
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 2
    assert "bad.png" in result.stderr


def test_shots_among_the_test_images_are_left_out_of_the_test(saywhy, world, tmp_path):
    arguments = ["improve", "--shots", world / "shots", "--encoder", f"clip:{world / 'clip'}"]
    done = saywhy(*arguments, "--test", world / "shots", "--out", tmp_path / "p.json")
    assert done.returncode == 2
    assert "did not see" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["describe", "--llm", "http://localhost:1/v1#m", "--out", "x.json"], "--all-pairs"),
        (["classify", "--images", "nowhere", "--encoder", "text:minilm"], "nowhere"),
        (["classify", "--images", ".", "--encoder", "x:y"], "no encoder"),
    ],
)
def test_mistakes_are_explained(saywhy, world, tmp_path, arguments, says):
    done = saywhy(*arguments, "--classes", world / "classes.json", folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr


def pair_file(path):
    captions = {
        (i, j): (f"a {NAMES[i]}, not a {NAMES[j]}", f"a {NAMES[j]}, unlike a {NAMES[i]}") for i in range(4) for j in range(i)
    }
    entries = {
        f"{j}_{i}": {"classes": [i, j], "prompt_pairs": [{"attr_type": "look", "prompt_pair": list(two)}]}
        for (i, j), two in captions.items()
    }
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


@pytest.mark.long
@pytest.mark.parametrize("encoders", [1, 2])
def test_a_long_evaluation_says_how_far_it_is(saywhy, world, tmp_path, monkeypatch, encoders):
    monkeypatch.setattr("saywhy_core.progress.FIRST", 0.0)
    common = [
        pair_file(tmp_path / "pairs.json"),
        "--classes",
        world / "classes.json",
        "--images",
        world / "photos",
        "--draws",
        1,
    ]
    given = ["--encoder", f"clip:{world / 'clip'}", "--encoder", "x:1"][: 2 * encoders]
    done = saywhy("evaluate", "prompts", *common, *given)
    assert "deciding by texts and controls: 1 of 8 done" in done.stderr


@pytest.mark.long
def test_the_second_look_by_choice_over_several_encoders(saywhy, world, tmp_path):
    pairs = pair_file(tmp_path / "pairs.json")
    good = f"clip:{world / 'clip'}"
    common = [pairs, "--classes", world / "classes.json", "--images", world / "photos", "--draws", 1]
    alone = saywhy(
        "evaluate", "prompts", *common, "--encoder", good, "--first", "80", "--aggregate", "margins", "--k-sweep", "--k", 3,
        "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert alone.returncode == 0
    assert "80 templates" in alone.stdout
    assert "captions averaged" in alone.stdout
    assert "without class names" in alone.stdout
    assert re.search(r"\n +4 +\d", alone.stdout)
    assert {path.name for path in (tmp_path / "plots").iterdir() if path.suffix in (".png", ".svg")} == {
        "by-k.png", "by-k.svg", "confusions.png", "confusions.svg",
    }  # fmt: skip
    both = saywhy(
        "evaluate", "prompts", *common, "--encoder", good, "--encoder", f"clip:{tmp_path / 'none'}", "--json", "--k", 3
    )
    assert both.returncode == 1
    assert "left out" in both.stderr
    found = json.loads(both.stdout)["encoders"]
    assert found[0]["report"]["comparison"]["images"] == 20
    assert found[1]["report"] is None
    assert found[1]["failure"]
    neither = saywhy("evaluate", "prompts", *common, "--encoder", "x:1", "--encoder", "x:2")
    assert neither.returncode == 2
    assert "no encoder could be used" in neither.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"), [("--aggregate", "median", "aggregate must be one of"), ("--first", "none", "no first look")]
)
def test_a_wrong_second_look_is_told_before_anything_is_encoded(saywhy, world, tmp_path, option, value, says):
    pairs = pair_file(tmp_path / "pairs.json")
    common = ["--classes", world / "classes.json", "--images", world / "photos", "--encoder", "clip:nowhere", option, value]
    for call in (["evaluate", "prompts", pairs], ["classify", "--descriptions", pairs]):
        done = saywhy(*call, *common)
        assert done.returncode == 2
        assert says in done.stderr


def test_the_csv_has_the_scores_of_another_aggregation(saywhy, world, tmp_path):
    pairs = pair_file(tmp_path / "pairs.json")
    done = saywhy(
        "classify", "--classes", world / "classes.json", "--images", world / "photos", "--encoder", f"clip:{world / 'clip'}",
        "--descriptions", pairs, "--k", 3, "--aggregate", "votes", "--first", "name",
    )  # fmt: skip
    assert done.returncode == 0
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert {float(score) for row in rows for score in row["scores"].split("|")} <= {0.0, 0.25, 0.5, 0.75, 1.0}
