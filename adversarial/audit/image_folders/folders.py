"""The folder of one image's finding: what is in it, and whether an earlier run has finished it or begun it."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adversarial.answer_file import read_header
from adversarial.findings.record import MEMBERS, RECORD, VERSION
from saywhy_core.disk.destinations import check_own
from saywhy_core.disk.files import check_is_no_database, check_is_no_input
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import NotJsonError, parse_json, read_stream
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

    from adversarial.result import AttackResult

ANSWERS = "answers.bin"
JOURNAL = "proof.journal"
CURE = "write to another folder, or use --force to replace it"
_BEGINS = b'{\n "version": '  # what every record begins with: a file that does and can't be read was torn


@dataclass(frozen=True)
class Holder:
    """Whose folder it is, by the result in it or by the answers that were kept while it was made.

    Attributes:
        digest: changes with the image and the settings.
        pixels: changes with the image.
        place: changes with the place that the image was read from; "" where that is not known.
        finished: whether the folder holds a finished result.
        trouble: why nobody can tell: the folder is none, or holds something that is no result. "" where there is none.
    """

    digest: str = ""
    pixels: str = ""
    place: str = ""
    finished: bool = False
    trouble: str = ""


def read_holder(folder: Path) -> Holder | None:
    """Whose folder it is; None where it does not exist, or holds no result and no answers, or only torn ones."""
    if not os.path.lexists(folder):
        return None
    if folder.is_symlink() or not folder.is_dir():
        return Holder(trouble=_no_folder(folder))
    try:
        record = read_record(folder / RECORD)
        if record is not None:
            return _as_holder(record["settings"], finished=record["settings"].get("finished") is True)
        header = read_header(folder / ANSWERS)
        if header is not None:
            return _as_holder(header, finished=False)
        return _of_others(folder)
    except UsageError as error:
        return Holder(trouble=str(error))


@dataclass(frozen=True)
class ResultFolder:
    """The folder for one image's finding.

    Attributes:
        path: the folder.
        digest: changes with the image and the settings, see `image_digest`.
    """

    path: Path
    digest: str

    def check_is_folder(self) -> None:
        """See whether the folder can be one.

        Raises:
            UsageError: there is something else in its place.
        """
        if self.path.is_symlink() or (os.path.lexists(self.path) and not self.path.is_dir()):
            raise UsageError(_no_folder(self.path))

    def check_writable(self) -> None:
        """See whether all files of a finding can be written, before the queries that it takes.

        Raises:
            UsageError: there is a link or no file in the place of one, one is an input or write-protected, or the folder is.
        """
        self.check_is_folder()
        for name in (*MEMBERS, ANSWERS, JOURNAL):
            file = self.path / name
            check_own(file, self.path.parent)
            check_is_no_input(file)
            check_is_no_database(file)
        for place in (self.path, *(self.path / name for name in MEMBERS)):
            if place.exists() and not os.access(place, os.W_OK):
                raise UsageError(f"{place} is write-protected; allow writing to it, or write to another folder")

    @property
    def finished(self) -> bool:
        """Whether the folder holds the finished result of this image under these settings; one that was torn is none.

        Raises:
            UsageError: it holds the result or the begun attack of another image or of other settings, or something that is no
                result; or it is no folder.
        """
        holder = read_holder(self.path)
        if holder is None:
            return False
        if holder.trouble:
            raise UsageError(holder.trouble)
        if holder.digest != self.digest:
            what = "result" if (self.path / RECORD).exists() else "begun attack"
            raise UsageError(f"{self.path} holds the {what} of another image or of other settings; {CURE}")
        return holder.finished

    def keeps(self, unfinished: AttackResult) -> bool:
        """Whether the folder holds a finding of this image and these settings that an unfinished result must not replace.

        That is a finished finding, one at a smaller distance, or one at the same distance after more queries. The value of
        the competitive game grows while it is searched, so that there the finding after more queries is kept.
        """
        try:
            record = read_record(self.path / RECORD)
            if record is None or record["settings"].get("digest") != self.digest:
                return False
            if record["settings"].get("finished"):
                return True
            value = record["distance"]["value"]  # null where nothing was found
            distance = math.inf if value is None else float(value)
            if record["settings"].get("player_two") == "competitive" or distance == unfinished.distance:
                return bool(record["queries"] > unfinished.queries)
            return distance < unfinished.distance
        except (UsageError, KeyError, TypeError, ValueError):  # it can't be read
            return False


def _no_folder(path: Path) -> str:
    what = "a link, and no link in an output folder is followed" if path.is_symlink() else "no folder"
    return f"{path} is {what}; move it away, or write to another folder"


def _of_others(folder: Path) -> Holder | None:
    """What has the name of a part of a result without being one: a kill leaves such a part beside answers or a record alone."""
    there = [name for name in MEMBERS if os.path.lexists(folder / name)]
    if not there or any(os.path.lexists(folder / name) for name in (RECORD, ANSWERS)):
        return None
    return Holder(
        trouble=f"{folder / there[0]} is no part of a result of an attack (there is no {RECORD} beside it); "
        f"move it away, or {CURE}"
    )


def _as_holder(settings: dict[str, Any], *, finished: bool) -> Holder:
    digest, pixels, place = (str(settings.get(name) or "") for name in ("digest", "pixels", "place"))
    return Holder(digest, pixels, place, finished)


def read_record(file: Path) -> dict[str, Any] | None:
    """The record in a file; None where there is none, or one that a power cut or a full disk tore.

    Raises:
        UsageError: the file holds something that is no record, or one of a later release.
    """
    if not os.path.lexists(file):
        return None
    if not file.exists():
        raise UsageError(f"{file} is a link that leads nowhere; remove it, or write to another folder")
    with open_regular(file) as stream:
        data = read_stream(stream, str(file))
    if _BEGINS.startswith(data) or not data.strip(b"\0 \n"):
        return None
    try:
        record = parse_json(data, str(file))
    except UsageError as error:
        if isinstance(error, NotJsonError) and data.startswith(_BEGINS):
            return None
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("settings"), dict):
        raise UsageError(
            f"{file} is no result of an attack; move it away, write to another folder, or use --force to replace it"
        )
    if record.get("version", VERSION) != VERSION:
        raise UsageError(
            f"{file} was written by another release of saywhy; write to another folder, or use --force to replace it"
        )
    return record
