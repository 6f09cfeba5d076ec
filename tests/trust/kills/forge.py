"""Starts `saywhy` as a process of its own in a tenth of a second: everything is imported once, and each run is a fork.

As a program it reads one job per line of JSON on standard input, {"words", "folder", "out", "err", "env", "dies_at", "before"}, and answers
with the process id of the run; the line {"wait": PID} is answered with its exit status, negative for a signal. A run is a whole
process: it has its own session, files and memory, and ends as an interpreter ends. `Forge` is the other end.

With `dies_at` N, a run kills itself with SIGKILL before the Nth time that it changes something on the disk under its folder: a file
opened for writing, synced, renamed, removed or cut, a folder made. With N = 0 it only counts, and the count is left in the file
`moments` beside its standard error. `before` is Python code that a run executes first.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Self

HERE = Path(__file__)
ROOT = HERE.parents[3]
TALKING = (
    *(
        "saywhy.cli.app",
        "numpy",
        "langchain_openai",
        "openai",
        "agents.chat.servers.remote",
        "agents.prompting",
        "verbalize.narrate",
    ),
    *("verbalize.write", "verbalize.read", "verbalize.formats", "verbalize.draw", "PIL.Image", "matplotlib.figure"),
)
SEEING = (
    *("cv2", "scipy.optimize", "adversarial.audit.image_folders.runner", "adversarial.attacks.feature_guided.attack"),
    *("saywhy_core.images", "saywhy_core.classifiers.python"),
)
LEARNING = ("torch", "transformers", "agents.encoders.clip", "evals.prompts", "saywhy.signs.target")
EVERYTHING = (*TALKING, *SEEING, *LEARNING)
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "sqlite3.connect"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Run:
    """One process of `saywhy`."""

    def __init__(self, forge: Forge, pid: int, out: Path, err: Path) -> None:
        self.forge, self.pid, self.out, self.err = forge, pid, out, err
        self.status: int | None = None
        self.killed = False
        self.pipe = -1

    def drain(self) -> bytes:
        """What it sends through its pipe, until it closes it."""
        with os.fdopen(self.pipe, "rb") as stream:
            return stream.read()

    def signal(self, number: int) -> None:
        """Send a signal to the process; it may have ended already."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def ended(self) -> bool:
        """Whether the process has ended; it is waited for afterwards, so that its id stays its own until then."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        return state == "Z"

    def wait(self) -> int:
        """The exit status, negative for a signal."""
        if self.status is None:
            self.status = self.forge.ask({"wait": self.pid})
            self.killed = self.status == -signal.SIGKILL
        return self.status

    @property
    def told(self) -> str:
        """What it said on standard error."""
        return self.err.read_text(encoding="utf-8", errors="replace")


class Forge:
    """A process that has imported everything and forks a run for each command; a context manager.

    Args:
        modules: what it imports, so that no run has to.
    """

    def __init__(self, modules: tuple[str, ...] = EVERYTHING) -> None:
        self._modules = modules

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}
        self._lock = threading.Lock()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, str(HERE), ",".join(self._modules)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._answer() == 0
        return self

    def __exit__(self, *_: object) -> None:
        stream: IO[str] = self._process.stdin  # type: ignore[assignment]
        stream.close()
        self._process.wait(timeout=30)

    def start(
        self,
        words: list[str],
        folder: Path,
        told: Path,
        *,
        env: dict[str, str] | None = None,
        dies_at: int | None = None,
        before: str = "",
        pipe: bool = False,
    ) -> Run:
        """Start `saywhy WORDS...` in a folder; what it says goes to files in the folder `told`."""
        told.mkdir(parents=True, exist_ok=True)
        self._count += 1
        out, err = told / f"{self._count}.out", told / f"{self._count}.err"
        if pipe:
            os.mkfifo(out)
        places = {"folder": str(folder), "out": str(out), "err": str(err)}
        job = {"words": words, **places, "env": env or {}, "dies_at": dies_at, "before": before}
        run = Run(self, self.ask(job), out, err)
        if pipe:  # opened once the run has opened its end, and from then on an ordinary pipe
            run.pipe = os.open(out, os.O_RDONLY)
        return run

    def ask(self, job: dict[str, Any]) -> int:
        """Send a line and read the number that answers it."""
        stream: IO[str] = self._process.stdin  # type: ignore[assignment]
        with self._lock:
            stream.write(json.dumps(job) + "\n")
            stream.flush()
            return self._answer()

    def _answer(self) -> int:
        stream: IO[str] = self._process.stdout  # type: ignore[assignment]
        line = stream.readline()
        if not line:
            raise RuntimeError("the forge has gone")
        return int(line)


def _serve() -> dict[str, Any] | None:
    """In the forge: answer until the input ends. In a run, which is a fork of it: return its job."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a module prints while it is imported is no answer
    _import_everything()
    assert len(os.listdir("/proc/self/task")) == 1, "a thread was started by an import: a fork would lose it"  # noqa: PTH208
    print(0, file=answers, flush=True)
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        if "wait" in job:
            print(os.waitstatus_to_exitcode(os.waitpid(job["wait"], 0)[1]), file=answers, flush=True)
            continue
        pid = os.fork()
        if not pid:
            os.setsid()
            return job
        print(pid, file=answers, flush=True)
    return None


