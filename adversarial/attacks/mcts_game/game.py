"""The two-player, turn-based game of safety testing, as immutable states in the interface of the `mcts` package.

Player I picks a feature of the image; player II picks a pixel in it and one of the manipulations open there. The two take
turns until the class has flipped, or until the distance from the original reaches the bound.

- *cooperative*: both players want a flip at the smallest distance. The game's value gives the smallest adversarial example
  that the manipulations can reach, an upper bound of the maximum safe radius.
- *competitive*: player I picks the most robust feature, once and for all, and player II flips the class inside it at the
  smallest distance. The value gives the feature robustness of Wu et al.: how far the image must be changed where only its
  most robust feature may be changed. What can be reached in one feature can be reached in the whole image, so that this
  distance is never smaller than the cooperative one.
- *random*: player I wants a flip at the smallest distance; nature draws player II's moves from the mixture.

Source: Wicker, Huang and Kwiatkowska, "Feature-Guided Black-Box Safety Testing of Deep Neural Networks", TACAS 2018,
sections 3 and 4; Wu, Wicker, Ruan, Huang and Kwiatkowska, "A Game-Based Approximate Verification of Deep Neural Networks
with Provable Guarantees", Theoretical Computer Science 807, 2020, section 4. Departures: every pixel belongs to the one
feature that takes the greatest responsibility for it, so that the features are disjoint; the competitive player I picks
once, because a player who picks anew each turn could always spend the distance on pixels without effect; and an image that
has not flipped earns up to half the reward, by how far its margin has closed, where the papers give no reward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from adversarial.attacks.registry import PLAYERS, PlayerTwo
from adversarial.distances.distance import DISTANCES
from adversarial.manipulations import Manipulation, load_manipulation
from adversarial.margins import margin
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from adversarial.features import KeypointMixture

    Evaluate: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.floating]]


class Feature(NamedTuple):
    """A move of player I: the number of a feature."""

    number: int


class Change(NamedTuple):
    """A move of player II: a pixel, counted row by row, and the value it takes."""

    pixel: int
    value: tuple[float, ...]


Action: TypeAlias = Feature | Change


@dataclass(frozen=True, eq=False)
class Game:
    """One game: an image, its features, the rules, and the goal.

    Attributes:
        image: (H, W, C) float32 in [0, 1].
        features: M arrays of pixels, counted row by row, disjoint, each with the most probable pixel first.
        weights: (M,) probability of each feature; sums to 1.
        chances: M arrays, the probability of each pixel within its feature.
        evaluate: (N, H, W, C) float32 -> (N, K) scores. The game calls it once for each image.
        label: the class to get away from.
        target: the class to reach, or None for any other than `label`.
        norm: the name of the distance.
        manipulation: what player II may do to a pixel.
        player_two: "cooperative", "competitive" or "random".
        max_distance: the distance at which a game ends.
        owner: (H W,) the feature that each pixel belongs to.
    """

    image: NDArray[np.float32]
    features: tuple[NDArray[np.int64], ...]
    weights: NDArray[np.float64]
    chances: tuple[NDArray[np.float64], ...]
    evaluate: Evaluate
    label: int
    target: int | None
    norm: str
    manipulation: Manipulation
    player_two: PlayerTwo
    max_distance: float
    owner: NDArray[np.int64] = field(repr=False)
    _margins: dict[tuple[Change, ...], float] = field(default_factory=dict, repr=False)
    _openings: dict[int, list[Change]] = field(default_factory=dict, repr=False)

    @property
    def pixels(self) -> NDArray[np.float32]:
        """(H W, C): the original's pixels, row by row."""
        return self.image.reshape(-1, self.image.shape[-1])

    def start(self) -> State:
        """The state in which nothing has been changed and player I is to move."""
        return State(self)

    def render(self, changes: tuple[Change, ...]) -> NDArray[np.float32]:
        """The image with these changes made."""
        picture = self.image.copy()
        if changes:
            flat = picture.reshape(-1, picture.shape[-1])
            flat[[change.pixel for change in changes]] = [change.value for change in changes]
        return picture

    def distance(self, changes: tuple[Change, ...]) -> float:
        """The distance of the image with these changes from the original."""
        if not changes:
            return 0.0
        if DISTANCES.get(self.norm).counts_pixels:  # every change differs from the original: there is nothing to render
            return float(len(changes))
        return DISTANCES.get(self.norm).between(self.image, self.render(changes))

    def margin(self, changes: tuple[Change, ...]) -> float:
        """How far the image with these changes is from the goal (see `adversarial.margins`); asked once, then kept."""
        known = self._margins.get(changes)
        if known is None:
            scores = np.asarray(self.evaluate(self.render(changes)[None]))
            known = self._margins[changes] = float(margin(scores, self.label, self.target)[0])
        return known

    def reward(self, changes: tuple[Change, ...]) -> float:
        """The cooperative reward, in [0, 1].

        1/2 to 1 for a flip within the bound, the nearer the higher; below 1/2 without one, by how far the margin has closed.
        """
        distance = self.distance(changes)
        if distance > self.max_distance:
            return 0.0
        gap = self.margin(changes)
        if gap < 0:
            return 1.0 - 0.5 * distance / self.max_distance
        start = self.margin(())
        closed = 1.0 - gap / start if start > 0 else 0.0
        return 0.49 * min(1.0, max(0.0, closed))

    def open_pixels(self, feature: int, changes: tuple[Change, ...]) -> NDArray[np.int64]:
        """The pixels of a feature that can still be changed, the most probable first."""
        pixels = self.features[feature]
        return pixels[np.asarray(self._moves(pixels, changes)[1].any(axis=1))]

    def changes_in(self, feature: int, changes: tuple[Change, ...]) -> list[Change]:
        """Every move of player II in a feature: untouched pixels first, and among them the most probable first."""
        untouched = self._openings.get(feature)
        if untouched is None:
            untouched = self._openings[feature] = self._listed(self.features[feature], ())
        touched = {change.pixel for change in changes}
        moves = [move for move in untouched if move.pixel not in touched]
        if not self.manipulation.once:
            again = [pixel for pixel in touched if self.owner[pixel] == feature]
            moves += self._listed(np.array(sorted(again), dtype=np.int64), changes)
        return moves

    def open_features(self, changes: tuple[Change, ...]) -> list[Feature]:
        """The features in which player II could move; the competitive player I keeps to the one it has picked."""
        touched = np.bincount(self._owners(changes), minlength=len(self.features))
        candidates: list[int] = list(range(len(self.features)))
        if self.player_two == "competitive" and changes:
            candidates = [int(self.owner[changes[0].pixel])]
        # every pixel that was kept at the start has a move left until it is touched
        return [
            Feature(i)
            for i in candidates
            if touched[i] < len(self.features[i]) or (not self.manipulation.once and len(self.open_pixels(i, changes)))
        ]

    def _owners(self, changes: tuple[Change, ...]) -> NDArray[np.int64]:
        return self.owner[np.array([change.pixel for change in changes], dtype=np.int64)]

    def _listed(self, pixels: NDArray[np.int64], changes: tuple[Change, ...]) -> list[Change]:
        values, legal = self._moves(pixels, changes)
        rows, columns = np.nonzero(legal)
        return [
            Change(pixel, tuple(value))
            for pixel, value in zip(pixels[rows].tolist(), values[rows, columns].tolist(), strict=True)
        ]

    def _moves(self, pixels: NDArray[np.int64], changes: tuple[Change, ...]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        original = self.pixels[pixels]
        current = original
        if changes:
            whole = self.pixels.copy()
            whole[[change.pixel for change in changes]] = [change.value for change in changes]
            current = whole[pixels]
        return self.manipulation.moves(original, current)


@dataclass(frozen=True, slots=True)
class State:
    """The state of a game: the changes so far, and the feature that player I has picked if it is player II's turn.

    States are equal where the same pixels have the same values and the same player is to move; they can be hashed.
    """

    game: Game
    changes: tuple[Change, ...] = ()
    feature: int | None = None

    @property
    def image(self) -> NDArray[np.float32]:
        """The image with the changes so far."""
        return self.game.render(self.changes)

    @property
    def distance(self) -> float:
        """The distance of that image from the original."""
        return self.game.distance(self.changes)

    def getCurrentPlayer(self) -> int:  # noqa: N802 - the mcts package's name
        """1 for a player who maximises the reward, -1 for one who minimises it, 0 for nature."""
        if self.feature is None or self.game.player_two == "cooperative":
            return 1
        return -1 if self.game.player_two == "competitive" else 0

    def getPossibleActions(self) -> list[Action]:  # noqa: N802
        """The moves that are open: `Feature`s for player I, `Change`s for player II."""
        if self.feature is None:
            return list(self.game.open_features(self.changes))
        return list(self.game.changes_in(self.feature, self.changes))

    def takeAction(self, action: Action) -> State:  # noqa: N802
        """The state after the move; this state does not change.

        Raises:
            UsageError: it is the other player's turn, or the change lies outside the feature.
        """
        if isinstance(action, Feature):
            if self.feature is not None or not 0 <= action.number < len(self.game.features):
                raise UsageError(f"{action} is no move here: player II is to move, or there is no such feature")
            return State(self.game, self.changes, action.number)
        if self.feature is None or self.game.owner[action.pixel] != self.feature:
            raise UsageError(f"{action} is no move here: player I is to move, or the pixel lies outside the feature")
        others = tuple(change for change in self.changes if change.pixel != action.pixel)
        return State(self.game, tuple(sorted((*others, action))))

    def isTerminal(self) -> bool:  # noqa: N802
        """Whether the class has flipped, the bound is reached, or no move is left; never between the players' moves.

        This is where the classifier is asked, once for each image.
        """
        if self.feature is not None or not self.changes:
            return False
        if self.game.distance(self.changes) >= self.game.max_distance:
            return True
        return self.game.margin(self.changes) < 0 or not self.game.open_features(self.changes)

    def getReward(self) -> float:  # noqa: N802
        """The reward in [0, 1]: nearness of the flip, and in the competitive game its opposite, robustness."""
        reward = self.game.reward(self.changes)
        return 1.0 - reward if self.game.player_two == "competitive" else reward


def make_game(
    image: ArrayLike,
    mixture: KeypointMixture,
    evaluate: Evaluate,
    label: int,
    *,
    target: int | None = None,
    distance: str = "l0",
    manipulation: str | Manipulation = "corners",
    player_two: PlayerTwo = "cooperative",
    max_distance: float | None = None,
) -> Game:
    """Set up the game for an image.

    Args:
        image: (H, W, C) in [0, 1].
        mixture: its features, of the same height and width.
        evaluate: (N, H, W, C) float32 -> (N, K) scores, higher for the likelier class.
        label: the class to get away from.
        target: the class to reach, or None for any other.
        distance: the name of a registered distance.
        manipulation: what player II may do to a pixel, or its spec (see `load_manipulation`).
        player_two: "cooperative", "competitive" or "random".
        max_distance: the distance at which a game ends; None for the greatest that the image allows.

    Raises:
        UsageError: a name is unknown, shapes do not fit, or no pixel can be changed.
    """
    picture = np.array(image, dtype=np.float32)
    if picture.ndim != 3 or picture.shape[:2] != mixture.shape:
        raise UsageError(f"the image has shape {picture.shape} but its features are for {mixture.shape} pixels")
    if player_two not in PLAYERS:
        raise UsageError(f"there is no second player {player_two!r}; use one of {', '.join(PLAYERS)}")
    if target is not None and target == label:
        raise UsageError(f"the target is the label itself ({label}); choose another class, or none")
    farthest = float(DISTANCES.get(distance).measure(np.maximum(picture, 1 - picture)[None])[0])
    bound = farthest if max_distance is None else float(max_distance)
    if not bound > 0:
        raise UsageError(f"the bound of the distance must lie above 0, not {max_distance!r}")
    picture.setflags(write=False)
    how = load_manipulation(manipulation)
    owner = mixture.owners().ravel()
    flat = picture.reshape(-1, picture.shape[2])
    movable = np.asarray(how.moves(flat, flat)[1].any(axis=1))
    if not movable.any():
        raise UsageError(f"the manipulation {how.spec!r} changes nothing in this image; choose another")
    probability = mixture.density.ravel()
    order = np.argsort(-probability, kind="stable")
    order = order[movable[order]]
    groups = [order[owner[order] == m] for m in range(len(mixture))]
    kept = [m for m, group in enumerate(groups) if len(group)]
    renamed = np.full(len(mixture), -1)
    renamed[kept] = np.arange(len(kept))
    masses = np.array([probability[groups[m]].sum() for m in kept])
    return Game(
        image=picture,
        features=tuple(groups[m] for m in kept),
        weights=_chances(masses),
        chances=tuple(_chances(probability[groups[m]]) for m in kept),
        evaluate=evaluate,
        label=label,
        target=target,
        norm=distance,
        manipulation=how,
        player_two=player_two,
        max_distance=bound,
        owner=renamed[owner],
    )


def _chances(masses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities in which nothing is impossible: far from every keypoint the density underflows to 0."""
    raised = masses + 1e-3 * max(masses.mean(), 1e-300)
    total = raised.sum()
    return np.asarray(raised / total) if total > 0 else np.full(len(masses), 1 / len(masses))
