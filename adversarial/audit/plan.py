"""What an audit will take, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adversarial.audit.records import Status
    from saywhy_core.errors import Problem


@dataclass(frozen=True)
class AuditPlan:
    """What an audit will take, before it starts.

    Attributes:
        images: all images of the audit.
        waiting: those that are still to be attacked.
        queries_per_image: the most queries for one image: of its search, of the weather, and of the survival.
        queries: the most queries that are still to be made.
        seconds: about how long these take, by the time of one call; None where no call was timed.
        cost: the price of these queries and of `timing`; None where no price was given.
        problems: what can't be audited, and the images whose files were changed after they were audited.
        timing: how many queries were made beside these, to time the classifier.
        proving: how many seconds the proofs that are left may take, beside `seconds`; 0 where none are asked for.
        proofs: how many these are at most.
        provers: how many are made at once; None where that is not known before, and `proving` is then that of one at a time.
    """

    images: int
    waiting: int
    queries_per_image: int
    queries: int
    seconds: float | None
    cost: float | None
    problems: tuple[Problem, ...]
    timing: int = 0
    proving: float = 0.0
    proofs: int = 0
    provers: int | None = 1


@dataclass(frozen=True)
class AuditStatus:
    """How far an audit is.

    Attributes:
        counts: how many images have each status.
        begun: how many of those that are not finished were begun, so that some answers about them are there.
        queries: all that were made: for the images that are done and those that are begun, and to time the classifier.
        settings: of the audit.
        problems: the images that failed, and why; what `Audit.run` returns also has those whose files were changed afterwards.
    """

    counts: Mapping[Status, int]
    begun: int
    queries: int
    settings: Mapping[str, Any]
    problems: tuple[Problem, ...]

    @property
    def images(self) -> int:
        """All images."""
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """Images that are still to be attacked."""
        return self.counts["waiting"]
