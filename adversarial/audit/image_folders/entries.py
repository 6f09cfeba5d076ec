"""An image with its folder and its row, and what was answered about it so far."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adversarial.answer_file import AnswerFile
from adversarial.audit.image_folders.folders import ANSWERS, JOURNAL
from adversarial.audit.image_folders.placing import pixels_digest, place_digest
from adversarial.audit.image_folders.recovering import recovered
from adversarial.audit.records import FINISHED, ImageRecord
from saywhy_core.disk.troubles import unwritable

if TYPE_CHECKING:
    from adversarial.audit.gathering import AuditImage
    from adversarial.audit.image_folders.folders import ResultFolder


@dataclass(eq=False)
class Entry:
    """An image and its folder.

    Attributes:
        image: the image.
        folder: its folder.
        name: what it is called in messages.
        record: its row in the database.
        recovered: whether its row was made from the files in its folder, and is to be written down.
        done: whether it is done with: finished, or known to be a problem.
        memory: the answers of this run and of earlier ones.
    """

    image: AuditImage
    folder: ResultFolder
    name: str
    record: ImageRecord
    recovered: bool = False
    done: bool = False
    memory: AnswerFile | None = None

    @property
    def about(self) -> dict[str, str]:
        """What the answers and the result depend on."""
        return {"digest": self.folder.digest}

    @property
    def origin(self) -> dict[str, str]:
        """Which image it is, whatever the settings."""
        return {"pixels": pixels_digest(self.image), "place": place_digest(self.image, self.folder.path.parent)}

    @property
    def kept(self) -> bool:
        """Whether the database holds the finished result of this image under these settings."""
        return self.record.status in FINISHED and self.record.digest == self.folder.digest

    def open(self, *, force: bool) -> bool:
        """Look into the folder: whether its finding is finished. With `force`, all that is there counts for nothing.

        Raises:
            UsageError: the folder can't be used for this image.
        """
        answers = self.folder.path / ANSWERS
        if not force and self.folder.finished and (self.kept or self._recover()):
            with suppress(OSError):  # an earlier run was killed before it could remove them
                answers.unlink(missing_ok=True)
            return True
        self.folder.check_writable()
        with suppress(OSError):  # a proof of an earlier finding
            (self.folder.path / JOURNAL).unlink(missing_ok=True)
        if not force:
            self.memory = AnswerFile(answers, self.about, self.origin)
        return False

    def _recover(self) -> bool:
        """Make the row from a finished finding in the folder, which the database doesn't know."""
        made = recovered(self.waiting(), self.folder.path)
        if made is not None:
            self.record, self.recovered = made, True
        return made is not None

    def waiting(self) -> ImageRecord:
        """The row of the image while it is to be attacked."""
        height, width, channels = self.image.pixels.shape
        return replace(
            ImageRecord(id=self.record.id, name=self.record.name, path=self.record.path, label=self.image.label),
            height=height, width=width, channels=channels, pixels=pixels_digest(self.image), digest=self.folder.digest,
        )  # fmt: skip

    def opened_memory(self) -> AnswerFile:
        """The answers, at the beginning of the attack."""
        if self.memory is None:
            answers = self.folder.path / ANSWERS
            try:
                answers.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(answers, error) from error
            self.memory = AnswerFile(answers, self.about, self.origin)
        return self.memory

    def forget(self) -> None:
        """Remove the answers: the finding is written."""
        if self.memory is not None:
            self.memory.forget()

    def close(self) -> None:
        """Close what is open."""
        if self.memory is not None:
            self.memory.close()
