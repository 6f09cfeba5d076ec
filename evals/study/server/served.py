"""The files that a server hands out: a list made when it starts, so that no path leads anywhere else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.folder import ASSETS, IMAGES
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
    """A file: where it lies, what it is, and a digest of its content."""

    path: Path
    kind: str
    digest: str


def images_of(study: Study) -> dict[str, Served]:
    """The pictures of a study, by name."""
    return _in(study.folder / IMAGES)


def static_of(study: Study) -> dict[str, Served]:
    """The scripts and styles of the pages: our own, and what was fetched into the study's folder."""
    own = Path(str(files("evals.study") / "pages"))
    return _in(study.folder / ASSETS) | _in(own) | _in(Path(str(files("evals.study") / "server")))


def page_of(static: dict[str, Served]) -> bytes | None:
    """The participants' page, whose addresses of scripts and styles hold their digests, so that browsers may keep them."""
    place = Path(str(files("evals.study") / "pages")) / "study.html"
    if not place.is_file():
        return None
    text = place.read_text(encoding="utf-8")
    return _STATIC.sub(lambda found: found[1] + versioned(found[2], static), text).encode()


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
    return Served(path, KINDS[path.suffix.lower()], hashlib.sha256(read_bytes(path)).hexdigest()[:16])
