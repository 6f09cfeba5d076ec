"""Importing is cheap: what is heavy is loaded by the call that needs it."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "spacy", "cv2", "matplotlib", "pandas", "langchain_core", "openai", "captum", "onnxruntime")
SECONDS = 0.5  # of processor time over a bare interpreter's; some four times what numpy takes, which all packages may import

PROBE = """
import json, sys, time
before = time.process_time()
import {module}
spent = time.process_time() - before
print(json.dumps([spent, sorted(set(sys.modules) & set({heavy!r}))]))
"""
NAMES = [
    *("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy", "saywhy.cli.app"),
    *(f"saywhy_core.{room}" for room in ("errors", "files", "images", "journal", "registry", "moved", "classifiers")),
]


def probe(module):
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module, heavy=HEAVY)],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", NAMES)
def test_import_is_light(module):
    best, loaded = probe(module)
    assert not loaded, f"import {module} loads {', '.join(loaded)}"
    for _ in range(2):  # a busy machine may be slow once; nobody is fast by accident
        if best >= SECONDS:
            best = min(best, probe(module)[0])
    assert best < SECONDS


def heavy_after(code):
    """The heavy libraries that a process has loaded after this code."""
    ends = f"import sys\nprint(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{ends}"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_every_module_of_the_ground_floor_is_light(source):
    """Also those whose work is heavy: the libraries are imported by the functions. One wing is torch alone, and loaded by functions."""
    names = [
        name for name in source if name.startswith("saywhy_core") and not name.startswith("saywhy_core.classifiers.exported")
    ]
    assert not heavy_after(f"import {', '.join(names)}")


def test_a_face_lists_its_names_without_loading_them(packages):
    assert not heavy_after(f"import {', '.join(packages)}\nfor package in ({', '.join(packages)}):\n    dir(package)")


RUN = """
import contextlib, io, sys
from saywhy.cli.app import main
for words in {commands!r}:
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            main(words)
        except SystemExit as end:
            assert not end.code
    loaded = set(sys.modules) & set({heavy!r})
    assert not loaded, (words, loaded)
"""


def test_commands_on_maps_load_no_model_library(tmp_path):
    """Only --model needs torch; without it, words come in a fraction of the time that torch takes to load."""
    (tmp_path / "maps.jsonl").write_text('{"tokens": ["good", "film"], "scores": [0.5, 0.1], "label": "positive"}\n')
    maps, texts = str(tmp_path / "maps.jsonl"), str(tmp_path / "texts.jsonl")
    verbalize = ["verbalize", maps, "--out", texts]
    commands = [verbalize, ["check", texts, "--maps", maps], ["evaluate", "wording", texts, "--maps", maps]]
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(commands=commands, heavy=HEAVY)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
