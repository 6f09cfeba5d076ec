"""Many records that can't be used: told in lines that somebody reads, in time that grows with their number, and counted."""

from __future__ import annotations

import json
import time

import pytest

from saywhy_core.legible import legible

GOOD = {"version": 1, "id": "a", "query": {"label": "x"}, "tokens": ["so", "great"], "scores": [0.1, 0.9]}


def _told(done):
    return [line for line in done.stderr.splitlines() if line.startswith("not read: ")]


@pytest.mark.parametrize("command", [("convert", "--out", "o.jsonl"), ("verbalize",), ("picture", "--out", "o.html")])
@pytest.mark.parametrize("line", ["{}", "{", '{"id": "\\u202e", "tokens": 5, "version": 1}'])
def test_problems_above_the_ceiling_are_counted(saywhy, tmp_path, command, line):
    (tmp_path / "maps.jsonl").write_text(json.dumps(GOOD) + "\n" + f"{line}\n" * 30)
    done = saywhy(command[0], "maps.jsonl", *command[1:], "--ceiling", "problems=7", folder=tmp_path)
    told = _told(done)
    assert done.returncode == 1, done.stderr
    assert "30 of 31 records could not be read; the others were done" in done.stderr
    assert len(told) == 8
    assert [f"line {number}" in told[number - 2] for number in range(2, 9)] == [True] * 7
    assert told[-1] == "not read: 23 more; --ceiling problems=30 lists them all"
    everything = saywhy(command[0], "maps.jsonl", *command[1:], "--ceiling", "problems=30", folder=tmp_path)
    assert len(_told(everything)) == 30
    assert everything.returncode == 1


def test_a_thousand_problems_are_listed_unless_another_ceiling_is_given(saywhy, tmp_path):
    (tmp_path / "maps.jsonl").write_text("{\n" * 1001)
    told = _told(saywhy("convert", "maps.jsonl", "--out", "o.jsonl", folder=tmp_path))
    assert len(told) == 1001
    assert "line 1000:" in told[999]
    assert told[1000] == "not read: 1 more; --ceiling problems=1001 lists them all"


@pytest.mark.long
def test_thousands_of_bad_records_take_seconds(saywhy, tmp_path):
    (tmp_path / "maps.jsonl").write_text("{}\n" * 10_000)
    begun = time.process_time()
    done = saywhy("convert", "maps.jsonl", "--out", "o.jsonl", "--ceiling", "problems=10000", folder=tmp_path)
    assert len(_told(done)) == 10_000
    assert time.process_time() - begun < 4  # some 0.7 on an idle machine, and ten times as much when each line was laid out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("a\nb\t c ", "a b c"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("ゆき 雪", "ゆき 雪"),
        ("", ""),
    ],
)
def test_texts_on_one_line(text, line):
    assert legible(text) == line
