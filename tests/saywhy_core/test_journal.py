"""Journals: what was appended is there after a kill at any moment, and nothing of another job is mixed in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from saywhy_core.disk.journal import Journal, ResumableLines
from saywhy_core.errors import UsageError

SETTINGS = {"model": "m", "classes": ["ä", "b"]}


def journal(path, settings=SETTINGS, version=1, others="other classes"):
    return Journal(path, what="journal of pairs", version=version, settings=settings, others=others)


def write(path, *numbers):
    with journal(path) as opened:
        for number in numbers:
            opened.append({"number": number, "text": "é\u2028\ud800"})


def numbers(path):
    return [record["number"] for record in journal(path).records()]


def test_records_are_kept_in_order_across_runs(tmp_path):
    path = tmp_path / "deep" / "journal"
    assert journal(path).records() == []
    assert not path.exists()
    write(path, 1, 2)
    write(path, 3)
    assert numbers(path) == [1, 2, 3]
    assert journal(path).records()[0]["text"] == "é\u2028\ud800"
    header = json.loads(path.read_bytes().splitlines()[0])
    assert header == {"journal": "journal of pairs", "version": 1, "settings": SETTINGS}
    assert [child.name for child in path.parent.iterdir()] == ["journal"]
    journal(path).remove()
    assert not path.exists()


@pytest.mark.parametrize("torn", [b'{"number": 4, "te', b"\0" * 700, b'{"number": 4}', b'{"number"\n', b"[4]\n"])
def test_a_torn_last_line_is_ignored_and_cut_off(tmp_path, torn):
    write(tmp_path / "j", 1, 2)
    whole = (tmp_path / "j").read_bytes()
    with (tmp_path / "j").open("ab") as stream:
        stream.write(torn)
    assert numbers(tmp_path / "j") == [1, 2]
    write(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == whole
    write(tmp_path / "j", 3)
    assert numbers(tmp_path / "j") == [1, 2, 3]


def test_a_broken_line_in_the_middle_is_told_and_nothing_is_lost(tmp_path):
    write(tmp_path / "j", 1, 2, 3)
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    (tmp_path / "j").write_bytes(b"".join([*lines[:2], b"{broken\n", *lines[3:]]))
    before = (tmp_path / "j").read_bytes()
    for attempt in (journal(tmp_path / "j").records, lambda: write(tmp_path / "j", 4)):
        with pytest.raises(UsageError, match="line 3: not a record of a journal of pairs"):
            attempt()
    assert (tmp_path / "j").read_bytes() == before


def test_another_journal_is_refused(tmp_path):
    write(tmp_path / "j", 1)
    before = (tmp_path / "j").read_bytes()
    for other in (journal(tmp_path / "j", {"model": "n"}), journal(tmp_path / "j", version=2)):
        with pytest.raises(UsageError, match="is the journal of pairs of other classes; delete it or name another file"):
            other.records()
        with pytest.raises(UsageError, match="other classes"), other:
            pass
    for content in (b"{", b"some text\n", b'{"journal": "other"}\n'):
        (tmp_path / "k").write_bytes(content)
        with pytest.raises(UsageError, match="k is no journal of pairs"), journal(tmp_path / "k"):
            pass
        assert (tmp_path / "k").read_bytes() == content
    assert (tmp_path / "j").read_bytes() == before


def test_another_journal_is_set_aside_where_that_is_asked_for(tmp_path):
    write(tmp_path / "j", 1)
    before = (tmp_path / "j").read_bytes()
    other = journal(tmp_path / "j", {"model": "n"}, others=None)
    assert other.records() == []
    assert (tmp_path / "j").read_bytes() == before  # reading moves nothing
    with other:
        other.append({"number": 9})
    assert [record["number"] for record in other.records()] == [9]
    assert (tmp_path / "j.old").read_bytes() == before


def test_two_writers_are_refused(tmp_path):
    with journal(tmp_path / "j") as first:
        first.append({"number": 1})
        with pytest.raises(UsageError, match="being written by this process"), journal(tmp_path / "j"):
            pass
        assert numbers(tmp_path / "j") == [1]  # reading needs no lock
    write(tmp_path / "j", 2)
    assert numbers(tmp_path / "j") == [1, 2]


def test_appending_needs_an_open_journal(tmp_path):
    with pytest.raises(RuntimeError, match="enter the journal"):
        journal(tmp_path / "j").append({})


KILLED = """
import os, signal, sys
from saywhy_core.disk.journal import Journal

