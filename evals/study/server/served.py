"""The files that a server hands out: a list made when it starts, so that no path leads anywhere else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.folder import ASSETS, IMAGES
from evals.study.pages import page_html, static_files
from saywhy_core.reading.raw import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evals.study.folder import Study

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""What is handed out, by the ending of its name; nothing else is."""
FOR_EVER = "public, max-age=31536000, immutable"
_STATIC = re.compile(r'(static/)([A-Za-z0-9._/@-]+)(?=["\'])')


@dataclass(frozen=True)
class Served:
    """A file: where it lies, or what it holds; what it is, and a digest of its content."""

    path: Path | None
    kind: str
    digest: str
    content: bytes = b""


def images_of(study: Study) -> dict[str, Served]:
    """The pictures of a study, by name."""
    return _in(study.folder / IMAGES)


def static_of(study: Study) -> dict[str, Served]:
    """The scripts and styles of the pages: our own, and what was fetched into the study's folder, if it was.

    Raises:
        UsageError: what was fetched is not whole, or not what it should be.
    """
    found = static_files(study) if has_assets(study) else {}
    held = {name: Served(None, KINDS[Path(name).suffix], _digest(content), content) for name, content in found.items()}
    return held | _in(Path(str(files("evals.study") / "server")))


def page_of(study: Study, static: dict[str, Served]) -> bytes | None:
    """The participants' page, whose addresses of scripts and styles hold their digests, so that browsers may keep them.

    None where the study's folder has no assets.
    """
    if not has_assets(study):
        return None
    return _STATIC.sub(lambda found: found[1] + versioned(found[2], static), page_html(study)).encode()


def has_assets(study: Study) -> bool:
    """Whether jsPsych was fetched into the study's folder."""
    return (study.folder / ASSETS).is_dir()


def versioned(name: str, static: dict[str, Served]) -> str:
    """A name with the digest of its file behind it."""
    return f"{name}?v={static[name].digest}" if name in static else name


def _in(folder: Path) -> dict[str, Served]:
    return {path.relative_to(folder).as_posix(): _served(path) for path in _files(folder)}


def _files(folder: Path) -> Iterable[Path]:
    """The files in a folder and in those within; none outside to which a link leads."""
    if not folder.is_dir():
        return
    inside = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in KINDS and path.is_file() and path.resolve().is_relative_to(inside):
            yield path


def _served(path: Path) -> Served:
    return Served(path, KINDS[path.suffix.lower()], _digest(read_bytes(path)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
