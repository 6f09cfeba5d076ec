"""Sets of changes, the questions about them, and how a set is made smaller by leaving out groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from adversarial.attacks.label_only.pixel_tuning import PixelTuning
    from adversarial.attacks.moves import MoveTable
    from adversarial.query_log import QueryLog

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    Changes: TypeAlias = NDArray[np.int64]  # the numbers of a set's changes, ascending; at most one per pixel
    # A lane asks about one set at a time, is told whether it is adversarial, and returns the set it ends with.
    Lane: TypeAlias = Generator[Changes, bool, Changes | None]


class PixelSets:
    """Asks about sets of changes, and remembers every answer.

    Args:
        log: the image, its budget and the answers.
        moves: what may be done to each pixel.

    Attributes:
        smallest: the smallest adversarial set so far, or None.
        classes: (K - 1,) for each gap, a set that reached its class, or None; only kept where there is a target.
    """

    def __init__(self, log: QueryLog, moves: MoveTable) -> None:
        self.log, self.moves = log, moves
        self.smallest: Changes | None = None
        self._answers: dict[bytes, bool] = {}
        self._fitting = moves.fit(log.levels)

    def known(self, changes: Changes) -> bool | None:
        """The answer about a set, or None where it was not asked about."""
        return self._answers.get(changes.tobytes())

    def ask(self, sets: Sequence[Changes]) -> Generator[Images, Floats, list[bool]]:
        """Ask about the sets that are not known yet; returns the answers about all.

        Raises:
            BudgetSpent: the budget ended before all were asked about.
        """
        fresh = {changes.tobytes(): changes for changes in sets if changes.tobytes() not in self._answers}
        asked = list(fresh.values())
        while asked:
            gaps = yield from self.log.ask(self.render(asked), fitting=self._fitting)
            for changes, flips in zip(asked, (self.log.value(gaps) > 0).tolist(), strict=False):
                self._answers[changes.tobytes()] = flips
                if flips and (self.smallest is None or len(changes) < len(self.smallest)):
                    self.smallest = changes
            asked = asked[len(gaps) :]
        return [self._answers[changes.tobytes()] for changes in sets]

    def render(self, sets: Sequence[Changes]) -> Images:
        """(N, H, W, C) images, one for each set, with its changes made."""
        image, moves = self.log.image, self.moves
        images = np.repeat(image.reshape(1, -1, image.shape[-1]), len(sets), axis=0)
        for row, changes in enumerate(sets):
            images[row, changes // moves.count] = moves.values[changes // moves.count, changes % moves.count]
        return images.reshape(-1, *image.shape)

    def race(self, lanes: Sequence[Lane], tuning: PixelTuning) -> Generator[Images, Floats, list[Changes]]:
        """Run lanes to their ends, with what they ask at a time in one batch, and give up those that fall behind.

        Returns:
            The smallest adversarial set of each lane that had one, the smallest first.
        """
        wanted: dict[int, Changes] = {}
        reached: dict[int, Changes] = {}  # the smallest adversarial set of each lane
        rounds = 0

        def send(number: int, answer: bool) -> None:
            try:
                wanted[number] = lanes[number].send(answer)
            except StopIteration:
                del wanted[number]

        for number, lane in enumerate(lanes):
            wanted[number] = next(lane)
        while wanted:
            numbers = list(wanted)
            answers = yield from self.ask([wanted[number] for number in numbers])
            rounds += 1
            for number, answer in zip(numbers, answers, strict=True):
                if answer:
                    reached[number] = wanted[number]
                send(number, answer)
            if reached and rounds % tuning.head_start == 0:
                most = tuning.hopeless * min(map(len, reached.values()))
                wanted = {number: one for number, one in wanted.items() if len(reached.get(number, one)) <= most}
        return sorted(reached.values(), key=len)


def leave_out(changes: Changes, rng: np.random.Generator, tuning: PixelTuning) -> Lane:
    """Leave groups of changes out of an adversarial set as long as it stays adversarial; returns the set that remains.

    A group is larger after a success and smaller after a failure. A group that could not be spared makes each of its changes
    suspect, the more the smaller it was; the next groups are made of the changes that are suspected least. It ends when every
    change was tried alone, or in groups that come to the same.
    """
    suspicion = np.zeros(len(changes))
    share = tuning.dropped
    while len(changes) > 1:
        size = max(1, int(share * len(changes)))
        order = np.argsort(suspicion + rng.random(len(changes)), kind="stable")
        kept = np.sort(order[size:])
        if (yield changes[kept]):
            changes, suspicion = changes[kept], suspicion[kept]
            share = min(tuning.most_dropped, share * tuning.bolder)
            continue
        suspicion[order[:size]] += 1 / size
        if size == 1 and suspicion.min() >= 1:
            break
        share *= tuning.warier
    return changes
