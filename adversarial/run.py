"""The driver: many searches, one classifier. What several images ask is put together into full batches."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.query_log import BudgetSpent
from saywhy_core.classifiers import ClassifierError, same_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

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
    """

    index: int
    log: QueryLog
    search: ImageSearch
    mixture: KeypointMixture | None
    _steps: Search | None = None
    _asked: Images = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    _sent: int = 0
    _answers: list[Floats] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Images that were asked about and not yet sent to the classifier."""
        return len(self._asked) - self._sent

    def advance(self) -> bool:
        """Send the search its answers, and take up what it asks next; whether it asks anything more."""
        try:
            if self._steps is None:
                self._steps = self.search.steps()
                self._asked = next(self._steps)
            else:
                self._asked = self._steps.send(np.concatenate(self._answers))
        except (StopIteration, BudgetSpent):
            return False
        self._sent, self._answers = 0, []
        return True

    def next_images(self, most: int) -> Images:
        """The next images to send to the classifier, at most so many."""
        images = self._asked[self._sent : self._sent + most]
        self._sent += len(images)
        return images

    def answer(self, scores: Floats) -> bool:
        """Take the scores of images that were sent; whether all answers that the search waits for are there."""
        self._answers.append(scores)
        return not self.waiting

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


def drive(
    classifier: Classifier,
    openings: Iterable[Callable[[], ImageAttack]],
    batch_size: int,
    finished: Callable[[ImageAttack], None],
) -> None:
    """Run attacks to their end, in their order. An attack's answers don't depend on the attacks that it shares batches with.

    Of each batch, the attack that began first gets what it asks, and the later ones fill what is left. A new attack begins
    only where those on their way can't fill a batch, so that the first results come early and a kill costs few attacks. An
    attack that has ended is checked and reported before the next batch.

    Args:
        classifier: all attacks ask this one.
        openings: each makes one image's attack; they are called one by one, when there is room in the batches.
        batch_size: images per call of the classifier.
        finished: called with each attack that has ended and was checked, at once.

    Raises:
        ClassifierError: from the classifier, or because its second answer about a finding differs from its first one.
        BudgetExceeded: from the classifier.
    """
    waiting = deque(openings)
    running: list[ImageAttack] = []
    while waiting or running:
        ended: list[ImageAttack] = []
        while waiting and sum(attack.waiting for attack in running) < batch_size:
            attack = waiting.popleft()()
            (running if attack.advance() else ended).append(attack)
        for attack in _serve(classifier, running, batch_size):
            if not attack.advance():
                running.remove(attack)
                ended.append(attack)
        _check(classifier, ended, batch_size)
        for attack in ended:
            finished(attack)


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


def _check(classifier: Classifier, ended: list[ImageAttack], batch_size: int) -> None:
    """Ask once more about what each attack found (or about its original), and compare with the first answer."""
    checks = [(attack, check) for attack in ended if (check := attack.to_check()) is not None]
    changed = 0
    for start in range(0, len(checks), batch_size):
        part = checks[start : start + batch_size]
        again = classifier.ask_again(np.stack([image for _, (image, _) in part]))
        for (attack, (_, first)), second in zip(part, again, strict=True):
            attack.log.count_check()
            changed += not same_answer(first, second)
    if changed:
        raise ClassifierError(
            f"the classifier gave another answer when asked again about the same image ({changed} of {len(checks)} checks): "
            "it must be deterministic; switch off dropout, augmentation or noise in it"
        )
