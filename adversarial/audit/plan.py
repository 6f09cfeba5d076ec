"""What an audit will take, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adversarial.audit.records import Status
    from adversarial.audit.store import AuditStore
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
class ProofTotals:
    """How far the proofs of an audit are.

    Attributes:
        made: images with a proof.
        exact: those of which the fewest pixels are known exactly.
        stopped: those whose proof was interrupted, and goes on with the next run.
        timed_out: those whose proof came to the end of its time before all was proved that was asked for.
        missing: images that were attacked and have no proof.
    """

    made: int
    exact: int
    stopped: int
    timed_out: int
    missing: int


@dataclass(frozen=True)
class AuditStatus:
    """How far an audit is.

    Attributes:
        counts: how many images have each status.
        begun: how many of those that are not finished were begun, so that some answers about them are there.
        queries: all that were made: for the images that are done and those that are begun, and to time the classifier.
        settings: of the audit.
        problems: the images that failed, and why; what `Audit.run` returns also has those whose files were changed afterwards.
        proofs: how far the proofs are; None where none were asked for.
        unproved: images about which `Audit.run` could prove nothing, and why.
        remarks: what is to be said of how proofs of `Audit.run` went, such as that what was kept of one was damaged.
    """

    counts: Mapping[Status, int]
    begun: int
    queries: int
    settings: Mapping[str, Any]
    problems: tuple[Problem, ...]
    proofs: ProofTotals | None = None
    unproved: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()

    @property
    def images(self) -> int:
        """All images."""
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """Images that are still to be attacked."""
        return self.counts["waiting"]


def proof_totals(store: AuditStore) -> ProofTotals | None:
    """How far the proofs of an audit are; None where none were asked for, and none are there."""
    proofs = {proof.image: proof for proof in store.proofs()}
    asked = (store.about.get("settings") or {}).get("prove")
    if asked is None and not proofs:
        return None
    exact = sum(proof.exact for proof in proofs.values())
    stopped = sum(not (proof.ended or proof.exact) for proof in proofs.values())
    finished = sum(proof.ended and proof.finished and not proof.exact for proof in proofs.values())
    missing = sum(record.id not in proofs for record in store.images("found", "held"))
    return ProofTotals(len(proofs), exact, stopped, len(proofs) - exact - stopped - finished, missing)
