"""Search for the fewest changed pixels: Monte Carlo tree search of the cooperative game, batched at the leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.feature_guided.growth import Growth
from adversarial.attacks.feature_guided.large_sets import approach, begin_anew, exchange, rebuild, shed
from adversarial.attacks.feature_guided.opening import Opening, tells_little
from adversarial.attacks.feature_guided.players import Players
from adversarial.attacks.feature_guided.reach import Reach, press
from adversarial.attacks.feature_guided.shrink import drop_singly
from adversarial.attacks.feature_guided.tree import Tree
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.experience import Experience, Lesson
    from adversarial.attacks.moves import ChangeSet, MoveTable
    from adversarial.attacks.registry import ImageSearch
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog, Search


class PixelSearch:
    """One image's search for the smallest set of changed pixels; `docs/how-a-search-works.md` tells it step by step.

    Nodes are sets of changes. The opening asks about blocks of pixels, and then about ever larger sets of the changes that seem
    to do most, until one is adversarial. A large set is made smaller by groups. In turn, single changes are asked about, and
    sets grow, a change at a time, from nodes that UCT selects: from single changes upwards, and from the smallest adversarial
    set downwards. Every answer sharpens the estimates in `Effects`, from which player II draws the next changes. A tree that
    brings nothing new is given up for another one, which starts from all that was learned. Where the opening shows that the
    scores tell little (rounded, clipped, saturated), the rest of the budget goes to a search by decisions.

    No step depends on the budget: a search with fewer queries does what one with more queries does first.

    Args:
        log: the image, its budget and the answers.
        moves: what may be done to each pixel.
        mixture: the features that player I picks from, or None for a uniform density.
        rng: all chance comes from here: the same seed, the same search.
        tuning: its constants.
        by_decision: makes a search that needs no scores, and begins with the smallest adversarial set so far, if there is one;
            None for none.
        experience: what the searches of earlier images taught; None where they are to teach nothing.

    Attributes:
        tree: the tree, and with it every answer.
        players: both players, who draw the changes.
        effects: what was learned, or None before the search began.
        trees: the number of trees grown so far, with the current one.
    """

    def __init__(
        self, log: QueryLog, moves: MoveTable, mixture: KeypointMixture | None, rng: np.random.Generator,
        tuning: Tuning = STANDARD, by_decision: Callable[[ChangeSet | None], ImageSearch] | None = None,
        experience: Experience | None = None,
    ) -> None:  # fmt: skip
        self.by_decision, self.experience = by_decision, experience
        self._fallen: ImageSearch | None = None
        self.log, self.moves, self.rng, self.tuning = log, moves, rng, tuning
        self.tree = Tree(moves, log, tuning)
        self.players = Players(self.tree, mixture, rng, tuning)
        self.effects: Effects | None = None
        self.trees = 1
        self._idle = self._began = 0  # trees in a row that had nothing to ask; queries made when this tree began
        self._pressed: int | None = None  # the smallest adversarial set that could not be made much smaller at a time
        self._since = 0  # queries made when this tree last found something, or began

    def steps(self) -> Search:
        """The whole search: yields images to ask about, and ends by itself when nothing is left to try.

        Raises:
            BudgetSpent: the budget ended first.
        """
        tree, log = self.tree, self.log
        yield from tree.ask([()])
        if log.found() or not (self.moves.size > 0).any():
            return
        height, width = log.image.shape[:2]
        effects = Effects((height, width), self.moves.codes, tree.gaps.shape[1], targeted=log.every, tuning=self.tuning)
        self.effects = effects
        opening = Opening(tree, effects, self.players, self.tuning)
        if self.experience is not None:
            self.experience.begin(self._classes(), effects.spread)
            effects.experience = self.experience
            if self.experience.may_flip:
                yield from opening.believed(self.experience)
        for _ in range(self.tuning.opening.batches):
            yield from opening.blocks()
            if self.by_decision is not None and tells_little(tree, self.tuning) and not self._done():
                yield from self._fall_back(self.by_decision)
                return
            if self._done():
                return
        # a set that earlier images let expect may be large; with this image's answers, a smaller one is likely
        if (tree.best is None or self.experience is not None) and not log.every:
            yield from opening.first_flip(self.rng)
        if log.every:
            yield from Reach(tree, effects, self.players, self.tuning).steps()
            yield from press(tree, effects, self.players, self.tuning)
            self._pressed = tree.best
        growth = Growth(tree, effects, self.players, self.tuning)
        if self.tuning.tree.rivals and not log.every and len(effects.seen):
            effects.refresh(tree.gaps[0])
            # chosen once, at the original: these are the classes that later trees take turns with
            growth.rivals = effects.classes[: self.tuning.tree.rivals]
        planned = self.tuning.stages.first
        if log.every or (tree.best is None and self._is_hard(effects)):
            # few queries say nothing here: more single changes first, most of all where all classes must be passed
            planned = int(self.tuning.stages.factor ** (2 if log.every else 1) * planned)
        while not self._done():
            yield from _until(log, planned, self._stage(planned, opening, growth))
            planned = int(self.tuning.stages.factor * planned)
        if self.tree.best is None and self.by_decision is not None:
            yield from self.by_decision(None).steps()  # it draws starts as long as there are new ones

    def _stage(self, planned: int, opening: Opening, growth: Growth) -> Search:
        """Search until so many queries were made in all: what was found, made smaller; single changes and trees in turn."""
        tree, log, constants, effects = self.tree, self.log, self.tuning, growth.effects
        first = planned == constants.stages.first
        if first or tree.best_size > constants.stages.large:
            # a large set loses more by the query than anything else would
            yield from self._make_smaller(effects, exchanging=False)
        # trees of large sets bring little: there, all single changes come before
        while self._wants_singles(opening, planned) and (first or not 0 < tree.best_size <= constants.shrinking.singly):
            yield from self._ask_singles(opening, effects)
            if not first and tree.best_size > constants.stages.large:
                yield from self._make_smaller(effects, exchanging=False)
        if tree.best is None and self._is_hard(effects):
            yield from self._climb(opening, effects)
        if not first:
            yield from begin_anew(tree, effects, constants)
        self._pressed = None
        self._since, growth.widening = log.queries, 1
        while not self._done():
            before = tree.best
            yield from self._make_smaller(effects, exchanging=not first)
            if self._done():
                return
            if self._wants_singles(opening, planned):
                yield from self._ask_singles(opening, effects)
                if not self._wants_singles(opening, planned):
                    yield from begin_anew(tree, effects, constants)
            yield from growth.round(planned)
            if tree.best is None and log.queries > constants.stages.late * planned:
                yield from self._climb(opening, effects)
            if tree.best != before:
                self._since, growth.widening = log.queries, 1
            if self._is_exhausted(growth, planned):
                self._restart(growth)

    def _wants_singles(self, opening: Opening, planned: int) -> bool:
        return opening.open and len(self.tree.of_size(1)) < self.tuning.opening.share * planned and not self._done()

    def _ask_singles(self, opening: Opening, effects: Effects) -> Search:
        """Ask about a batch of single changes, and try at once what they taught."""
        yield from opening.singles()
        if self.tree.best is not None:
            yield from rebuild(self.tree, effects, self.tuning)
        elif opening.is_due():
            yield from opening.first_flip(self.rng)

    def _climb(self, opening: Opening, effects: Effects) -> Search:
        """Try to get to a first adversarial set: by ladders, and then from the set that is nearest."""
        yield from opening.first_flip(self.rng)
        yield from approach(self.tree, effects, self.rng, self.tuning)
        if self.log.every:
            yield from Reach(self.tree, effects, self.players, self.tuning).steps()

    def _make_smaller(self, effects: Effects, *, exchanging: bool) -> Search:
        """Leave out what can be spared: by groups first, since each of a hundred changes would cost a hundred queries."""
        tree, before = self.tree, 0
        if self.log.every and tree.best != self._pressed:
            yield from press(tree, effects, self.players, self.tuning)
            self._pressed = tree.best
        while self.tuning.large_sets.large < tree.best_size != before:
            before = tree.best_size
            yield from shed(tree, effects, self.rng, self.tuning)
            if exchanging:
                yield from exchange(tree, effects, self.rng, self.tuning)
        if 0 < tree.best_size <= self.tuning.shrinking.singly:
            yield from drop_singly(tree, effects)

    def _fall_back(self, by_decision: Callable[[ChangeSet | None], ImageSearch]) -> Search:
        """Give the rest of the budget to the search by decisions."""
        self._fallen = by_decision(None if self.tree.best is None else self.tree.sets[self.tree.best])
        yield from self._fallen.steps()

    def evidence(self) -> NDArray[np.float64]:
        """(H, W): the greatest gain seen of changing each pixel, towards the class that was nearest; 0 where unseen."""
        if self._fallen is not None:
            return self._fallen.evidence()
        height, width = self.log.image.shape[:2]
        evidence = np.zeros(height * width)
        if self.effects is not None and len(self.effects.seen):
            gains = np.maximum(self.effects.observed(self.effects.classes[:1])[:, 0], 0)
            np.maximum.at(evidence, self.moves.pixels(self.effects.seen), gains)
        return np.asarray(evidence.reshape(height, width) * self.log.unit)

    def lesson(self) -> Lesson | None:
        """What this search taught for the next images; None where it learned nothing, or was given no experience."""
        effects = self.effects
        if self.experience is None or effects is None or self._fallen is not None or not len(effects.seen):
            return None
        told = np.zeros((len(effects.seen), len(effects.classes)), dtype=np.float32)
        if self.experience.lessons:
            told = effects.everywhere(self.experience.expected(effects.classes))[:, effects.seen].T
        return self.experience.learned(effects.seen, effects.observed(), effects.weights(), told, effects.classes)

    def _classes(self) -> NDArray[np.int64]:
        """(columns,) the class of each column of the gaps."""
        assert self.log.clean is not None
        others = np.delete(np.arange(self.log.clean.shape[-1]), self.log.label)
        return np.asarray(others[self.tree.columns])

    def _done(self) -> bool:
        return self._idle >= self.tuning.restarts.idle or self.tree.best_size == 1

    def _is_hard(self, effects: Effects) -> bool:
        """Whether growing a set a change at a time will not, or did not, get to a flip in time."""
        tree, constants = self.tree, self.tuning.large_sets
        if not len(effects.seen):
            return False
        effects.refresh(tree.gaps[0])
        needs = -tree.gaps[0][effects.classes] / effects.step
        # with a target all gaps must close, so that the hardest class decides; otherwise the easiest one does
        need = float(needs.max() if self.log.every else needs.min())
        return need > constants.steep or tree.deepest > constants.overgrown * constants.large

    def _is_exhausted(self, growth: Growth, planned: int) -> bool:
        """Whether this tree is to be given up: it has no new children left, or made nothing smaller for long."""
        spent = self.log.queries - self._since > self.tuning.restarts.patience * planned
        return growth.widening > self.tuning.restarts.widest or (spent and self.tree.best is not None)

    def _restart(self, growth: Growth) -> None:
        """Grow another tree towards each of the rival classes in turn: one class's best sets crowd out the others'."""
        rivals = [] if growth.rivals is None else growth.rivals.tolist()
        self.tree.restart(rivals[(self.trees - 1) % len(rivals)] if rivals else None)
        growth.widening, growth.added = 1, 1
        self._pressed = None
        self._idle = self._idle + 1 if self.log.queries == self._began else 0
        self.trees, self._since, self._began = self.trees + 1, self.log.queries, self.log.queries


def _until(log: QueryLog, planned: int, steps: Search) -> Search:
    """The steps of a search until so many queries were made in all."""
    try:
        images = next(steps)
        while log.queries < planned:
            images = steps.send((yield images))
    except StopIteration:
        return
    steps.close()
