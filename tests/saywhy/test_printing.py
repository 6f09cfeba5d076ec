"""What the command prints: from one module, as plain text, legible on a terminal, in one sentence where something failed."""

from __future__ import annotations

import ast
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import saywhy.cli.app
from saywhy.cli.options import console
from saywhy_core import legible
from saywhy_core.secrets import forget_secrets, keep_secret

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")
# What may touch the streams of the process, and why.
MAY_PRINT = {
    "saywhy/cli/options/console.py": "the one module that prints",
    "saywhy/cli/app.py": "hands over what is left of the output at the end",
    "saywhy_core/legible.py": "the one way to standard output",
    "saywhy_core/images/stripes.py": "hands over what standard error holds before it is closed to libtiff",
    "saywhy_core/progress.py": "the bar",
    "agents/chat/templates/sandbox.py": "a process of its own, which answers over a pipe",
    "saywhy/signs/train.py": "a script of its own, for those who build saywhy",
}
PRINTING = {"echo", "secho", "print", "print_json", "log", "print_exception", "rule", "print_exc", "print_stack"}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}


def _calls(tree: ast.AST):
    """(line, what) of each place that prints, or names a stream of the process to write to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in {"print", "Console", "escape_markup", "pprint"}:
                yield node.lineno, called.id
            if isinstance(called, ast.Attribute) and called.attr in PRINTING and not _is_maths(called):
                yield node.lineno, ast.unparse(called)
        if isinstance(node, ast.Attribute) and node.attr in STREAMS and ast.unparse(node.value) == "sys":
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.keyword) and node.arg == "markup" and ast.unparse(node.value) != "False":
            yield node.value.lineno, "markup"


def _is_maths(called: ast.Attribute) -> bool:
    return ast.unparse(called.value) in {"np", "numpy", "math", "torch"}


def _places(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"{path.relative_to(ROOT)}:{line} {what}" for line, what in _calls(tree)]


def test_nothing_is_printed_outside_of_one_module():
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    found = [place for path in files if path.relative_to(ROOT).as_posix() not in MAY_PRINT for place in _places(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    ["print('x')", "import sys\nsys.stdout.write('x')", "typer.echo('x')", "Console().print('x')", "f(x, markup=True)"],
)
def test_the_walk_finds_what_prints(code):
    assert list(_calls(ast.parse(code)))


HOSTILE = ("[/foo]", "[red]x[/red]", "[link=http://x]y[/link]", ":warning:", "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb")


@pytest.mark.parametrize("text", HOSTILE)
def test_notes_are_plain_and_legible(capsys, text):
    console.note(f"before {text} after")
    said = capsys.readouterr().err
    assert not set(said) & set("\x1b\x9b\x07\r")
    assert said.startswith("before ")
    assert said.endswith(" after\n")
    if text.isprintable():
        assert text in said


@pytest.mark.parametrize("text", HOSTILE)
def test_problems_take_one_line_each(capsys, text):
    assert console.tell(("not read", [f"id {text}\nsecond line"]))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not set(said) & set("\x1b\x9b\x07\r")


@pytest.mark.parametrize("word", [*HOSTILE, "a\udcffb"])
@pytest.mark.parametrize(
    "words",
    [("convert", "{}"), ("convert", "x", "--out", "{}/y/z"), ("{}",), ("check", "--text", "{}", "--map", "{}"),
     ("attack", "{}", "--target", "{}", "--out", "o"), ("attack", "x", "--target", "demo:signs", "--out", "o", "--budget", "{}"),
     ("convert", "x", "--ceiling", "{}"), ("verbalize", "x", "--style", "{}"), ("describe", "--classes", "{}", "--out", "o"),
     ("convert", "x", "--{}")],
)  # fmt: skip
def test_no_word_of_the_user_is_markup_or_obeyed(tmp_path, monkeypatch, capsys, words, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("nonsense")
    with pytest.raises(SystemExit) as ended:
        saywhy.cli.app.main([part.format(word) for part in words])
    said = capsys.readouterr()
    assert ended.value.code in (1, 2)
    assert not set(said.err + said.out) & set("\x1b\x9b\x07\r")
    assert "itself failed" not in said.err
    assert said.err.strip()


@pytest.mark.parametrize("say", [console.note, console.fail])
def test_a_name_of_any_length_leaves_a_sentence_that_can_be_read(capsys, say):
    say(f"a file {'x' * 100_000} can't be read")
    (said,) = capsys.readouterr().err.splitlines()
    assert 400 < len(said) < 600
    assert "a file xxx" in said
    assert said.endswith("xxx can't be read")
    assert "characters left out" in said


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("say", [console.note, console.fail, console.show])
def test_no_name_makes_a_second_line(capsys, say, end):
    say(f"a{end}error: forged")
    said = "".join(capsys.readouterr())
    assert len(said.splitlines()) == 1
    assert "error: forged" in said
    assert not said.startswith("error: forged")


def test_a_line_keeps_its_indentation_and_our_own_lists_keep_their_lines(capsys):
    console.show("    claim:  two")
    console.show_lines("one\n  two")
    console.note_lines("three\n  four\x1b")
    said = capsys.readouterr()
    assert said.out == "    claim:  two\none\n  two\n"
    assert said.err == "three\n  four\\x1b\n"


NAME = "a\nerror: forged"


@pytest.mark.parametrize(
    "words",
    [("convert", NAME), ("convert", "m.jsonl", "--out", NAME), ("verbalize", "m.jsonl", "--out", NAME),
     ("picture", "m.jsonl", "--out", NAME), ("check", "--text", NAME, "--map", "m.jsonl"), ("check", NAME, "--maps", "m.jsonl"),
     ("describe", "--classes", NAME, "--all-pairs", "--llm", "http://127.0.0.1:9/v1#m", "--out", "o.json"),
     ("attack", NAME, "--target", "demo:signs", "--out", "o"), ("convert", "m.jsonl", "--settings", NAME), (NAME,),
     ("convert", "m.jsonl", "--maps-format", NAME), ("verbalize", "m.jsonl", "--style", NAME)],
)  # fmt: skip
def test_a_line_end_in_a_word_of_the_command_forges_no_line(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    record = {"version": 1, "id": "r", "query": {"label": "x"}, "tokens": ["good", "bad"], "scores": [1, -2]}
    Path("m.jsonl").write_text(json.dumps(record) + "\n")
    with suppress(SystemExit):
        saywhy.cli.app.main(list(words))
    said = capsys.readouterr()
    assert "forged" in said.err + said.out
    assert not [line for line in (said.err + said.out).splitlines() if line.startswith("error: forged")]


def test_secrets_are_not_printed(capsys):
    keep_secret("sk-a-secret-of-some-length")
    try:
        console.note("the key sk-a-secret-of-some-length was refused")
        console.show("SK-A-SECRET-OF-SOME-LENGTH")
        console.show_data('{"a": "sk-a-secret-of-some-length"}\n')
    finally:
        forget_secrets()
    said = capsys.readouterr()
    assert "secret-of" not in (said.err + said.out).lower()
    assert (said.err + said.out).count("(secret)") == 3


def test_output_for_programs_is_as_it_is_and_for_people_legible(monkeypatch, capsys):
    text = '"\x9b1m \x7f"\n'
    console.show_data(text)
    assert capsys.readouterr().out == text
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    console.show_data(text)
    assert capsys.readouterr().out == '"\\x9b1m \\x7f"\n'


def test_a_mistake_of_our_own_is_one_sentence_and_never_status_1(monkeypatch, capsys):
    for error in (
        RuntimeError("a [/b] mistake\nof two lines"),
        OSError("no file has to do with this"),
        MemoryError(),
        KeyError("k"),
    ):

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(saywhy.cli.app, "build", lambda commands, fail=fail: fail)
        with pytest.raises(SystemExit) as ended:
            saywhy.cli.app.main(["check"])
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert said.startswith("error: ")
        assert said.count("\n") == 1
        assert "Traceback" not in said


def test_the_traceback_is_there_for_those_who_ask(monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(saywhy.cli.app, "build", lambda commands: fail)
    monkeypatch.setenv("SAYWHY_TRACEBACK", "1")
    with pytest.raises(SystemExit):
        saywhy.cli.app.main(["check"])
    assert "Traceback" in capsys.readouterr().err


def test_escapes_reach_no_terminal(tmp_path):
    """The real command on a real terminal: the id and the words of a map hold what terminals obey."""
    (tmp_path / "m.jsonl").write_text(
        '{"version": 1, "id": "a\\u001b]0;owned\\u0007", "query": {"label": "x\\u001b[31m"}, '
        '"tokens": ["good\\u001b[2J", "bad"], "scores": [1, -2]}\n{"broken\\u001b[2J": 1}\n'
    )
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "saywhy", "verbalize", "m.jsonl"], cwd=tmp_path, stdout=follower, stderr=follower,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
    )  # fmt: skip
    os.close(follower)
    said = b""
    try:
        while chunk := os.read(leader, 4096):
            said += chunk
    except OSError:  # the terminal is gone with the process
        pass
    assert process.wait() == 1
    text = said.decode()
    assert "\x1b]0;" not in text
    assert "\x1b[2J" not in text
    assert "\\x1b" in text


SLEEPS = """
import saywhy.cli.app as app, sys, time
def wait(*words, **options):
    print("ready", file=sys.stderr, flush=True)
    time.sleep(30)
app.build = lambda commands: wait
app.main(["check"])
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_signals_end_the_command_with_a_sentence(number, status):
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPS], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    process.send_signal(number)
    said = process.stderr.read()
    assert process.wait(10) == status
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_what_a_terminal_obeys_is_escaped_and_all_else_kept():
    kept = "tabs\tand lines\n ünï 漢字 🙂 \u2068isolated\u2069 نص"
    assert legible.legible_lines(kept) == kept
    assert legible.legible_lines("\x00\x1b\x7f\x85\x9b\u202e\ud800") == "\\x00\\x1b\\x7f\\x85\\x9b\\u202e\\ud800"
