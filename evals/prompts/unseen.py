"""Selects images that a search has not seen; only on these can its prompts be judged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


def held_out(paths: Sequence[str | os.PathLike[str]], shots: Sequence[str | os.PathLike[str]]) -> list[int]:
    """The positions in `paths` of the files whose content differs from that of every file in `shots`; names do not matter."""
    known = {_digest(path) for path in shots}
    return [index for index, path in enumerate(paths) if _digest(path) not in known]


def _digest(path: str | os.PathLike[str]) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
