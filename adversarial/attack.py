"""The feature-guided black-box attack as one object: images in, the smallest changes that flip them out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attacks.mcts_game.game import PLAYERS, PlayerTwo
from adversarial.distances.distance import DISTANCES, all_distances
from adversarial.features import KeypointMixture, keypoint_mixture
from adversarial.manipulations import Manipulation, load_manipulation
from adversarial.plans import Plan, make_plan
from adversarial.query_log import QueryLog
from adversarial.run import Job, drive
from saywhy_core.classifiers import Classifier, ClassifierError
from saywhy_core.errors import BudgetExceeded, UsageError
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Images: TypeAlias = NDArray[np.float32]
    Density: TypeAlias = Callable[[Images], KeypointMixture] | KeypointMixture | str
    Progress: TypeAlias = Callable[[int, int, "AttackResult | None"], None]

ENGINES = ("batched", "mcts")


@dataclass(frozen=True)
class FeatureRobustness:
    """What the competitive game found out about one feature.

    Attributes:
        centre: (y, x) of the feature in pixels.
        weight: its probability in the mixture.
        distance: the smallest change inside it that flips the class; infinite where none was found.
        queries: images asked about for it.
    """

    centre: tuple[float, float]
    weight: float
    distance: float
    queries: int


@dataclass(frozen=True, eq=False)
class AttackResult:
    """One image's attack.

    Attributes:
        success: whether an adversarial example was found.
        original: (H, W, C) float32 in [0, 1].
        adversarial: the smallest adversarial example found, or None.
        label: the class the image was said to have.
        adversarial_label: the class of `adversarial`, or None.
        distance: how far `adversarial` is, in the attack's distance; infinite where there is none, 0 where the image was
            misclassified (or the target's) before anything was changed.
        distances: the same in "l0", "l1", "l2" and "linf".
        queries: distinct images this attack asked about, one more where the answer about the finding was checked.
        trace: (T, 2) rows of queries and the best distance then.
        touched: (H, W) map of what was learned: how much changing each pixel brought the class reached nearer.
        target: the class that was wanted, or None.
        norm: the attack's distance: "l0", "l1", "l2" or "linf".
        features: in the competitive game, what was found in each feature.
        note: what a reader must know besides, or "".
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


class AttackInterrupted(ClassifierError):  # noqa: N818 - it says what became of the attack
    """The classifier failed on the way. `results` holds what was found so far, one result for each image begun."""

    def __init__(self, message: str, results: list[AttackResult]) -> None:
        super().__init__(message)
        self.results = results


class AttackStopped(KeyboardInterrupt):
    """The attack was stopped from the keyboard. `results` holds what was found so far."""

    def __init__(self, results: list[AttackResult]) -> None:
        super().__init__("attack stopped")
        self.results = results


@dataclass(frozen=True, kw_only=True)
class FeatureGuidedAttack:
    """Search for the smallest change of an image that flips its class, guided by what people look at.

    Source: Wicker, Huang and Kwiatkowska, TACAS 2018. Departures: leaves are evaluated in batches, each answer sharpens
    estimates of what every change does, and the scores of all classes are used, not the one of the label alone. In L0 the
    moves are the manipulation's; in L1, L2 and L-infinity a linear model of the scores is learned and followed, and the
    manipulation is used by the random game and by `engine="mcts"` only.

    Args:
        distance: "l0" (pixels, however many of their channels change), "l1", "l2" or "linf".
        budget: queries an image, everything counted: the look at the original, shrinking, and one check at the end (with
            budgets of 10 and more) that the classifier still gives the answer it gave.
        player_two: "cooperative" (the smallest change found), "competitive" (the change for the most robust feature: the
            greatest, over the features and the image as a whole, of the smallest changes found) or "random" (nature
            draws).
        batch_size: images a call of the classifier; a run over several images puts their leaves together.
        engine: "batched", or "mcts" for the stock `mcts` package (cooperative game only).
        seed: same seed, same result, whatever other images are in the run.
        manipulation: what may be done to a pixel: "corners", "plus_minus_tau:0.2", "colour:1,0,0" (see `manipulations`).
        density: "sift", "uniform", a `KeypointMixture`, or a function from an image to one.

    Raises:
        UsageError: an argument isn't what it must be.
    """

    distance: str = "l0"
    budget: int = 3000
    player_two: PlayerTwo = "cooperative"
    batch_size: int = 64
    engine: str = "batched"
    seed: int = 0
    manipulation: str | Manipulation = "corners"
    density: Any = "sift"

    def __post_init__(self) -> None:
        DISTANCES.get(self.distance)
        load_manipulation(self.manipulation)
        for name in ("budget", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.player_two not in PLAYERS:
            raise UsageError(f"there is no second player {self.player_two!r}; use one of {', '.join(PLAYERS)}")
        if self.engine not in ENGINES:
            raise UsageError(f"there is no engine {self.engine!r}; use one of {', '.join(ENGINES)}")
        if self.engine == "mcts" and self.player_two != "cooperative":
            raise UsageError("the mcts package has no second player that minimises: use it with player_two='cooperative'")
        if isinstance(self.density, str) and self.density not in ("sift", "uniform"):
            raise UsageError(f"there is no density {self.density!r}; use 'sift', 'uniform', a mixture, or a function to one")

    def run(
        self,
        classifier: Classifier,
        images: ArrayLike,
        labels: ArrayLike,
        *,
        targets: ArrayLike | None = None,
        progress: Progress | None = None,
    ) -> list[AttackResult]:
        """Attack each image; one result an image, in their order.

        Args:
            classifier: a `CallableClassifier` or anything of its shape.
            images: (N, H, W, C) in [0, 1].
            labels: (N,) the class each image is held to show. Where the classifier disagrees at once, the result is a
                success at distance 0 that says so.
            targets: (N,) classes to reach, or one for all; None for any other class than the label.
            progress: called with (images done, images in all, the result just finished).

        Raises:
            UsageError: shapes or values don't fit.
            AttackInterrupted: the classifier failed, or contradicted itself; `results` holds what was found so far.
            AttackStopped: Ctrl-C; likewise.
        """
        pictures = _images(images)
        if not callable(classifier) or not hasattr(classifier, "ask_again"):
            raise UsageError("the classifier must be made by CallableClassifier(predict, scores=...) or load_classifier(spec)")
        wanted = _classes(labels, len(pictures), "labels")
        goals = [None] * len(pictures) if targets is None else list(_classes(targets, len(pictures), "targets"))
        for number, (label, goal) in enumerate(zip(wanted, goals, strict=True)):
            if goal is not None and goal == label:
                raise UsageError(f"image {number}: the target is the label itself ({label}); choose another class")
        plans = [
            _LazyPlan(self, classifier, picture, label, goal)
            for picture, label, goal in zip(pictures, wanted, goals, strict=True)
        ]
        results: dict[int, AttackResult] = {}

        def finished(number: int) -> None:
            results[number] = plans[number].result()
            if progress is not None:
                progress(len(results), len(plans), results[number])

        jobs = [Job(number, plan.open) for number, plan in enumerate(plans)]
        try:
            drive(classifier, jobs, self.batch_size, finished)
        except (BudgetExceeded, ClassifierError) as error:
            raise AttackInterrupted(str(error), _so_far(plans, results, str(error))) from error
        except KeyboardInterrupt:
            raise AttackStopped(_so_far(plans, results, "stopped from the keyboard")) from None
        return [results[number] for number in range(len(plans))]

    def mixture(self, image: Images) -> KeypointMixture:
        """The distribution that guides the search in an image."""
        if self.density == "sift":
            return keypoint_mixture(image, seed=self.seed)
        if self.density == "uniform":
            return KeypointMixture.from_map(np.ones(image.shape[:2]), seed=self.seed)
        made = self.density if isinstance(self.density, KeypointMixture) else self.density(image)
        if not isinstance(made, KeypointMixture) or made.shape != image.shape[:2]:
            raise UsageError(f"the density must be a KeypointMixture of {image.shape[0]} by {image.shape[1]} pixels")
        return made


@dataclass(eq=False)
class _LazyPlan:
    """An image's plan, made when its turn comes, and what came of it."""

    attack: FeatureGuidedAttack
    classifier: Classifier
    image: Images
    label: int
    target: int | None
    plan: Plan | None = None

    def open(self) -> Plan:
        attack = self.attack
        self.plan = make_plan(
            self.image, self.label, self.target, attack.mixture(self.image), kind=self.classifier.scores,
            distance=attack.distance, budget=attack.budget, player_two=attack.player_two, engine=attack.engine,
            seed=attack.seed, manipulation=attack.manipulation, classifier=self.classifier,
        )  # fmt: skip
        return self.plan

    def result(self, note: str = "") -> AttackResult:
        plan = self.plan
        account = plan.outcome() if plan is not None else QueryLog(
            self.image, self.label, self.target, distance=DISTANCES.get(self.attack.distance), budget=1, kind=self.classifier.scores
        )  # fmt: skip
        found = account.best is not None and math.isfinite(account.distance)
        label = int(account.best_scores.argmax()) if found and account.best_scores is not None else None
        notes = [note, plan.note() if plan is not None else ""]
        evidence = plan.evidence() if plan is not None else np.zeros(self.image.shape[:2])
        features = () if plan is None else tuple(
            FeatureRobustness(part.centre, part.weight, part.account.distance, part.account.queries) for part in plan.parts
        )  # fmt: skip
        distances = dict.fromkeys(DISTANCES, math.inf)
        if found and account.best is not None:
            distances = all_distances(self.image, account.best)
        return AttackResult(
            success=found, original=self.image, adversarial=account.best if found else None, label=self.label,
            adversarial_label=label, distance=account.distance if found else math.inf,
            distances=MappingProxyType(distances),
            queries=plan.queries if plan is not None else 0,
            trace=plan.trace() if plan is not None else np.zeros((0, 2)),
            touched=self._saliency(evidence, label), target=self.target, norm=self.attack.distance,
            features=features, note="; ".join(part for part in notes if part),
        )  # fmt: skip

    def _saliency(self, evidence: NDArray[np.floating], reached: int | None) -> PixelSaliency:
        names = self.classifier.class_names

        def name(index: int) -> str:
            return names[index] if names is not None and 0 <= index < len(names) else f"class {index}"

        other = reached if reached is not None else self.target
        if other is not None and other != self.label and name(other) != name(self.label):
            query = Query(name(other), versus=(name(self.label),))
        else:
            query = Query(f"not {name(self.label)}")
        return PixelSaliency(
            np.asarray(evidence, dtype=np.float64), query=query, image=self.image, signed=False,
            method="largest gain that changing the pixel was seen or estimated to bring",
        )  # fmt: skip


def _so_far(plans: Sequence[_LazyPlan], results: dict[int, AttackResult], why: str) -> list[AttackResult]:
    begun = [number for number, plan in enumerate(plans) if plan.plan is not None or number in results]
    return [results[number] if number in results else plans[number].result(f"not finished: {why}") for number in begun]


def _images(images: ArrayLike) -> Images:
    pictures = np.asarray(images)
    if pictures.ndim != 4 or pictures.shape[0] == 0 or pictures.size == 0:
        raise UsageError(f"images must be an array (N, H, W, C) with at least one image, not of shape {pictures.shape}")
    if pictures.dtype.kind != "f":
        raise UsageError(f"images must be floats in [0, 1], not {pictures.dtype}; divide by the largest possible value")
    if not (pictures.min() >= 0 and pictures.max() <= 1):
        raise UsageError("images must be finite and lie in [0, 1]; divide by the largest possible value")
    return np.array(pictures, dtype=np.float32)


def _classes(values: ArrayLike, count: int, what: str) -> list[int]:
    array = np.asarray(values)
    if array.ndim == 0 and what == "targets":
        array = np.full(count, array)
    if array.shape != (count,) or array.dtype.kind not in "iu" or (array < 0).any():
        raise UsageError(
            f"{what} must be {count} class numbers of 0 or more, one an image, not {array.dtype} of shape {array.shape}"
        )
    return [int(value) for value in array]
