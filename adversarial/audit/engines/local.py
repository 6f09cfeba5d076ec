"""The engine that works in this process: what all images ask is put into full batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarial.audit.proofs.processes import ProcessCrews
from adversarial.audit.work.outcomes import failed_outcome, make_outcome
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adversarial.audit.engines.engine import Tasks
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Aftermath, Work
    from adversarial.result import AttackResult


def run(tasks: Tasks, *, workers: int | None = None) -> None:
    """Do the work; see `Engine`.

    Args:
        tasks: see `Engine`.
        workers: how many proofs are made at once, each in a process of its own; the attacks share this process.
    """
    del workers  # see `crews`
    on_their_way: dict[int, ImageRecord] = {}

    def images() -> Iterator[Work]:
        for record, work in tasks.waiting:
            on_their_way[record.id] = record
            yield work

    def finished(number: int, result: AttackResult, after: Aftermath) -> None:
        record = on_their_way.pop(number)
        budget = int(tasks.job.attack.budget)
        tasks.finished(make_outcome(record, result, after, tasks.class_names, budget=budget))

    def failed(number: int, error: UsageError) -> None:
        tasks.finished(failed_outcome(on_their_way.pop(number), str(error)))

    tasks.job.run(tasks.classifier, images(), finished, failed, tasks.memory)


def check(travels: bool, *, workers: int | None = None) -> None:
    """See whether workers can be had for proofs, before anything is asked; see `Engine`."""
    if workers is None:
        return
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError(f"{argument('workers')} must be a whole number of at least 1, not {workers!r}")
    if not travels:
        raise UsageError(
            f"{argument('workers', workers)}: each worker opens the classifier for itself; give it as a text, such as "
            "onnx:model.onnx, or leave the workers out"
        )


def crews(*, workers: int | None = None) -> ProcessCrews | None:
    """The processes that prove; None for this one. See `Engine`."""
    return None if workers is None else ProcessCrews(workers)


run.check = check  # type: ignore[attr-defined]  # an engine may have both
run.crews = crews  # type: ignore[attr-defined]
