"""`saywhy check`: one text or many, against the maps that they are about."""

import json

import numpy as np
import pytest
from PIL import Image

from verbalize import Query, TokenSaliency, write_saliency

FILM = TokenSaliency(["a", "great", "film", "but", "slow"], [0.0, 0.6, 0.2, -0.1, -0.5], Query("positive"), id="film")
PLOT = TokenSaliency(["great", "plot"], [-1.0, 2.0], Query("positive"), id="plot")
TRUE, FALSE, IDLE = "'great' speaks for 'positive'.", "'slow' also speaks for 'positive'.", "Lovely film."


@pytest.fixture
def folder(tmp_path):
    write_saliency([FILM], tmp_path / "film.jsonl")
    write_saliency([FILM, PLOT], tmp_path / "both.jsonl")
    return tmp_path


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_one_text_and_one_map(saywhy, folder):
    done = saywhy("check", "--text", f"{TRUE} {FALSE} {IDLE}", "--map", "film.jsonl", folder=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "false: 'slow' also speaks for 'positive'.",
        "    wrong sign: 'slow' is said to speak for 'positive' but speaks against it: -0.5",
        "not verified: Lovely film.",
        *done.stdout.splitlines()[3:4],
        "1 text, 3 sentences: 1 true, 1 false, 1 not verified",
    ]


@pytest.mark.parametrize("name", ["t.txt", "t.md", "t"])
def test_a_plain_text_in_a_file_or_on_standard_input(saywhy, folder, name):
    (folder / name).write_text(TRUE)
    assert "1 true, 0 false" in saywhy("check", name, "--maps", "film.jsonl", folder=folder).stdout
    assert "1 true, 0 false" in saywhy("check", "-", "--maps", "film.jsonl", folder=folder, stdin=TRUE).stdout


