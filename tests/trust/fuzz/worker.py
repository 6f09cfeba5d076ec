"""Handles mutated inputs of one format in this process, and says of each what came of it.

    python tests/trust/fuzz/worker.py csv --seed 0 --first 0 --count 200
    python tests/trust/fuzz/worker.py csv --seed 0 --first 137 --count 1 --show     replays input 137

An input is decided by its format, the seed and its number alone. Each line of output is a JSON object; see `campaign.py`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[3]))
sys.path.insert(0, str(Path(__file__).parent))
import bytes_level
import guards
import honest
import peers
import remains
import structured
import uses
import zoo
from answering import DESCRIPTION, DRAFT, AnsweringServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from honest import Seed
    from uses import Use

Mutate = Any
FORMATS: dict[str, tuple[Callable[..., list[Seed]], Mutate]] = {
    "jsonl": (honest.jsonl, structured.json_lines),
    "json": (honest.documents, structured.json_document),
    "csv": (honest.tables, structured.table),
    "text": (honest.plain_texts, structured.lines_of_text),
    "arrays": (honest.arrays, structured.array_file),
    "pictures": (honest.pictures, structured.picture),
    "onnx": (honest.networks, structured.protobuf),
    "torch": (honest.programs, structured.program),
    "toml": (honest.settings, structured.settings),
    "http": (honest.answers, structured.answer),
    "kept": (remains.made, structured.kept),
}
STRUCTURED = 0.7  # of the inputs are mutated within their format's frame, the others byte by byte
LOADING = 100.0  # seconds for a use that also imports what it needs, on a busy machine
READERS_OF_MAPS = ("convert", "verbalize", "picture", "check")  # they take the options with which a map is read
NAMES = ("input",) * 6 + ("in put", "[foo]", "a\x1b[31mb", "caf\u00e9", "x" * 200, "\udcff", "a\nb", "[bold]", "\u202eabc")
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_INTERNAL = re.compile(r"<_io\.|<class '|object at 0x|\bdtype\(|<built-in |<function |<module ")
_WARNING = re.compile(r"^\S+\.py:\d+: \w*Warning", re.MULTILINE)
_STARVED = re.compile(r"Unable to allocate|MemoryError|bad_alloc|not enough memory|Cannot allocate memory", re.IGNORECASE)


@dataclass
class Outcome:
    """What came of one input: "accepted", "partly", "refused", or a fault."""

    number: int
    source: str
    use: str
    result: str = "refused"
    seconds: float = 0.0
    megabytes: int = 0
    faults: list[str] = field(default_factory=list)
    told: str = ""  # the last that it said to standard error


class Terminal(io.TextIOWrapper):
    """A stream that says whether it is a terminal."""

    terminal = False

    def isatty(self) -> bool:
        """What the stream was told that it is."""
        return self.terminal


class Bench:
    """The folder with the honest files, in which inputs are handled one by one."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.folder = folder / "work"
        honest.furnish(self.folder)
        self.kept = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        self.canary = folder / "canary"
        self.server = AnsweringServer()
        os.environ[zoo.CANARY] = str(self.canary)
        self.watch = guards.Watch(folder)
        self.leaks = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the bench: what C libraries write to the descriptor of standard error

    def handle(
        self,
        seed: Seed,
        data: bytes,
        use: Use,
        *,
        name: str = "input",
        terminal: bool = False,
        show: bool = False,
        limit: float = guards.MOST_SECONDS,
    ) -> Outcome:
        """Put the data into place, use it, and judge what came of it."""
        outcome = Outcome(-1, seed.name, use.name)
        file = self.folder / (use.beside or "{name}").format(name=f"{name}{seed.suffix}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        places = {"{file}": str(file), "{out}": str(self.folder / "out"), "{url}": self.server.url}
        words = [re.sub(r"\{\w+\}", lambda found: places[found[0]], one) for one in use.words]
        self.server.answer = data if seed.suffix == ".http" else DESCRIPTION if "describe" in words else DRAFT
        if seed.suffix == ".http":
            file.with_suffix(".url").write_text(self.server.url)
        if words and words[0] in READERS_OF_MAPS and seed.options and seed.options[0] not in words:
            words += seed.options
        out, err = self._streams(terminal)
        raised: BaseException | None = None
        status: Any = 0
        guards.forget_peak()
        self.leaks.seek(0)
        self.leaks.truncate()
        sys.stderr.flush()
        before = os.dup(2)
        os.dup2(self.leaks.fileno(), 2)
        os.chdir(self.folder)
        started = time.process_time()
        with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(err), self.watch.watching() as seen:
            try:
                with guards.timed(limit):
                    status = self._run(words, use, file)
            except SystemExit as end:
                status = end.code
            except BaseException as error:  # noqa: BLE001 - it is what is looked for
                raised = error
            finally:
                outcome.seconds = time.process_time() - started
                outcome.megabytes = guards.peak() // 1_000_000
                os.dup2(before, 2)
                os.close(before)
        for stream in (out, err):
            try:
                stream.flush()
            except (OSError, ValueError) as error:
                raised = raised or error
        self.leaks.seek(0)
        said = (_text(out), _text(err), self.leaks.read().decode("utf-8", "replace"))
        outcome.faults = [*seen, *self._faults(use, status, raised, said, terminal, outcome), *self._disorder(file)]
        outcome.result = "accepted" if raised is None and status in (0, None) else "partly" if status == 1 else "refused"
        outcome.told = said[1].strip()[-600:]
        if show:
            _show(seed, use, words, data, file, status, raised, said)
        self._tidy(file)
        return outcome

    def _streams(self, terminal: bool) -> tuple[Terminal, Terminal]:
        out = Terminal(io.BytesIO(), encoding="utf-8", write_through=True)
        out.terminal = terminal
        return out, Terminal(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)

    def _run(self, words: list[str], use: Use, file: Path) -> Any:
        if use.call is not None:
            from saywhy_core.errors import UsageError

            try:
                use.call(file)
            except UsageError as error:
                sys.stderr.write(f"error: {error}\n".replace("\x1b", "?"))  # a reader's error may name what it read
                return 2
            return 0
        from saywhy.cli.app import main

        sys.argv = ["saywhy", *words]
        sys.stdin = io.TextIOWrapper(io.BytesIO(b""), encoding="utf-8")
        return main(words)

    def _faults(
        self, use: Use, status: Any, raised: BaseException | None, said: tuple[str, str, str], terminal: bool, outcome: Outcome
    ) -> list[str]:
        out, err, leaked = said
        faults: list[str] = []
        if isinstance(raised, guards.TooSlow):
            faults.append(f"time: more than {guards.MOST_SECONDS:g} s of computing, or {guards.MOST_WAITING:g} s in all")
        elif raised is not None:
            where = traceback.extract_tb(raised.__traceback__)
            own = [one for one in where if "/site-packages/" not in one.filename and "/tests/" not in one.filename]
            last = (own or where)[-1] if where else None
            place = f" at {'/'.join(Path(last.filename).parts[-2:])}:{last.lineno}" if last is not None else ""
            faults.append(f"traceback: {type(raised).__name__}: {str(raised)[:120]!r}{place}")
        if outcome.megabytes * 1_000_000 > guards.MOST_BYTES:
            faults.append(f"memory: {outcome.megabytes} MB")
        if self.canary.exists():
            faults.append("code: the canary was written")
        if leaked.strip():
            faults.append(f"a library writes to standard error: {leaked.strip()[:120]!r}")
        if raised is not None:
            return faults
        if use.call is None:
            faults += _faults_of_a_command(use, status, out, err, terminal)
        if _INTERNAL.search(err):
            faults.append(f"shows Python's names: {_around(_INTERNAL, err)}")
        if _STARVED.search(err):
            faults.append(f"memory ran out: {_around(_STARVED, err)}")
        if _WARNING.search(err):
            faults.append(f"a warning of Python's: {_around(_WARNING, err)}")
        return faults

    def _disorder(self, file: Path) -> list[str]:
        """Honest files that were changed, and temporary files that were left."""
        found = [
            f"an input was changed: {path.name}"
            for path, data in self.kept.items()
            if path != file and (not path.exists() or path.stat().st_size != len(data))
        ]
        left = [path.name for path in self.folder.rglob("*") if ".tmp" in path.name or path.name.endswith(".lock")]
        return found + [f"left behind: {name}" for name in left[:3]]

    def _tidy(self, file: Path) -> None:
        self.canary.unlink(missing_ok=True)
        tops = {path.relative_to(self.folder).parts[0] for path in self.kept}
        for path in self.folder.iterdir():
            if path.name not in tops:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        file.unlink(missing_ok=True)
        file.with_suffix(".url").unlink(missing_ok=True)
        for path, data in self.kept.items():
            if not path.exists() or path.stat().st_size != len(data) or path == file:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def _faults_of_a_command(use: Use, status: Any, out: str, err: str, terminal: bool) -> list[str]:
    faults: list[str] = []
    if status not in (0, 1, 2, None):
        faults.append(f"exit status {status}")
    if "Traceback (most recent call last)" in out + err:
        faults.append("a traceback is printed")
    if _OBEYED.search(err):
        faults.append(f"raw control characters on standard error: {_around(_OBEYED, err)}")
    if terminal and _OBEYED.search(out):
        faults.append(f"raw control characters on the terminal: {_around(_OBEYED, out)}")
    told = ("error:", "not checked: ", "not read: ") if use.words[0] == "check" else ("error:",)
    if status == 2 and not any(one in err for one in told):
        faults.append(f"status 2 without an error: {err[-120:]!r}")
    if status == 1 and not err.strip() and use.words[0] != "check":
        faults.append("status 1 without a word")
    if (
        status == 1
        and use.words[0] == "check"
        and not re.search(r'^false: |"false"', out, re.MULTILINE)
        and "--strict" not in use.words
    ):
        faults.append(f"check ends with 1 and calls nothing false: {err[-160:]!r}")
    if any(len(line) > 3000 for line in err.splitlines()):
        faults.append(f"a line of {max(map(len, err.splitlines()))} characters on standard error")
    return faults


def _around(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return repr(text[max(0, found.start() - 60) : found.end() + 40]) if found else ""


def _text(stream: Terminal) -> str:
    return stream.buffer.getvalue().decode("utf-8", "replace")


def _show(
    seed: Seed,
    use: Use,
    words: list[str],
    data: bytes,
    file: Path,
    status: Any,
    raised: BaseException | None,
    said: tuple[str, str, str],
) -> None:
    kept = Path(tempfile.gettempdir()) / f"fuzzed{seed.suffix}"
    kept.write_bytes(data)
    print(
        f"input: {kept} ({len(data)} bytes, from {seed.name})\nuse: {use.name} {words!r}\nstatus: {status!r}", file=sys.stderr
    )
    print(f"stdout: {said[0][-1500:]!r}\nstderr: {said[1][-3000:]!r}\nleaked: {said[2][-500:]!r}", file=sys.stderr)
    if raised is not None:
        traceback.print_exception(raised)


def make(form: str, seed: int, number: int, sources: list[Seed]) -> tuple[Seed, bytes, Use, str, bool]:
    """The input of that number: the honest file that it comes from, its bytes, its use, its name, and whether stdout is a terminal."""
    rng = random.Random(f"{form}/{seed}/{number}")
    source, other = rng.choice(sources), rng.choice(sources)
    change = FORMATS[form][1] if rng.random() < STRUCTURED else bytes_level.mutate
    data = change(source.data, rng, other.data)
    use = rng.choice(uses.uses_of(rng.choice(source.roles)))
    return source, data[:8_000_000], use, rng.choice(NAMES), rng.random() < 0.3


def main() -> None:
    """Handle inputs as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="+", choices=FORMATS, metavar="format", help=", ".join(FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--honest", action="store_true", help="handle the honest files, each in all its uses")
    parser.add_argument("--show", action="store_true", help="tell all about each input on standard error")
    parser.add_argument("--peer", action="store_true", help="give the inputs to the plain function of a library instead")
    given = parser.parse_args()
    report = os.fdopen(os.dup(1), "w", buffering=1)
    with tempfile.TemporaryDirectory(prefix="saywhy-fuzz-") as folder:
        _settle(Path(folder))
        bench = Bench(Path(folder))
        uses.register_doubles()
        os.chdir(bench.folder)
        sources = {form: FORMATS[form][0](*((bench.folder, bench.server) if form == "kept" else ())) for form in given.formats}
        for form in given.formats:
            for source, use in _to_load(form, given, sources[form]):
                outcome = bench.handle(source, source.data, use, show=given.show and given.honest, limit=LOADING)
                if given.honest:
                    report.write(json.dumps(vars(outcome)) + "\n")
        guards.bound_memory()
        for form in () if given.honest else given.formats:
            for number in range(given.first, given.first + given.count):
                report.write(json.dumps({"start": number, "form": form}) + "\n")
                source, data, use, name, terminal = make(form, given.seed, number, sources[form])
                if given.peer:
                    use = peers.PEERS[form]
                outcome = bench.handle(source, data, use, name=name, terminal=terminal, show=given.show)
                outcome.number = number
                report.write(json.dumps({**vars(outcome), "form": form}) + "\n")
                if any(one.startswith("time:") for one in outcome.faults):
                    return  # something may go on in the background: the next inputs get a fresh process


def _to_load(form: str, given: argparse.Namespace, sources: list[Seed]) -> list[tuple[Seed, Use]]:
    """Honest files and their uses that come first, so that what is loaded on first use counts for no input."""
    pairs = [(source, use) for source in sources for role in source.roles for use in uses.uses_of(role)]
    if given.honest:
        return pairs
    if given.count == 1:
        source, _, use, _, _ = make(form, given.seed, given.first, sources)
        return [(source, use)]
    return list({use: (source, use) for source, use in reversed(pairs)}.values())  # each use once


def _settle(folder: Path) -> None:
    """No setting of the user's and no place of theirs: homes and caches lie in the folder."""
    places = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "TMPDIR", "TORCHINDUCTOR_CACHE_DIR", "HF_HOME")
    for name in places:
        place = folder / name.lower()
        place.mkdir()
        os.environ[name] = str(place)
    tempfile.tempdir = None
    os.environ |= {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "120", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SAYWHY_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    main()
