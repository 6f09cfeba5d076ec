"""Every snippet of the README and the docs runs as it stands, in order, in one empty folder per page.

Python and `saywhy` lines run in the test's own process (see `in_process.py`). The command as a process of its own is tested in
tests/saywhy.
"""

import ast
import re
import shlex
from pathlib import Path

import pytest

from saywhy_core import moved

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPET = re.compile(r"^(?P<skip><!-- not run: .+ -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("python", "console")
SECONDS = (  # pages whose snippets attack, audit, attribute or analyse for seconds
    *("attack.md", "attribution.md", "audit.md", "audit-report.md", "compare-maps.md", "concepts.md", "evaluate-wording.md"),
    *("study.md", "study-analysis.md"),
)


def snippets(page):
    return [(m["kind"], m["body"]) for m in SNIPPET.finditer(page.read_text(encoding="utf-8")) if not m["skip"]]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.long] * (page.name in SECONDS), id=page.name) for page in PAGES]
)
def test_snippets_run(page, tmp_path, chat_server, in_process):
    ran = 0
    server = chat_server(
        behave=lambda request: '{"label": "positive", "sure": true}' if "schema" in request.prompt else "Hello."
    )
    files = dict(FILE.findall(page.read_text(encoding="utf-8")))
    for name, body in files.items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    printed = None
    for kind, shown in snippets(page):
        body = shown.replace("http://127.0.0.1:8000/v1", server.url)  # where a page has a language model's server
        if kind == "python" and body not in files.values():
            done = in_process.run_snippet(body, tmp_path)
            assert done.returncode == 0, f"{body}\n{done.stdout}\n{done.stderr}"
            printed = done.stdout
            ran += 1
        elif kind == "text" and printed:  # what a page says that a snippet prints
            assert " ".join(body.split()) in " ".join(printed.split())
            printed = None
        elif kind == "console":
            for line in body.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    command(line[2:], tmp_path, in_process)
                    ran += 1
    assert ran or not any(kind in RUN for kind, _ in snippets(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_import_from_where_things_stand_today(page):
    for kind, body in snippets(page):
        if kind == "python":
            for node in ast.walk(ast.parse(body)):
                named = [node.module] if isinstance(node, ast.ImportFrom) else []
                named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                assert not set(named) & set(moved._FINDER.homes), body


def command(line, folder, in_process):
    """A command line as a reader would type it; `# exits with N` says what status it ends with."""
    text, _, comment = line.partition("  # exits with ")
    words = shlex.split(text)
    if words[0] == "make":  # the make targets build an environment of their own; CI runs them
        target = words[1]
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    elif words[0] in ("cat", "head", "ls"):
        for name in words[1:]:
            assert name.startswith("-") or (folder / name).exists(), line
    elif words[0] == "python" and words[1].startswith("benchmarks/"):
        assert (ROOT / words[1]).exists(), line
    elif words[0] == "python":
        done = in_process.run_snippet((folder / words[1]).read_text(encoding="utf-8"), folder)
        assert done.returncode == int(comment or 0), f"{line}\n{done.stdout}\n{done.stderr}"
    else:
        assert words[0] == "saywhy", f"a snippet runs only saywhy, python and make, not {line!r}"
        done = in_process.run_command(*words[1:], folder=folder)
        assert done.returncode == int(comment or 0), f"{line}\n{done.stdout}\n{done.stderr}"
