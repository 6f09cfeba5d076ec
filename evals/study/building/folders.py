"""A study's folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.folder import ASSETS, BUILT_FILE, DATABASE, IMAGES, ITEMS_FILE, STUDY_FILE
from evals.study.stimuli.layout import shown_size
from saywhy_core.disk.locks import FileLock
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evals.study.items import Item

_OURS = {STUDY_FILE, BUILT_FILE, ITEMS_FILE, IMAGES, ASSETS, "preview.html"}


def check_place(out: Path, *, force: bool) -> None:
    """See whether a study may be written to a folder.

    Raises:
        UsageError: it holds answers, or a study and `force` is not given, or something else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the study")
    held = {one.name for one in out.iterdir()}
    if any(name.startswith(DATABASE) for name in held):
        raise UsageError(
            f"{out} holds the answers of participants ({DATABASE}), and a study with answers is not built again; name "
            "another folder with --out"
        )
    if not held:
        return
    if STUDY_FILE not in held:
        raise UsageError(f"{out} holds something else than a study; name a folder that is empty or does not exist")
    if not force:
        raise UsageError(f"{out} holds a study already; name another folder, or let --force write over it")
    if more := sorted(held - _OURS):
        raise UsageError(f"{out} holds {more[0]!r:.80}, which build did not write; take it away, or name another folder")


@contextmanager
def new_folder(out: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` when the block ends well, and else is removed.

    With `force`, a study without answers is replaced; the assets of its pages, which are not built but fetched, are kept.

    Raises:
        UsageError: see `check_place`; or the folder can't be made.
    """
    place = Path(out)
    check_place(place, force=force)
    whole = Path(os.path.realpath(place))
    beside = whole.with_name(f".{whole.name}.building")
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(beside, "study"):
            _remove(beside)  # a run that was killed left it
            (beside / IMAGES).mkdir(parents=True)
            try:
                yield beside
                check_place(place, force=force)
                _put(beside, whole)
            finally:
                _remove(beside)
    except OSError as error:
        raise UsageError(f"the study can't be written to {place}: {error.strerror or error}; name another folder") from error


def _put(beside: Path, place: Path) -> None:
    if not place.exists():
        beside.rename(place)
        return
    if not any(place.iterdir()):  # it may be the folder in which somebody works, which must not be another one now
        for one in sorted(beside.iterdir(), key=lambda one: one.name == STUDY_FILE):  # without which it is no study
            one.rename(place / one.name)
        return
    before = place.with_name(f".{place.name}.before")
    _remove(before)
    if (place / ASSETS).is_dir():
        shutil.copytree(place / ASSETS, beside / ASSETS, symlinks=True)
    place.rename(before)
    try:
        beside.rename(place)
    except OSError:
        before.rename(place)
        raise
    _remove(before)


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


def add_picture(folder: Path, png: bytes) -> str:
    """Keep a PNG once under the digest of its content, which tells no label, and say how HTML names it."""
    png = _reduced(png)
    name = f"{hashlib.sha256(png).hexdigest()[:32]}.png"
    path = folder / IMAGES / name
    if not path.exists():
        path.write_bytes(png)
    return f"{IMAGES}/{name}"


def _reduced(png: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        size = shown_size(*picture.size)
        if size == picture.size:
            return png
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def write_items(folder: Path, items: Iterable[Item]) -> None:
    """Write `items.jsonl`."""
    lines = (json.dumps(item.to_record(), ensure_ascii=False) + "\n" for item in items)
    (folder / ITEMS_FILE).write_text("".join(lines), encoding="utf-8", newline="\n")


def remove_unused(folder: Path, items: Iterable[Item]) -> None:
    """Remove the pictures that no item shows, such as those of items that were left out."""
    shown = "".join(stimulus.html for item in items for stimulus in (item.input, *item.stimuli.values()))
    for path in (folder / IMAGES).iterdir():
        if path.name not in shown:
            path.unlink()