def _import_everything() -> None:
    from saywhy.cli.app import build

    for name in sys.argv[1].split(","):
        import_module(name)
    build()
    if "verbalize.read" in sys.modules:
        _read_a_text()
    gc.collect()
    gc.freeze()  # a run that looks for garbage would make its own copy of all that it shares with the forge


def _read_a_text() -> None:
    """Compile the patterns that reading a text needs, which each run would do for itself."""
    from verbalize import Query, TokenSaliency, read_claims

    saliency = TokenSaliency(["good", "film", "dull"], [1.0, 0.5, -0.25], Query("positive"))
    for said in (
        "'good' is the most important word for 'positive'",
        "'good' holds 57% of all the evidence",
        "'dull' speaks against it",
    ):
        read_claims(f"{said}. It is good, and one would be hard put to overlook 'film' in all of this.", saliency)


def _become(job: dict[str, Any]) -> list[str]:
    """Take up the folder, the files and the environment of a run."""
    os.chdir(job["folder"])
    for number, path in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        fifo = number == 1 and stat.S_ISFIFO(os.stat(path).st_mode) if os.path.exists(path) else False  # noqa: PTH110, PTH116
        handle = os.open(path, os.O_WRONLY if fifo else os.O_RDWR | os.O_CREAT, 0o666)
        os.dup2(handle, number)
        os.close(handle)
    os.environ.update(job["env"])
    if job["dies_at"] is not None:
        _die_at(job["dies_at"], job["folder"], Path(job["err"]).with_name("moments"))
    exec(job["before"], {})
    words: list[str] = job["words"]
    sys.argv = ["saywhy", *words]
    return words


def _die_at(moment: int, folder: str, left: Path) -> None:
    """Kill this process before the Nth change on the disk; with 0, count the changes."""
    count = 0
    inside = folder.rstrip("/") + "/"
    fsync = os.fsync
    lock = threading.Lock()
    tally = os.open(left, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if moment == 0 else -1

    def change() -> None:
        nonlocal count
        with lock:
            count += 1
            if moment == 0:
                os.pwrite(tally, str(count).encode(), 0)
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    def seen(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, (str, bytes)) or not isinstance(flags, int) or not flags & WRITES:
                return
        elif event in CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, (str, bytes, os.PathLike)):
            where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - Path would make audit events of its own
            if where.startswith(inside):
                change()

    def synced(handle: int) -> None:
        change()
        fsync(handle)
        change()

    os.fsync = synced  # type: ignore[assignment]
    sys.addaudithook(seen)


if __name__ == "__main__":
    found = _serve()
    if found is not None:
        words_of_run = _become(found)
        from saywhy.cli.app import main

        main(words_of_run)
