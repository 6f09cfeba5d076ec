"""What an attack found out about one image, and the errors that carry what was found before an attack was cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attacks.per_feature import FeatureRobustness, PerFeature
from adversarial.distances.distance import DISTANCES, all_distances
from adversarial.query_log import CONFIRMED, NEEDED
from saywhy_core.classifiers import ClassifierError
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial.driving.image_attack import ImageAttack
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog

    Images: TypeAlias = NDArray[np.float32]

NO_PICTURE = (
    "the original is no picture of 8 bits, so that what was found may not flip the decision any more when it is saved as one"
)
NOTHING_MORE = "the search had nothing more to ask"
"""The note where a search came to its end with queries left."""


def had_nothing_more(note: str | None) -> bool:
    """Whether a note says that the search came to its end with queries left."""
    return NOTHING_MORE in (note or "").split("; ")


@dataclass(frozen=True, eq=False)
class AttackResult:
    """What one image's attack found.

    Attributes:
        success: whether an adversarial example was found; in the competitive game, in all features that were searched, which
            may be few of them: only where every one of `features` is `measured` is its distance the game's.
        original: (H, W, C) float32 in [0, 1].
        adversarial: the nearest adversarial example found, or None.
        label: the class that the image shows, as the caller said.
        adversarial_label: the class of `adversarial`, or None.
        distance: the distance of `adversarial` from the original, in the attack's distance; infinite where nothing was
            found, 0 where the image was classified otherwise than `label` (or as the target) before anything was changed.
        distances: the same in every registered distance, by name.
        queries: how many images the search asked about, whether the model evaluated them or the classifier answered from its
            memory; and one more where the answer about the finding was checked, for which the model is always asked anew.
            `classifier.queries` counts what the model evaluated, in all attacks together.
        trace: (T, 2) rows of queries and the smallest distance by then.
        touched: (H, W) map of what was learned: how much nearer changing each pixel brought the class that was reached.
        target: the class that was wanted, or None.
        norm: the name of the attack's distance, such as "l0".
        features: in the competitive game, what was found in each feature. `distance` is then the largest of theirs, and bounds
            the value of the game from above if all were measured; nothing counts as found while a measured feature holds.
        note: what a reader must know besides, or "".
        index: the image's place in the run, counted from 0.
        density: the mixture that guided the search, or None where none was used.
        undecided: why the noise of a classifier leaves open whether the image holds, or "": it does not decide the original, or
            changes flip some of its answers and none flips enough. Such an image is neither robust nor fragile.
    """

    success: bool
    original: Images
    adversarial: Images | None
    label: int
    adversarial_label: int | None
    distance: float
    distances: Mapping[str, float]
    queries: int
    trace: NDArray[np.float64]
    touched: PixelSaliency
    target: int | None = None
    norm: str = "l0"
    features: tuple[FeatureRobustness, ...] = ()
    note: str = ""
    index: int = 0
    density: KeypointMixture | None = None
    undecided: str = ""

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: a read-only view of a dict, as `distances` is, can't be pickled."""
        return {**self.__dict__, "distances": dict(self.distances)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, distances=MappingProxyType(state["distances"]))


class AttackInterrupted(ClassifierError):  # noqa: N818 - it says what became of the attack
    """The classifier failed on the way, or its budget was spent.

    `results` holds what was found so far, one result for each image that was begun.
    """

    def __init__(self, message: str, results: list[AttackResult]) -> None:
        super().__init__(message)
        self.results = results

    def __reduce__(self) -> tuple[type[AttackInterrupted], tuple[str, list[AttackResult]]]:
        return type(self), (str(self), self.results)


class AttackStopped(KeyboardInterrupt):
    """The attack was stopped from the keyboard or by a signal; `results` holds what was found so far.

    Its cause (`__cause__`) says which: it is the exception that stopped the attack.
    """

    def __init__(self, results: list[AttackResult]) -> None:
        super().__init__("attack stopped")
        self.results = results

    def __reduce__(self) -> tuple[type[AttackStopped], tuple[list[AttackResult]]]:
        return type(self), (self.results,)


