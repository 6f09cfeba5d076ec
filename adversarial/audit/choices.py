"""What an audit is asked to do: the settings that its results depend on, and how they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from adversarial.attack import FeatureGuidedAttack
from adversarial.audit.gathering import read_size, size_for
from adversarial.audit.prior import MapDensity
from adversarial.audit.proofs.prover import check_proving, prover_of
from adversarial.audit.work.arguments import check_settings
from adversarial.audit.work.target import lasting
from adversarial.distances.levels import AUTO
from saywhy_core.errors import UsageError, argument
from saywhy_core.names import class_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adversarial.attacks.registry import PlayerTwo
    from adversarial.audit.proofs.prover import Prover
    from adversarial.distances.levels import Levels
    from saywhy_core.classifiers import Classifier

DEFAULT_BUDGET = 1000


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """What the results of an audit depend on, beside its images and the classifier.

    Attributes:
        options: of the target, see `load_classifier`.
        distance: which distance to make small, see `FeatureGuidedAttack`.
        budget: the most queries of each image's search. The weather and the survival of what is found come on top; see
            `AuditPlan`.
        seed: the same seed, the same results.
        goal: the class to reach, by name or number; None for any other.
        player_two: see `FeatureGuidedAttack`.
        manipulation: see `FeatureGuidedAttack`.
        attack: see `FeatureGuidedAttack`.
        density: "sift", "uniform", a `MapDensity`, or None for the attack's own.
        tree: whose tree search plays, `FeatureGuidedAttack(engine=...)`: "batched" or "mcts".
        batch_size: images per call of the classifier.
        levels: see `FeatureGuidedAttack`; None, as audits of earlier releases have it, for what the target asks for.
        tolerate_noise: see `FeatureGuidedAttack`.
        weather: kinds of weather, see `adversarial.weather.WEATHERS`; None for the standard ones, () for none.
        severities: of each kind, from 1 to 5.
        survival: whether to ask if what was found stays adversarial when it is saved as PNG and as JPEG.
        prove: seconds for each attacked image in which `adversarial.fewest_pixels` proves how many pixels are needed at least;
            None for no proofs. It may change from run to run, as the next one may.
        prove_pixels: the most pixels that are proved; None for 3.
        resize: "HEIGHTxWIDTH" to bring images to, or "auto" for the size that the classifier takes; None leaves them.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    distance: str = "l0"
    budget: int = DEFAULT_BUDGET
    seed: int = 0
    goal: str | int | None = None
    player_two: PlayerTwo = "cooperative"
    manipulation: str | None = None
    attack: str | None = None
    density: str | MapDensity | None = None
    tree: str = "batched"
    batch_size: int | None = None
    levels: Levels = AUTO
    tolerate_noise: bool = False
    weather: Sequence[str] | None = None
    severities: Sequence[int] = (1, 3, 5)
    survival: bool = True
    prove: float | None = None
    prove_pixels: int | None = None
    resize: str | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        check_proving(self.prove, self.prove_pixels)

    def search(self, classifier: Classifier) -> FeatureGuidedAttack:
        """The attack on each image.

        Raises:
            UsageError: the settings don't go together.
        """
        levels = self.levels if self.levels is not None else getattr(classifier, "levels", None)
        return FeatureGuidedAttack(
            distance=self.distance, budget=self.budget, player_two=self.player_two, batch_size=self.batch_size,
            engine=self.tree, seed=self.seed, manipulation=self.manipulation, density=self.density, attack=self.attack,
            levels=levels, tolerate_noise=self.tolerate_noise,
        )  # fmt: skip

    def prover(self, classifier: Classifier) -> Prover | None:
        """What proves how many pixels are needed; None where that is not asked for.

        Raises:
            UsageError: nothing can be proved about this attack or this classifier.
        """
        if self.prove is None:
            return None
        goal = self.goal_index(classifier.class_names)
        return prover_of(
            classifier, distance=self.distance, goal=goal, seconds=self.prove, pixels=self.prove_pixels, seed=self.seed
        )  # fmt: skip

    def kinds(self) -> tuple[str, ...]:
        """The kinds of weather by name.

        Raises:
            UsageError: there is no such kind, or no such severity.
        """
        from adversarial.weather import STANDARD_KINDS, weather_queries

        kinds = tuple(STANDARD_KINDS) if self.weather is None else tuple(self.weather)
        if kinds:
            try:
                weather_queries(kinds, self.severities)
            except UsageError as error:  # an audit calls them by another name
                raise UsageError(str(error).replace(argument("kinds"), argument("weather"), 1)) from None
        return kinds

    def goal_index(self, class_names: Sequence[str] | None) -> int | None:
        """The number of the class to reach.

        Raises:
            UsageError: there is no such class.
        """
        return None if self.goal is None else class_index(str(self.goal), class_names, argument("goal"))

    def size(self, classifier: Classifier) -> tuple[int, int] | None:
        """(height, width) that images are brought to.

        Raises:
            UsageError: `resize` is no size, or the classifier doesn't say its own.
        """
        return size_for(read_size(self.resize), classifier.image_shape)

    def kept(self) -> dict[str, Any]:
        """The settings as JSON values."""
        values = asdict(replace(self, density=None))
        density = self.density
        values["density"] = {"map": density.digest} if isinstance(density, MapDensity) else density
        for name in ("weather", "severities"):
            values[name] = None if values[name] is None else list(values[name])
        return values


