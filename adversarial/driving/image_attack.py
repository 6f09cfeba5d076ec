"""One image's attack on its way: what its search asked, what of that was sent, and what was answered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.query_log import Again, BudgetSpent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from adversarial.answers import CountedMemory
    from adversarial.attacks.registry import ImageSearch
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog, Search

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

CHECKED = 10  # budgets below this have no query to spare for the check at the end


@dataclass(eq=False)
class ImageAttack:
    """One image's attack on its way.

    Attributes:
        index: the image's place in the run.
        log: its queries and what was found.
        search: the search; None until `start` has made it.
        mixture: the distribution that guides it, or None.
        memory: what an earlier run was answered; these answers are taken from it, and new ones are kept there. None for no
            memory.
        start: makes the search and its mixture, where they are not given. It is called once the image's label is known: where
            none was given, that is the class which the classifier sees in the original.
        follow: what is asked once the search has ended; it does not enter the log.
        ended: whether the attack is over, so that answers on their way to it come too late.
        exhausted: whether the search came to its end with queries left: it had nothing more to ask.
        anew: whether the model must evaluate what was asked last, whatever was remembered of these images.
    """

    index: int
    log: QueryLog
    search: ImageSearch | None
    mixture: KeypointMixture | None
    memory: CountedMemory | None = None
    start: Callable[[], tuple[ImageSearch, KeypointMixture | None]] | None = None
    follow: Callable[[QueryLog], Search] | None = None
    ended: bool = False
    exhausted: bool = False
    anew: bool = False
    _steps: Search | None = None
    _answers: list[Floats | None] = field(default_factory=list)  # to what the search asked, as far as they are known
    _open: list[int] = field(default_factory=list)  # which of them are not known
    _asked: Images = field(default_factory=lambda: np.zeros(0, dtype=np.float32))  # the images of these
    _kept_as: Images = field(default_factory=lambda: np.zeros(0, dtype=np.float32))  # the same, as the memory knows them
    _sent: int = 0
    _answered: int = 0

    @property
    def waiting(self) -> int:
        """Images that were asked about and not yet sent to the classifier."""
        return len(self._asked) - self._sent

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C) of its images."""
        return self.log.image.shape

    def advance(self) -> bool:
        """Send the search its answers, and take up what it asks next; whether there is anything to ask the classifier."""
        try:
            while True:
                if self._steps is None:
                    self._steps = self._all_steps()
                    images = next(self._steps)
                else:
                    images = self._steps.send(np.stack([answer for answer in self._answers if answer is not None]))
                self._take_up(images)
                if self._open:
                    return True
        except (StopIteration, BudgetSpent):
            return False

    def next_images(self, most: int) -> tuple[int, Images]:
        """The next images to send to the classifier, at most so many, after the place of the first among those asked about."""
        first = self._sent
        images = self._asked[first : first + most]
        self._sent += len(images)
        return first, images

    def keep(self, first: int, scores: Floats, keys: Sequence[bytes] | None = None) -> None:
        """Keep the scores of images that were sent, from the place `first` on, in the memory; in whatever thread they came.

        The keys of these images are given where they are known.
        """
        if self.memory is None:
            return
        if keys is not None and self.memory.add is not None and not self.anew:
            self.memory.add(keys, scores)
        else:
            self.memory.keep(self._kept_as[first : first + len(scores)], scores)

    def answer(self, first: int, scores: Floats) -> bool:
        """Take the scores of images that were sent, from the place `first` on; whether the search has all that it waits for."""
        end = first + len(scores)
        for place, row in zip(self._open[first:end], scores, strict=True):
            self._answers[place] = row
        self._answered += len(scores)
        return self._answered == len(self._open)

    def to_check(self) -> tuple[Images, Floats] | None:
        """The image to ask about once more, and the first answer; None where no query is kept for that.

        That is the finding, or the original where nothing was found.
        """
        found = self.log.outcome()
        if self.log.tolerant or self.log.budget < CHECKED or found.queries == 0 or found.distance == 0:
            return None
        if found.best is not None and found.best_scores is not None:
            return found.best, found.best_scores
        return None if found.clean is None else (found.image, found.clean)

    def _all_steps(self) -> Search:
        if self.log.tolerant:
            yield from self.log.steady()
        elif not self.log.labelled:
            self.log.look((yield self.log.image[None]))
        if self.search is None and self.start is not None:
            self.search, self.mixture = self.start()
        if self.search is not None and not self.log.undecided:
            with suppress(BudgetSpent):
                yield from self.search.steps()
            self.exhausted = self.log.left > 0  # also where it asked for nothing but what had been answered already
            yield from self.log.settle()
        if self.follow is not None:
            yield from self.follow(self.log)

    def _take_up(self, images: Images) -> None:
        self.anew = isinstance(images, Again)
        kept_as = numbered(images) if isinstance(images, Again) else images
        images = np.asarray(images)
        if self.memory is None:
            self._answers, self._open, self._asked = [None] * len(images), list(range(len(images))), images
        else:
            self._answers = list(self.memory.recall(kept_as))
            self._open = [place for place, answer in enumerate(self._answers) if answer is None]
            whole = len(self._open) == len(images)
            self._asked, self._kept_as = (images, kept_as) if whole else (images[self._open], kept_as[self._open])
        self._sent = self._answered = 0


def numbered(images: Again) -> Images:
    """Images as a memory tells them from those asked before: with a row below that holds the number of the question."""
    count, _, width, channels = images.shape
    numbers = np.arange(images.first, images.first + count, dtype=np.float32)
    rows = np.broadcast_to(numbers[:, None, None, None], (count, 1, width, channels))
    return np.concatenate([np.asarray(images), rows], axis=1)