class Dies:
    "Writes a part of what it is given, and kills its process."
    def __init__(self, stream, part):
        self.stream, self.part = stream, part
    def write(self, data):
        self.stream.write(data[: int(len(data) * self.part)])
        self.stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)

path, first, part = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with Journal(path, what="journal of pairs", version=1, settings={"model": "m"}, others="another job") as journal:
    for number in range(first, first + 3):
        journal.append({"number": number, "text": "x" * 100_000})
        print(number, flush=True)
    journal._stream = Dies(journal._stream, part)
    journal.append({"number": first + 3, "text": "x" * 100_000})
"""


def test_killed_while_it_writes_nothing_that_was_appended_is_lost(tmp_path):
    path = tmp_path / "j"
    mine = journal(path, {"model": "m"}, others="another job")
    expected = 0
    for part in (0.5, 0.0, 1.0):
        command = [sys.executable, "-c", KILLED, path, str(expected), str(part)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert list(map(int, done.stdout.split())) == [expected, expected + 1, expected + 2]
        assert path.read_bytes().endswith(b"\n") is (part != 0.5)
        expected += 3 + (part == 1.0)  # a record that got to the disk whole counts, told or not
        assert [record["number"] for record in mine.records()] == list(range(expected))
    with mine:
        mine.append({"number": expected})
    assert [record["number"] for record in mine.records()] == list(range(expected + 1))


def test_resumable_lines_write_the_whole_file_in_order(tmp_path):
    out = tmp_path / "texts.jsonl"
    with ResumableLines(str(out), {"a": 1}) as lines:
        lines.add("2", {"id": "2"})
        lines.finish(["1", "2"])
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["2"]
    assert out.with_name("texts.jsonl.part").exists()  # one is missing
    with ResumableLines(str(out), {"a": 1}) as lines:
        assert set(lines.done) == {"2"}
        lines.add("1", {"id": "1"})
        lines.finish(["1", "2"])
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["1", "2"]
    assert [child.name for child in tmp_path.iterdir()] == ["texts.jsonl"]


def test_resumable_lines_set_records_of_other_settings_aside(tmp_path):
    out = tmp_path / "texts.jsonl"
    with ResumableLines(str(out), {"a": 1}) as lines:
        lines.add("1", {"id": "1"})
    with ResumableLines(str(out), {"a": 2}) as lines:
        assert lines.done == {}
    assert (tmp_path / "texts.jsonl.part.old").exists()


def test_resumable_lines_go_to_standard_output(capsys):
    with ResumableLines("-", {}) as lines:
        lines.add("1", {"id": "1"})
        lines.finish(["1"])
    assert capsys.readouterr().out == '{"id": "1"}\n'


def test_resumable_lines_name_a_record_that_lacks_something(tmp_path):
    out = tmp_path / "texts.jsonl"
    with ResumableLines(str(out), {"a": 1}, needs=("text",)) as lines:
        lines.add("1", {"id": "1", "text": "one"})
    journal = out.with_name("texts.jsonl.part")
    whole = journal.read_text()
    for broken in ('{"text": "no id"}', '{"id": "no text"}'):
        journal.write_text(f"{whole}{broken}\n")
        with pytest.raises(UsageError, match=r"texts\.jsonl\.part, line 3: a record .* lacks something"):
            ResumableLines(str(out), {"a": 1}, needs=("text",)).__enter__()
    journal.write_text(whole)
    with ResumableLines(str(out), {"a": 1}, needs=("text",)) as lines:  # the lock was given back
        assert set(lines.done) == {"1"}


def test_resumable_lines_begin_only_where_they_can_end(tmp_path):
    with pytest.raises(UsageError, match="is a folder; name a file"):
        ResumableLines(str(tmp_path), {}).__enter__()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"j can't be written to: No space left"), journal(tmp_path / "j") as mine:
        mine._stream = open("/dev/full", "ab")  # noqa: PTH123, SIM115
        mine.append({"number": 1})
    with journal(tmp_path / "j") as mine:
        mine.append({"number": 1})
