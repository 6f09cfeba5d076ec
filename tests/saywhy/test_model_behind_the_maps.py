"""--model on commands that read or write texts: the model that the maps explain decides what it does with changed inputs."""

import json

import pytest

from verbalize import Query, TokenSaliency, write_saliency

SCORES = """
def scores(texts):
    return [[1.5 * text.count("great"), 1.0] for text in texts]
"""
BY_COUNTS = [
    "--model", "python:counted_greats:scores", "--trust", "--model-option", "reads=texts", "--model-option", "scores=logits",
    "--classes", "names.txt",
]  # fmt: skip
FILM = TokenSaliency(["a", "great", "film", "but", "slow"], [0.0, 0.6, 0.2, -0.1, -0.5], Query("positive"), id="film")
TRUE, FALSE = "Without 'great', the model says 'negative'.", "Without 'film', the model says 'negative'."
ODD = "Had 'film' not been there, o reader, a different verdict it would have been."


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counted_greats.py").write_text(SCORES)
    (tmp_path / "names.txt").write_text("positive\nnegative\n")
    write_saliency([FILM], tmp_path / "film.jsonl")
    texts = [{"id": "film", "text": text} for text in (TRUE, FALSE)]
    (tmp_path / "texts.jsonl").write_text("".join(f"{json.dumps(text)}\n" for text in texts))
    return tmp_path


def test_wrong_effects_are_measured(saywhy, folder):
    words = ["evaluate", "wording", "texts.jsonl", "--maps", "film.jsonl", "--json"]
    plain = json.loads(saywhy(*words, folder=folder).stdout)
    assert (plain["wrong effect"], plain["undecided"]) == (0, 2)
    done = saywhy(*words, *BY_COUNTS, folder=folder)
    assert done.returncode == 0, done.stderr
    tested = json.loads(done.stdout)
    assert (tested["wrong effect"], tested["undecided"]) == (1, 0)


def test_other_words_are_tried(saywhy, folder):
    done = saywhy("verbalize", "film.jsonl", *BY_COUNTS, "--replace", "great=dull", "--format", "text", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "With 'dull' in place of 'great', the model says 'negative' instead of 'positive'." in done.stdout
    wrong = saywhy("verbalize", "film.jsonl", *BY_COUNTS, "--replace", "great", folder=folder)
    assert wrong.returncode == 2
    assert "--replace is given as WORDS=WORDS" in wrong.stderr
    idle = saywhy("verbalize", "film.jsonl", *BY_COUNTS, "--replace", "zebra=horse", folder=folder)
    assert idle.returncode == 2
    assert "--replace has an effect on maps over texts with these words alone" in idle.stderr


def test_a_narrated_text_says_what_was_tested(saywhy, folder, chat_server):
    server = chat_server(default=json.dumps({"groups": [{"claims": [1]}]}))
    words = ["verbalize", "film.jsonl", "--style", "composed", "--llm", f"{server.url}#m", *BY_COUNTS]
    done = saywhy(*words, "--format", "text", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Without 'great film', the model says 'negative' instead of 'positive'." in done.stdout


def test_what_a_language_model_reads_of_changed_inputs_is_tried(saywhy, folder, chat_server):
    claims = [{"kind": "decisive", "parts": [2]}]
    server = chat_server(default=json.dumps({"claims": claims, "complete": True}))
    words = ["check", "--text", ODD, "--map", "film.jsonl", "--llm", f"{server.url}#m"]
    plain = saywhy(*words, folder=folder)
    assert plain.returncode == 0, plain.stdout
    done = saywhy(*words, *BY_COUNTS, folder=folder)
    assert done.returncode == 1, done.stdout
    assert "wrong effect, as read by a model: without 'film' the model still says 'positive'" in done.stdout
