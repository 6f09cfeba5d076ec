"""Commands and snippets run inside the test's process, as isolated as a process of their own would be.

Starting Python and importing torch takes seconds; running `saywhy check` takes a hundredth of one. What a run could leave
behind is put back afterwards: the working folder, the environment, `sys.argv`, `sys.path`, the warning filters, the random
generators, what was added to a registry, and modules that it imported from its own folder.
"""

from __future__ import annotations

import io
import os
import random
import shlex
import subprocess
import sys
import traceback
import types
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from saywhy_core.registry import Registry

Done = subprocess.CompletedProcess  # what a run ends with: `returncode`, `stdout`, `stderr`
TOPS = ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")
_searched: dict[str, types.ModuleType] = {}
_held: dict[int, Registry[Any]] = {}


def run_command(
    *words: object, folder: Path | None = None, stdin: str = "", env: Mapping[str, str | None] | None = None
) -> Done[str]:
    """Run `saywhy WORDS...` in a folder; a variable of `env` that is None is taken away."""
    from saywhy.cli.app import main

    return _run(["saywhy", *map(str, words)], main, folder, env, stdin)


def run_snippet(code: str, folder: Path) -> Done[str]:
    """Run Python code as `python -c` would, with the folder as working folder and first on `sys.path`."""
    module = types.ModuleType("__main__")

    def body() -> None:
        before = sys.modules["__main__"]
        sys.modules["__main__"] = module  # pickles and annotations of what the snippet defines look there
        sys.path.insert(0, str(folder))
        try:
            exec(compile(code, "<snippet>", "exec", dont_inherit=True), module.__dict__)
        finally:
            sys.modules["__main__"] = before

    return _run(["-c"], body, folder, None)


def _run(
    argv: list[str], body: Callable[[], None], folder: Path | None, env: Mapping[str, str | None] | None, stdin: str = ""
) -> Done[str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    status: object = 0
    with _restored(folder), redirect_stdout(out), redirect_stderr(err):
        for name, value in {"NO_COLOR": "1", "COLUMNS": "120", "HF_HUB_OFFLINE": "1", **(env or {})}.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        sys.argv = argv
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        try:
            body()
        except SystemExit as end:
            status = end.code
        except BaseException as error:
            if type(error).__module__.startswith("_pytest"):  # a timeout or a failed expectation of the test itself
                raise
            traceback.print_exc()
            status = 1
    if isinstance(status, str):
        err.write(f"{status}\n")
        status = 1
    out_text, err_text = (stream.buffer.getvalue().decode("utf-8") for stream in (out, err))
    return Done([shlex.join(argv)], int(status or 0), out_text, err_text)


@contextmanager
def _restored(folder: Path | None) -> Iterator[None]:
    where, environment, argv, path, stdin = Path.cwd(), dict(os.environ), sys.argv, list(sys.path), sys.stdin
    modules = set(sys.modules)
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    there = {id(registry): set(registry._loaded) for registry in _registries()}
    with warnings.catch_warnings():
        try:
            os.chdir(folder or where)
            yield
        finally:
            os.chdir(where)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv, sys.path[:], sys.stdin = argv, path, stdin
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
            for registry in _registries():  # also those whose module this run has imported
                for name in set(registry._loaded) - there.get(id(registry), set()) - set(registry._builtin):
                    del registry._loaded[name]
            for name in set(sys.modules) - modules:
                file = getattr(sys.modules[name], "__file__", None)
                if folder is not None and file and Path(file).resolve().is_relative_to(folder.resolve()):
                    del sys.modules[name]


def _registries() -> list[Registry[Any]]:
    """Every registry that a loaded module holds; they stand in it as soon as it is loaded, so each module is searched once."""
    from saywhy_core.registry import Registry

    for name, module in list(sys.modules.items()):
        if _searched.get(name) is not module:
            _searched[name] = module
            if name.partition(".")[0] in TOPS:
                _held.update((id(thing), thing) for thing in vars(module).values() if isinstance(thing, Registry))
    return list(_held.values())
