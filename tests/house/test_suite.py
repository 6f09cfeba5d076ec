"""The suite itself: its names are the same in every process, and no test sleeps."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def test_no_name_of_a_test_holds_an_address(request):
    """Two workers must collect the same names; an object without a name of its own shows its address in memory."""
    assert not [item.nodeid for item in request.session.items if re.search(r"0x[0-9a-f]{6,}", item.nodeid)]


@pytest.mark.long  # two whole collections, each of which imports everything
def test_what_is_collected_depends_neither_on_the_hash_seed_nor_on_the_second():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n0", "-p", "no:cacheprovider"]
    options = ["-o", "addopts=--strict-markers --import-mode=importlib"]
    seen = []
    for seed in ("1", "2"):  # one after the other, so that they differ in time as well
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [*command, *options], cwd=TESTS.parent, env=environment, capture_output=True, text=True, check=True
        )
        seen.append([line for line in done.stdout.splitlines() if "::" in line])
    assert seen[0] == seen[1]
    assert len(seen[0]) > 1000


@pytest.mark.parametrize("file", sorted(TESTS.rglob("test_*.py")), ids=lambda file: str(file.relative_to(TESTS)))
def test_no_test_sleeps(file):
    """A test waits for what it waits for, with the fixture `wait_until`: a fixed time is too short one day and too long on all others."""
    text = file.read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)] if "sleep" in text else []
    assert not [call.lineno for call in calls if ast.unparse(call.func) in ("time.sleep", "sleep")]
