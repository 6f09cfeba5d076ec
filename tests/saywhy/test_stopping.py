"""What ends a run after a signal counts as the signal, whatever exception it has become."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from saywhy.cli import app
from saywhy_core.errors import UsageError
from tests.in_process import run_command


def broken_import() -> None:
    raise AttributeError("partially initialized module 'matplotlib' has no attribute 'get_data_path'")


def refused() -> None:
    raise UsageError("maps.jsonl holds no maps")


def no_module() -> None:
    raise ImportError("cannot import name 'x'")


def left() -> None:
    raise SystemExit(0)


def torn() -> None:
    raise OSError(5, "Input/output error", "x.png")


def stopped_once_more() -> None:
    raise KeyboardInterrupt


def gone() -> None:
    raise BrokenPipeError


@pytest.mark.parametrize("after", [broken_import, refused, no_module, left, torn, stopped_once_more, gone])
@pytest.mark.parametrize(
    ("number", "status", "told"),
    [
        (signal.SIGTERM, 143, "stopped by SIGTERM: nothing was done"),
        (signal.SIGHUP, 129, "stopped by SIGHUP: nothing was done"),
        (signal.SIGINT, 130, "interrupted: nothing was done"),
    ],
)
def test_what_is_raised_after_a_signal_counts_as_the_signal(monkeypatch, number, status, told, after):
    def command(words: list[str], **_: Any) -> int:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        except KeyboardInterrupt:  # as an import that is cut through leaves its module by half
            after()
        return 0

    monkeypatch.setattr(app, "build", lambda commands: command)
    done = run_command("check")
    assert (done.returncode, done.stderr.strip()) == (status, told)


def test_a_run_after_a_stopped_one_is_judged_by_itself(monkeypatch):
    def stopped(words: list[str], **_: Any) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    def failing(words: list[str], **_: Any) -> int:
        raise AttributeError("a mistake")

    monkeypatch.setattr(app, "build", lambda commands: stopped)
    assert run_command("check").returncode == 143
    monkeypatch.setattr(app, "build", lambda commands: failing)
    done = run_command("check")
    assert done.returncode == 2
    assert "saywhy itself failed (AttributeError: a mistake)" in done.stderr
