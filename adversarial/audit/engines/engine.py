"""What an engine is: it takes images that wait, has the job done on them, and hands over what became of each."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from adversarial.answer_file import AnswerFile
    from adversarial.audit.proofs.crew import Crews
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Job, Work
    from adversarial.audit.work.outcomes import Outcome
    from saywhy_core.classifiers import Classifier


def _uncounted(queries: int) -> None:
    """Count nothing: for tasks that no audit keeps a count of."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tasks:
    """What an engine is given.

    Attributes:
        job: what is done to each image.
        classifier: the job's classifier, opened in this process.
        class_names: one name per class, or None.
        waiting: the images with their rows, one by one; reading goes on as they are taken.
        memory: what was answered about the image with that `id`, and what will be: whoever asks keeps each answer there.
        finished: to be called in the thread that runs the engine, once for each image, as soon as it is done.
        asked: to be told how many queries were made elsewhere; those of `classifier` are counted.
    """

    job: Job
    classifier: Classifier
    class_names: tuple[str, ...] | None
    waiting: Iterator[tuple[ImageRecord, Work]]
    memory: Callable[[int], AnswerFile]
    finished: Callable[[Outcome], None]
    asked: Callable[[int], None] = _uncounted


class Engine(Protocol):
    """Does the work of an audit. Its keyword parameters are the engine's options.

    It may have an attribute `check`, a function (travels, **options) that is called before anything is asked or written, and
    raises a `UsageError` where the engine can't work: `travels` says whether a text opens the classifier.

    It may have an attribute `crews`, a function (**options) that returns where proofs are made
    (`adversarial.audit.proofs.crew.Crews`), or None for this process. Without it, proofs are made in this process.
    """

    def __call__(self, tasks: Tasks, /, **options: Any) -> None:
        """Do the work on all images that wait.

        Raises:
            AttackInterrupted: the classifier can't be asked any more.
            AttackStopped: Ctrl-C, or a signal.
            UsageError: the engine can't work, or an option is wrong.
        """


AUDIT_ENGINES: Registry[Engine] = Registry(
    "audit engine",
    "saywhy.audit_engines",
    {
        "local": "adversarial.audit.engines.local:run",
        "ray": "adversarial.audit.engines.cluster:run",
    },
    expects=callable,
    words="a function run(tasks, *, option=...) that has the job done",
)


def check_options(name: str, engine: Engine, options: Mapping[str, Any]) -> None:
    """See whether an engine has these options.

    Raises:
        UsageError: it has not.
    """
    known = list(inspect.signature(engine).parameters)[1:]
    unknown = [option for option in options if option not in known]
    if unknown:
        there = f"there are {', '.join(known)}" if known else "it takes none"
        raise UsageError(f"the audit engine {name!r} has no option {unknown[0]!r}; {there}")


def check_ready(name: str, engine: Engine, travels: bool, options: Mapping[str, Any]) -> None:
    """See whether an engine can work with a classifier that a text opens, or that is an object of this program; see `Engine`.

    Raises:
        UsageError: it can't.
    """
    check = getattr(engine, "check", None)
    if check is not None:
        with AUDIT_ENGINES.blame(name):
            check(travels, **options)


def proof_crews(name: str, engine: Engine, options: Mapping[str, Any]) -> Crews | None:
    """Where an engine has proofs made; None for this process. See `Engine`."""
    crews: Callable[..., Crews | None] | None = getattr(engine, "crews", None)
    if crews is None:
        return None
    with AUDIT_ENGINES.blame(name):
        return crews(**options)
