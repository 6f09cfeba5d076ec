"""Chat templates, rendered in a process of their own: a template is a program, which may run for ever or fill the memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from saywhy_core.bounded.watched import OverTimeError, Watched, too_long
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceiling

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTING = 60.0  # seconds for the process to start: Python and jinja2, on a busy machine
PASSED_ON = ("PATH", "TZ", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")  # and so no keys
SERVE = """
import sys
sys.path[:] = {path!r}
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("sandbox", {file!r})
sandbox = sys.modules["sandbox"] = module_from_spec(spec)
spec.loader.exec_module(sandbox)
sandbox.serve()
"""
"""The program of that process. The module is loaded by its file: importing its packages would take as long as all else."""
_patching = threading.RLock()


class TemplateRenderer:
    """Renders chat templates in a process beside this one, which starts when it is needed and is ended where it takes too long.

    Args:
        where: the model, for errors.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._seconds = ceiling("seconds")
        self._longest = ceiling("bytes")
        self._watched = Watched("template")
        self._process: subprocess.Popen[bytes] | None = None
        self._over: str | None = None

    def render(self, template: str, values: dict[str, Any]) -> str:
        """The text.

        Raises:
            OverTimeError: the template takes longer than the ceiling `seconds` says, or did so before.
            TemplateError: it refuses these values, or fails.
        """
        if self._over is not None:
            raise OverTimeError(self._over)
        request = {"template": template, "values": values, "seconds": self._seconds, "longest": self._longest}
        line = json.dumps(request, default=lambda value: f"<{type(value).__name__}>").encode() + b"\n"
        process = self._running()
        slow = too_long(f"the chat template of {self.where}", "render one prompt", self._seconds, self._seconds)
        try:
            answer = self._watched(lambda: _exchanged(process, line), self._seconds, slow, stop=process.kill)
        except BaseException as error:
            self._end()
            if isinstance(error, OverTimeError):
                self._over = str(error)
            raise
        if not answer:
            self._end()
            self._over = f"the chat template of {self.where} ended the process that rendered it, most likely for want of memory"
            raise OverTimeError(self._over)
        said = json.loads(answer)
        if "text" not in said:
            raise TemplateError(str(said["refused"])[:300])
        return str(said["text"])

    @contextmanager
    def in_transformers(self) -> Iterator[None]:
        """Inside the block, transformers renders chat templates here.

        Raises:
            UsageError: this version of transformers renders them in another way.
        """
        from transformers.utils import chat_template_utils as theirs

        name = "_compile_jinja_template"
        if not hasattr(theirs, name):
            raise UsageError("this version of transformers renders chat templates in a way that is not known; install another")
        with _patching:
            before = getattr(theirs, name)
            setattr(theirs, name, lambda template: _Compiled(self, template))
            try:
                yield
            finally:
                setattr(theirs, name, before)

    def start(self) -> None:
        """Start the process, which takes a part of a second that is no part of the time for a prompt.

        Raises:
            UsageError: it can't be started.
        """
        if self._over is None:
            self._running()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            code = SERVE.format(path=sys.path, file=str(Path(__file__).with_name("sandbox.py")))
            self._process = process = subprocess.Popen(
                [sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ}, start_new_session=os.name != "nt",
            )  # fmt: skip
            weakref.finalize(self, _ended, process)
            slow = f"the process for chat templates did not start within {STARTING:.0f} seconds; try again"
            if self._watched(lambda: _exchanged(process, b""), STARTING, slow, stop=process.kill) != b"ready\n":
                self._end()
                raise UsageError("the process for chat templates can't be started; see whether Python can start itself here")
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            _ended(self._process)
            self._process = None


class _Compiled:
    """What transformers takes for a compiled template."""

    def __init__(self, renderer: TemplateRenderer, template: str) -> None:
        self._renderer, self._template = renderer, template

    def render(self, **values: Any) -> str:
        return self._renderer.render(self._template, values)


def _exchanged(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        return b""
    with suppress(BrokenPipeError):
        process.stdin.write(line)
        process.stdin.flush()
    return process.stdout.readline()


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
