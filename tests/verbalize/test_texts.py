"""Texts about maps: read line by line, paired with their maps, checked with what is stated beside them."""

from __future__ import annotations

import io
import json

import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, TextRecord, TokenSaliency, check_text, iter_texts, with_maps

FILM = TokenSaliency(["great", "but", "dull"], [3.0, 0.0, -1.0], Query("positive"), id="film")


def test_records_are_read_and_broken_ones_are_named_with_their_line(tmp_path):
    lines = [
        json.dumps({"id": 7, "text": "one"}),
        "",
        "{no json",
        json.dumps(["a", "list"]),
        json.dumps({"id": "b"}),
        json.dumps({"id": "c", "text": "two", "claims": [{"kind": "supports", "part": [0]}]}),
        json.dumps({"id": "d", "text": "three", "claims": 5}),
    ]
    (tmp_path / "texts.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    problems = []
    records = list(iter_texts(tmp_path / "texts.jsonl", problems.append))
    assert records == [
        TextRecord("7", "one", (), 1),
        TextRecord("c", "two", ({"kind": "supports", "part": [0]},), 6),
    ]
    assert [problem.line for problem in problems] == [3, 4, 5, 7]
    assert problems[3].id == "d"
    with pytest.raises(UsageError, match="line 3: not JSON"):
        list(iter_texts(tmp_path / "texts.jsonl"))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="can't be read"):
        list(iter_texts(tmp_path / "none.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "a", "text": "caf\xe9"}\n')
    with pytest.raises(UsageError, match="not UTF-8"):
        list(iter_texts(tmp_path / "latin.jsonl"))


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": "a", "text": "x"}\n'))
    assert list(iter_texts("-")) == [TextRecord("a", "x", (), 1)]


def test_texts_meet_their_maps():
    records = [TextRecord("film", "a", line=1), TextRecord("none", "b", line=2)]
    problems = []
    assert list(with_maps(records, [FILM], where="t.jsonl", on_problem=problems.append)) == [(records[0], FILM)]
    assert [str(problem) for problem in problems] == ["t.jsonl, line 2, id none: there is no map with this id"]
    with pytest.raises(UsageError, match="there is no map"):
        list(with_maps(records, [FILM]))


def test_what_is_said_and_stated_is_checked_and_counted_once():
    report = check_text("'great' speaks for 'positive'.", FILM)
    assert (len(report.claims), report.errors, report.unread) == (1, (), ())
    # stating what the text says anyway adds nothing; stating something else adds a claim
    twice = check_text("'great' speaks for 'positive'.", FILM, [{"kind": "supports", "part": [0]}])
    assert len(twice.claims) == 1
    false = check_text("'great' speaks for 'positive'.", FILM, [{"kind": "supports", "part": [2]}])
    assert [error.kind for error in false.errors] == ["wrong sign"]
    assert false.to_record()["claims"] == 2
    assert false.to_record()["errors"][0]["kind"] == "wrong sign"
    with pytest.raises(UsageError):
        check_text("", FILM, [{"kind": "no such kind", "part": [0]}])