# why a target may be out of reach by scores, see `_lost_target`
LOST = (
    "the classifier's answer about the original gives the target a probability of exactly 0, which does not say how far it is; "
    "logits, or more decimals, would"
)


def make_result(
    attack: ImageAttack, distance: str, class_names: Sequence[str] | None, *, interrupted: str = ""
) -> AttackResult:
    """The result of an image's attack as it stands.

    Args:
        attack: the attack, at its end or cut off.
        distance: the name of the attack's distance.
        class_names: one name per class, or None.
        interrupted: why the attack did not come to its end, or "".
    """
    log, found = attack.log, attack.log.outcome()
    competitive = attack.search if isinstance(attack.search, PerFeature) else None
    reached = None if found.best_scores is None else int(found.best_scores.argmax())
    nothing = found.best is None or found.distance == 0
    notes = [
        *(note for note in log.notes if not (nothing and note == NO_PICTURE)),
        interrupted and f"not finished: {interrupted}",
    ]
    if found.distance == 0:
        number = log.label if log.target is None else log.target
        named = class_names is not None and number < len(class_names)
        name = f"'{class_names[number]}'" if class_names is not None and named else f"class {number}"
        seen = f"did not see {name}" if log.target is None else f"saw {name}, the class to reach,"
        notes.append(f"the classifier {seen} in the original: nothing had to be changed")
    elif competitive is not None:
        notes.append(competitive.note())
    elif attack.exhausted and not interrupted:
        notes.append(NOTHING_MORE)
    if _lost_target(log) and found.best is None:
        notes.append(LOST)
    distances = (
        dict.fromkeys((name for name, _ in DISTANCES.usable()), math.inf)
        if found.best is None
        else all_distances(log.image, found.best)
    )
    return AttackResult(
        success=found.best is not None,
        original=log.image,
        adversarial=found.best,
        label=log.label,
        adversarial_label=reached,
        distance=found.distance,
        distances=MappingProxyType(distances),
        queries=log.queries,
        trace=log.trace(),
        touched=_touched(attack, reached, class_names),
        target=log.target,
        norm=distance,
        features=() if competitive is None else competitive.features(),
        note="; ".join(note for note in notes if note),
        index=attack.index,
        # a copy without the responsibilities, which the mixture keeps once computed: M times the size of the image
        density=None if attack.mixture is None else replace(attack.mixture),
        undecided=_undecided(log),
    )


def _lost_target(log: QueryLog) -> bool:
    """Whether the target's probability in the original is a 0: too small for the numbers that the classifier sends."""
    return (
        log.target is not None
        and log.clean is not None
        and log.kind in ("probabilities", "sigmoid")
        and float(log.clean[log.target]) <= 0
    )


def _undecided(log: QueryLog) -> str:
    if log.undecided:
        return f"the classifier does not decide the unchanged image: fewer than {NEEDED} of {CONFIRMED} answers name one class"
    if log.unsettled:
        return (
            "the noise of the classifier leaves open whether the image holds: changes flip more than "
            f"{CONFIRMED - NEEDED} of {CONFIRMED} answers, and none flips {NEEDED}"
        )
    return ""


def _touched(attack: ImageAttack, reached: int | None, class_names: Sequence[str] | None) -> PixelSaliency:
    def name(index: int) -> str:
        return class_names[index] if class_names is not None and 0 <= index < len(class_names) else f"class {index}"

    log = attack.log
    other = reached if reached is not None else log.target
    if other is not None and other != log.label and name(other) != name(log.label):
        query = Query(name(other), versus=(name(log.label),))
    else:
        query = Query(f"not {name(log.label)}")
    nothing = np.zeros(log.image.shape[:2])  # the search was not begun
    evidence = np.asarray(nothing if attack.search is None else attack.search.evidence(), dtype=np.float64)
    method = "largest gain that changing the pixel was seen or estimated to bring"
    return PixelSaliency(evidence, query=query, image=log.image, signed=False, method=method)
