"""Signals at every moment of a command's life end it with one sentence and the status that a shell expects."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

STATUSES = {"SIGINT": (130, "interrupted: "), "SIGTERM": (143, "stopped by SIGTERM: "), "SIGHUP": (129, "stopped by SIGHUP: ")}
HIT = """
import os, signal, sys
from saywhy.__main__ import main
def hit(*_):
    os.kill(os.getpid(), signal.{name})
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {where!r}:
            hit()
if {where!r}.startswith("saywhy.") or {where!r} == "typer":
    sys.meta_path.insert(0, Finder)
else:
    import {module} as module
    before = module{inside}.{where}
    def replaced(*words, **more):
        hit()
        return before(*words, **more)
    module{inside}.{where} = replaced
sys.argv = ["saywhy", "check", "--text", "The word a counts most.", "--map", "no-such-file.json"]
main()
"""
MOMENTS = {
    "the first import": ("typer", "os", ""),
    "the import of the subcommand": ("saywhy.cli.commands.check", "os", ""),
    "typer makes the context": ("make_context", "typer.core", ".TyperGroup"),
    "the words are parsed": ("parse_args", "saywhy.cli.command", ".Command"),
    "the files are looked at": ("check_outputs", "saywhy.cli.command", ""),
    "the output is handed over": ("_flushed", "saywhy.cli.app", ""),
}


@pytest.mark.parametrize(("moment", "name"), list(zip(MOMENTS, 2 * list(STATUSES), strict=True)))
def test_a_signal_ends_the_command_with_its_own_status_and_one_sentence(moment, name, tmp_path):
    """Each moment, and each signal twice; every signal at every moment is long."""
    _ends(moment, [name], tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_each_signal_ends_the_command_at_each_moment(moment, tmp_path):
    _ends(moment, list(STATUSES), tmp_path)


def _ends(moment, names, folder):
    where, module, inside = MOMENTS[moment]
    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", HIT.format(name=name, where=where, module=module, inside=inside)],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_signals_as_in_a_shell,
        )
        for name in names
    }
    for name, process in running.items():
        said = process.communicate(timeout=60)[1].splitlines()
        status, begin = STATUSES[name]
        assert process.returncode == status, said
        ends = {"_flushed": "its work was done", "check_outputs": "nothing was checked to its end"}.get(
            where, "nothing was done"
        )
        assert said[-1].startswith(begin + ends)
        assert len(said) == (2 if where == "_flushed" else 1)  # there the missing file was told before


def _signals_as_in_a_shell() -> None:
    for name in STATUSES:
        signal.signal(getattr(signal, name), signal.SIG_DFL if name != "SIGINT" else signal.default_int_handler)
