"""How an analysis is made: what its caller asks for, then what `study.yaml` says, then the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.answers import Answers
    from evals.study.design.file import ExclusionsPart, HypothesisPart
    from evals.study.folder import Study


@dataclass(frozen=True)
class Settings:
    """How an analysis is made.

    Attributes:
        title: of the study.
        alpha: the level of tests; intervals have 1 - alpha.
        bootstrap: the number of resamples.
        seed: of the resamples.
        reference: the condition that the others are compared with, or None for all pairs alone.
        conditions: all conditions in the order of the results.
        subgroups: the facts whose values make subgroups.
        hypotheses: what was expected.
        rules: whose answers are left out.
        chance: the share of right answers of somebody who guesses, by the task's name, where the study tells it.
        points: lowest and highest point of ratings, by the task's name.
    """

    title: str
    alpha: float
    bootstrap: int
    seed: int
    reference: str | None
    conditions: tuple[str, ...]
    subgroups: tuple[str, ...]
    hypotheses: tuple[HypothesisPart, ...]
    rules: ExclusionsPart
    chance: Mapping[str, float]
    points: Mapping[str, tuple[float, float]]

    @property
    def level(self) -> float:
        """The level of the intervals in percent: 95 for an alpha of 0.05."""
        return round(100 * (1 - self.alpha), 6)


MANY = 12
"""Conditions of a measure above which each is compared with one alone, and models that take minutes are left out."""
ITEM_FACTS = ("label", "model_right", "coverage", "length")
"""Facts of items that make subgroups where nobody says which."""


def settings_of(
    answers: Answers,
    study: Study | None,
    *,
    alpha: float | None,
    bootstrap: int | None,
    reference: str | None,
    subgroups: Sequence[str] | None,
    rules: Mapping[str, Any],
    seed: int | None,
) -> Settings:
    """Bring together what was asked for and what the study says.

    Raises:
        UsageError: a value is out of its range, or a name is not in the answers.
    """
    from evals.study.design.file import AnalysisPart

    file = None if study is None else study.file
    part = file.analysis if file else AnalysisPart()
    level = part.alpha if alpha is None else alpha
    if not 0 < level < 0.5:
        raise UsageError(f"{argument('alpha')} is {level}; give a number above 0 and below 0.5, such as 0.05")
    draws = part.bootstrap if bootstrap is None else bootstrap
    if not 200 <= draws <= 100_000:
        raise UsageError(f"{argument('bootstrap')} is {draws}; give a number of resamples from 200 to 100,000")
    conditions = _conditions(answers, study)
    chosen = part.reference if reference is None else reference
    if chosen is not None and chosen not in conditions:
        raise UsageError(
            f"the reference {chosen!r} is no condition of the answers; name one of {', '.join(conditions) or 'none'}"
        )
    return Settings(
        title=file.title if file else "Study",
        alpha=level,
        bootstrap=draws,
        seed=(file.seed if file else 0) if seed is None else seed,
        reference=chosen,
        conditions=conditions,
        subgroups=_subgroups(answers, part.subgroups if subgroups is None else subgroups, named=subgroups is not None),
        hypotheses=tuple(part.hypotheses),
        rules=_rules(study, rules),
        chance=_chance(study),
        points=_points(study),
    )


def _conditions(answers: Answers, study: Study | None) -> tuple[str, ...]:
    """In the study's order, and then in the order of the answers."""
    from evals.study.analysis.measures import VERSUS

    seen = dict.fromkeys(name for row in answers.of_phase("trial") if row.condition for name in row.condition.split(VERSUS))
    known = [one.name for one in study.file.conditions] if study else []
    return tuple(name for name in dict.fromkeys((*known, *seen)) if name in seen)


def _subgroups(answers: Answers, names: Sequence[str], *, named: bool) -> tuple[str, ...]:
    items = {name for facts in answers.items.values() for name in facts}
    people = {name for one in answers.participants.values() for name in one.attributes}
    if not names and not named:
        return tuple(name for name in ITEM_FACTS if name in items)
    unknown = [name for name in names if name not in items | people]
    if unknown:
        raise UsageError(
            f"there is no fact {unknown[0]!r} about items or participants to make subgroups of; "
            f"there are {', '.join(sorted(items | people)) or 'none'}"
        )
    return tuple(dict.fromkeys(names))


def _rules(study: Study | None, given: Mapping[str, Any]) -> ExclusionsPart:
    from pydantic import ValidationError

    from evals.study.design.file import ExclusionsPart

    stated = study.file.exclusions.model_dump() if study else ExclusionsPart().model_dump()
    unknown = [name for name in given if name not in stated]
    if unknown:
        raise UsageError(f"there is no exclusion rule {unknown[0]!r}; the rules are {', '.join(stated)}")
    try:
        return ExclusionsPart.model_validate({**stated, **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise UsageError(f"the exclusion rule {name} can't be {given[name]!r}: {first['msg'].lower()}") from error


def _chance(study: Study | None) -> dict[str, float]:
    if study is None:
        return {}
    shares = [1 / len(item.labels) for item in study.items.values() if item.labels and not item.practice]
    if not shares:
        return {}
    return {part.name: sum(shares) / len(shares) for part in study.file.tasks if part.kind == "simulation"}


def _points(study: Study | None) -> dict[str, tuple[float, float]]:
    from evals.study.tasks.confidence import POINTS, SUFFIX

    if study is None:
        return {}
    rated = {part.name: (1.0, float(part.options.get("points", 7))) for part in study.file.tasks if part.kind == "rating"}
    sure = {part.name + SUFFIX: (1.0, float(POINTS)) for part in study.file.tasks if part.options.get("confidence")}
    return rated | sure
