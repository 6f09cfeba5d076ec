"""Journals: what was appended is there after a kill at any moment, and nothing of another job is mixed in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import pytest

from saywhy_core.disk.journal import Journal, JournalWarning
from saywhy_core.disk.resumable import ResumableLines
from saywhy_core.errors import UsageError
from saywhy_core.secrets import MARK, forget_secrets, keep_secret

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


@pytest.mark.filterwarnings("ignore::saywhy_core.disk.journal.JournalWarning")
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


def damaged(path, line, content):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[: line - 1], content, *lines[line:]]))


BROKEN = [
    b"{broken\n",
    b"\0" * 700 + b"\n",
    b"\xff\xfe{\0}\0\n\0\n",
    b"[" * 100_000 + b"\n",
    b'{"number": 1' + b"0" * 5000 + b"}\n",
]


@pytest.mark.parametrize("content", BROKEN, ids=["cut", "nulls", "utf-16", "deep", "digits"])
def test_records_before_and_behind_a_broken_line_are_kept(tmp_path, content):
    write(tmp_path / "j", 1, 2, 3)
    damaged(tmp_path / "j", 3, content)
    before = (tmp_path / "j").read_bytes()
    assert numbers(tmp_path / "j") == [1, 3]
    assert (tmp_path / "j").read_bytes() == before  # reading changes nothing
    with pytest.warns(JournalWarning, match=r"j is damaged \(lines? 3.*\), .* kept as .*j\.damaged"):
        write(tmp_path / "j", 4)
    assert numbers(tmp_path / "j") == [1, 3, 4]
    assert (tmp_path / "j.damaged").read_bytes() == before
    write(tmp_path / "j", 5)  # said once: a second warning would fail here
    assert numbers(tmp_path / "j") == [1, 3, 4, 5]


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    for number in (1, 2):
        write(tmp_path / "j", 1, 2)
        damaged(tmp_path / "j", 2, b"%d\n" % number)
        with pytest.warns(JournalWarning):
            write(tmp_path / "j")
    kept = [(tmp_path / name).read_bytes().splitlines()[1] for name in ("j.damaged", "j.damaged2")]
    assert kept == [b"1", b"2"]


def test_behind_a_broken_record_of_a_chain_none_counts(tmp_path):
    def chain():
        return Journal(tmp_path / "j", what="journal of pairs", version=1, settings=SETTINGS, others="others", chained=True)

    write(tmp_path / "j", 1, 2, 3)
    damaged(tmp_path / "j", 3, b"{}\0\n")
    with pytest.warns(JournalWarning, match="lines 3, 4"), chain() as opened:
        opened.append({"number": 7})
    assert [record["number"] for record in chain().records()] == [1, 7]


def test_a_line_of_any_length_takes_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("saywhy_core.disk.lines.LONGEST", 1000)
    write(tmp_path / "j", 1, 2, 3)
    damaged(tmp_path / "j", 3, b'{"number": 2, "text": "' + b"x" * 5_000_000 + b'"}\n')
    tracemalloc.start()
    assert numbers(tmp_path / "j") == [1, 3]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize(
    "content", ["folder", "pipe", b"\0" * 5000, b"\xff\xfe{\0", b"[" * 200_000, b"", b"\n\n", b"{" + b"0" * 9999]
)
def test_whatever_lies_in_the_place_of_resumable_lines_is_one_sentence_or_set_aside(tmp_path, content):
    part = tmp_path / "o.jsonl.part"
    if content == "folder":
        part.mkdir()
    elif content == "pipe":
        os.mkfifo(part)
    else:
        part.write_bytes(content)
        with warnings.catch_warnings(record=True) as told, ResumableLines(str(tmp_path / "o.jsonl"), {}) as lines:
            lines.add("1", {"id": "1"})
            lines.finish(["1"])
        assert len(told) == bool(content)
        assert not content or (tmp_path / "o.jsonl.part.old").read_bytes() == content
        assert (tmp_path / "o.jsonl").read_text() == '{"id": "1"}\n'
        return
    with pytest.raises(UsageError, match=f"o.jsonl.part is (a {content}|no file); move it, or name another file"):
        ResumableLines(str(tmp_path / "o.jsonl"), {}).__enter__()


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_journal_that_is_deleted_while_it_is_written_comes_back_whole(tmp_path, whole_folder):
    path = tmp_path / "folder" / "j"
    with journal(path) as opened:
        opened.append({"number": 1})
        shutil.rmtree(path.parent) if whole_folder else path.unlink()
        opened.append({"number": 2})
        opened.append({"number": 3})
        assert numbers(path) == [1, 2, 3]
        with pytest.raises(UsageError, match="being written by this process"):
            write(path, 9)
    assert [child.name for child in path.parent.iterdir()] == ["j"]


def test_a_journal_that_is_replaced_while_it_is_written_stops_the_work(tmp_path):
    with pytest.raises(UsageError, match="j was replaced by another file meanwhile"), journal(tmp_path / "j") as opened:
        opened.append({"number": 1})
        (tmp_path / "new").write_text("mine")
        (tmp_path / "new").replace(tmp_path / "j")
        opened.append({"number": 2})
    assert (tmp_path / "j").read_text() == "mine"


def test_no_secret_is_written(tmp_path):
    keep_secret("sk-planted-0123456789")
    try:
        with journal(tmp_path / "j", {"model": "sk-planted-0123456789"}) as opened:
            opened.append({"number": 1, "sk-planted-0123456789": ["SK-PLANTED-0123456789"]})
        assert b"planted" not in (tmp_path / "j").read_bytes().lower()
        assert journal(tmp_path / "j", {"model": "sk-planted-0123456789"}).records() == [{"number": 1, MARK: [MARK]}]
    finally:
        forget_secrets()


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
    with pytest.warns(JournalWarning, match=r"made with other settings.*kept as .*j\.old"), other:
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
    with pytest.warns(JournalWarning, match="other settings"), ResumableLines(str(out), {"a": 2}) as lines:
        assert lines.done == {}
    assert (tmp_path / "texts.jsonl.part.old").exists()


@pytest.mark.parametrize("before", [None, "earlier texts\n"])
def test_resumable_lines_of_which_none_was_made_leave_out_as_it_was(tmp_path, before):
    out = tmp_path / "texts.jsonl"
    if before is not None:
        out.write_text(before)
    for address in ("a", "b", "c"):  # tried again, with another server each time
        with ResumableLines(str(out), {"llm": address}) as lines:
            lines.finish(["1", "2"])
    assert [path.name for path in tmp_path.iterdir()] == ([] if before is None else ["texts.jsonl"])
    assert before is None or out.read_text() == before


@pytest.mark.parametrize("cut", [0, 1])
def test_a_journal_without_records_is_replaced_and_not_set_aside(tmp_path, cut):
    out = tmp_path / "texts.jsonl"
    for address in ("a", "b", "c"):
        with ResumableLines(str(out), {"llm": address}):
            pass  # stopped before anything was finished
        part = tmp_path / "texts.jsonl.part"
        part.write_bytes(part.read_bytes()[: -cut or None])
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl.part"]


def test_resumable_lines_go_to_standard_output(capsys):
    with ResumableLines("-", {}) as lines:
        lines.add("1", {"id": "1"})
        lines.finish(["1"])
    assert capsys.readouterr().out == '{"id": "1"}\n'


def test_resumable_lines_make_a_record_that_lacks_something_again(tmp_path):
    out = tmp_path / "texts.jsonl"
    with ResumableLines(str(out), {"a": 1}, needs=("text",)) as lines:
        lines.add("1", {"id": "1", "text": "one"})
    journal = out.with_name("texts.jsonl.part")
    whole = journal.read_text()
    for broken in ('{"text": "no id"}', '{"id": "no text"}'):
        journal.write_text(f"{whole}{broken}\n")
        again = ResumableLines(str(out), {"a": 1}, needs=("text",))
        with pytest.warns(JournalWarning, match=r"texts\.jsonl\.part is damaged \(line 3\)"), again as lines:
            assert set(lines.done) == {"1"}
        assert journal.read_text() == whole


def test_resumable_lines_of_a_link_are_those_of_the_file_that_it_leads_to(tmp_path):
    (tmp_path / "link.jsonl").symlink_to("folder/../real.jsonl")
    (tmp_path / "folder").mkdir()
    with ResumableLines(str(tmp_path / "link.jsonl"), {}) as lines:
        lines.add("1", {"id": "1"})
        with pytest.raises(UsageError, match="being written by this process"):
            ResumableLines(str(tmp_path / "folder" / ".." / "real.jsonl"), {}).__enter__()
    with ResumableLines(str(tmp_path / "real.jsonl"), {}) as lines:
        assert set(lines.done) == {"1"}
        lines.finish(["1"])
    assert sorted(child.name for child in tmp_path.iterdir()) == ["folder", "link.jsonl", "real.jsonl"]
    assert (tmp_path / "link.jsonl").is_symlink()


def test_resumable_lines_go_through_a_pipe_one_by_one_and_keep_nothing_beside_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)
    with ResumableLines(str(tmp_path / "pipe"), {}) as lines:
        lines.add("1", {"id": "1", "text": "\ud800"})
        assert reader.stdout.readline() == '{"id": "1", "text": "\\ud800"}\n'  # while the work goes on
        lines.finish(["1"])
    assert (reader.communicate(timeout=60)[0], reader.returncode) == ("", 0)
    assert [child.name for child in tmp_path.iterdir()] == ["pipe"]


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


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'{"crc": "', b'{"crb": "'), (b'{"crc": "', b'{"crc": "g'), (b'{"crc', b'{"[[[[[crc'), (b'{"crc": ', b'{"crc"; ')],
)
def test_a_record_with_a_damaged_seal_is_none_of_an_earlier_version(tmp_path, before, after):
    with ResumableLines(str(tmp_path / "o"), {}, needs=("text",)) as lines:
        lines.add("a", {"id": "a", "text": "x"})
        lines.add("b", {"id": "b", "text": "y"})
    part = tmp_path / "o.part"
    part.write_bytes(part.read_bytes().replace(before, after, 1))
    with pytest.warns(JournalWarning, match="damaged"), ResumableLines(str(tmp_path / "o"), {}, needs=("text",)) as lines:
        assert lines.done == {"b": {"id": "b", "text": "y"}}
