"""`saywhy evaluate maps` and `saywhy evaluate agree`, as a user types them."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from saywhy import signs
from verbalize import Query, TokenSaliency, write_saliency

WORDS = """
import numpy as np


def scores(texts):
    return np.array([[2.0 * text.count("great") - text.count("dull"), 0.5] for text in texts])
"""
BY_COUNTS = [
    "--model", "python:counted_words:scores", "--trust", "--model-option", "reads=texts", "--model-option", "scores=logits",
    "--classes", "names.txt",
]  # fmt: skip
QUICK = ["--metric", "deletion", "--metric", "insertion"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counted_words.py").write_text(WORDS)
    (tmp_path / "names.txt").write_text("positive\nnegative\n")
    (tmp_path / "texts.txt").write_text("a great film\nnot a dull one\nso great\n")
    images, _ = signs.samples()
    for index in range(2):
        Image.fromarray((images[index] * 255).astype(np.uint8)).save(tmp_path / f"sign{index}.png")
    return tmp_path


def test_methods_are_ranked_on_texts_of_a_black_box(saywhy, folder):
    done = saywhy("evaluate", "maps", "texts.txt", *BY_COUNTS, *QUICK, "--method", "occlusion", "--out", "out", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "3 inputs, 1 method, 1 kind of question: 3 maps to make and to measure" in done.stderr
    assert "occlusion has the best mean rank" in done.stdout
    with (folder / "out" / "means.csv").open(newline="") as stream:
        rows = {(row["method"], row["metric"]): row for row in csv.DictReader(stream)}
    assert float(rows["occlusion", "deletion"]["logits"]) < float(rows["random", "deletion"]["logits"])
    assert (folder / "out" / "report.html").stat().st_size > 3000


def test_what_a_method_cant_do_is_told_and_the_exit_status_says_so(saywhy, folder):
    done = saywhy(
        "evaluate", "maps", "sign0.png", "sign1.png", "--model", "demo:signs", "--method", "eigen_cam", "--method", "layer_cam",
        "--question", "contrastive", *QUICK, "--json", folder=folder,
    )  # fmt: skip
    assert done.returncode == 1
    assert "eigen_cam (contrastive): eigen_cam looks at no class" in done.stderr
    rows = json.loads(done.stdout)
    assert {row["method"] for row in rows} == {"layer_cam", "random"}
    assert all(row["question"] == "contrastive" for row in rows)


def test_masks_of_the_truth_are_found_by_the_ids_of_the_inputs(saywhy, folder):
    mask = np.zeros((48, 48), bool)
    mask[12:36, 12:36] = True
    np.savez(folder / "truth.npz", sign0=mask, sign1=np.stack([mask, ~mask]))
    call = [
        "evaluate",
        "maps",
        "sign0.png",
        "sign1.png",
        "--model",
        "demo:signs",
        "--method",
        "layer_cam",
        "--truth",
        "truth.npz",
    ]
    done = saywhy(*call, "--metric", "pointing_game", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    (cam, _) = json.loads(done.stdout)
    assert cam["logits"] in (0.5, 1.0)
    np.savez(folder / "truth.npz", sign0=mask)
    done = saywhy(*call, "--metric", "pointing_game", folder=folder)
    assert done.returncode == 2
    assert "has no masks for 'sign1'" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "magic"], "no attribution method 'magic'"),
        (["--metric", "magic"], "magic"),
        (["--question", "why"], "why"),
        (["--group", "dogs"], "--group takes NAME=CLASS,CLASS"),
        (["--group", "a=positive", "--group", "a=negative"], "given twice"),
        (["--group", "a=positive", "--metric", "deletion"], "groups has no effect"),
        (["--level", "2"], "a level of 2"),
        (["--by", "blur", "--metric", "deletion"], "blur"),
    ],
)
def test_wrong_words_are_told_in_a_sentence(saywhy, folder, words, said):
    method = [] if "--method" in words else ["--method", "occlusion"]
    done = saywhy("evaluate", "maps", "texts.txt", *BY_COUNTS, *method, *words, folder=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert "itself failed" not in done.stderr


def maps(folder, **scores):
    words = ["the", "service", "is", "still", "rude"]
    for name, rows in scores.items():
        made = [TokenSaliency(words, row, Query("negative"), id=f"r{index}") for index, row in enumerate(rows)]
        write_saliency(made, folder / f"{name}.jsonl")


def test_where_maps_agree_is_said_in_words(saywhy, folder):
    maps(folder, a=[[0, 0, 0, 1, 2]], b=[[0, 1, 0, 0, 2]], c=[[0, 0, 0, 1, 2]])
    done = saywhy("evaluate", "agree", "a.jsonl", "b.jsonl", "c.jsonl", "--out", "o.csv", "--pairs", "p.csv", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "All three methods name 'rude'; two of three methods name 'still'; they disagree on 'service'." in done.stdout
    assert len((folder / "p.csv").read_text().splitlines()) == 4
    assert "'rude'" in (folder / "o.csv").read_text()


def test_maps_without_a_partner_are_left_out_with_a_note(saywhy, folder):
    maps(folder, a=[[0, 0, 0, 1, 2], [1, 0, 0, 0, 0]], b=[[0, 1, 0, 0, 2]])
    done = saywhy("evaluate", "agree", "a.jsonl", "b.jsonl", "--json", folder=folder)
    assert done.returncode == 1, done.stderr
    assert "a: left out 1 map of inputs that are not in every file" in done.stderr
    found = json.loads(done.stdout)
    assert found["named"]["a"] == ["still", "rude"]
    assert found["places"]["a"] == [4, 5]


def test_one_file_is_no_comparison(saywhy, folder):
    maps(folder, a=[[0, 0, 0, 1, 2]])
    done = saywhy("evaluate", "agree", "a.jsonl", folder=folder)
    assert done.returncode == 2
    assert "two methods or more" in done.stderr


def test_one_file_under_two_names_is_no_comparison(saywhy, folder):
    maps(folder, a=[[0, 0, 0, 1, 2]])
    (folder / "b.jsonl").symlink_to(folder / "a.jsonl")
    for other in ("a.jsonl", "./a.jsonl", "b.jsonl"):
        done = saywhy("evaluate", "agree", "a.jsonl", other, folder=folder)
        assert done.returncode == 2
        assert f"{other} is given twice" in done.stderr
