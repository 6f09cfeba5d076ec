"""Every snippet of the README and the docs runs as it stands, in order, in one empty folder a page."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPET = re.compile(r"^(?P<skip><!-- not run: .+ -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("python", "console")


def snippets(page):
    return [(m["kind"], m["body"]) for m in SNIPPET.finditer(page.read_text(encoding="utf-8")) if not m["skip"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_run(page, tmp_path, chat_server):
    ran = 0
    server = chat_server(
        behave=lambda request: '{"label": "positive", "sure": true}' if "schema" in request.prompt else "Hello."
    )
    pattern = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    files = dict(pattern.findall(page.read_text(encoding="utf-8")))
    for name, body in files.items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    printed = None
    for kind, shown in snippets(page):
        body = shown.replace("http://127.0.0.1:8000/v1", server.url)  # where a page has a language model's server
        if kind == "python" and body not in files.values():
            printed = run([sys.executable, "-c", body], tmp_path, body)
            ran += 1
        elif kind == "text" and printed:  # what a page says that a snippet prints
            assert " ".join(body.split()) in " ".join(printed.split())
            printed = None
        elif kind == "console":
            for line in body.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    command(line[2:], tmp_path)
                    ran += 1
    assert ran or not any(kind in RUN for kind, _ in snippets(page))


def command(line, folder):
    """A command line as a reader would type it; `# exits with N` says what status it ends with."""
    text, _, comment = line.partition("  # exits with ")
    words = shlex.split(text)
    if words[0] == "make":  # the make targets build an environment of their own; CI runs them
        target = words[1]
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return
    if words[0] in ("cat", "head", "ls"):
        run(words, folder, line)
        return
    if words[0] == "python" and words[1].startswith("benchmarks/"):
        assert (ROOT / words[1]).exists(), line
        return
    assert words[0] in ("saywhy", "python"), f"a snippet runs only saywhy, python and make, not {line!r}"
    program = [shutil.which("saywhy", path=str(Path(sys.executable).parent))] if words[0] == "saywhy" else [sys.executable]
    assert program[0], "the saywhy command is not installed beside this Python"
    run([*program, *words[1:]], folder, line, expected=int(comment or 0))


def run(arguments, folder, shown, expected=0):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == expected, f"{shown}\n{done.stdout}\n{done.stderr}"
    return done.stdout
