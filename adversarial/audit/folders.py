"""The folder of one image's finding, and whether an earlier run has finished it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adversarial.findings.record import RECORD
from saywhy_core.errors import UsageError
from saywhy_core.names import safe_file_name

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


@dataclass(frozen=True)
class ResultFolder:
    """The folder for one image's finding.

    Attributes:
        path: the folder.
        digest: changes with the image and the settings, see `image_digest`.
    """

    path: Path
    digest: str

    @property
    def finished(self) -> bool:
        """Whether the folder holds the finished result of this image under these settings.

        Raises:
            UsageError: it holds another result.
        """
        record = self.path / RECORD
        if not record.exists():
            return False
        try:
            settings = json.loads(record.read_text(encoding="utf-8"))["settings"]
        except (OSError, ValueError, KeyError, TypeError):
            settings = {}
        if not isinstance(settings, dict) or settings.get("digest") != self.digest:
            raise UsageError(
                f"{self.path} holds the result of another image or of other settings; write to another folder, or use "
                "--force to replace it"
            )
        return bool(settings.get("finished"))


def result_folders(out: str | os.PathLike[str], names: Sequence[str], digests: Sequence[str]) -> list[ResultFolder]:
    """A folder for each image, in `out`; images of the same name get folders of their own.

    Raises:
        UsageError: `out` can't be made a folder.
    """
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{root} can't be made a folder: {error.strerror}") from None
    taken: set[str] = set()
    return [ResultFolder(root / safe_file_name(name, "", taken), digest) for name, digest in zip(names, digests, strict=True)]
