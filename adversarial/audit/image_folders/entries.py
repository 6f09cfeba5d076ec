"""The images of an audit on their way, and what was answered about them so far."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from adversarial.answer_file import AnswerFile
from adversarial.answers import RememberingClassifier
from adversarial.audit.image_folders.folders import ANSWERS
from adversarial.audit.image_folders.placing import pixels_digest, place_digest
from saywhy_core.disk.destinations import check_own
from saywhy_core.disk.troubles import UnusableFileError, unwritable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from adversarial.audit.gathering import AuditImage
    from adversarial.audit.image_folders.folders import ResultFolder
    from saywhy_core.classifiers import Classifier


@dataclass(eq=False)
class Entry:
    """An image and its folder.

    Attributes:
        image: the image.
        folder: its folder.
        name: what it is called in messages.
        done: whether it is done with: finished, or known to be a problem.
        look: (K,) what the classifier said of it, where that had to be asked for its label.
        memory: the answers of this run and of earlier ones.
    """

    image: AuditImage
    folder: ResultFolder
    name: str
    done: bool = False
    look: NDArray[np.float64] | None = None
    memory: AnswerFile | None = None

    @property
    def about(self) -> dict[str, str]:
        """What the answers and the result depend on."""
        return {"digest": self.folder.digest}

    @property
    def origin(self) -> dict[str, str]:
        """Which image it is, whatever the settings."""
        return {"pixels": pixels_digest(self.image), "place": place_digest(self.image, self.folder.path.parent)}

    def open(self, *, force: bool) -> bool:
        """Look into the folder: whether its finding is finished. With `force`, all that is there counts for nothing.

        Raises:
            UsageError: the folder can't be used for this image.
        """
        answers = self.folder.path / ANSWERS
        if not force and self.folder.finished:
            with suppress(OSError):  # an earlier run was killed before it could remove them
                answers.unlink(missing_ok=True)
            return True
        self.folder.check_writable()
        if not force:
            self.memory = AnswerFile(answers, self.about, self.origin)
        return False

    def opened_memory(self) -> AnswerFile:
        """The answers, at the beginning of the attack."""
        if self.memory is None:
            answers = self.folder.path / ANSWERS
            try:
                answers.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(answers, error) from error
            self.memory = AnswerFile(answers, self.about, self.origin)
        if self.look is not None:
            self.memory.keep(self.image.pixels[None], self.look[None])
        return self.memory

    def forget(self) -> None:
        """Remove the answers: the finding is written."""
        if self.memory is not None:
            self.memory.forget()

    def close(self) -> None:
        """Close what is open."""
        if self.memory is not None:
            self.memory.close()


def _usable(file: Path, digest: str) -> AnswerFile | None:
    """The answers in a file, None where something else has its name: a link, a folder, somebody's text."""
    try:
        check_own(file, file.parent)
        return AnswerFile(file, {"digest": digest})
    except UnusableFileError:
        return None


class Looks:
    """What the classifier said of images whose label was not given, kept in `out` until all of them are done.

    Args:
        out: the folder of the audit.
        settings: those of the audit, see `audit_settings`.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:20]
        names = (f".looks-{digest[:8]}{f'-{number}' if number else ''}.bin" for number in count())
        kept = (_usable(out / name, digest) for name in names)
        self._answers = next(one for one in kept if one is not None)

    def at(self, classifier: Classifier, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """The scores (N, K) of images (N, H, W, C); each is asked about once."""
        return RememberingClassifier(classifier, self._answers)(images)

    def close(self) -> None:
        """Close the file."""
        self._answers.close()

    def forget(self) -> None:
        """Remove the file: the images are done."""
        if os.path.lexists(self._answers.path):
            self._answers.forget()
