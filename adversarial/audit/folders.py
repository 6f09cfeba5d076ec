"""The folder of one image's finding, and whether an earlier run has finished it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adversarial.findings.record import RECORD
from saywhy_core.errors import UsageError
from saywhy_core.names import safe_file_name

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from adversarial.result import AttackResult


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
            UsageError: it holds another result, or one that can't be read.
        """
        if not (self.path / RECORD).exists():
            return False
        record = self._record()
        if record is None:
            self._must_be_sound()
            raise UsageError(
                f"{self.path} holds the result of another image or of other settings; write to another folder, or use "
                "--force to replace it"
            )
        return bool(record["settings"].get("finished"))

    def _must_be_sound(self) -> None:
        """Raise for a record that can't be read: it is not known to be another image's."""
        file = self.path / RECORD
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise UsageError(
                f"{file} can't be read: {why}; delete it or use --force to attack the image again, or write to another folder"
            ) from None

    def keeps(self, unfinished: AttackResult) -> bool:
        """Whether the folder holds a finding of this image and these settings that an unfinished result must not replace.

        That is a finished finding, one at a smaller distance, or one at the same distance after more queries. The value of
        the competitive game grows while it is searched, so that there the finding after more queries is kept.
        """
        record = self._record()
        if record is None:
            return False
        if record["settings"].get("finished"):
            return True
        value = record["distance"]["value"]  # null where nothing was found
        distance = math.inf if value is None else float(value)
        if record["settings"].get("player_two") == "competitive" or distance == unfinished.distance:
            return bool(record["queries"] > unfinished.queries)
        return distance < unfinished.distance

    def _record(self) -> dict[str, Any] | None:
        """The record in the folder; None where there is none that can be read, or one of another image or other settings."""
        try:
            record = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
            return record if record["settings"]["digest"] == self.digest else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


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
