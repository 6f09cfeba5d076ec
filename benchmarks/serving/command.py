"""`saywhy audit run` as a process of its own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

DONE = "SELECT count(*) FROM images WHERE status IN ('found', 'held', 'wrong')"


class Run:
    """The command for one audit, which can be given again and again.

    Args:
        folder: where it runs; the audit is in `out` there.
        images: the arguments of the command.
        words: further ones.
    """

    def __init__(self, folder: Path, images: Path, *words: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.out = folder, folder / "out"
        self._words = [sys.executable, "-m", "saywhy", "audit", "run", "out", str(images), *words]

    def start(self) -> subprocess.Popen[str]:
        """Start it."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        return subprocess.Popen(
            self._words, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def to_its_end(self) -> str:
        """Run it; what it said.

        Raises:
            RuntimeError: its status is not 0.
        """
        process = self.start()
        said = process.communicate()[0]
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {said[-1500:]}")
        return said

    def done(self) -> int:
        """Images that are done."""
        if not (self.out / "audit.sqlite").exists():
            return 0
        with suppress(sqlite3.OperationalError), sqlite3.connect(self.out / "audit.sqlite") as database:
            return int(database.execute(DONE).fetchone()[0])
        return 0  # it is being made

    def checked(self) -> int:
        """Findings, and images for which none was found: each was asked about once more at its end, see docs/attack.md."""
        with sqlite3.connect(self.out / "audit.sqlite") as database:
            return int(database.execute("SELECT count(*) FROM images WHERE status IN ('found', 'held')").fetchone()[0])


def image_set(data: Path, folder: Path, count: int, name: str = "gtsrb/gtsrb_test.npz") -> Path:
    """The first images of a set, with their labels, in one file."""
    with np.load(data / name) as kept:
        times = -(-count // len(kept["images"]))
        images, labels = (np.concatenate([kept[part]] * times)[:count] for part in ("images", "labels"))
    np.savez(folder / "set.npz", images=images, labels=labels)
    return folder / "set.npz"