def test_texts_without_ids_belong_to_the_maps_in_their_order(saywhy, folder):
    (folder / "t.jsonl").write_text(f'{{"text": "{TRUE}"}}\n{{"text": "{TRUE}"}}\n')
    done = saywhy("check", "t.jsonl", "--maps", "both.jsonl", "--json", folder=folder)
    assert [(record["id"], record["status"]) for record in lines(done.stdout)] == [("film", "true"), ("plot", "false")]
    done = saywhy("check", "t.jsonl", "--maps", "film.jsonl", folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there are 2 texts and 1 maps" in done.stderr


def test_texts_without_ids_are_not_paired_where_a_map_was_lost(saywhy, folder):
    maps = (folder / "both.jsonl").read_text().splitlines()
    (folder / "three.jsonl").write_text("\n".join([maps[0], "{", maps[1]]))
    (folder / "t.jsonl").write_text(f'{{"text": "{TRUE}"}}\n{{"text": "{TRUE}"}}\n')
    done = saywhy("check", "t.jsonl", "--maps", "three.jsonl", folder=folder)
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert "can't be paired" in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(("text", "status"), [(TRUE, 0), (f"{TRUE} {IDLE}", 1), (IDLE, 1)])
def test_strict_is_content_with_nothing_but_truth(saywhy, folder, text, status):
    assert saywhy("check", "--text", text, "--map", "film.jsonl", folder=folder).returncode == 0
    assert saywhy("check", "--text", text, "--map", "film.jsonl", "--strict", folder=folder).returncode == status


def test_strict_is_not_content_with_a_text_without_sentences(saywhy, folder):
    (folder / "t.jsonl").write_text('{"id": "film", "text": ""}\n')
    done = saywhy("check", "t.jsonl", "--maps", "film.jsonl", "--strict", folder=folder)
    assert done.returncode == 1
    assert "no sentences" in done.stdout


def test_why_lists_every_sentence_with_its_claims(saywhy, folder):
    done = saywhy("check", "--text", f"{TRUE} {IDLE}", "--map", "film.jsonl", "--why", folder=folder)
    assert f"true: {TRUE}\n    claim: supports 'great' label='positive'\n    rules: fixed: supports\n" in done.stdout
    assert f"not verified: {IDLE}\n" in done.stdout


def test_what_no_rule_reads_keeps_a_sentence_from_being_true(saywhy, folder):
    rider = f"{TRUE[:-1]}, because the critic was paid."
    done = saywhy("check", "--text", rider, "--map", "film.jsonl", "--why", folder=folder)
    assert f"not verified: {rider}\n    no rule reads 'because the critic was paid'" in done.stdout
    assert "    left over: because the critic was paid\n" in done.stdout
    (record,) = lines(saywhy("check", "--text", rider, "--map", "film.jsonl", "--json", folder=folder).stdout)
    assert record["sentences"][0]["left_over"] == ["because the critic was paid"]
    assert record["sentences"][0]["rules"] == ["speaks for the label"]


def test_json_says_all_of_it(saywhy, folder):
    done = saywhy("check", "--text", f"{TRUE} {FALSE} {IDLE}", "--map", "film.jsonl", "--json", folder=folder)
    (record,) = lines(done.stdout)
    assert (record["status"], record["counts"]["true"], record["counts"]["not verified"]) == ("false", 1, 1)
    assert [sentence["status"] for sentence in record["sentences"]] == ["true", "false", "not verified"]
    assert all({"claims", "errors", "undecided", "rules", "left_over"} <= set(sentence) for sentence in record["sentences"])


def test_what_a_terminal_would_obey_is_written_as_an_escape(saywhy, folder):
    (folder / "t.jsonl").write_text(json.dumps({"id": "film", "text": "Lovely \x1b[2J\x1b]0;x\x07 film \u202e reversed."}))
    done = saywhy("check", "t.jsonl", "--maps", "film.jsonl", folder=folder)
    assert "\\x1b[2J" in done.stdout
    assert not set("\x1b\x07\u202e") & set(done.stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give a file of texts, or one text with --text"),
        (["t.txt", "--text", "x"], "not both"),
        (["--text", "  "], "--text is empty"),
        (["nowhere.txt"], "nowhere.txt does not exist"),
        (["'great' speaks for it."], "a text itself is given with --text"),
        (["--text", "film.jsonl"], "--text takes the text itself, and film.jsonl is a file"),
        (["table.csv"], "table.csv is a table"),
        (["zero.txt"], "zero.txt is not text"),
        (["-", "--text", "x"], "not both"),
    ],
)
def test_mistakes_are_told_in_one_sentence(saywhy, folder, words, says):
    (folder / "table.csv").write_text("id,text\nfilm,x\n")
    (folder / "zero.txt").write_bytes(b"a\0b")
    done = saywhy("check", *words, "--maps", "film.jsonl", folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert says in done.stderr


def test_standard_input_is_one_thing_only(saywhy, folder):
    done = saywhy("check", "-", "--maps", "-", folder=folder)
    assert done.returncode == 2
    assert "can't both be standard input" in done.stderr


def test_an_option_given_twice_is_refused(saywhy, folder):
    done = saywhy("check", "--text", TRUE, "--map", "film.jsonl", "--maps", "both.jsonl", folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--maps/--map is given 2 times" in done.stderr


def test_maps_in_the_place_of_texts_are_told(saywhy, folder):
    done = saywhy("check", "film.jsonl", "--maps", "film.jsonl", folder=folder)
    assert done.returncode == 2
    assert "looks like a map, not a text" in done.stderr
    assert not done.stdout


def reads(claims, *, complete=True):
    return json.dumps({"claims": claims, "complete": complete})


ODD = "Behold, dear reader, how 'great' tipped the scales!"


def test_a_language_model_reads_what_the_rules_did_not(saywhy, folder, chat_server):
    server = chat_server(default=reads([{"kind": "supports", "parts": [1]}]))
    words = ["check", "--text", f"{TRUE} {ODD}", "--map", "film.jsonl", "--llm", f"{server.url}#m", "--cache", "replies.sqlite"]
    done = saywhy(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "1 true, 0 false, 1 not verified\nof those not verified, 1 true as read by a model" in done.stdout
    assert f"1 sentence for {server.url}#m: 1 request" in done.stderr
    assert saywhy(*words, "--strict", "--offline", folder=folder).returncode == 1  # the rules did not read it
    assert len(server.requests) == 1


def test_what_a_language_model_reads_can_be_false(saywhy, folder, chat_server):
    server = chat_server(default=reads([{"kind": "opposes", "parts": [1]}]))
    done = saywhy("check", "--text", ODD, "--map", "film.jsonl", "--llm", f"{server.url}#m", "--why", folder=folder)
    assert done.returncode == 1
    assert "wrong sign, as read by a model: 'great'" in done.stdout
    assert "claim read by a model: opposes 'great'" in done.stdout


def test_a_ceiling_stops_the_questions_and_not_the_report(saywhy, folder, chat_server):
    server = chat_server(default=reads([{"kind": "supports", "parts": [1]}]))
    words = ["--text", f"{FALSE} {ODD} And {ODD}", "--map", "film.jsonl", "--llm", f"{server.url}#m", "--max-requests", "1"]
    done = saywhy("check", *words, folder=folder)
    assert done.returncode == 1  # something false was found before
    assert "not all sentences were read by the model" in done.stderr
    assert "wrong sign" in done.stdout
    assert len(server.requests) == 1
    words[1] = f"{TRUE} Behold! {ODD} And {ODD}"
    done = saywhy("check", *words, folder=folder)
    assert done.returncode == 2
    assert "not all sentences were read by the model" in done.stderr


GOOD_TEXT, FALSE_TEXT = ({"id": "film", "text": text} for text in (TRUE, FALSE))
MAP = '{"version": 1, "id": "film", "query": {"label": "positive"}, "tokens": ["great", "slow"], "scores": [0.6, -0.5]}'
BAD = [
    '{"id": "film", "text": "\\ud800"}',
    '{"id": ["film"], "text": "Fine."}',
    '{"id": "film", "text": 5}',
    '{"id": "nowhere", "text": "Fine."}',
    '{"id": "film", "text": "Fine.", "claims": [{"kind": "share", "part": [0], "value": ' + "9" * 400 + "}]}",
    '{"id": "film", "text": "Fine.", "claims": [{"kind": ["supports"]}]}',
    "9" * 5000,
    "[" * 5000,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_bad_text_is_no_falsehood_and_stops_no_other(saywhy, tmp_path, bad):
    """0 is clean, 1 something false, 2 anything else that keeps the command from an answer."""
    (tmp_path / "maps.jsonl").write_text(MAP + "\n")
    for good, status, found in ((GOOD_TEXT, 2, "1 true, 0 false"), (FALSE_TEXT, 1, "0 true, 1 false")):
        (tmp_path / "t.jsonl").write_text("\n".join([bad, json.dumps(good)]))
        done = saywhy("check", "t.jsonl", "--maps", "maps.jsonl", folder=tmp_path)
        assert (done.returncode, found in done.stdout) == (status, True), done.stderr
        assert "not checked: t.jsonl, line 1" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "bad",
    ['{"tokens": ["\\ud800"], "scores": [1], "label": "x"}', "{", "[" * 5000, '["a", 1e999]', MAP.replace("0.6", "9" * 400)],
)
def test_a_bad_map_is_no_falsehood(saywhy, tmp_path, bad):
    (tmp_path / "t.jsonl").write_text(json.dumps(GOOD_TEXT) + "\n")
    (tmp_path / "maps.jsonl").write_text(f"{bad}\n{MAP}\n")
    done = saywhy("check", "t.jsonl", "--maps", "maps.jsonl", "--json", folder=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["status"] == "true"
    (tmp_path / "maps.jsonl").write_text(f"{bad}\n")
    done = saywhy("check", "t.jsonl", "--maps", "maps.jsonl", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not read: maps.jsonl, line 1" in done.stderr


def test_no_request_where_the_rules_read_all(saywhy, folder, chat_server):
    server = chat_server()
    done = saywhy("check", "--text", TRUE, "--map", "film.jsonl", "--llm", f"{server.url}#m", folder=folder)
    assert done.returncode == 0
    assert not server.requests


def test_maps_are_read_with_the_options_of_the_other_commands(saywhy, folder, tiny_model_folder):
    scores, photo = np.zeros((64, 64)), np.full((64, 64, 3), 25, dtype=np.uint8)
    scores[5:20, 5:20], photo[5:20, 5:20] = 1.0, (255, 0, 0)
    np.save(folder / "cam.npy", scores)
    Image.fromarray(photo).save(folder / "photo.png")
    words = ["check", "--text", "The red region at the upper left speaks for 'stop'.", "--map", "cam.npy", "--label", "stop"]
    done = saywhy(*words, "--signed", "--image", "photo.png", folder=folder)
    assert "1 true, 0 false, 0 not verified" in done.stdout, done.stdout + done.stderr
    record = {"attributions": [1.0, 1.0, 1.0], "idx": 7, "input_ids": [5, 6, 7], "label": 1, "predictions": [-1.0, 2.0]}
    (folder / "ids.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "names.txt").write_text("negative\npositive\n")
    words = ["check", "--text", "The word at position 1 speaks for 'positive'.", "--map", "ids.jsonl"]
    done = saywhy(*words, "--class-names", "names.txt", "--tokenizer", tiny_model_folder, folder=folder)
    assert "1 true, 0 false, 0 not verified" in done.stdout, done.stdout + done.stderr
