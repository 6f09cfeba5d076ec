"""The engine that works in this process: what all images ask is put into full batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarial.audit.work.outcomes import failed_outcome, make_outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adversarial.audit.engines.engine import Tasks
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Aftermath, Work
    from adversarial.result import AttackResult
    from saywhy_core.errors import UsageError


def run(tasks: Tasks) -> None:
    """Do the work; see `Engine`."""
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
