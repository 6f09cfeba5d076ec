"""Where the paths of an audit start: in the folder that it was begun in, wherever it is gone on with."""

from __future__ import annotations

import os
from dataclasses import dataclass

from adversarial.audit.sources import CLASSIFIER, FOLDERS


@dataclass(frozen=True)
class Places:
    """The folder in which an audit was begun, which its relative paths start from.

    Attributes:
        folder: that folder.
        here: the folder that paths given now start from.
    """

    folder: str
    here: str

    @property
    def away(self) -> bool:
        """Whether paths given now start from another folder."""
        return self.folder != self.here

    def given(self, path: str) -> str:
        """A path that was given now, as the audit keeps it: absolute where it would not be found otherwise."""
        return os.path.join(self.here, path) if self.away else path  # noqa: PTH118

    def kept(self, path: str) -> str:
        """A path that the audit has, as it is found from here."""
        return os.path.join(self.folder, path) if self.away else path  # noqa: PTH118

    def labels(self, given: str | None) -> str | None:
        """Labels that were given now, as the audit keeps them: a file, or a word for where they come from."""
        return given if given is None or given in (FOLDERS, CLASSIFIER) else self.given(given)

    def kept_labels(self, labels: str | None) -> str | None:
        """The labels of the audit, as they are found from here."""
        return labels if labels is None or labels in (FOLDERS, CLASSIFIER) else self.kept(labels)

    def same(self, path: str) -> str:
        """A text that two paths of the audit share where they lead to one file by their words."""
        return os.path.normpath(os.path.join(self.folder, path))  # noqa: PTH118
