"""The log of one attack on one image: what was asked, what is left of the budget, and the nearest finding so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.distances.improving import improving
from adversarial.distances.levels import ROUNDING, on_grid
from adversarial.distances.repeats import Repeats
from adversarial.margins import GapScale, most_possible, on_its_side, value_of
from saywhy_core.classifiers import Scores, comparable, least_probability
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    # A search asks by yielding images (N, H, W, C) and is sent their scores (N, K). It ends when it has no more to ask.
    Search: TypeAlias = Generator[Images, Floats, None]
    # A part of a search that also returns gaps, see `QueryLog.gaps`.
    Asking: TypeAlias = Generator[Images, Floats, Floats]

UNKNOWN = -1  # the label of an image whose class the classifier is to say

# A classifier with noise (docs/attack.md has the error rates): a flip that would be the nearest so far is asked again at once,
# and kept only if it flips both times; what the search ends with is asked again 10 times, of which 9 must flip.
AT_ONCE, CONFIRMED, NEEDED = 2, 10, 9
FINALISTS = 3  # findings that queries are kept for, in case the nearer ones do not stand
APART = 1.05  # between them: where a flip does not stand, one next to it seldom does
MOST_FINALISTS = 30  # kept in memory; the last of these is four times as far as the first
LEAST_BUDGET = 100  # with noise: 10 for the original, 30 for the finalists, and some for a search


class Again(np.ndarray[Any, np.dtype[np.float32]]):
    """Images that the model shall evaluate anew, whatever it or a memory remembers of them; the first one is number `first`."""

    first: int = 0


class BudgetSpent(Exception):  # noqa: N818 - the end of a search, not an error
    """A search wanted to ask when nothing was left."""


class QueryLog:
    """One image's budget, its answers, and the nearest adversarial image found so far.

    A log can be shared out into parts with limits of their own (the competitive game does, one for each feature).

    Args:
        image: (H, W, C) float32 in [0, 1], the original.
        label: the class to get away from; `UNKNOWN` for the class that the classifier sees in the original, see `look`.
        target: the class to reach, or None for any class but the label.
        distance: in which the nearest adversarial image is kept.
        budget: the queries by which a search plans its phases.
        kind: whether the scores are logits or probabilities.
        limit: the queries that may be made; None for `budget`.
        levels: keep the original and all that is asked to multiples of 1 / (levels - 1), as pictures of that many levels per
            channel do; None for any numbers.
        tolerant: whether the classifier may answer differently when it is asked again; then a flip counts only if it is
            confirmed, see `settle`.

    Attributes:
        best: the nearest adversarial image, or None.
        best_scores: (K,) its scores, or None.
        distance: its distance; infinite while there is none.
        points: (queries, distance), one for each time that a nearer adversarial image was found.
        clean: (K,) scores of the original, None until it was asked about.
        parts: the logs that this one was shared out into.
        over: whether the search that has this part came to its end.
        measured_in, notes: the distance that is kept small, and what a reader of the result must know besides.
        bounded: whether classes that a top-k answer leaves out count as the most that they can have (see `most_possible`).
        undecided: whether a noisy classifier does not decide the original itself, so that there is nothing to flip.
        unsettled: whether its noise leaves open if a change flips the decision: of those asked again at the end, some flipped
            and none often enough.
        repeats: what is remembered on a grid, so that none is asked twice; None for nothing.
    """

    def __init__(
        self, image: Images, label: int, target: int | None, *, distance: Distance, budget: int, kind: Scores,
        limit: int | None = None, levels: int | None = None, tolerant: bool = False,
    ) -> None:  # fmt: skip
        self.levels, self.tolerant = levels, tolerant
        self.image, self.label, self.target, self.kind = self.on_grid(image), label, target, kind
        self.notes: list[str] = []
        if (np.abs(self.image - image) > ROUNDING).any():
            self.notes.append(f"the original was put on the grid of {levels} levels first")
        self.bounded = self.undecided = self.unsettled = self.over = False
        self._finalists: list[tuple[float, Images, Floats]] = []
        self.repeats = None if levels is None else Repeats(BudgetSpent)
        self.budget, self.limit = budget, budget if limit is None else limit
        self.best: Images | None = None
        self.best_scores: Floats | None = None
        self.distance = math.inf
        self.points: list[tuple[int, float]] = []
        self.clean: Floats | None = None
        self.parts: list[QueryLog] = []
        self.measured_in = distance
        self._looked: Floats | None = None  # the answer to `look`, until the search asks about the original itself
        self._asked = self._unmoved = self._answered_anew = 0
        self._scale, self._least = GapScale(), 0.0
        self._at_first: Floats | None = None

    def part(self, *, budget: int, limit: int) -> QueryLog:
        """Share out a log for the same image and goal; its queries count for this log as well."""
        made = QueryLog(
            self.image, self.label, self.target, distance=self.measured_in, budget=budget, kind=self.kind, limit=limit,
            levels=self.levels,
        )  # fmt: skip
        self.parts.append(made)
        if self.clean is not None:
            made.look(self.clean[None])
            made._asked = 0  # this log has counted it
        return made

    @property
    def labelled(self) -> bool:
        """Whether the label is known."""
        return self.label != UNKNOWN

    def look(self, scores: Floats) -> None:
        """Enter the answer (1, K) about the original, asked before the search begins; the label, where unknown, is its class.

        It is counted once: the search's own question about the original is answered by it.
        """
        if not self.labelled:
            self.label = int(scores[0].argmax())
        self.take(self.image[None], scores)
        self._looked = scores

    @property
    def queries(self) -> int:
        """Queries made, those of the parts included."""
        return self._asked + sum(part.queries for part in self.parts)

    @property
    def left(self) -> int:
        """Queries that may still be made."""
        return self.limit - self.queries

    def found(self) -> bool:
        """Whether there is an adversarial image yet."""
        return self.best is not None

    def outcome(self) -> QueryLog:
        """The log that holds the result.

        That is this log, or, where it was shared out, one of the parts that are `over`: one in which nothing was found, if any,
        and otherwise the one with the farthest finding.
        """
        over = [part for part in self.parts if part.over]
        if not over or self.distance == 0:
            return self
        return next((part for part in over if not part.found()), None) or max(over, key=lambda part: part.distance)

    def on_grid(self, images: Images) -> Images:
        """The nearest images that the levels allow; the images themselves where there is no such limit."""
        return on_grid(images, self.levels)

    def ask(self, images: Images, *, fitting: bool = False) -> Asking:
        """Ask about as many of the images as the budget allows, each on the grid (see `on_grid`) and none twice.

        Images that are `fitting` lie on the grid already, which takes a while to see in large ones.

        Returns:
            The gaps of these images, (n, K - 1); see `gaps`.

        Raises:
            BudgetSpent: nothing was left.
        """
        images = images if fitting else self.on_grid(images)
        return (yield from self._ask(images) if self.repeats is None else self.repeats.ask(images, self._ask))

    def _ask(self, images: Images) -> Asking:
        if self._looked is not None and np.array_equal(images[0], self.image):
            look, self._looked = self.gaps(self._looked), None
            return look if len(images) == 1 else np.concatenate([look, (yield from self._ask(images[1:]))])
        if self.left <= 0:
            raise BudgetSpent
        images = images[: self.left]
        scores = yield images
        if self.tolerant:
            return (yield from self._confirm(images, scores))
        return self.take(images, scores)

    def take(self, images: Images, scores: Floats) -> Floats:
        """Enter the answers to images, which must be on the grid, and keep the nearest adversarial image; returns their gaps.

        Raises:
            UsageError: the classifier has no class of the label's or the target's number.
        """
        self._check_classes(scores)
        if self.clean is None:
            self.clean = scores[0]
        reached = self.reached(scores)
        rows = np.flatnonzero(reached)
        before = self._asked
        self._asked += len(images)
        if len(rows):
            for row, distance in improving(self.measured_in, self.image, images, rows.tolist(), self.distance):
                self.best, self.best_scores, self.distance = images[row].copy(), scores[row], distance
                self.points.append((before + row + 1, distance))
        gaps = self.gaps(scores, reached)
        if self._at_first is None:
            self._at_first = gaps[0]
        self._unmoved += int((gaps == self._at_first).all(axis=1).sum())
        return gaps

    @property
    def unmoved(self) -> float:
        """The share of the changed images so far whose gaps are those of the original to the last digit."""
        return max(0, self._unmoved - 1) / max(1, self._asked - 1)

    @property
    def coarse(self) -> bool:
        """Whether the scores of the original look rounded: those that count have four decimals at most."""
        if self.clean is None or self.kind == "logits":
            return False
        counting = self.clean[self.clean > 5e-4] * 1e4  # what classes share that an answer leaves out is below that
        return bool((np.abs(counting - np.rint(counting)) < 7e-4).all())  # what single precision leaves of 10,000

    def _check_classes(self, scores: Floats) -> None:
        highest = max(self.label, -1 if self.target is None else self.target)
        if highest >= scores.shape[1]:
            count = scores.shape[1]
            hint = "; numbers that count from 1 are one too high" if highest == count else ""
            raise UsageError(f"there is no class {highest}: the classifier has {count}, counted from 0{hint}")

    def _again(self, image: Images, times: int) -> Asking:
        """The answers (times, K) to one image, evaluated anew each time, and counted."""
        images = np.repeat(image[None], times, axis=0).view(Again)
        images.first, self._answered_anew = self._answered_anew, self._answered_anew + times
        scores = yield images
        self._asked += times
        return scores

    def _confirm(self, images: Images, scores: Floats) -> Asking:
        """Enter answers of a classifier with noise: a flip nearer than all others counts if it flips again, twice."""
        gaps, before = self.gaps(scores), self._asked
        self._asked += len(images)
        distances = self.measured_in.measure(np.subtract(images, self.image, dtype=np.float64))
        flips = self.reached(scores)
        for row in np.argsort(np.where(flips, distances, np.inf), kind="stable")[: int(flips.sum())].tolist():
            if distances[row] >= self.distance:
                break
            stands = False
            if distances[row] > 0 and self.left >= AT_ONCE:
                stands = bool(self.reached((yield from self._again(images[row], AT_ONCE))).all())
            if stands:
                self.best, self.best_scores, self.distance = images[row].copy(), scores[row], float(distances[row])
                self.points.append((max(self._asked, before + row + 1), self.distance))
                self._enter()
                break
            self._unreach(gaps[row])
        return gaps

    def _enter(self) -> None:
        """Enter the nearest finding among those that are asked again at the end; those kept are 5 percent apart."""
        if self.best is None or self.best_scores is None:
            return
        kept = self._finalists
        if len(kept) > 1 and kept[-1][0] * APART > kept[-2][0]:
            kept.pop()
        kept.append((self.distance, self.best, self.best_scores))
        del kept[:-MOST_FINALISTS]

    def _unreach(self, gaps: Floats) -> None:
        """Make the gaps (K - 1,) of a flip that did not stand those of an image that holds."""
        if self.every:
            gaps[gaps.argmin()] = -self._scale.step
        else:
            np.minimum(gaps, -self._scale.step, out=gaps)

    def steady(self) -> Search:
        """Ask a classifier with noise about the original 10 times: 9 answers must name one class, or `undecided` is set.

        The label, where none was given, is that class. Where it is another than the label, or the target, nothing is changed.
        """
        first = yield self.image[None]
        self._asked += 1
        scores = np.concatenate([first, (yield from self._again(self.image, CONFIRMED - 1))])
        winners = scores.argmax(axis=1)
        common = int(np.bincount(winners).argmax())
        votes = int((winners == common).sum())
        if not self.labelled:
            self.label = common
        self._check_classes(scores)
        row = scores[winners == common][:1]
        self.clean = row[0]
        if votes < NEEDED:
            self.undecided = True
            self.notes.append(
                f"the classifier does not decide the unchanged image: of {CONFIRMED} answers {votes} named one class, and "
                f"{NEEDED} are needed"
            )
            return
        self._asked -= 1
        self.look(row)

    def settle(self) -> Search:
        """Ask a classifier with noise 10 times about the nearest finding: it counts if 9 answers flip, or else the next one.

        The next one is at least 5 percent farther, the one after it 15 percent, then 45: near a boundary nothing stands.
        Findings that do not stand are dropped from what was found, and from the trace.
        """
        if not self.tolerant or self.distance == 0 or self.best is None:
            return
        tried, least, most = 0, 0.0, CONFIRMED
        for distance, image, scores in reversed(self._finalists):
            flips = 0
            if distance >= least and self.budget - self.queries >= CONFIRMED:
                least = distance * (1 + (APART - 1) * 3**tried)
                most = 0 if tried == 0 else most
                tried += 1
                flips = int(self.reached((yield from self._again(image, CONFIRMED))).sum())
                most = max(most, flips)
            if flips >= NEEDED:
                self.best, self.best_scores, self.distance = image, scores, distance
                others = "" if tried == 1 else f"; {tried - 1} nearer did not stand"
                self.notes.append(f"the finding was asked again {CONFIRMED} times and flipped {flips} times{others}")
                break
        else:
            self.best, self.best_scores, self.distance = None, None, math.inf
            self.unsettled = (
                most > CONFIRMED - NEEDED
            )  # fewer flips say that it holds, as surely as the others that it does not
            self.notes.append(
                f"no flip stood when the nearest were asked again {CONFIRMED} times, of which {NEEDED} answers must flip"
            )
        self.points = [point for point in self.points if point[1] >= self.distance]

    def count_check(self) -> None:
        """Count the query by which the answer about the finding was checked."""
        self._asked += 1

    def reached(self, scores: Floats) -> NDArray[np.bool_]:
        """(N,) whether rows of scores show the goal: another class than the label, or the target."""
        winner = scores.argmax(axis=1)
        return np.asarray(winner != self.label if self.target is None else winner == self.target)

    def gaps(self, scores: Floats, reached: NDArray[np.bool_] | None = None) -> Floats:
        """How far each class is from the goal, (N, K - 1); `value` makes one number of each row.

        Without a target: how far each class is ahead of the label; one gap above 0 is enough. With a target: how far the
        target is ahead of each class; all gaps must be above 0. Exact ties are broken as the classifier's own argmax breaks
        them: a gap that rounding or a tie puts on the wrong side of 0 becomes the smallest number on the right side. The unit
        is one of `GapScale`, whatever that of the scores.

        `reached` is what the method of this name says of the scores, where that is known.
        """
        if not self._least:  # by the answer about the original, so that the search compares all others alike
            self._least = least_probability(scores[0] if self.clean is None else self.clean, self.kind)
        values = comparable(most_possible(scores) if self.bounded else scores, self.kind, self._least)
        pivot = self.label if self.target is None else self.target
        values = self._scale.apply(values, pivot)
        gaps = values.take([*range(pivot), *range(pivot + 1, values.shape[1])], axis=1)  # faster than np.delete
        gaps -= values[:, pivot : pivot + 1]
        if self.every:
            gaps = -gaps
        step = self._scale.step
        gaps = np.round(gaps / step) * step
        reached = self.reached(scores) if reached is None else reached
        return on_its_side(gaps, reached, step, every=self.every)

    @property
    def unit(self) -> np.float64:
        """What a gap of 1 is in the unit of the scores, or of their logarithms; 1 before two scores differed."""
        return self._scale.unit

    @property
    def every(self) -> bool:
        """Whether every gap must be closed (there is a target) rather than one."""
        return self.target is not None

    def value(self, gaps: NDArray[np.floating]) -> NDArray[np.floating]:
        """(...,) numbers above 0 where gaps (..., K - 1) are those of an adversarial image."""
        return value_of(gaps, every=self.every)

    def trace(self) -> NDArray[np.float64]:
        """(T, 2) rows of queries and smallest distance: one for each time it fell, and one for the end of the attack.

        Where the log was shared out, there is only the row for the end: its distance is the largest of several.
        """
        found = self.outcome()
        points = [] if self.parts else list(self.points)
        if self.queries and (not points or points[-1][0] < self.queries):
            points.append((self.queries, found.distance))
        return np.array(points, dtype=np.float64).reshape(-1, 2)
