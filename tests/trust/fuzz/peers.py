"""What a user would call without saywhy: the plain function of a library that reads files of a format."""

from __future__ import annotations

import csv
import json
import sqlite3
import tomllib
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
from uses import Use

if TYPE_CHECKING:
    from pathlib import Path


def _json_lines(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        json.loads(line)


def _json(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


def _csv(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        list(csv.DictReader(stream))


def _toml(path: Path) -> None:
    with path.open("rb") as stream:
        tomllib.load(stream)


def _text(path: Path) -> None:
    path.read_text(encoding="utf-8").splitlines()


def _numpy(path: Path) -> None:
    found = np.load(path)
    if not isinstance(found, np.ndarray):
        with found:
            for name in found.files:
                found[name]


def _pillow(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        np.asarray(image.convert("RGB"))


def _onnx(path: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    session.run(None, {taken.name: np.zeros([one if isinstance(one, int) else 2 for one in taken.shape], dtype=np.float32)})


def _torch(path: Path) -> None:
    import torch

    if path.suffix == ".pt2":
        torch.export.load(path)
    else:
        torch.load(path, map_location="cpu", weights_only=True)


def _kept(path: Path) -> None:
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchall()
    else:
        _json_lines(path)


PEERS = {
    "jsonl": Use("json.loads", call=_json_lines),
    "json": Use("json.loads", call=_json),
    "csv": Use("csv.DictReader", call=_csv),
    "toml": Use("tomllib.load", call=_toml),
    "text": Use("read_text", call=_text),
    "arrays": Use("numpy.load", call=_numpy),
    "pictures": Use("PIL.Image.open", call=_pillow),
    "onnx": Use("onnxruntime", call=_onnx),
    "torch": Use("torch.export.load", call=_torch),
    "kept": Use("json, sqlite3", call=_kept),
}
"""By format; there is none for answers of servers."""
