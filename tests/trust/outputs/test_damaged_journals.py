"""Journals of finished work under every damage: no traceback, no finished record lost in silence, the same end as without it."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import threading
import warnings

import pytest

from saywhy_core.disk.journal import Journal, JournalWarning
from saywhy_core.disk.locks import FileLock
from saywhy_core.disk.resumable import ResumableLines
from saywhy_core.errors import UsageError

COUNT = 8
RECORDS = {str(number): {"id": str(number), "text": f"é{number}\n" * number} for number in range(COUNT)}


def begin(out):
    with ResumableLines(str(out), {"a": 1}, needs=("text",)) as lines:
        for name, record in RECORDS.items():
            lines.add(name, record)


def flipped(content, chance):
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def cut(content, chance):
    return content[: chance.randrange(len(content) + 1)]


def cut_out(content, chance):
    begin, end = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:begin] + content[end:]


def zeroed(content, chance):
    begin, end = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:begin] + bytes(end - begin) + content[end:]


def spliced(content, chance):
    at = chance.randrange(len(content))
    return (
        content[:at]
        + chance.choice([b"\xff\xfe", b"\n", b"\r\n", b"[" * 5000, b'{"a":', b"\x1b[2J", chance.randbytes(99)])
        + content[at:]
    )


def doubled(content, chance):
    at = chance.randrange(len(content))
    return content[:at] + content


@pytest.mark.parametrize("damage", [flipped, cut, cut_out, zeroed, spliced, doubled])
@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(25, 150), marks=pytest.mark.long)], ids=["few", "many"])
def test_a_damaged_part_file_loses_no_whole_record_and_ends_as_without_damage(tmp_path, damage, seeds):
    for seed in seeds:
        out = tmp_path / f"{seed}.jsonl"
        begin(out)
        part = out.with_name(f"{out.name}.part")
        whole = part.read_bytes()
        header, *lines = whole.splitlines(keepends=True)
        content = damage(whole, random.Random(seed))
        part.write_bytes(content)
        intact = {name for name, line in zip(RECORDS, lines, strict=True) if b"\n" + line in content}
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with ResumableLines(str(out), {"a": 1}, needs=("text",)) as resumed:
                if content.startswith(header):
                    assert intact <= set(resumed.done)
                missing = [name for name in RECORDS if name not in resumed.done]
                for name in missing:
                    resumed.add(name, RECORDS[name])
                resumed.finish(list(RECORDS))
        assert {one.category for one in told} <= {JournalWarning}
        if content and not whole.startswith(content[: content.rfind(b"\n") + 1]):
            assert told or not missing, "records were lost in silence"
        if told:
            assert re.search(r"kept as .*\.(old|damaged)", str(told[0].message))
        assert [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] == list(RECORDS.values())
        assert not part.exists()


@pytest.mark.long
def test_of_many_threads_and_processes_one_gets_the_lock(tmp_path):
    got = []

    def take():
        lock = FileLock(tmp_path / "a")
        try:
            lock.acquire()
        except UsageError:
            return
        got.append(lock)

    threads = [threading.Thread(target=take) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    got[0].release()
    code = (
        "import sys, time\nfrom saywhy_core.disk.locks import FileLock\nfrom saywhy_core.errors import UsageError\n"
        "sys.stdin.readline()\nhad = 0\nfor _ in range(300):\n    try:\n        with FileLock(sys.argv[1]):\n"
        "            with open(sys.argv[1], 'x'): pass\n            import os; os.unlink(sys.argv[1]); had += 1\n"
        "    except UsageError: pass\nprint(had)"
    )
    crowd = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    counts = [process.communicate("\n", timeout=120)[0] for process in crowd]  # "x" fails where two are inside at once
    assert all(process.returncode == 0 for process in crowd)
    assert sum(map(int, counts)) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_any_bytes_is_never_a_traceback(tmp_path):
    chance = random.Random(0)
    for number in range(200):
        path = tmp_path / str(number)
        path.write_bytes(chance.randbytes(chance.randrange(400)))
        journal = Journal(path, what="journal", version=1, settings={}, others="others")
        if path.stat().st_size:
            with pytest.raises(UsageError, match="is no journal; delete it or name another file"):
                journal.records()
