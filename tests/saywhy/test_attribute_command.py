"""`saywhy attribute`: inputs of a model in, maps out, which `saywhy verbalize` and `saywhy check` take."""

import json

import numpy as np
import pytest
from PIL import Image

from saywhy import signs
from verbalize import read_saliency

WORDS = """
import numpy as np


def scores(texts):
    return np.array([[2.0 * text.count("great") - text.count("dull"), 0.5] for text in texts])
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counted_words.py").write_text(WORDS)
    (tmp_path / "names.txt").write_text("positive\nnegative\n")
    (tmp_path / "texts.txt").write_text("a great film\n\nnot dull\n")
    images, _ = signs.samples()
    Image.fromarray((images[0] * 255).astype(np.uint8)).save(tmp_path / "stop.png")
    np.save(tmp_path / "three.npy", images[:3])
    return tmp_path


BY_COUNTS = [
    "--model", "python:counted_words:scores", "--trust", "--model-option", "reads=texts", "--model-option", "scores=logits",
    "--classes", "names.txt", "--method", "occlusion",
]  # fmt: skip
BY_SIGNS = ["--model", "demo:signs", "--method", "occlusion", "--option", "patch=12"]


def test_the_lines_of_a_text_become_maps_that_are_put_into_words_and_checked(saywhy, folder):
    done = saywhy(
        "attribute",
        "texts.txt",
        *BY_COUNTS,
        "--query",
        "positive",
        "--versus",
        "negative",
        "--out",
        "maps.jsonl",
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    assert "2 texts to explain by occlusion" in done.stderr
    first, second = read_saliency(folder / "maps.jsonl")
    assert (first.id, first.tokens, first.query.versus) == ("texts-1", ("a", "great", "film"), ("negative",))
    assert first.scores == pytest.approx([0, 2, 0])
    assert (second.id, second.prediction.label) == ("texts-3", "negative")
    assert second.scores == pytest.approx([0, -1])
    assert saywhy("verbalize", "maps.jsonl", "--out", "said.jsonl", folder=folder).returncode == 0
    assert saywhy("check", "said.jsonl", "--maps", "maps.jsonl", folder=folder).returncode == 0


def test_maps_of_texts_go_through_a_pipe(saywhy, folder):
    made = saywhy(
        "attribute", "-", *BY_COUNTS, folder=folder, stdin='{"id": "a", "text": "a great film", "label": "positive"}\n'
    )
    assert made.returncode == 0, made.stderr
    record = json.loads(made.stdout)
    assert record["prediction"]["true_label"] == "positive"
    said = saywhy("verbalize", "-", folder=folder, stdin=made.stdout)
    assert "'great'" in json.loads(said.stdout)["text"]


def test_images_become_maps_with_their_pictures(saywhy, folder):
    done = saywhy("attribute", "stop.png", "three.npy", *BY_SIGNS, "--out", "maps.jsonl", folder=folder)
    assert done.returncode == 0, done.stderr
    maps = read_saliency(folder / "maps.jsonl")
    assert [one.id for one in maps] == ["stop", "three-0", "three-1", "three-2"]
    assert all(one.image is not None and one.shape == (48, 48) for one in maps)
    assert maps[0].prediction.label == maps[0].query.label == "stop"
    assert saywhy("verbalize", "maps.jsonl", "--out", "said.jsonl", folder=folder).returncode == 0
    assert saywhy("check", "said.jsonl", "--maps", "maps.jsonl", folder=folder).returncode == 0


def test_records_that_cannot_be_used_are_told_and_the_others_go_on(saywhy, folder):
    lines = ['{"id": "a", "text": "great"}', '{"id": "a", "text": "again"}', '{"text": 3}', '{"id": "b", "text": " "}', "{"]
    (folder / "bad.jsonl").write_text("\n".join(lines))
    done = saywhy("attribute", "bad.jsonl", *BY_COUNTS, "--out", "maps.jsonl", folder=folder)
    assert done.returncode == 1
    assert [one.id for one in read_saliency(folder / "maps.jsonl")] == ["a"]
    assert "line 2, id a: an earlier record has this id" in done.stderr
    assert "not explained: bad.jsonl, line 4, id b: there is no text to explain" in done.stderr
    assert done.stderr.count("not read:") == 3


def test_a_broken_picture_does_not_stop_the_others(saywhy, folder):
    (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    done = saywhy("attribute", "broken.png", "stop.png", *BY_SIGNS, "--out", "maps.jsonl", folder=folder)
    assert done.returncode == 1
    assert [one.id for one in read_saliency(folder / "maps.jsonl")] == ["stop"]


def test_the_predicted_label_is_set_against_another_one(saywhy, folder):
    words = ["--versus", "negative", "--out", "maps.jsonl"]
    done = saywhy("attribute", "texts.txt", *BY_COUNTS, *words, folder=folder)
    assert done.returncode == 1
    assert "the model predicts 'negative' itself" in done.stderr
    (found,) = read_saliency(folder / "maps.jsonl")
    assert (found.query.label, found.query.versus) == ("positive", ("negative",))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stop.png", *BY_SIGNS], "name a file with --out"),
        (["stop.png", *BY_SIGNS, "--query", "stopp", "--out", "o.jsonl"], "has no class 'stopp'"),
        (["stop.png", *BY_SIGNS, "--option", "steps=3", "--out", "o.jsonl"], "steps has no effect on the method 'occlusion'"),
        (["stop.png", *BY_SIGNS, "--option", "steps", "--out", "o.jsonl"], "--option takes NAME=VALUE"),
        (["stop.png", *BY_SIGNS, "--member", "stop", "--out", "o.jsonl"], "need a name for the group"),
        (["stop.png", *BY_SIGNS, "--trust", "--out", "o.jsonl"], "trust has no effect"),
        (["texts.txt", *BY_COUNTS[:-1], "integrated_gradients"], "needs the gradients of the model"),
        (["texts.txt", *BY_COUNTS[:-1], "none-such"], "no attribution method 'none-such'"),
        (["texts.txt", *[word for word in BY_COUNTS if word != "--trust"]], "allow that with --trust"),
        (["texts.txt", "--method", "occlusion"], "name the model with --model"),
        (["none.txt", *BY_COUNTS], "none.txt"),
        (["texts.txt", "--model", "minilm"], "compares a text with descriptions"),
        (["texts.txt", "--model", "minilm", "--class", "a"], "--class takes NAME=TEXT"),
        (["texts.txt", "--model", "minilm", "--class", "a=x", "--class", "a=y"], "needs two classes or more"),
        (["stop.png", *BY_COUNTS], "stop.png is a picture, and this model reads texts"),
        ([".", *BY_COUNTS], ". is a folder, and this model reads texts"),
        (["stop.png", *BY_SIGNS[:-1], "patch=abc", "--out", "o.jsonl"], "patch must be a whole number of 1 or more, not 'abc'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence_before_the_work(saywhy, folder, words, says):
    before = {path for path in folder.rglob("*") if "__pycache__" not in path.parts}
    done = saywhy("attribute", *words, folder=folder)
    assert done.returncode == 2
    assert says in done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    assert {path for path in folder.rglob("*") if "__pycache__" not in path.parts} == before


def test_where_no_map_is_made_the_file_stays_as_it_was(saywhy, folder):
    (folder / "empty.jsonl").write_text('{"id": "b", "text": " "}\n')
    (folder / "maps.jsonl").write_text("kept")
    done = saywhy("attribute", "empty.jsonl", *BY_COUNTS, "--out", "maps.jsonl", folder=folder)
    assert (done.returncode, (folder / "maps.jsonl").read_text()) == (1, "kept")
    assert "no map was made, so maps.jsonl was not written" in done.stderr


def test_the_methods_are_listed_with_what_they_need_and_answer(saywhy, folder):
    done = saywhy("attribute", "--methods", folder=folder)
    assert done.returncode == 0
    assert "occlusion: the drop of the score" in done.stdout
    assert "texts: needs scores; answers pointwise, contrastive, group questions" in done.stdout


@pytest.mark.parametrize("out", ["-", "maps.jsonl"])
def test_a_wrong_number_of_classes_is_told_once_before_anything_runs(saywhy, folder, out):
    (folder / "names.txt").write_text("positive\nneutral\nnegative\n")
    done = saywhy("attribute", "texts.txt", *BY_COUNTS, "--out", out, folder=folder)
    assert done.returncode == 2
    assert done.stderr.count("answers with 2 scores per input, and 3 class names are given") == 1
    assert "to explain by" not in done.stderr
    assert "texts-1" not in done.stderr
    assert not list(folder.glob("maps.jsonl*"))
