"""What an attack is, what a search for one image is given, and the registry of attacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance
    from adversarial.features import KeypointMixture
    from adversarial.manipulations import Manipulation
    from adversarial.query_log import QueryLog, Search
    from saywhy_core.classifiers import Classifier


# Who plays against player I (Wicker et al. 2018, section 3): a partner, an opponent, or nature.
PlayerTwo: TypeAlias = Literal["cooperative", "competitive", "random"]
PLAYERS: tuple[PlayerTwo, ...] = ("cooperative", "competitive", "random")
# Whose tree search plays: the one of this package, batched, or the stock `mcts` package.
ENGINES = ("batched", "mcts")


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """What a search for one image is given.

    Attributes:
        log: the image, its label and target, the budget, and the answers so far. All queries go through it.
        distance: what is to be made small.
        manipulation: what may be done to a pixel.
        seed: all chance comes from here: same seed, same result.
        classifier: the classifier itself, only for a search that another package runs and that can't wait for answers. It
            enters each answer into the log by `QueryLog.take`.
        mixture: the distribution that guides the search; None for an attack that doesn't use one.
        mask: (H, W) the pixels that may be changed; None for all.
        lessons: what `LearningSearch.lesson` returned for earlier images, in their order; None where nothing is to be learned.
    """

    log: QueryLog
    distance: Distance
    manipulation: Manipulation
    seed: int
    classifier: Classifier
    mixture: KeypointMixture | None = None
    mask: NDArray[np.bool_] | None = None
    lessons: Sequence[Any] | None = None


class ImageSearch(Protocol):
    """One image's search on its way."""

    def steps(self) -> Search:
        """The search: a generator that asks `task.log` (`yield from log.ask(images)`) and ends when it has no more to ask.

        It may end by `BudgetSpent`. The log keeps what was found.
        """

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) how much changing each pixel was found to matter so far, at least 0; 0 where nothing is known."""


class LearningSearch(ImageSearch, Protocol):
    """A search that teaches something for the next images."""

    def lesson(self) -> Any | None:
        """What was learned about the classifier, once the search has ended; None for nothing."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A way to search for the smallest change that flips a decision.

    An attack of your own is one such object and one registration: see "An attack of your own" in docs/attack.md.

    Attributes:
        name: the name in the registry, such as "waves".
        start: makes the search for one image.
        uses_mixture: whether the mixture changes what is found. Where it doesn't, none is computed, and a user who gives
            one is told.
        uses_manipulation: the same for the manipulation.
        uses_batches: whether it asks about several images at once.
        keeps_to_mask: whether it honours `Task.mask`, which the competitive game needs.
        needs_geometry: whether it needs `Distance.nearest`.
        learns: whether it goes by `Task.lessons`, and its searches are `LearningSearch`.
        labels_suffice: whether it was made for classifiers that answer with their decision alone. Such an attack is picked
            where `Distance.served_by_label` names it and the classifier's `scores` are "label".
    """

    name: str
    start: Callable[[Task], ImageSearch]
    uses_mixture: bool
    uses_manipulation: bool
    uses_batches: bool = True
    keeps_to_mask: bool = True
    needs_geometry: bool = False
    labels_suffice: bool = False
    learns: bool = False


ATTACKS: Registry[Attack] = Registry(
    "attack",
    "saywhy.attacks",
    {
        "feature_guided": "adversarial.attacks.feature_guided.attack:FEATURE_GUIDED",
        "waves": "adversarial.attacks.by_waves:WAVES",
        "random_pixels": "adversarial.attacks.random_pixels:RANDOM_PIXELS",
        "mcts_game": "adversarial.attacks.mcts_game.stock:MCTS_GAME",
        "label_pixels": "adversarial.attacks.label_only.pixels:LABEL_PIXELS",
        "label_boundary": "adversarial.attacks.label_only.boundary:LABEL_BOUNDARY",
        "label_rays": "adversarial.attacks.label_only.rays:LABEL_RAYS",
    },
    expects=Attack,
)
