"""The front door: images in, the smallest changes that flip their classes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attacks.per_feature import FeatureRobustness as FeatureRobustness  # earlier releases had it here
from adversarial.attacks.registry import ATTACKS, ENGINES, PLAYERS, Attack, PlayerTwo
from adversarial.distances.distance import DISTANCES
from adversarial.distances.levels import AUTO, check_levels
from adversarial.driving.labels import LabelWatch, classes_of
from adversarial.features import KeypointMixture, keypoint_mixture
from adversarial.given import given_classes, given_images
from adversarial.manipulations import Manipulation, load_manipulation
from adversarial.query_log import LEAST_BUDGET
from adversarial.result import AttackInterrupted, AttackResult, AttackStopped
from adversarial.streaming import BATCH as BATCH
from adversarial.streaming import STANDARD_MANIPULATION as STANDARD_MANIPULATION
from adversarial.streaming import AttackTask, check_learning, stream_attacks
from adversarial.streaming import check_attacked as check_attacked
from saywhy_core.arrays import to_numpy
from saywhy_core.errors import ArgumentError, UsageError, argument
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from adversarial.answers import AnswerMemory
    from adversarial.distances.levels import Levels
    from adversarial.query_log import QueryLog, Search
    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Density: TypeAlias = Callable[[Images], KeypointMixture] | KeypointMixture | PixelSaliency | ArrayLike | str
    Progress: TypeAlias = Callable[[int, int, AttackResult | None], None]

DENSITIES = ("sift", "uniform")


@dataclass(frozen=True, kw_only=True)
class FeatureGuidedAttack:
    """Search for the smallest change of an image that flips its class, guided by what people look at.

    The attack is picked by the other arguments (see `attack`): in L0 a tree search over features and pixels; in L1, L2 and
    L-infinity a linear model of the scores, learned and followed; in the random game draws from the mixture. Arguments that
    would change nothing in the attack picked are refused.

    Source: Wicker, Huang and Kwiatkowska, TACAS 2018. Departures: leaves are evaluated in batches, each answer sharpens
    estimates of what every change does, and the scores of all classes are used, not the label's score alone.

    Args:
        distance: which distance to make small: "l0" (pixels, however many of their channels change), "l1", "l2", "linf", or
            any other name in `adversarial.distances.DISTANCES`.
        budget: queries per image, everything counted: the look at the original, shrinking, and one check at the end (with
            budgets of 10 and more) that the classifier still gives the answer it gave.
        player_two: who plays against player I: "cooperative" (the result is the smallest change found), "competitive" (the
            result is the change for the most robust feature: the largest, over the features, of the smallest changes found
            inside each alone; none where a feature could not be made to flip) or "random" (nature draws the moves).
        batch_size: images per call of the classifier, 64 by default; what several images ask shares a batch.
        engine: "batched", or "mcts" for the stock `mcts` package (cooperative game only, one image per call).
        seed: same seed, same result, whatever other images are in the run (but see `learn`).
        manipulation: what may be done to a pixel, "corners" by default, or "plus_minus_tau:0.2", "colour:1,0,0" (see
            `adversarial.manipulations`).
        density: where to look first: "sift" (the default), "uniform", a map (H, W) of numbers of 0 or more for every image
            (resized to each; see `KeypointMixture.from_map`), a `KeypointMixture`, or a function from an image to one.
        attack: the name of an attack in `adversarial.attacks.ATTACKS`. By default, `engine="mcts"` picks "mcts_game",
            `player_two="random"` picks "random_pixels", and else the distance says which attack serves it.
        levels: keep every image that is asked about to so many levels per channel, such as 256 for 8-bit pictures, so that what
            is found survives being saved as one. The original is put on that grid first; all distances are between images on
            it. "auto" takes the levels of the pictures that the classifier is sent, and otherwise 256 for each original that is
            an 8-bit picture (all its values are multiples of 1/255) and any numbers for the others, of which
            `AttackResult.note` tells. None or "any" for any numbers.
        tolerate_noise: allow for a classifier that answers differently when it is asked again. The original is asked 10 times,
            of which 9 answers must name one class; a flip counts for the search if it flips again twice; and what is found
            counts if it flips in 9 of 10 more answers, otherwise the next nearest is tried. All of these are counted, and
            `AttackResult.note` tells the outcome. Without it, a classifier that contradicts itself is an error.
        learn: in a run over several images, begin each with what earlier ones taught about the classifier: which colours moved
            which class, and where (cooperative L0 by scores only, without targets). Images go in rounds of 1, 1, 2, 4, 8, and
            then 16, and each learns from all rounds before its own: the same seed and order of images give the same results,
            whatever the batch size. A result then depends on the images before.

    Raises:
        UsageError: an argument has no such value, or has no effect beside the others.
    """

    distance: str = "l0"
    budget: int = 3000
    player_two: PlayerTwo = "cooperative"
    batch_size: int | None = None
    engine: str = "batched"
    seed: int = 0
    manipulation: str | Manipulation | None = None
    density: Any = None
    attack: str | None = None
    levels: Levels = AUTO
    tolerate_noise: bool = False
    learn: bool = False

    def __post_init__(self) -> None:
        for name in ("budget", "batch_size"):
            value = getattr(self, name)
            if name == "batch_size" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise UsageError(f"seed must be a whole number of 0 or more, not {self.seed!r}")
        if self.player_two not in PLAYERS:
            raise UsageError(f"there is no second player {self.player_two!r}; use one of {', '.join(PLAYERS)}")
        if self.engine not in ENGINES:
            raise UsageError(f"there is no engine {self.engine!r}; use one of {', '.join(ENGINES)}")
        if self.engine == "mcts" and self.player_two != "cooperative":
            raise ArgumentError(
                "the mcts package has no second player that minimises: use it with player_two='cooperative'",
                "[engine=mcts] can play the cooperative game only; leave out [player_two].",
            )
        if isinstance(self.density, str) and self.density not in DENSITIES:
            raise UsageError(f"there is no density {self.density!r}; use 'sift', 'uniform', a map, a mixture, or a function")
        if not (
            self.density is None or isinstance(self.density, (str, KeypointMixture, PixelSaliency)) or callable(self.density)
        ):
            object.__setattr__(self, "density", _as_map(self.density))
        if self.manipulation is not None:
            load_manipulation(self.manipulation)
        check_levels(self.levels)
        self._check_effects()
        if self.tolerate_noise:
            self._check_noise()

    def _check_noise(self) -> None:
        if self.engine != "batched" or self.player_two == "competitive":
            raise ArgumentError(
                "tolerate_noise can't be used with engine='mcts' or player_two='competitive', which take answers as they are",
                "[tolerate_noise] can't be used with [engine=mcts] or [player_two=competitive].",
            )
        if self.budget < LEAST_BUDGET:
            raise ArgumentError(
                f"tolerate_noise needs a budget of at least {LEAST_BUDGET} queries, not {self.budget}: it asks again",
                f"[tolerate_noise] needs a [budget] of at least {LEAST_BUDGET} queries, not {self.budget}: it asks again.",
            )

    def _check_effects(self, picked: Attack | None = None) -> None:
        """Refuse what would change nothing in the attack picked, and what does not go together."""
        picked, distance = picked or self.picked, DISTANCES.get(self.distance)
        named = self.attack is not None
        cause = f"[attack={self.attack}]" if named else f"[distance={self.distance}]"
        if self.attack is not None and (self.engine != "batched" or self.player_two == "random"):
            name, value = ("engine", self.engine) if self.engine != "batched" else ("player_two", self.player_two)
            raise ArgumentError(
                f"{name}={value!r} picks an attack itself; leave out attack=",
                f"[{name}={value}] already chooses the attack; leave out [attack].",
            )
        if picked.needs_geometry and distance.nearest is None:
            fitting = ", ".join(name for name, attack in ATTACKS.usable() if not attack.needs_geometry)
            raise ArgumentError(
                f"the attack {picked.name!r} needs a distance with a geometry, and {self.distance!r} has none "
                f"(see Distance.nearest); use one of the attacks {fitting}",
                f"{cause} can't be used with [distance={self.distance}]; use another distance, or one of the attacks "
                f"{fitting}.",
            )
        if self.player_two == "competitive" and not picked.keeps_to_mask:
            raise ArgumentError(
                f"the attack {picked.name!r} can't be kept to one feature, as player_two='competitive' asks",
                f"{cause} can't be used with [player_two=competitive]: the attack can't be kept to one feature.",
            )
        if self.density is not None and not self._uses_mixture(picked):
            raise ArgumentError(
                f"density has no effect here: the attack {picked.name!r}, which serves the distance {self.distance!r}, is not "
                "guided by a mixture. Leave density out, or use distance='l0' or player_two='competitive', where it counts",
                f"[density] has no effect with {cause}. Leave "
                + ("one of them out." if named else "it out, or use [distance=l0] or [player_two=competitive]."),
            )
        if self.manipulation is not None and not picked.uses_manipulation:
            raise ArgumentError(
                f"manipulation has no effect here: the attack {picked.name!r}, which serves the distance {self.distance!r}, "
                "changes pixels by any amount. Leave manipulation out, or use distance='l0', player_two='random' or "
                "engine='mcts', where it counts",
                f"[manipulation] has no effect with {cause}. Leave "
                + ("one of them out." if named else "it out, or use [distance=l0], [player_two=random] or [engine=mcts]."),
            )
        if self.learn and self.player_two == "competitive":
            raise ArgumentError(
                "learn has no effect with player_two='competitive': each feature's search begins anew; leave one out",
                "[learn] has no effect with [player_two=competitive]: each feature's search begins anew; leave one out.",
            )
        if self.learn and not picked.learns:
            reasons = [
                ("attack", self.attack) if named else None,
                ("engine", self.engine) if self.engine != "batched" else None,
                ("player_two", self.player_two) if self.player_two != "cooperative" else None,
                ("distance", self.distance) if distance.served_by != "feature_guided" else None,
            ]
            given = next((one for one in reasons if one is not None), None)
            with_what = f"{given[0]}={given[1]!r}" if given else "answers without the scores of all classes"
            option = f"[{given[0]}={given[1]}]" if given else with_what
            advice = "use distance='l0', or leave learn out" if given and given[0] == "distance" else "leave one of them out"
            advice = advice if given else "leave it out, or use a classifier that tells its scores"
            spelled = advice.replace("distance='l0'", "[distance=l0]").replace("leave learn out", "leave [learn] out")
            raise ArgumentError(
                f"learn has no effect with {with_what}: the attack {picked.name!r} does not go by earlier images; {advice}",
                f"[learn] has no effect with {option}: that search does not go by earlier images; {spelled}.",
            )
        if self.batch_size is not None and not picked.uses_batches:
            raise ArgumentError(
                f"batch_size has no effect here: the attack {picked.name!r} asks about one image per call",
                f"[batch_size] has no effect here: the attack {picked.name!r} asks about one image per call. Leave it out.",
            )

    @cached_property
    def picked(self) -> Attack:
        """The attack that the arguments pick."""
        if self.attack is not None:
            return ATTACKS.get(self.attack)
        if self.engine == "mcts":
            return ATTACKS.get("mcts_game")
        return ATTACKS.get("random_pixels" if self.player_two == "random" else DISTANCES.get(self.distance).served_by)

    def picked_for(self, classifier: Classifier) -> Attack:
        """The attack that the arguments pick for a classifier: see `picked`, and `Distance.served_by_label`.

        That serves classifiers which answer with labels alone and, in distances that count pixels, with the first few classes.

        Raises:
            UsageError: it is no classifier; pictures on their way to it have other levels; or an argument has no effect in
                the attack that serves a classifier which answers with labels alone.
        """
        if not callable(classifier) or not hasattr(classifier, "ask_again"):
            raise UsageError("the classifier must be made by CallableClassifier(predict, scores=...) or load_classifier(spec)")
        travels = getattr(classifier, "levels", None)
        if isinstance(self.levels, (int, np.integer)) and travels is not None and (travels - 1) % (self.levels - 1):
            raise UsageError(
                f"{argument('levels', self.levels)} fits no target that is sent pictures of {travels} levels per channel: "
                f"what is asked would be rounded on its way; leave it out, or give a number that fits, such as {travels}"
            )
        chosen = self.attack is not None or self.engine != "batched" or self.player_two == "random"
        distance = DISTANCES.get(self.distance)
        name = distance.served_by_label
        # where classes are unseen, one pixel seldom changes a score that is known: on GTSRB with top five and 1,000 queries the
        # search by scores found changes of 15.4 pixels, that by the decision alone of 6.9
        by_decision = classifier.scores == "label" or (classifier.scores == "top-k" and distance.counts_pixels)
        if chosen or not by_decision or name is None or name not in ATTACKS:
            return self.picked
        by_label = ATTACKS.get(name)
        self._check_effects(by_label)
        return by_label

    def _uses_mixture(self, picked: Attack) -> bool:
        return picked.uses_mixture or self.player_two == "competitive"

    def run(
        self,
        classifier: Classifier,
        images: Any,
        labels: ArrayLike | Sequence[int | None] | None = None,
        *,
        targets: ArrayLike | None = None,
        progress: Progress | None = None,
        memory: Callable[[int], AnswerMemory] | None = None,
        on_problem: Callable[[int, UsageError], None] | None = None,
    ) -> list[AttackResult]:
        """Attack each image. They are finished in their order, or nearly so, as few at a time as fill the batches.

        Args:
            classifier: a `CallableClassifier` or anything of its shape.
            images: (N, H, W, C) in [0, 1], or what can be brought to that with a `GivenImagesWarning`: one image, grey ones,
                whole numbers, channels first, a list of images of several sizes or of pictures of Pillow, tensors (see
                `given_images`).
            labels: (N,) the class that each image shows; None, for all or for one, for the class that the classifier sees in
                it, which costs no query. Where the classifier disagrees at once, the result is a success at distance 0 that
                says so; where nearly all of a run are such, and one mistake explains them (labels that count from 1), it is an
                error (see `adversarial.driving.labels.wrong_labels`).
            targets: (N,) classes to reach, or one for all; None for any other class than the label. Where the classifier sees
                it in the image at once, the result is a success at distance 0 that says so.
            progress: called with (images done, images in all, the result just finished), as soon as it is.
            memory: called with an image's place when its attack begins, for what was answered about it in an earlier run
                (such as an `AnswerFile`); answers are taken from there, and new ones kept there. It is the caller who forgets
                them once the result is safe. With the same arguments, the result is that of a run without interruption.
            on_problem: called with the place of an image that can't be attacked, and why (there is no class of its label's
                number; its target is its label; `density` fails on it), while the others go on. None raises the error.

        Returns:
            One result per image, in the order of the images; none for those told to `on_problem`.

        Raises:
            UsageError: shapes or values don't fit, or the labels can't be right.
            AttackInterrupted: the classifier failed, contradicted itself or spent its own budget; `results` holds what was
                found so far.
            AttackStopped: Ctrl-C, or a signal (`saywhy_core.stopping`); `results` holds what was found so far.
        """
        self.picked_for(classifier)
        pictures = given_images(images, classifier.image_shape, count=None if labels is None else np.size(np.asarray(labels)))
        wanted = given_classes(labels, len(pictures), "labels")
        goals = given_classes(targets, len(pictures), "targets")
        for number, (label, goal) in enumerate(zip(wanted, goals, strict=True)):
            if goal is not None and goal == label and on_problem is None:
                raise UsageError(
                    f"image {number}: the target is the label itself ({label}); choose another, or give on_problem"
                )
        if self.learn:
            check_learning(len(pictures), targeted=any(goal is not None for goal in goals))
        results: dict[int, AttackResult] = {}
        labelled = (None if goal is not None else label for label, goal in zip(wanted, goals, strict=True))
        watch = LabelWatch(enumerate(labelled), partial(classes_of, classifier))

        def finished(index: int, result: AttackResult) -> None:
            results[index] = result
            watch.see(index, result.adversarial_label if result.distance == 0 else result.label)
            if progress is not None:
                progress(len(results), len(pictures), result)

        def so_far(begun: list[AttackResult]) -> list[AttackResult]:
            return [one for _, one in sorted({**{one.index: one for one in begun}, **results}.items())]

        def told(index: int, error: UsageError) -> None:
            if on_problem is None:
                raise error
            on_problem(index, error)
            watch.drop(index, str(error))

        tasks = (AttackTask(index, pictures[index], wanted[index], goals[index]) for index in range(len(pictures)))
        try:
            self.stream(classifier, tasks, finished=finished, memory=memory, on_problem=None if on_problem is None else told)
        except AttackInterrupted as error:
            raise AttackInterrupted(str(error), so_far(error.results)) from error.__cause__
        except AttackStopped as stop:
            raise AttackStopped(so_far(stop.results)) from stop.__cause__
        return [results[index] for index in sorted(results)]

    def stream(
        self,
        classifier: Classifier,
        tasks: Iterable[AttackTask],
        *,
        finished: Callable[[int, AttackResult], None],
        memory: Callable[[int], AnswerMemory] | None = None,
        on_problem: Callable[[int, UsageError], None] | None = None,
        follow: Callable[[int, QueryLog], Search] | None = None,
    ) -> None:
        """Attack images as they come, and hand on each result at once; memory does not grow with their number.

        Args:
            classifier: see `run`. One that says `concurrency` is called by that many threads at once.
            tasks: the images, of one size or several; the next one is taken when there is room in the batches.
            finished: called with the index of each image that is done, and its result. They come in the order of the tasks,
                or nearly so.
            memory: see `run`; called with an image's index.
            on_problem: called with the index of an image that can't be attacked, and why, while the others go on. An image
                for which the classifier fails, and fails again when it is asked about nothing else, is one of these. None
                raises the error.
            follow: called with the index of each image whose search has ended, and its log, for what is to be asked besides
                (see `adversarial.query_log.Search`). It has its own budget: what it asks does not enter the log.

        Raises:
            UsageError: an image can't be attacked, and there is no `on_problem`.
            AttackInterrupted: see `run`; its `results` are those of the images on their way.
            AttackStopped: Ctrl-C, or a signal; its `results` are those of the images on their way. What the classifier was
                being asked is waited for, some seconds at most, and kept in the memories.
        """
        stream_attacks(
            self, self.picked_for(classifier), classifier, tasks, finished=finished, memory=memory, on_problem=on_problem,
            follow=follow,
        )  # fmt: skip

    def mixture(self, image: Images) -> KeypointMixture:
        """The distribution that guides the search in an image, (H, W, C) float32 in [0, 1].

        Raises:
            UsageError: `density` is, or makes, something other than a mixture of the image's size.
        """
        if self.density is None or isinstance(self.density, str):
            if self.density == "uniform":
                return KeypointMixture.from_map(np.ones(image.shape[:2]), seed=self.seed)
            return keypoint_mixture(image, seed=self.seed)
        if isinstance(self.density, PixelSaliency):
            return KeypointMixture.from_map(self.density, shape=(image.shape[0], image.shape[1]), seed=self.seed)
        made = self.density if isinstance(self.density, KeypointMixture) else self.density(image)
        if not isinstance(made, KeypointMixture) or made.shape != image.shape[:2]:
            raise UsageError(f"the density must be a KeypointMixture of {image.shape[0]} by {image.shape[1]} pixels")
        return made


def _as_map(density: Any) -> PixelSaliency:
    """A map that guides the search, given as an array, a tensor or lists: a copy, since the caller may change theirs."""
    try:
        values = np.array(to_numpy(density), dtype=np.float64)
        KeypointMixture.from_map(values)
    except (TypeError, ValueError) as error:
        said = f" ({error})" if isinstance(error, UsageError) else f", not {type(density).__name__}"
        raise UsageError(
            "density must be 'sift', 'uniform', a map (height, width) of numbers with some above 0, a KeypointMixture, or a "
            f"function from an image to one{said}"
        ) from None
    return PixelSaliency(np.maximum(values, 0), Query("a given map"), signed=False)
