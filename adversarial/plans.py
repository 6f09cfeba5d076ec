"""What is searched in which order for one image: the cooperative, the competitive and the random game, in a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.search import PixelSearch
from adversarial.attacks.feature_guided.shrink import towards_original
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.random_pixels import random_search
from adversarial.attacks.waves import WaveSearch
from adversarial.distances.distance import DISTANCES
from adversarial.query_log import BudgetSpent, QueryLog
from saywhy_core.classifiers import comparable

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.mcts_game.game import PlayerTwo
    from adversarial.features import KeypointMixture
    from adversarial.manipulations import Manipulation
    from saywhy_core.classifiers import Classifier, Scores

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    Steps: TypeAlias = Generator[Images, Floats, None]

CHECKED = 10  # smaller budgets have no query to spare for the check at the end
WHOLE = 0.7  # of the competitive game's budget goes to the image as a whole, the rest to its features
ENOUGH = 60  # queries a feature needs at least; the features of least weight go without


@dataclass(eq=False)
class Part:
    """A feature in the competitive game."""

    centre: tuple[float, float]
    weight: float
    mask: NDArray[np.bool_]
    account: QueryLog


class Plan:
    """One image's searches and their accounts."""

    def __init__(
        self, account: QueryLog, mixture: KeypointMixture, parts: list[Part], *, distance: str, player_two: PlayerTwo,
        engine: str, seed: int, manipulation: str | Manipulation, classifier: Classifier,
    ) -> None:  # fmt: skip
        self.account, self.mixture, self.parts = account, mixture, parts
        self.distance, self.player_two, self.engine, self.seed = distance, player_two, engine, seed
        self.manipulation, self.classifier = manipulation, classifier
        self._checked = 0
        self._search: PixelSearch | WaveSearch | None = None

    @property
    def queries(self) -> int:
        """Distinct images asked about, and the check."""
        return self.account.queries + sum(part.account.queries for part in self.parts) + self._checked

    def steps(self) -> Steps:
        """All searches, one after the other."""
        if self.engine == "mcts":
            yield from self._stock()
            return
        if self.player_two == "random":
            palette = make_move_table(self.account.image, self.manipulation)
            rng = np.random.default_rng(self.seed)
            yield from random_search(self.account, palette, self.mixture, rng)
            return
        self._search = self._searcher(self.account, None)
        yield from _to_its_end(self._search.steps())
        if self.account.distance > 0:
            for part in self.parts:
                yield from _to_its_end(self._searcher(part.account, part.mask).steps())

    def outcome(self) -> QueryLog:
        """The account that holds the result: in the competitive game, the one whose best is farthest."""
        if not self.parts or self.account.distance == 0:
            return self.account
        broken = [part.account for part in self.parts if math.isfinite(part.account.distance)]
        return max([self.account, *broken], key=lambda account: account.distance)

    def trace(self) -> Floats:
        """(T, 2): see `AttackResult.trace`."""
        rows = self.account.trace() if not self.parts else np.zeros((0, 2))
        if self.parts:
            points = self.account.points[-1:] if self.account.distance == 0 else []
            rows = np.array([*points, (self.queries, self.outcome().distance)], dtype=np.float64)[-1:]
        if len(rows) and self._checked and rows[-1, 0] < self.queries:
            last = rows[-1, 0] == self.account.queries and (len(rows) < 2 or rows[-1, 1] == rows[-2, 1]) and len(rows) > 1
            ending = np.array([[self.queries, rows[-1, 1]]])
            rows = np.concatenate([rows[:-1] if last else rows, ending])
        return rows

    def to_verify(self) -> tuple[Images, Floats] | None:
        """The image to ask about again, with the first answer; None where no query is kept for that."""
        account = self.outcome()
        if self.account.budget < CHECKED or account.queries == 0:
            return None
        if account.best is not None and account.best_scores is not None and account.distance > 0:
            return account.best, account.best_scores
        return None if account.clean is None or account.distance == 0 else (account.image, account.clean)

    def verified(self) -> None:
        """Enter the query that the check cost."""
        self._checked = 1

    def evidence(self) -> Floats:
        """(H, W): how much changing each pixel was found to matter; 0 where nothing is known."""
        found = self.outcome()
        if isinstance(self._search, PixelSearch):
            return self._search.evidence()
        if isinstance(self._search, WaveSearch):
            return self._search.evidence()
        if found.best is None:
            return np.zeros(found.image.shape[:2])
        return np.asarray(np.abs(found.best - found.image).max(axis=-1), dtype=np.float64)

    def note(self) -> str:
        """What a reader of the result must know."""
        if self.account.distance == 0:
            where = f"class {self.account.label}" if self.account.target is None else "another class than the target"
            return f"the classifier did not see {where} in the original: nothing had to be changed"
        skipped = sum(part.account.queries == 0 for part in self.parts)
        if skipped:
            return f"{skipped} of {len(self.parts)} features were left out: the budget has fewer than {ENOUGH} queries for each"
        return ""

    def _searcher(self, account: QueryLog, mask: NDArray[np.bool_] | None) -> PixelSearch | WaveSearch:
        rng = np.random.default_rng(self.seed)
        budget = account.budget
        distance = DISTANCES.get(self.distance)
        if distance.served_by == "waves":
            return WaveSearch(account, distance, rng, budget, mask)
        palette = make_move_table(account.image, self.manipulation)
        return PixelSearch(account, palette if mask is None else palette.within(mask), self.mixture, rng, budget)

    def _stock(self) -> Steps:
        from adversarial.attacks.mcts_game.engine import run_mcts
        from adversarial.attacks.mcts_game.game import make_game

        account = self.account
        yield from account.ask(account.image[None])
        if account.found() or account.left < 1:
            return

        def evaluate(images: Images) -> Floats:
            if (images == account.image).all() and account.clean is not None:
                return comparable(account.clean[None], account.kind)
            if account.left < len(images):
                raise BudgetSpent
            scores = self.classifier(images)
            account.take(images, scores)
            return comparable(scores, account.kind)

        game = make_game(
            account.image, self.mixture, evaluate, account.label, target=account.target, distance=self.distance,
            manipulation=self.manipulation,
        )  # fmt: skip
        run_mcts(game, budget=account.left + 1, seed=self.seed)
        if self.distance != "l0" and account.left > 0:
            yield from towards_original(account)


