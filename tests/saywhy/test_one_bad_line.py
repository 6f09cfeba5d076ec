"""One line of a file of texts that is no text is told, and the others are checked; long values are cut, not sentences."""

from __future__ import annotations

import pytest

from saywhy.cli.stopped import what_is_left
from verbalize.texts import iter_texts

GOOD = b'{"id": "a", "text": "one"}\n'


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson"])
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b'\0{"id": "b", "text": "two"}\n', "NUL"),
        (b"\0\0\n", "NUL"),
        (b'{"id": "b", "te\0xt": "two"}\n', "NUL"),
        (b'{"id": "b", "text": "tw\xff"}\n', "UTF-8"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_line_that_is_no_text(tmp_path, name, bad, says, first):
    (tmp_path / name).write_bytes(bad + GOOD if first else GOOD + bad)
    problems = []
    (record,) = iter_texts(tmp_path / name, problems.append)
    assert (record.id, record.text) == ("a", "one")
    (problem,) = problems
    assert says in problem.what
    assert problem.line == (1 if first else 2)


@pytest.mark.parametrize(
    "words",
    [
        ["--goal", "x" * 100_000], ["--goal", "x y " * 25_000], ["--target", "z" * 100_000], ["--option", "o" * 100_000],
        ["--distance", "d" * 100_000], ["--prior", "p" * 100_000], ["--labels", "l" * 100_000], ["--budget", "9" * 100_000],
    ],
    ids=lambda words: f"{words[0]} {words[1][:3]}",
)  # fmt: skip
def test_long_values_are_cut(in_process, tmp_path, words):
    (tmp_path / "a.npy").write_bytes(b"")
    given = [] if words[0] == "--target" else ["--target", "demo:signs"]
    done = in_process.run_command("attack", "a.npy", *given, *words, "--out", "o", folder=tmp_path)
    assert done.returncode == 2
    assert max(map(len, done.stderr.splitlines())) < 900, done.stderr[:1000]


@pytest.mark.parametrize("command", ["attack", "describe", "improve", "picture"])
def test_nothing_is_said_to_be_kept_where_there_is_nothing(tmp_path, command):
    said = {"attack": "no result was written to OUT", "picture": "no picture was written to OUT"}  # where OUT is a folder
    assert what_is_left(command, {"out": tmp_path / "o"}) == said.get(command, "no output file was written")
    (tmp_path / "o").mkdir()
    assert what_is_left(command, {"out": tmp_path / "o"}) == said.get(command, "no output file was written")


@pytest.mark.parametrize("name", ["result.json", "answers.bin"])
def test_what_is_there_is_said_to_be_kept(tmp_path, name):
    (tmp_path / "o" / "x").mkdir(parents=True)
    (tmp_path / "o" / "x" / name).write_text("")
    assert "are kept" in what_is_left("attack", {"out": tmp_path / "o"})
