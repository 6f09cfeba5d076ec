"""The game played by the stock `mcts` package: slow, but an independent tree search to compare with."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from mcts import mcts

from adversarial.attacks.mcts_game.game import Change, Game, State
from adversarial.distances.distance import DISTANCES
from saywhy_core.classifiers import lend
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Better: TypeAlias = Callable[["Found"], None]

CLOSER = 0.999  # share of the best distance that bounds the next game, in distances that don't count pixels
REPLAYS = 0.5  # share of the playouts that replay a part of the best flip: fresh draws alone rarely come near it again
IDLE = 50  # iterations per query of the budget, after which the search ends: a small game that was seen whole asks nothing more


@dataclass(frozen=True, eq=False)
class Found:
    """The best that a search has found so far.

    Attributes:
        image: (H, W, C) float32, the nearest adversarial example, or None.
        distance: its distance from the original; infinite where there is none.
        changes: the changes that make it.
        queries: images that the classifier was asked about.
        trace: (queries, distance), one for each time that a smaller distance was found.
        touched: (H, W) how often each pixel was changed in an image that the classifier was asked about.
        iterations: rounds of the tree search.
    """

    image: NDArray[np.float32] | None
    distance: float
    changes: tuple[Change, ...]
    queries: int
    trace: tuple[tuple[int, float], ...]
    touched: NDArray[np.int64]
    iterations: int = 0


class _BudgetSpent(Exception):  # noqa: N818 - the end of a search, not an error
    pass


class _Record:
    """Counts the queries of one search and keeps the best flip; the game's `evaluate` goes through it."""

    def __init__(self, game: Game, budget: int, on_better: Better | None) -> None:
        self.game = replace(game, _margins={})
        self.budget, self.on_better = budget, on_better
        self.iterations = 0
        self.touched = np.zeros(game.image.shape[:2], dtype=np.int64)
        self.found = Found(None, math.inf, (), 0, (), self.touched)

    def playing(self, max_distance: float) -> Game:
        """The game with this bound; the answers about images are shared between bounds."""
        return replace(self.game, evaluate=self.evaluate, max_distance=max_distance)

    def evaluate(self, images: NDArray[np.float32]) -> NDArray[np.floating]:
        if self.found.queries + len(images) > self.budget:
            raise _BudgetSpent
        scores = np.asarray(self.game.evaluate(lend(self.game.evaluate, images)))
        self.found = replace(self.found, queries=self.found.queries + len(images), iterations=self.iterations)
        self.touched += (images != self.game.image).any(axis=-1).sum(axis=0)
        return scores

    def flipped(self, changes: tuple[Change, ...]) -> None:
        distance = self.game.distance(changes)
        if distance < self.found.distance:
            trace = (*self.found.trace, (self.found.queries, distance))
            image = self.game.render(changes)
            self.found = replace(self.found, image=image, distance=distance, changes=changes, trace=trace)
            if self.on_better is not None:
                self.on_better(self.found)


def run_mcts(
    game: Game,
    *,
    budget: int,
    seed: int = 0,
    iterations_per_move: int = 100,
    exploration: float = 1 / math.sqrt(2),
    on_better: Better | None = None,
) -> Found:
    """Search the cooperative game with `mcts` 1.0.4, within a budget of queries.

    The package searches from a state for some iterations and names a move; the move is made, and so on to the end of the
    game. Then a new game starts, with a bound just below the best distance found. The package's tree, selection and expansion
    are used as they are. A rollout follows the mixture (player I draws features by weight, player II pixels by probability)
    to a random length, or replays a part of the best flip in another order. The classifier is asked about the end of the
    rollout and, only where that has flipped, by bisection about the images on the way.

    Release 1.0.4 never calls `getCurrentPlayer`: every player maximises, so that it can play the cooperative game only. It
    takes no seed but draws from Python's global `random`, which is seeded for the search and put back afterwards. Two
    searches in two threads of one process would disturb each other.

    Args:
        game: the game; its `evaluate` is asked about one image at a time.
        budget: the most images to ask about.
        seed: same seed, same result.
        iterations_per_move: rounds of the tree search before each move.
        exploration: the constant of UCT.
        on_better: called with each smaller flip at once, so that nothing is lost when the classifier fails later.

    Raises:
        UsageError: the game is not cooperative, or a number is out of range.
    """
    if game.player_two != "cooperative":
        raise UsageError(
            f'engine="mcts" can play the cooperative game only, not the {game.player_two} one: mcts 1.0.4 has no player '
            'who minimises and no nature; use engine="batched"'
        )
    if budget < 1 or iterations_per_move < 1:
        raise UsageError(f"budget ({budget}) and iterations_per_move ({iterations_per_move}) must be at least 1")
    record = _Record(game, budget, on_better)
    generator = np.random.default_rng(seed)
    before = random.getstate()
    random.seed(seed)
    try:
        _play(record, generator, iterations_per_move, exploration)
    except _BudgetSpent:
        pass
    finally:
        random.setstate(before)
    return replace(record.found, iterations=record.iterations)


