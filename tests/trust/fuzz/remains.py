"""What saywhy itself leaves beside an output, made by commands that were cut off: journals, caches, results."""

from __future__ import annotations

import io
import sqlite3
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from answering import DESCRIPTION, DRAFT, FAILURE
from honest import Seed

if TYPE_CHECKING:
    from pathlib import Path

    from answering import AnsweringServer

ASKING = "--concurrency 1 --max-retries 0 --timeout 5"
NARRATE = f"verbalize maps.jsonl --style free --llm {{url}}#m {ASKING} --out out.jsonl"
DESCRIBE = f"describe --classes classes.txt --all-pairs --llm {{url}}#m {ASKING} --out out.json"
IMPROVE = "improve --shots photos --encoder fuzz:means --out out.json"
ATTACK = "attack image.npy --target fuzz:means --budget 4 --out out"


def made(folder: Path, server: AnsweringServer) -> list[Seed]:
    """Run commands in the folder that are cut off, and take what they leave."""
    found: list[Seed] = []

    def take(name: str, role: str) -> None:
        for path in sorted(folder.glob(name)):
            if path.suffix == ".sqlite":  # what was written last lies in a file beside it until then
                with closing(sqlite3.connect(path)) as database:
                    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if path.is_file() and path.stat().st_size:
                found.append(Seed(role, "".join(path.suffixes[-1:]), path.read_bytes(), (role,)))

    server.answer = [DRAFT, DRAFT, FAILURE]
    _run(NARRATE, server)
    take("out.jsonl.part", "part")
    _clear(folder)
    server.answer = [DESCRIPTION, DESCRIPTION, FAILURE]
    _run(DESCRIBE, server)
    take("out.json.journal", "journal")
    take("out.json.replies.sqlite", "replies")
    take("out.json", "pair-file")
    _clear(folder)
    _run(IMPROVE + " --embeddings out.embeddings", server, stop_after=3)
    take("out.json.state", "state")
    take("out.embeddings/embeddings.sqlite", "embeddings")
    _clear(folder)
    _run(ATTACK, server)
    take("out/image/result.json", "result")
    take("out/image/*.bin", "answers")
    _clear(folder)
    return found


class _CutOff(KeyboardInterrupt):
    """As Ctrl-C would do."""


def _run(line: str, server: AnsweringServer, stop_after: int | None = None) -> None:
    from agents.prompting.optimize import PromptOptimizer
    from saywhy.cli.app import main

    whole = PromptOptimizer.__init__
    if stop_after is not None:
        steps = iter(range(stop_after))

        def cut(_: object) -> None:
            if next(steps, None) is None:
                raise _CutOff

        def begin(self: PromptOptimizer, *arguments: Any, **options: Any) -> None:
            whole(self, *arguments, **{**options, "progress": cut})

        # The class itself is changed, and back again: who has imported it keeps no stopped one.
        PromptOptimizer.__init__ = begin  # type: ignore[method-assign]
    sys.stdin = io.TextIOWrapper(io.BytesIO(b""))
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            main(line.replace("{url}", server.url).split(" "))
    except SystemExit:
        pass
    finally:
        PromptOptimizer.__init__ = whole  # type: ignore[method-assign]


def _clear(folder: Path) -> None:
    import shutil

    for path in folder.glob("out*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
