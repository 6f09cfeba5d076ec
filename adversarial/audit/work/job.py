"""What is done to each image of an audit: opened where the work is done, in this process or in another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adversarial.audit.work.naming import NamedClassifier
from saywhy_core.classifiers import load_classifier
from saywhy_core.classifiers.classifier import confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from adversarial.answers import AnswerMemory
    from adversarial.attack import FeatureGuidedAttack
    from adversarial.query_log import QueryLog, Search
    from adversarial.result import AttackResult
    from adversarial.weather import WeatherOutcome
    from saywhy_core.classifiers import Classifier, Scores
    from saywhy_core.errors import UsageError


@dataclass(frozen=True, eq=False)
class Work:
    """One image on its way through an audit.

    Attributes:
        id: of its row.
        pixels: (H, W, C) float32 in [0, 1].
        label: the class that it shows; None for the class that the classifier sees.
    """

    id: int
    pixels: NDArray[np.float32]
    label: int | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that the work on an image depends on. It can be pickled, and holds no keys.

    Attributes:
        spec: the text that names the classifier.
        options: of the classifier.
        trust: whether code that comes with it may run.
        class_names: one name per class; None for the classifier's own.
        attack: the search. Its budget is for the search alone.
        goal: the class to reach; None for any other.
        weather: the kinds of weather that each image is put into.
        severities: of each kind.
        survival: whether to ask if what was found stays adversarial when it is saved as PNG and JPEG.
        travels: whether the text opens the classifier; not where that is an object of this program.
    """

    spec: str
    attack: FeatureGuidedAttack
    options: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    class_names: tuple[str, ...] | None = None
    goal: int | None = None
    weather: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    survival: bool = True
    travels: bool = True

    def open(self) -> Classifier:
        """The classifier.

        Raises:
            UsageError: it can't be opened.
        """
        return self.named(load_classifier(self.spec, trust=self.trust, **dict(self.options)))

    def named(self, classifier: Classifier) -> Classifier:
        """The classifier under the names of the job."""
        return classifier if self.class_names is None else NamedClassifier(classifier, self.class_names)

    @property
    def queries(self) -> int:
        """The most queries per image."""
        from adversarial.weather import weather_queries

        weather = weather_queries(self.weather, self.severities) if self.weather else 0
        return int(self.attack.budget) + weather + (2 if self.survival else 0)

    def run(
        self,
        classifier: Classifier,
        images: Iterator[Work],
        finished: Callable[[int, AttackResult, Aftermath], None],
        failed: Callable[[int, UsageError], None],
        memory: Callable[[int], AnswerMemory] | None = None,
    ) -> None:
        """Attack images, and ask what comes after; nothing of an image is kept once it is told.

        Args:
            classifier: as `open` makes it.
            images: taken one by one, when there is room in the batches.
            finished: called with each image's `id`, the result of its attack, and what came after.
            failed: called with the `id` of an image that can't be attacked, and why.
            memory: called with an image's `id` for what was answered about it in an earlier run.

        Raises:
            AttackInterrupted: the classifier can't be asked any more.
            AttackStopped: Ctrl-C, or a signal.
        """
        from adversarial.streaming import AttackTask

        after: dict[int, Aftermath] = {}

        def tasks() -> Iterator[AttackTask]:
            for work in images:
                after[work.id] = Aftermath(self, classifier.scores)
                yield AttackTask(work.id, work.pixels, work.label, self.goal)

        def done(index: int, result: AttackResult) -> None:
            finished(index, result, after.pop(index))

        def problem(index: int, error: UsageError) -> None:
            after.pop(index, None)
            failed(index, error)

        self.attack.stream(
            classifier, tasks(), finished=done, on_problem=problem, memory=memory,
            follow=lambda index, log: after[index].steps(log),
        )  # fmt: skip


class Aftermath:
    """What is asked about an image after its search: does the finding survive being saved, and what does the weather do?

    Attributes:
        clean: (K,) what the classifier answered about the original; None where that was never asked.
        predicted: the class that the classifier saw in it; None where that was never asked.
        confidence: the probability of that class; None where the classifier gives no probabilities.
        survives: by "png" and "jpeg", whether the finding stays adversarial; empty where there is none.
        weather: what the weather did.
        queries: what all this took, beside the search.
    """

    def __init__(self, job: Job, scores: Scores) -> None:
        self._job, self._scores = job, scores
        self.clean: NDArray[np.float64] | None = None
        self.predicted: int | None = None
        self.confidence: float | None = None
        self.survives: dict[str, bool] = {}
        self.weather: list[WeatherOutcome] = []
        self.queries = 0

    def steps(self, log: QueryLog) -> Search:
        """Ask; a part of the image's search, see `adversarial.query_log.Search`."""
        from adversarial.weather import survival_steps, weather_steps

        if log.clean is None or log.undecided or log.unsettled:
            return
        self.clean, self.predicted = log.clean, int(log.clean.argmax())
        sure = confidence(log.clean[None], self._scores)
        self.confidence = None if sure is None else round(float(sure[0]), 4)
        found = log.outcome()
        levels, job = log.levels, self._job
        if job.survival and found.best is not None and found.distance > 0:
            self.survives = yield from self._counted(survival_steps(found.best, log.label, log.target, levels=levels))
        if job.weather:
            self.weather = yield from self._counted(
                weather_steps(
                    log.image, self.predicted, job.weather, job.severities, scores=self._scores, seed=job.attack.seed,
                    levels=levels,
                )
            )  # fmt: skip

    def _counted(self, steps: Any) -> Any:
        answers = None
        while True:
            try:
                images = steps.send(answers)
            except StopIteration as end:
                return end.value
            self.queries += len(images)
            answers = yield images
