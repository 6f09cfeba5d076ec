"""Many searches, one classifier: requests of several images are put together into full batches."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.query_log import BudgetSpent
from saywhy_core.classifiers import ClassifierError, same_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from adversarial.plans import Plan
    from adversarial.query_log import Search
    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(eq=False)
class Job:
    """An image to attack: its number, and how its plan is made when its turn comes."""

    number: int
    open: Callable[[], Plan]


@dataclass(eq=False)
class _Running:
    number: int
    plan: Plan
    search: Search
    asked: Images
    answers: list[Floats] = field(default_factory=list)
    sent: int = 0


def drive(classifier: Classifier, jobs: list[Job], batch_size: int, finished: Callable[[int], None]) -> None:
    """Run all jobs to their end. A job's answers don't depend on the jobs it shares batches with.

    Raises:
        ClassifierError: from the classifier, or where its answer about a finding differs from its first one.
    """
    waiting = deque(jobs)
    running: deque[_Running] = deque()
    ended: list[tuple[int, Plan]] = []
    while waiting or running:
        while waiting and sum(len(one.asked) - one.sent for one in running) < batch_size:
            job = waiting.popleft()
            plan = job.open()
            search = plan.steps()
            started = _advance(search, None)
            if started is None:
                ended.append((job.number, plan))
            else:
                running.append(_Running(job.number, plan, search, started))
        _serve(classifier, running, batch_size)
        for served in [one for one in running if one.sent == len(one.asked)]:
            following = _advance(served.search, np.concatenate(served.answers))
            if following is None:
                running.remove(served)
                ended.append((served.number, served.plan))
            else:
                served.asked, served.answers, served.sent = following, [], 0
        if len(ended) >= batch_size or not (waiting or running):
            _verify(classifier, ended, batch_size, finished)
            ended.clear()


def _advance(search: Search, answers: Floats | None) -> Images | None:
    try:
        return next(search) if answers is None else search.send(answers)
    except (StopIteration, BudgetSpent):
        return None


def _serve(classifier: Classifier, running: deque[_Running], batch_size: int) -> None:
    room, parts = batch_size, []
    for job in running:
        count = min(room, len(job.asked) - job.sent)
        if count > 0:
            parts.append((job, job.asked[job.sent : job.sent + count]))
            job.sent += count
            room -= count
    if not parts:
        return
    answers = classifier(parts[0][1] if len(parts) == 1 else np.concatenate([images for _, images in parts]))
    start = 0
    for job, images in parts:
        job.answers.append(answers[start : start + len(images)])
        start += len(images)
    # the one that was served first is served last next time, so that all move on
    running.rotate(-1)


def _verify(classifier: Classifier, ended: list[tuple[int, Plan]], batch_size: int, finished: Callable[[int], None]) -> None:
    """Ask once more about what each job found (or its original), and compare with the first answer."""
    checks = [(plan, check) for _, plan in ended if (check := plan.to_verify()) is not None]
    changed = 0
    for start in range(0, len(checks), batch_size):
        part = checks[start : start + batch_size]
        again = classifier.ask_again(np.stack([image for _, (image, _) in part]))
        for (plan, (_, first)), second in zip(part, again, strict=True):
            plan.verified()
            changed += not same_answer(first, second)
    if changed:
        raise ClassifierError(
            f"the classifier gave another answer when asked again about the same image ({changed} of {len(checks)} checks): "
            "it must be deterministic; switch off dropout, augmentation or noise in it"
        )
    for number, _ in ended:
        finished(number)
