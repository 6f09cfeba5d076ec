"""Names for what a classifier in a file answers, so that caches can tell one from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from saywhy_core.errors import UsageError


def check_model_file(path: str) -> None:
    """See that a model's file is a file: reading a pipe would wait for ever.

    Raises:
        UsageError: it is none.
    """
    if not Path(path).is_file():
        if not Path(path).exists():
            raise UsageError(f"there is no file {path}")
        raise UsageError(f"{path} is {'a folder' if Path(path).is_dir() else 'no plain file'}; give a file")


def file_identity(kind: str, path: str, *settings: object) -> str:
    """A text that changes with the content of the file and with the settings.

    Args:
        kind: the kind of target.
        path: the file. ONNX files of more than 2 GB keep their weights beside them, in FILE.data or FILE_data; those count.
        settings: what else the answers depend on.
    """
    digest = hashlib.sha256(repr(settings).encode())
    for part in (Path(path), Path(f"{path}.data"), Path(f"{path}_data")):
        if part.is_file():
            with part.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"{kind}:{digest.hexdigest()[:16]}"
