"""Two audits of the same images compared: did the new version get worse?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adversarial.audit.comparing.changes import image_changes
from adversarial.audit.comparing.measuring import PairedAudits
from adversarial.audit.comparing.metrics import Metric, UndecidedError
from adversarial.audit.comparing.pairing import pair_images, read_audit
from adversarial.audit.comparing.rules.judging import judge_rule, judge_rules
from adversarial.audit.comparing.rules.reading import read_rule
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from adversarial.audit.comparing.changes import ImageChange
    from adversarial.audit.comparing.measuring import Measurement
    from adversarial.audit.comparing.pairing import AuditRows, Pairs
    from adversarial.audit.comparing.rules.judging import RuleVerdict
    from adversarial.audit.comparing.rules.reading import Rule

# Settings that say what is audited, or only where and how fast; the others say how it is audited.
OF_THE_TARGET = (
    "target", "model", "options", "scores", "images", "folder", "batch_size", "class_names", "labels", "label", "made_by",
    "of_program",
)  # fmt: skip
MEANINGLESS = ("distance", "goal")
"""Settings without which a comparison says nothing: distances of two kinds have no order, and neither have two goals."""

POINTS = 10  # of each curve: enough to see its shape in a list
_SERIES = tuple(factor * 10.0**power for power in range(-6, 8) for factor in (1, 2, 5))


@dataclass(frozen=True)
class SettingDifference:
    """A setting that the two audits don't share.

    Attributes:
        name: of the setting.
        before: its value in the first audit.
        after: its value in the second audit.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, eq=False)
class AuditComparison:
    """Two audits of the same images.

    Attributes:
        audits: both, with the images paired.
        pairing: which images were paired, and which could not be.
        settings: the settings that differ.
        measurements: what was measured in both.
        unmeasured: what could not be measured, and why.
        fragile: images that became fragile, the gravest first.
        better: images that got better.
    """

    audits: PairedAudits
    pairing: Pairs
    settings: tuple[SettingDifference, ...]
    measurements: tuple[Measurement, ...]
    unmeasured: tuple[str, ...]
    fragile: tuple[ImageChange, ...]
    better: tuple[ImageChange, ...]

    @cached_property
    def judged(self) -> int:
        """How many images both audits judged."""
        return len(self.audits.judged)

    def judge(self, rule: str | Rule) -> RuleVerdict:
        """Say whether a rule holds, such as "robust_accuracy@l0=5 drops by 0.02".

        Raises:
            UsageError: the rule can't be read.
        """
        return judge_rule(_as_rule(rule), self.audits)

    def judge_all(self, rules: Sequence[str | Rule]) -> list[RuleVerdict]:
        """Say which of several rules hold, so that more rules bring no more false alarms.

        The p of rules with `significantly` on a difference are corrected for the number of metrics that these rules name
        (Holm 1979).

        Raises:
            UsageError: a rule can't be read.
        """
        return judge_rules([_as_rule(rule) for rule in rules], self.audits)


def _as_rule(rule: str | Rule) -> Rule:
    return read_rule(rule) if isinstance(rule, str) else rule


def compare_audits(before: str | os.PathLike[str], after: str | os.PathLike[str], *, seed: int = 0) -> AuditComparison:
    """Compare two audits, image by image.

    Images are paired by their pixels, and where those differ by their path. Images that were wrong from the start count as
    not robust. Where the budgets differ, only as many queries of each search count as the smaller one allows.

    Args:
        before: the folder of the first audit, such as that of the version in use.
        after: the folder of the second audit, such as that of the new version.
        seed: of the bootstraps.

    Raises:
        UsageError: there is no such audit, the audits searched in different distances or for different goals, or they have no
            image in common.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise UsageError(f"{argument('seed')} must be a whole number of 0 or more, not {seed!r}")
    old, new = read_audit(before), read_audit(after)
    differing = _differing(old, new)
    for one in differing:
        if one.name in MEANINGLESS:
            raise UsageError(
                f"{old.directory} was audited with {one.name} = {one.before!r} and {new.directory} with {one.after!r}, which "
                "can't be compared; audit both with the same"
            )
    pairing = pair_images(old.records, new.records)
    if not pairing.pairs:
        raise UsageError(f"{old.directory} and {new.directory} have no image in common; audit the same images with both")
    budgets = [most for audit in (old, new) if isinstance(most := audit.settings.get("budget"), int)]
    limit = min(budgets) if len(set(budgets)) > 1 else None
    audits = PairedAudits(old, new, pairing.pairs, limit, seed)
    measurements: list[Measurement] = []
    unmeasured: list[str] = []
    for metric in _metrics(audits):
        try:
            measurements.append(audits.measure(metric))
        except UndecidedError as error:
            unmeasured.append(str(error))
    fragile, better = image_changes(audits.judged, limit)
    return AuditComparison(audits, pairing, differing, tuple(measurements), tuple(unmeasured), fragile, better)


def _differing(old: AuditRows, new: AuditRows) -> tuple[SettingDifference, ...]:
    names = [name for name in dict.fromkeys((*old.settings, *new.settings)) if name not in OF_THE_TARGET]
    found = [
        SettingDifference(name, old.settings.get(name), new.settings.get(name))
        for name in names
        if old.settings.get(name) != new.settings.get(name)
    ]
    if old.about.get("saywhy") != new.about.get("saywhy"):
        found.append(SettingDifference("saywhy", old.about.get("saywhy"), new.about.get("saywhy")))
    return tuple(found)


def _metrics(audits: PairedAudits) -> list[Metric]:
    """What every comparison measures: accuracy, both curves of robust accuracy, distances, the weather, and proofs."""
    judged = audits.judged
    norm = audits.before.settings.get("distance")
    distances = [one.distance for pair in judged for one in pair if one.status == "found" and one.distance]
    metrics = [Metric("accuracy"), Metric("robust_accuracy")]
    if distances and isinstance(norm, str):
        metrics += [Metric("robust_accuracy", norm=norm, at=at) for at in _series(min(distances), max(distances))]
    budgets = [audit.settings.get("budget") for audit in (audits.before, audits.after)]
    most = min((one for one in budgets if isinstance(one, int)), default=0)
    metrics += [Metric("robust_accuracy", queries=int(at)) for at in _series(10, most)]
    metrics += [Metric("median_distance"), Metric("mean_distance"), Metric("found"), Metric("failed")]
    kinds = dict.fromkeys(one.kind for found in audits.before.weather.values() for one in found)
    if kinds and audits.after.weather:
        metrics += [Metric("weather"), *(Metric("weather", kind) for kind in kinds)]
    if audits.before.proofs and audits.after.proofs:
        metrics += [Metric("proved_bound"), Metric("exact_bounds")]
    return metrics


def _series(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, not more than `POINTS`."""
    found = [round(one, 9) for one in _SERIES if low <= one <= high]
    step = -(-len(found) // POINTS) or 1
    return found[::step]
