"""The driver: many searches, one classifier. What several images ask is put together into full batches."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.query_log import BudgetSpent
from saywhy_core.classifiers import ClassifierError, same_answer
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import BudgetExceeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from adversarial.answers import CountedMemory
    from adversarial.attacks.registry import ImageSearch
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog, Search
    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

CHECKED = 10  # budgets below this have no query to spare for the check at the end


@dataclass(eq=False)
class ImageAttack:
    """One image's attack on its way.

    Attributes:
        index: the image's place in the run.
        log: its queries and what was found.
        search: the search.
        mixture: the distribution that guides it, or None.
        memory: what an earlier run was answered; these answers are taken from it, and new ones are kept there. None for no
            memory.
    """

    index: int
    log: QueryLog
    search: ImageSearch
    mixture: KeypointMixture | None
    memory: CountedMemory | None = None
    _steps: Search | None = None
    _answers: list[Floats | None] = field(default_factory=list)  # to what the search asked, as far as they are known
    _open: list[int] = field(default_factory=list)  # which of them are not known
    _asked: Images = field(default_factory=lambda: np.zeros(0, dtype=np.float32))  # the images of these
    _sent: int = 0
    _answered: int = 0

    @property
    def waiting(self) -> int:
        """Images that were asked about and not yet sent to the classifier."""
        return len(self._asked) - self._sent

    def advance(self) -> bool:
        """Send the search its answers, and take up what it asks next; whether there is anything to ask the classifier."""
        try:
            while True:
                if self._steps is None:
                    self._steps = self.search.steps()
                    images = next(self._steps)
                else:
                    images = self._steps.send(np.stack([answer for answer in self._answers if answer is not None]))
                self._take_up(images)
                if self._open:
                    return True
        except (StopIteration, BudgetSpent):
            return False

    def next_images(self, most: int) -> Images:
        """The next images to send to the classifier, at most so many."""
        images = self._asked[self._sent : self._sent + most]
        self._sent += len(images)
        return images

    def answer(self, scores: Floats) -> bool:
        """Take the scores of the images sent next; whether all answers that the search waits for are there."""
        end = self._answered + len(scores)
        if self.memory is not None:
            self.memory.keep(self._asked[self._answered : end], scores)
        for place, row in zip(self._open[self._answered : end], scores, strict=True):
            self._answers[place] = row
        self._answered = end
        return end == len(self._open)

    def _take_up(self, images: Images) -> None:
        if self.memory is None:
            self._answers, self._open, self._asked = [None] * len(images), list(range(len(images))), images
        else:
            self._answers = list(self.memory.recall(images))
            self._open = [place for place, answer in enumerate(self._answers) if answer is None]
            self._asked = images[self._open]
        self._sent = self._answered = 0

    def to_check(self) -> tuple[Images, Floats] | None:
        """The image to ask about once more, and the first answer; None where no query is kept for that.

        That is the finding, or the original where nothing was found.
        """
        found = self.log.outcome()
        if self.log.budget < CHECKED or found.queries == 0 or found.distance == 0:
            return None
        if found.best is not None and found.best_scores is not None:
            return found.best, found.best_scores
        return None if found.clean is None else (found.image, found.clean)


class ChangedClassifierError(ClassifierError):
    """The classifier answers otherwise than in the run whose answers were taken from a memory; they are forgotten."""


def drive(
    classifier: Classifier,
    openings: Iterable[Callable[[], ImageAttack | None]],
    batch_size: int,
    finished: Callable[[ImageAttack], None],
    failed: Callable[[ImageAttack, UsageError], None] | None = None,
) -> None:
    """Run attacks to their end, in their order. An attack's answers don't depend on the attacks that it shares batches with.

    Of each batch, the attack that began first gets what it asks, and the later ones fill what is left. A new attack begins
    only where those on their way can't fill a batch, so that the first results come early and a kill costs few attacks. An
    attack that has ended is checked and reported before the next batch.

    Args:
        classifier: all attacks ask this one.
        openings: each makes one image's attack, or None where it can't be made; they are called one by one, when there is
            room in the batches.
        batch_size: images per call of the classifier.
        finished: called with each attack that has ended and was checked, at once.
        failed: called with an attack whose search can't take its answers, and why; the others go on. None raises the error.

    Raises:
        ClassifierError: from the classifier, or because its second answer about a finding differs from its first one.
        BudgetExceeded: from the classifier.
    """
    waiting = deque(openings)
    running: list[ImageAttack] = []
    ended: list[ImageAttack] = []

    def advance(attack: ImageAttack) -> bool:
        try:
            if attack.advance():
                return True
            ended.append(attack)
        except (ClassifierError, BudgetExceeded, UnusableFileError):
            raise
        except UsageError as error:
            if failed is None:
                raise
            failed(attack, error)
        return False

    while waiting or running:
        while waiting and sum(attack.waiting for attack in running) < batch_size:
            attack = waiting.popleft()()
            if attack is not None and advance(attack):
                running.append(attack)
        for attack in _serve(classifier, running, batch_size):
            if not advance(attack):
                running.remove(attack)
        while ended:
            _check(classifier, ended, running, batch_size, finished)


def _serve(classifier: Classifier, running: list[ImageAttack], batch_size: int) -> list[ImageAttack]:
    """Send one batch, filled by the attacks in the order in which they began; the attacks that have all their answers."""
    room, parts = batch_size, []
    for attack in running:
        images = attack.next_images(room)
        room -= len(images)
        if len(images):
            parts.append((attack, images))
    if not parts:
        return []
    answers = classifier(parts[0][1] if len(parts) == 1 else np.concatenate([images for _, images in parts]))
    served, start = [], 0
    for attack, images in parts:
        if attack.answer(answers[start : start + len(images)]):
            served.append(attack)
        start += len(images)
    return served


def _check(
    classifier: Classifier,
    ended: list[ImageAttack],
    running: list[ImageAttack],
    batch_size: int,
    finished: Callable[[ImageAttack], None],
) -> None:
    """Ask once more about what each attack found (or about its original), compare with the first answer, and report it."""
    part = ended[:batch_size]
    checks = [(attack, check) for attack in part if (check := attack.to_check()) is not None]
    changed: list[ImageAttack] = []
    if checks:
        again = classifier.ask_again(np.stack([image for _, (image, _) in checks]))
        for (attack, (_, first)), second in zip(checks, again, strict=True):
            attack.log.count_check()
            if not same_answer(first, second):
                changed.append(attack)
    for attack in part:
        if attack not in changed:
            finished(attack)
    del ended[:batch_size]
    if changed:
        share = f"({len(changed)} of {len(checks)} checks)"
        recalled = [attack for attack in (*changed, *running) if attack.memory is not None and attack.memory.recalled]
        if not any(attack in recalled for attack in changed):
            raise ClassifierError(
                f"the classifier gave another answer when asked again about the same image {share}: it must be deterministic; "
                "switch off dropout, augmentation or noise in it"
            )
        for attack in recalled:
            attack.memory.forget()  # type: ignore[union-attr]  # those without one are not among them
        raise ChangedClassifierError(
            f"the classifier gave another answer than in an earlier run about the same image {share}: it has changed since, or "
            "is not deterministic; its earlier answers are forgotten, and the images that were begun then start anew next time"
        )
