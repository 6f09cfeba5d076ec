"""Options from a file of settings: the same as on the command line, checked alike, and never a way to let code run."""

from __future__ import annotations

import json

import pytest

TABLE = "great,0.9\nbad,-0.4\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.csv").write_text(TABLE)
    return tmp_path


def _settings(folder, text):
    (folder / "s.toml").write_text(text)
    return folder / "s.toml"


def test_a_file_says_what_the_command_line_says(saywhy, folder):
    file = _settings(folder, 'label = "x"\nmax-words = 1\nversus = ["y", "z"]\nmask_labels = false\nstyle = "ranked"\n')
    by_file = saywhy("verbalize", "m.csv", "--settings", file, folder=folder)
    by_hand = saywhy(
        "verbalize", "m.csv", "--label", "x", "--max-words", 1, "--versus", "y", "--versus", "z", "--style", "ranked",
        folder=folder,
    )  # fmt: skip
    assert by_file.returncode == by_hand.returncode == 0, by_file.stderr
    assert by_file.stdout == by_hand.stdout


def test_the_command_line_goes_before_the_file(saywhy, folder):
    file = _settings(folder, 'label = "x"\nversus = ["from the file"]\n')
    done = saywhy("verbalize", "m.csv", "--settings", file, "--label", "y", "--versus", "by hand", folder=folder)
    text = json.loads(done.stdout)["text"]
    assert "'y'" in text or "y" in text.split()
    assert "by hand" in text
    assert "from the file" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maxwords = 1", "'maxwords' is no option of this command"),
        ("max-words = 1\nmax_words = 2", "is the option 'max-words', too"),
        ("trust = true", "'trust' can't be given by a file; say --trust on the command line"),
        ("unsigned = true", "'unsigned' is the other side of a flag; write signed = false"),
        ("maps = 'm.csv'", "'maps' is an argument, which a file can't give"),
        ("api_key = 'x'", "'api_key' is no option; keys go into environment variables"),
        (".".join("a" * 20_000) + " = 1", "has a key of 20,000 parts"),
        ("[" + ".".join("a" * 20_000) + "]", "has a key of 20,000 parts"),
        ("x = 1 # '" + "\na.b.c.d.e.f.g.h = 1" * 2000, "keys, brackets and dots"),
        ('settings = "other.toml"', "'settings' can't be given by a file"),
        ("mask-labels = 1", "'mask-labels' is true or false, not 1"),
        ("max-words = [1, 2]", "'max-words' takes one value"),
        ("max-words = true", "'max-words' takes a text or a number"),
        ("label = 2026-01-01", "'label' takes a text or a number"),
        ("price = [1.0]\nllm = 'x'", "'price' takes a list of 2 values"),
        ("[label]\nx = 1", "'label' takes a text or a number"),
        ("label: x", "is no TOML"),
        ("a = " + "[" * 5000, "s.toml is"),
        ("seed = " + "9" * 5000, "s.toml"),
        ("max-words = 0", "s.toml gives --max-words"),
        ("repairs = 1", "--repairs goes with"),
        ("style = 'nope'", "s.toml gives --style"),
        ("ceiling = ['pixels=0x']", "a ceiling is a whole number"),
        ("ceiling = ['pixels=0']", "s.toml gives --ceiling"),
    ],
)
def test_what_a_file_says_wrongly_is_one_sentence(saywhy, folder, text, said):
    done = saywhy("verbalize", "m.csv", "--settings", _settings(folder, text), folder=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


@pytest.mark.long
def test_a_file_that_is_no_text_or_is_not_there(saywhy, folder):
    (folder / "s.toml").write_bytes(b"\xff\xfea\x00")
    for name in ("s.toml", "missing.toml", "."):
        done = saywhy("verbalize", "m.csv", "--settings", name, folder=folder)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_the_file_is_an_input_that_no_output_overwrites(saywhy, folder):
    file = _settings(folder, 'label = "x"\n')
    done = saywhy("convert", "m.csv", "--settings", file, "--out", file, folder=folder)
    assert done.returncode == 2
    assert "the same file" in done.stderr
    assert file.read_text() == 'label = "x"\n'


def test_a_value_that_begins_with_dashes_is_a_value(saywhy, folder):
    done = saywhy("verbalize", "m.csv", "--settings", _settings(folder, 'label = "--trust"\n'), folder=folder)
    assert done.returncode == 0
    assert "--trust" in done.stdout


def test_dots_in_texts_are_no_parts_of_a_key(saywhy, folder):
    file = _settings(folder, f'label = "{"a." * 500}"  # {"b." * 500}\n')
    done = saywhy("verbalize", "m.csv", "--settings", file, folder=folder)
    assert done.returncode == 0, done.stderr


def test_the_options_that_are_listed_are_those_that_help_shows(saywhy, folder):
    done = saywhy("verbalize", "m.csv", "--settings", _settings(folder, "x = 1\n"), folder=folder)
    assert " cache," in done.stderr
    assert "replies" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ceiling"], "saywhy verbalize --help"),
        (["--nope"], "saywhy verbalize --help"),
        (["--api-key", "x"], "keys go into environment variables"),
        (["--ceiling", "tokens=0"], "a ceiling is at least 1 and at most 1,000,000,000,000,000,000"),
        (["--ceiling", "tokens=0.5"], "a ceiling is at least 1"),
        (["--ceiling", "tokens=" + "9" * 23], "at most 1,000,000,000,000,000,000"),
        (["--ceiling", "tokens=" + "9" * 18 + "k"], "at most 1,000,000,000,000,000,000"),
    ],
)
def test_wrong_words_of_the_command_line_are_told_with_their_cure(saywhy, folder, words, said):
    done = saywhy("verbalize", "m.csv", "--label", "x", *words, folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr


def test_what_suffices_is_not_known_where_reading_stopped(saywhy, folder):
    (folder / "m.jsonl").write_text('{"tokens": ["a"], "scores": [1.0], "label": "x"}\n' * 2)
    done = saywhy("verbalize", "m.jsonl", "--ceiling", "records=1", folder=folder)
    assert "more than 1 record, the most that is read" in done.stderr
    assert "for example with --ceiling records=1000000" in done.stderr


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000, "0b" + "1" * 20000, "-" + "9" * 3000])
@pytest.mark.parametrize("shape", ["max-words = {}", "versus = [{}]", "label = {{a = {}}}", "nonsense = [[{}]]", "strict = {}"])
def test_an_enormous_number_in_whatever_spelling_is_told(saywhy, folder, number, shape):
    done = saywhy("verbalize", "m.csv", "--settings", _settings(folder, shape.format(number)), folder=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "s.toml holds a whole number of thousands of digits" in done.stderr
    assert done.stderr.count("\n") == 1