def _to_its_end(steps: Steps) -> Steps:
    try:
        yield from steps
    except BudgetSpent:
        return


def make_plan(
    image: Images, label: int, target: int | None, mixture: KeypointMixture, *, kind: Scores, distance: str, budget: int,
    player_two: PlayerTwo, engine: str, seed: int, manipulation: str | Manipulation, classifier: Classifier,
) -> Plan:  # fmt: skip
    """The plan of an attack on one image; every query of it lies within `budget`."""

    def opened(planned: int, limit: int) -> QueryLog:
        account = QueryLog(image, label, target, distance=DISTANCES.get(distance), budget=planned, kind=kind)
        account.limit = limit
        return account

    usable = budget - 1 if budget >= CHECKED else budget
    parts: list[Part] = []
    whole = usable
    if player_two == "competitive" and budget > 1:
        whole = max(1, int(WHOLE * usable))
        owner = mixture.responsibilities.reshape(len(mixture), -1).argmax(axis=0)
        present = [m for m in np.argsort(-mixture.weights, kind="stable").tolist() if (owner == m).any()]
        searched = min(len(present), (usable - whole) // ENOUGH)
        share = (usable - whole) // max(1, searched)
        for place, feature in enumerate(present):
            limit = share if place < searched else 0
            y, x = mixture.means[feature]
            weight = float(mixture.weights[feature])
            parts.append(Part((float(y), float(x)), weight, owner == feature, opened(max(1, limit), limit)))
    return Plan(
        opened(budget, whole), mixture, parts, distance=distance, player_two=player_two, engine=engine, seed=seed,
        manipulation=manipulation, classifier=classifier,
    )  # fmt: skip
