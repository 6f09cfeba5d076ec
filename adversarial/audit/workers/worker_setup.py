"""What each worker of an audit starts with."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.reading.ceilings import ceilings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adversarial.audit.work.job import Job
    from saywhy_core.classifiers import Classifier


@dataclass(frozen=True, kw_only=True)
class WorkerSetup:
    """What each worker starts with. It can be pickled.

    Attributes:
        job: what is done to each image; it opens the classifier.
        folder: where relative paths of the target start.
        limits: the ceilings in force, see `saywhy_core.reading.ceilings`.
    """

    job: Job
    folder: str
    limits: Mapping[str, int]

    @contextmanager
    def opened(self) -> Iterator[Classifier]:
        """The classifier, opened in the folder; inside the block, the ceilings are in force.

        Raises:
            UsageError: it can't be opened.
        """
        with ceilings(**dict(self.limits)):
            with suppress(OSError):  # another machine need not have the folder, where the target needs none
                os.chdir(self.folder)
            yield self.job.open()
