"""Mutated files of every format, in every command and reader that takes them; see `campaign.py` for a longer run by hand.

A fault of any kind is one of: a traceback, code that ran, a network address that was asked, a file outside of OUT that was
written, more than 10 s or 1 GB, raw control characters on a terminal, a warning or a name of Python's, another exit status than
the documented ones, a crash of the process.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = 6  # inputs per format in `make test`
WHOLE = 2000
FEWER = {"json": 300, "text": 200, "kept": 300}  # forms of others, or of what only saywhy writes; the machine has an hour
SEED = 2026


def _campaign():
    spec = importlib.util.spec_from_file_location("saywhy_fuzz_campaign", Path(__file__).with_name("campaign.py"))
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


campaign = _campaign()
TOGETHER = (("jsonl", "json", "csv", "text", "toml"), ("http", "kept"), ("arrays", "pictures"), ("onnx", "torch"))
# What an honest file meets where nothing is wrong: the texts that are checked say something false on purpose, and settings say
# how to read other maps.
PARTLY = re.compile(r"^\Z|leave out --(versus|label) VALUE|^1 sentence for http\S+#m: ")
# TorchScript runs its author's program, and nobody said --trust; describe has read its classes, and its server gives it no
# description within the requests that it may make, or is not there.
REFUSED = re.compile(r"--trust|the same command goes on with them|error: 3 pairs not asked yet: the connection to 127.0.0.1:9 ")


@pytest.mark.long
@pytest.mark.parametrize("form", campaign.FORMATS)
def test_what_is_mutated_is_honest(form):
    """Files that no reader takes would be refused before anything is tried."""
    if form == "onnx":
        pytest.importorskip("onnx")
    found = campaign.honest(form)
    assert not [one for one in found if one["faults"]]
    assert not [one for one in found if one["result"] == "refused" and not REFUSED.search(one["told"])]
    assert not [one for one in found if one["result"] == "partly" and not PARTLY.search(one["told"])]
    assert len({one["source"] for one in found}) >= 2


_LOADS = """
import ctypes, glob, sys, numpy
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import guards
watch = guards.Watch(Path(sys.argv[2]))
new = sys.argv[2] + "/new.so"
with watch.watching() as seen:
    ctypes.CDLL(numpy._core._multiarray_umath.__file__)
    assert not seen, seen
    try:
        ctypes.CDLL(new)
    except OSError:
        pass
    assert len(seen) == 1 and new in seen[0], seen
"""


def test_a_library_that_is_loaded_anew_is_noticed(tmp_path):
    """One that the process runs already is not: threadpoolctl opens those to set their threads."""
    (tmp_path / "new.so").write_bytes(b"no library")
    subprocess.run([sys.executable, "-c", _LOADS, str(Path(__file__).parent), str(tmp_path)], check=True)


@pytest.mark.long
@pytest.mark.parametrize("forms", TOGETHER, ids=" ".join)
def test_a_few_mutated_inputs(forms):
    if "onnx" in forms:
        pytest.importorskip("onnx")
    for form, done in campaign.run_together(forms, count=QUICK, seed=SEED).items():
        assert not done.faults(), done.report()
        assert len(done.inputs) == QUICK, form


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("form", campaign.FORMATS)
def test_many_mutated_inputs(form):
    if form == "onnx":
        pytest.importorskip("onnx")
    whole = FEWER.get(form, WHOLE)
    done = campaign.run(form, count=whole, seed=SEED + 1)
    assert len(done.inputs) == whole
    assert done.results["accepted"] + done.results["partly"] > whole / 20, (
        "nearly all are refused: the mutations break too much"
    )
    assert not done.faults(), done.report()
