"""Standard streams that are closed, full or no longer read: one sentence where it can be said, and a status that tells."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECK = "check texts.jsonl --maps maps.jsonl"  # finds nothing false, so that 1 would be a lie
LONG = pytest.mark.long


def run(folder, words, redirected):
    line = f"exec '{sys.executable}' -m saywhy {words} {redirected}"
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("words", "redirected", "status", "says"),
    [
        (CHECK, ">&-", 2, "error: the output can't be used: Bad file descriptor"),
        pytest.param(CHECK, ">/dev/full", 2, "error: the output can't be used: No space left on device", marks=LONG),
        pytest.param(CHECK, "2>&-", 0, "", marks=LONG),
        pytest.param(CHECK, "2>/dev/full", 0, "", marks=LONG),
        (CHECK, ">&- 2>&- <&-", 2, ""),
        pytest.param("convert nothing.jsonl", "2>/dev/full", 2, "", marks=LONG),
        pytest.param("verbalize -", "<&-", 2, "error: ", marks=LONG),
    ],
)
@pytest.mark.long
def test_a_stream_that_is_closed_or_full(outputs_world, words, redirected, status, says):
    done = run(outputs_world, words, redirected)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "itself failed" not in done.stderr
    assert done.stderr.startswith(says)


def test_no_file_gets_the_number_of_a_closed_stream(at_work, tmp_path):
    at_work("convert", "unused.jsonl")  # makes the folder
    done = run(tmp_path, "verbalize maps.jsonl --out out.jsonl", ">&- <&-")
    assert (done.returncode, done.stderr) == (0, "6 texts written to out.jsonl\n")
    assert (tmp_path / "out.jsonl").read_text().count("\n") == 6


def test_a_reader_that_has_gone_is_no_falsehood(outputs_world):
    command = [sys.executable, "-m", "saywhy", *CHECK.split()]
    process = subprocess.Popen(command, cwd=outputs_world, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    told = process.stderr.read()
    assert (process.wait(timeout=120), told) == (2, "")