PROVING = ("prove", "prove_pixels")
"""Settings that no other result of an audit depends on."""
SETTINGS = tuple(one.name for one in fields(AuditSettings))


def chosen(given: Mapping[str, Any], kept: Mapping[str, Any] | None) -> AuditSettings:
    """The settings that were given, on top of those that an audit has already.

    Args:
        given: by name; None for what was not given.
        kept: those of the audit, as `AuditSettings.kept` has them; None for a new one.

    Raises:
        UsageError: there is no such setting, or one is another than the audit has.
    """
    unknown = [name for name in given if name not in SETTINGS]
    if unknown:
        raise UsageError(f"an audit has no setting {unknown[0]!r}; there are {', '.join(SETTINGS)}")
    said = {name: value for name, value in given.items() if value is not None}
    if kept is None:
        return AuditSettings(**said)
    base = {name: value for name, value in kept.items() if name in SETTINGS}
    if isinstance(base.get("density"), dict) and "density" not in said:
        raise UsageError("this audit is guided by a map; give the same map again (--prior)")
    had = base.get("options") or {}
    if isinstance(said.get("options"), Mapping):  # those that are not given stay, and how the classifier is asked may change
        said["options"] = {**had, **said["options"]}
    made = AuditSettings(**{**base, **said})
    # another order of the weather is no other weather; goals are compared where the class names are known (`prepare`)
    now = made.kept()
    same: list[str] = [name for name in ("weather", "severities") if name in said and _alike(now[name], base.get(name))]
    if "options" in said and lasting(made.options) == lasting(had):
        base["options"] = made.options
        same.append("options")
    differing = [name for name in said if name not in (*same, *PROVING, "goal") and now[name] != base.get(name)]
    if differing:
        name = differing[0]
        was = f"without {name}, not with" if base.get(name) is None else f"with {name} = {base[name]!r}, not"
        raise UsageError(
            f"this folder holds an audit {was} {now[name]!r}; leave the setting out to go on with it, or give another folder"
        )
    return replace(made, **{name: base[name] for name in same})


def _alike(given: Sequence[Any] | None, kept: Sequence[Any] | None) -> bool:
    return given is not None and kept is not None and sorted(given) == sorted(kept)


def check_same_names(now: Sequence[str] | None, about: Mapping[str, Any], *, given: bool) -> None:
    """See that an audit goes on with the class names that it was begun with.

    Args:
        now: the names that it would go on with.
        about: what the audit says of itself.
        given: whether names were given, or may be the classifier's own.

    Raises:
        UsageError: they are others, so that one audit would hold two lists.
    """
    kept = about.get("class_names")
    if (kept is None and not given) or list(now or ()) == list(kept or ()):
        return
    ours, theirs = list(now or ()), list(kept or ())
    if not theirs:
        was = "without class names"
    elif len(ours) != len(theirs):
        was = f"with {len(theirs):,} class names, not {len(ours):,}"
    else:
        place = next(number for number, pair in enumerate(zip(theirs, ours, strict=True)) if pair[0] != pair[1])
        was = f"with the name {theirs[place]!r:.80} for class {place}, not {ours[place]!r:.80}"
    raise UsageError(
        f"this folder holds an audit that was begun {was}; leave the names out to go on with it, or give another folder"
    )


def check_same_labels(labels: str | None, label: str | int | None, kept: Mapping[str, Any]) -> None:
    """See that labels that are given to go on with an audit are those that it was begun with.

    Raises:
        UsageError: they are others.
    """
    for name, value in (("labels", labels), ("label", label)):
        before = kept.get(name)
        had = f"without {name}, not with" if before is None else f"with {name} = {before!r}, not"
        if value is not None and str(value) != str(before):
            raise UsageError(
                f"this folder holds an audit {had} {value!r}; leave the setting out to go on with it, "
                "give --retry-failed where labels were put right, or give another folder"
            )
