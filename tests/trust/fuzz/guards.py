"""What a mutated input must not do: run code, reach the network, write outside its folder, or take time and memory without end."""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 1_000_000_000  # of memory, while one input is handled
MOST_SECONDS = 10.0  # of computing: what else the machine has to do counts for no input
MOST_WAITING = 40.0  # seconds on the clock, for what waits and does not compute

_RUNS = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "subprocess.Popen",
    "pty.spawn",
    "ctypes.dlopen",
    "pickle.find_class",
}
_WRITES = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
    "shutil.move",
}
_ASKED_ONCE = ("fc-list", "uname")  # by matplotlib for its fonts, and by Python for the name of the machine
_HARMLESS = ("/dev/null", "/proc/self/clear_refs")


def _mapped(library: object) -> bool:
    """Whether this process runs that very library already: threadpoolctl opens it once more to set its threads, and nothing new is loaded."""
    if not isinstance(library, (str, bytes)) or not os.fsencode(library).startswith(b"/"):
        return False
    ending = b" " + os.fsencode(os.path.realpath(library))
    with suppress(OSError), Path("/proc/self/maps").open("rb") as maps:
        return any(line.rstrip(b"\n").endswith(ending) for line in maps)
    return False


class TooSlow(BaseException):
    """An input took longer than it may; no handler of ordinary errors catches it."""


class Watch:
    """What Python's audit events tell while it is armed. An audit hook can't be taken out again, so there is one per process.

    Args:
        folder: the only place that may be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder)
        self.seen: list[str] = []
        self.armed = False
        sys.addaudithook(self._hook)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Note in the list what is done inside the block that must not be."""
        self.seen, self.armed = [], True
        try:
            yield self.seen
        finally:
            self.armed = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in _RUNS and arguments[0] not in _ASKED_ONCE and not (event == "ctypes.dlopen" and _mapped(arguments[0])):
            self._note(f"code: {event} {arguments[:2]!r:.200}")
        elif event == "socket.connect":
            address = arguments[1]
            if not (isinstance(address, tuple) and str(address[0]).startswith("127.")) and not isinstance(
                address, (str, bytes)
            ):
                self._note(f"network: {address!r:.100}")
        elif event == "socket.getaddrinfo":
            if arguments[0] not in ("127.0.0.1", "localhost", b"127.0.0.1", None):
                self._note(f"network: looks up {arguments[0]!r:.100}")
        elif event == "open":
            path, mode, flags = arguments
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR)) if isinstance(flags, int) else set("wax+") & set(mode or "")
            if writes and isinstance(path, (str, bytes)):
                self._outside(event, path)
        elif (
            event == "sqlite3.connect" and isinstance(arguments[0], (str, bytes)) and os.fsencode(arguments[0]) != b":memory:"
        ) or (event in _WRITES and arguments and isinstance(arguments[0], (str, bytes))):
            self._outside(event, arguments[0])

    def _outside(self, event: str, path: str | bytes) -> None:
        place = os.path.realpath(os.fsdecode(path))
        if not place.startswith(self.folder) and place not in _HARMLESS and not place.startswith("/dev/pts"):
            self._note(f"writes outside: {event} {place!r:.200}")
            raise PermissionError(13, "outside of the folder of this run", place)

    def _note(self, what: str) -> None:
        if len(self.seen) < 5:
            self.seen.append(what)


@contextmanager
def timed(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Raise `TooSlow` inside the block after so many seconds of computing, or four times as many on the clock."""

    def ring(*_: object) -> None:
        raise TooSlow

    before = {number: signal.signal(number, ring) for number in (signal.SIGALRM, signal.SIGPROF)}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * MOST_WAITING / MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def forget_peak() -> None:
    """From now on, `peak` counts anew; where the system can't, it counts from the start of the process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most memory that this process has held, in bytes, since `forget_peak`."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def bound_memory(more: int = 3 << 30) -> None:
    """Let this process take so many more bytes of address space, so that a bomb does not take the machine down."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + more, size + more))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
