"""Attacks on images that come one by one, whose results are handed on at once: neither the images nor the results are held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np

from adversarial.answers import CountedMemory, RememberingClassifier
from adversarial.attacks.per_feature import PerFeature
from adversarial.attacks.registry import Attack, ImageSearch, Task
from adversarial.distances.distance import DISTANCES
from adversarial.distances.levels import AUTO, levels_for
from adversarial.driving.image_attack import CHECKED, ImageAttack
from adversarial.manipulations import load_manipulation
from adversarial.query_log import CONFIRMED, FINALISTS, UNKNOWN, QueryLog
from adversarial.result import NO_PICTURE, AttackInterrupted, AttackResult, AttackStopped, make_result
from adversarial.run import drive
from saywhy_core.classifiers import ClassifierError
from saywhy_core.classifiers.callable_classifier import NOT_FINITE
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import BudgetExceeded, UsageError, argument
from saywhy_core.reading.ceilings import CeilingError, ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from adversarial.answers import AnswerMemory
    from adversarial.attacks.registry import LearningSearch
    from adversarial.distances.levels import Levels
    from adversarial.features import KeypointMixture
    from adversarial.manipulations import Manipulation
    from adversarial.query_log import Search
    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]

ROUND = 16  # images at most that learn from the same ones: fills the batches, and hardly more is known in the middle of it
LESSONS = 128  # images at most whose lessons are held, the latest
BATCH = 64  # images per call of the classifier, where the user says nothing
STANDARD_MANIPULATION = "corners"


@dataclass(frozen=True, eq=False)
class AttackTask:
    """One image to attack.

    Attributes:
        index: a number for the image, by which its result is told.
        image: (H, W, C) in [0, 1].
        label: the class that it shows; None for the one that the classifier sees in it.
        target: the class to reach; None for any other class than the label.
    """

    index: int
    image: ArrayLike
    label: int | None = None
    target: int | None = None


class _Settings(Protocol):
    """What is used here of a `FeatureGuidedAttack`, which explains each."""

    @property
    def distance(self) -> str: ...
    @property
    def budget(self) -> int: ...
    @property
    def player_two(self) -> str: ...
    @property
    def batch_size(self) -> int | None: ...
    @property
    def seed(self) -> int: ...
    @property
    def manipulation(self) -> str | Manipulation | None: ...
    @property
    def levels(self) -> Levels: ...
    @property
    def tolerate_noise(self) -> bool: ...
    @property
    def learn(self) -> bool: ...
    def mixture(self, image: Images) -> KeypointMixture:
        """The distribution that guides the search in an image."""
        ...


def stream_attacks(
    attack: _Settings,
    picked: Attack,
    classifier: Classifier,
    tasks: Iterable[AttackTask],
    *,
    finished: Callable[[int, AttackResult], None],
    memory: Callable[[int], AnswerMemory] | None = None,
    on_problem: Callable[[int, UsageError], None] | None = None,
    follow: Callable[[int, QueryLog], Search] | None = None,
) -> None:
    """Attack each image as it comes by the attack that was picked; see `FeatureGuidedAttack.stream`."""
    begun: dict[int, ImageAttack] = {}
    lessons: list[Any] = []  # of the rounds that have ended
    taught: dict[int, Any] = {}  # by image, in the round on its way

    def openings(tasks: Iterable[AttackTask]) -> Iterator[Callable[[], ImageAttack | None]]:
        for task in tasks:
            yield lambda task=task: opened(task)  # type: ignore[misc]  # a default argument binds it now

    def opened(task: AttackTask) -> ImageAttack | None:
        try:
            begun[task.index] = _begin(attack, picked, classifier, task, memory, lessons if attack.learn else None)
            if follow is not None:
                begun[task.index].follow = partial(follow, task.index)
        except UsageError as error:
            if on_problem is None or isinstance(error, UnusableFileError):
                raise
            on_problem(task.index, error)
        return begun.get(task.index)

    def failed(one: ImageAttack, error: UsageError) -> None:
        if on_problem is None:
            raise error
        del begun[one.index]
        on_problem(one.index, error)

    def ended(one: ImageAttack) -> None:
        result = make_result(one, attack.distance, classifier.class_names)
        if attack.learn and one.search is not None:
            taught[one.index] = cast("LearningSearch", one.search).lesson()
        finished(one.index, result)
        del begun[one.index]  # its search and its model are large, and a run may have thousands of images

    def so_far(why: str) -> list[AttackResult]:
        known = sorted((one for one in begun.values() if one.log.labelled), key=lambda one: one.index)
        return [make_result(one, attack.distance, classifier.class_names, interrupted=why) for one in known]

    # a search that asks by itself runs to its end when it is begun, so that several must not be begun at once
    together = attack.batch_size or (BATCH if picked.uses_batches else 1)
    try:
        for some in rounds(tasks) if attack.learn else (tasks,):
            order: list[int] = []
            drive(classifier, openings(_noted(some, order)), together, ended, failed)
            lessons = [*lessons, *(taught[index] for index in order if taught.get(index) is not None)][-LESSONS:]
            taught.clear()
    except (BudgetExceeded, ClassifierError) as error:
        raise AttackInterrupted(str(error), so_far(str(error))) from error
    except KeyboardInterrupt as stop:
        raise AttackStopped(so_far(str(stop) or "stopped from the keyboard")) from stop


def check_learning(images: int, *, targeted: bool) -> None:
    """See whether so many images can learn from each other.

    Raises:
        UsageError: there is one alone, or a class is to be reached.
    """
    if images == 1:
        raise UsageError(f"{argument('learn')} has no effect on one image alone; leave it out, or give several images")
    if targeted:
        raise UsageError(
            f"{argument('learn')} can't be used with a class to reach: what earlier images teach is how to leave a class; "
            "leave one of them out"
        )


def rounds(tasks: Iterable[AttackTask]) -> Iterator[Iterable[AttackTask]]:
    """Tasks in rounds of 1, 1, 2, 4 and 8, and then 16 images at a time.

    With `learn=True`, an image learns from all images of the rounds before its own, and from none of its own round: that does
    not depend on how many are attacked side by side.
    """
    left, size, done = iter(tasks), 1, 0
    while (first := next(left, None)) is not None:
        yield chain([first], islice(left, size - 1))
        done += size
        size = min(done, ROUND)


def _noted(tasks: Iterable[AttackTask], order: list[int]) -> Iterator[AttackTask]:
    for task in tasks:
        order.append(task.index)
        yield task


def _begin(
    attack: _Settings,
    picked: Attack,
    classifier: Classifier,
    task: AttackTask,
    memory: Callable[[int], AnswerMemory] | None,
    lessons: Sequence[Any] | None,
) -> ImageAttack:
    """Open the log of one image; the budget keeps queries for the check at the end."""
    image = as_image(task.image)
    check_attacked(image.shape[0], image.shape[1])
    for what, number in (("label", task.label), ("target", task.target)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 0):
            raise UsageError(f"the {what} of image {task.index} must be a class number of 0 or more, not {number!r}")
    if task.target is not None and task.target == task.label:
        raise UsageError(f"image {task.index}: the target is the label itself ({task.label}); choose another class")
    if lessons is not None:
        check_learning(0, targeted=task.target is not None)
    kept = None if memory is None else CountedMemory(memory(task.index))
    distance, budget = DISTANCES.get(attack.distance), int(attack.budget)
    reserved = FINALISTS * CONFIRMED if attack.tolerate_noise else 1 if budget >= CHECKED else 0
    levels = levels_for(attack.levels, getattr(classifier, "levels", None), image)
    log = QueryLog(
        image, UNKNOWN if task.label is None else int(task.label), None if task.target is None else int(task.target),
        distance=distance, budget=budget, kind=classifier.scores, limit=budget - reserved, levels=levels,
        tolerant=attack.tolerate_noise,
    )  # fmt: skip
    if attack.levels == AUTO and levels is None:
        log.notes.append(NO_PICTURE)

    def start() -> tuple[ImageSearch, KeypointMixture | None]:
        mixture = attack.mixture(log.image) if picked.uses_mixture or attack.player_two == "competitive" else None
        work = Task(
            log=log, distance=distance, manipulation=load_manipulation(attack.manipulation or STANDARD_MANIPULATION),
            seed=attack.seed, classifier=classifier if kept is None else RememberingClassifier(classifier, kept),
            mixture=mixture, lessons=lessons,
        )  # fmt: skip
        competitive = attack.player_two == "competitive"
        return PerFeature(picked, work) if competitive else picked.start(work), mixture

    return ImageAttack(task.index, log, None, None, kept, start)


def as_image(image: Any) -> Images:
    """An image as it is attacked, (H, W, C) float32 in [0, 1]: a copy.

    Raises:
        UsageError: it is none.
    """
    pixels = np.asarray(image)
    if pixels.ndim != 3 or not pixels.size:
        raise UsageError(f"an image must be an array (height, width, channels), not of shape {pixels.shape}")
    if pixels.dtype.kind != "f":
        raise UsageError(f"images must be floats in [0, 1], not {pixels.dtype}; divide by the largest possible value")
    if not np.isfinite(pixels).all():
        raise UsageError(NOT_FINITE)
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UsageError("images must lie in [0, 1]; divide by the largest possible value")
    return np.array(pixels, dtype=np.float32)


def check_attacked(height: int, width: int) -> None:
    """See whether an image is small enough to be attacked: a search holds many copies of it and of maps of its size.

    Raises:
        CeilingError: it has more pixels than the ceiling `attacked`.
    """
    have, most = height * width, ceiling("attacked")
    if have > most:
        raise CeilingError(
            f"the image has {have:,} pixels, and images of at most {most:,} are attacked; make it smaller with --resize "
            f"HEIGHTxWIDTH, or raise the ceiling with --ceiling attacked={have}"
        )
