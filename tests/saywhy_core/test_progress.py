"""The one progress bar: on standard error, silent where nobody looks."""

from __future__ import annotations

import io

from rich.console import Console

from saywhy_core import progress
from saywhy_core.progress import progress_bar


def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def test_a_pipe_sees_nothing(capsys):
    with progress_bar("reading", 3) as bar:
        bar(1, 3)
        bar.advance()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_a_terminal_sees_how_far_it_is():
    console = terminal()
    with progress_bar("reading", 4, keep=True, console=console) as bar:
        bar(1, 4)
        bar.advance(2)
    shown = console.file.getvalue()
    assert "reading" in shown
    assert "3/4" in shown


def test_a_total_may_become_known_later():
    console = terminal()
    with progress_bar("reading", keep=True, console=console) as bar:
        bar(1, None)
        bar(2, 7)
        bar(5)
    assert "5/7" in console.file.getvalue()


def test_stages_have_lines_of_their_own():
    console = terminal()
    with progress_bar(keep=True, console=console) as bar:
        bar.stage("texts")(2, 2)
        bar.stage("signs")(1, 3)
        bar.stage("texts")(2, 2)
    last = console.file.getvalue()
    assert "2/2" in last
    assert "1/3" in last
    assert last.rindex("texts") < last.rindex("signs")


def test_long_work_says_on_a_pipe_how_far_it_is(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress_bar("reading \x1b[bold]", 4_000) as bar:
        for second in range(75):
            now[0] = float(second)
            bar(second * 50)
    captured = capsys.readouterr()
    assert captured.out == ""
    said = captured.err.splitlines()
    assert said == [f"reading \\x1b[bold]: {n} of 4,000 done" for n in ("500", "1,500", "3,500")]  # after 10, 30 and 70 s