def _play(record: _Record, generator: np.random.Generator, iterations: int, exploration: float) -> None:
    game = record.playing(record.game.max_distance)
    if game.margin(()) < 0:
        record.flipped(())
        return

    def rollout(state: State) -> float:
        record.iterations += 1
        return _rollout(state, generator, record)

    # the package divides by two inside the root, so that its constant is that of UCT as Kocsis and Szepesvári wrote it
    engine = mcts(iterationLimit=iterations, explorationConstant=exploration, rolloutPolicy=rollout)
    while record.iterations < IDLE * record.budget:
        state = game.start()
        while not state.isTerminal() and record.iterations < IDLE * record.budget:
            state = state.takeAction(engine.search(state))
        best = record.found.distance
        if best < math.inf:
            bound = best - 1 if DISTANCES.get(game.norm).counts_pixels else best * CLOSER
            if bound <= 0:
                return
            if bound < game.max_distance:
                game = record.playing(bound)


def _rollout(state: State, generator: np.random.Generator, record: _Record) -> float:
    """Play on along the mixture to a random length; the reward is that of the first flip on the way, or of the end."""
    game = state.game
    if state.isTerminal():
        if game.distance(state.changes) <= game.max_distance and game.margin(state.changes) < 0:
            record.flipped(state.changes)
        return state.getReward()
    best = record.found.changes
    path = _replay(state, best, generator) if best and generator.random() < REPLAYS else _draw(state, generator)
    if not path or game.margin(_after(state, path)) >= 0:
        return game.reward(_after(state, path))
    flips, holds = len(path), 0
    while flips - holds > 1:
        middle = (flips + holds) // 2
        if game.margin(_after(state, path[:middle])) < 0:
            flips = middle
        else:
            holds = middle
    record.flipped(_after(state, path[:flips]))
    return game.reward(_after(state, path[:flips]))


def _after(state: State, path: list[Change]) -> tuple[Change, ...]:
    changed = {change.pixel: change for change in (*state.changes, *path)}
    return tuple(sorted(changed.values()))


def _replay(state: State, best: tuple[Change, ...], generator: np.random.Generator) -> list[Change]:
    """The turns of a rollout: a part of the best flip so far in another order, cut where the bound would be passed."""
    game = state.game
    taken = {change.pixel for change in state.changes}
    usable = [change for change in best if change.pixel not in taken]
    if state.feature is not None:  # player II is to move, in this feature
        inside = [change for change in usable if game.owner[change.pixel] == state.feature]
        if not inside:
            return _draw(state, generator)
        first = inside[int(generator.integers(len(inside)))]
        usable = [change for change in usable if change is not first]
    order = generator.permutation(len(usable))[: math.ceil(len(usable) * generator.uniform(0.5, 1.0))]
    path = [usable[place] for place in order.tolist()]
    if state.feature is not None:
        path.insert(0, first)
    pixels = np.array([change.pixel for change in path], dtype=np.int64)
    after = np.array([change.value for change in path], dtype=np.float32).reshape(len(path), game.image.shape[-1])
    return path[: _within_bound(game, state.image.reshape(game.pixels.shape), pixels, after)]


def _draw(state: State, generator: np.random.Generator) -> list[Change]:
    """The turns of a rollout: distinct pixels drawn from the mixture, cut where the bound would be passed."""
    game = state.game
    flat = game.pixels
    current = state.image.reshape(flat.shape)
    pixels = np.concatenate(game.features)
    probability = np.concatenate([weight * chance for weight, chance in zip(game.weights, game.chances, strict=True)])
    values, legal = game.manipulation.moves(flat[pixels], current[pixels])
    # the largest of log p plus Gumbel noise are a draw without replacement
    keys = np.log(probability) + generator.gumbel(size=len(pixels))
    keys[~legal.any(axis=1)] = -np.inf
    if state.feature is not None:
        first = np.where(game.owner[pixels] == state.feature, keys, -np.inf).argmax()
        keys[first] = np.inf
    order = np.argsort(-keys)[: int(np.count_nonzero(keys > -np.inf))]
    turns = math.ceil(len(order) ** generator.random())
    order = order[:turns]
    # one legal move per pixel, all equally likely
    chosen = np.where(legal[order], generator.random(legal[order].shape), -1).argmax(axis=1)
    after = values[order, chosen]
    if not game.manipulation.once:
        # several steps in one direction at once: a random walk of ± tau would stay near its start
        step = after - current[pixels[order]]
        times = np.ceil((1 / np.abs(step).max(axis=1)) ** generator.random(len(order)))
        after = np.clip(current[pixels[order]] + times[:, None].astype(np.float32) * step, 0, 1).astype(np.float32)
    within = _within_bound(game, current, pixels[order], after)
    return [
        Change(pixel, tuple(value))
        for pixel, value in zip(pixels[order[:within]].tolist(), after[:within].tolist(), strict=True)
    ]


def _within_bound(game: Game, current: NDArray[np.float32], pixels: NDArray[np.int64], after: NDArray[np.float32]) -> int:
    """How many of the turns stay within the bound; each turn changes one pixel, and leads away from the original."""
    distance = DISTANCES.get(game.norm)
    grown = current.copy()
    low, high = 0, len(pixels)
    while low < high:
        middle = (low + high + 1) // 2
        grown[:] = current
        grown[pixels[:middle]] = after[:middle]
        if distance.between(game.image, grown.reshape(game.image.shape)) <= game.max_distance:
            low = middle
        else:
            high = middle - 1
    return low
