"""The power of a study, by simulation of whole studies: the design's cells, crossed random effects, and the analysis's test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evals.study.design.file import StudyFile
from evals.study.design.plans import cells_of
from evals.study.power.curve import PowerCurve, PowerPoint
from evals.study.power.layout import layout_of
from evals.study.power.spread import BINARY, DEVIATIONS, PREFERENCE, RATING, draw_answers, level_of
from evals.study.tasks.task import TASKS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evals.study.design.file import TaskPart
    from evals.study.design.plans import Cell
    from evals.study.folder import Study
    from evals.study.power.layout import Layout
    from evals.study.power.spread import AnswerSpread, Scale

SIZES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Numbers of participants that are tried where none are given, until `ENOUGH` is reached."""
ENOUGH = 0.95
BATCH = 4_000_000
"""Answers that are drawn at once: some 100 MB."""
BASES = {"accuracy": 0.8, "rating": 5.0, "preference": 0.5}
"""Means under the reference, between those of the published study (`benchmarks/study/spread.py`): 79 and 89 % right answers,
and ratings of 4.7 to 5.2."""
SPREADS = {"accuracy": BINARY, "rating": RATING, "preference": PREFERENCE}
LEVEL_OFF = 0.02
"""Where the power grows by less over two steps, which is a doubling of the participants, more of them don't help."""
STEADY = 8
"""Points before which it is too early to say so: 96 participants."""
STEPS = 14
"""Halvings in the search for the smallest effect: 1 / 16,384 of the range."""

Test = Callable[["NDArray[np.float64]"], tuple["NDArray[np.bool_]", "NDArray[np.float64]"]]


@dataclass(frozen=True)
class _Question:
    """What is asked of the simulation."""

    task: str
    scale: Scale
    points: int
    compared: bool
    condition: str
    reference: str
    base: float
    spread: AnswerSpread
    alpha: float
    margin: float | None
    cells: Sequence[Cell]


def power(
    study: Study | StudyFile,
    effect: float | None = None,
    *,
    task: str | None = None,
    condition: str | None = None,
    reference: str | None = None,
    participants: Sequence[int] | None = None,
    base: float | None = None,
    spread: AnswerSpread | None = None,
    margin: float | None = None,
    tests: int = 1,
    simulations: int = 1000,
    seed: int = 0,
) -> PowerCurve:
    """How likely a study shows an effect, by its number of participants.

    Whole studies are simulated: participants are spread evenly over the design's cells and answer the items there;
    participants and items have random effects, which may differ by condition; and each study is tested as the analysis does it,
    for new participants and new items (`evals.study.analysis.statistics.differences`).

    Args:
        study: an opened study, or its file alone: then items are made up.
        effect: the true difference of the means, condition less reference: of the shares of right answers (0.1 is ten points),
            of the mean ratings, or of the share that prefers the condition and one half. With `margin` it is 0 unless given.
        task: the task's name; the first one that has numbers where it is not given.
        condition: the condition; where it is not given, that of the task's first hypothesis, or the first one.
        reference: what it is compared with; where it is not given, that of the hypothesis, or the study's reference.
        participants: numbers of participants. Where they are not given, numbers from 8 on until the power is 95 %,
            or grows no more.
        base: the true mean under the reference; 0.8 right answers, and a rating of 5, where it is not given.
        spread: standard deviations; see `AnswerSpread`.
        margin: the power to show equivalence within this margin (two one-sided tests) instead of a difference.
        tests: for how many tests alpha is corrected. The power is that of the smallest p-value's test (Bonferroni's bound).
        simulations: studies per number of participants.
        seed: of the simulation.

    Raises:
        UsageError: there is no such task or condition, no participant is asked this, or a number is out of its range.
    """
    if effect is None and margin is None:
        raise UsageError("the power is that of an effect; give one, such as effect=0.1, or a margin for equivalence")
    value = 0.0 if effect is None else effect
    if margin is not None and not abs(value) < margin:
        raise UsageError(f"a true difference of {value:g} is not within the margin of {margin:g}; give a smaller effect")
    asked = _question(study, task, condition, reference, base, spread, margin, tests)
    _check_numbers(simulations, participants)
    found: list[PowerPoint] = []
    for size in sorted(set(participants)) if participants is not None else SIZES:
        found.append(_point(asked, value, size, simulations, seed))
        if participants is None and (found[-1].power >= ENOUGH or _levels_off(found)):
            break
    deviations = {name: getattr(asked.spread, name) for name in DEVIATIONS if asked.scale == "rating" or name != "remainder"}
    return PowerCurve(
        task=asked.task, condition=asked.condition, reference=asked.reference, effect=value, margin=margin, base=asked.base,
        alpha=asked.alpha, simulations=simulations, points=tuple(found), deviations=deviations,
    )  # fmt: skip


def detectable_effect(
    study: Study | StudyFile,
    participants: int | None = None,
    *,
    task: str | None = None,
    condition: str | None = None,
    reference: str | None = None,
    target: float = 0.8,
    base: float | None = None,
    spread: AnswerSpread | None = None,
    tests: int = 1,
    simulations: int = 1000,
    seed: int = 0,
) -> float | None:
    """The smallest effect that a study shows with the wanted power; None where even the largest possible one is not shown.

    Args:
        study: as in `power`, and so are the other arguments that it has, too.
        participants: how many; as many as the design says where it is not given.
        task: the task's name.
        condition: the condition.
        reference: what it is compared with.
        target: the wanted power.
        base: the true mean under the reference.
        spread: standard deviations.
        tests: for how many tests alpha is corrected.
        simulations: studies per effect that is tried.
        seed: of the simulation; all effects are tried with the same draws.

    Raises:
        UsageError: as `power`.
    """
    if not 0 < target < 1:
        raise UsageError(f"a power of {target:g} can't be asked for; give a share between 0 and 1, such as 0.8")
    asked = _question(study, task, condition, reference, base, spread, None, tests)
    size = _file(study).design.participants if participants is None else participants
    _check_numbers(simulations, [size])
    top = (1.0 if asked.scale == "binary" else float(asked.points)) - asked.base
    low, high = 0.0, top * 0.999
    if _point(asked, high, size, simulations, seed).power < target:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        reached = _point(asked, middle, size, simulations, seed).power >= target
        low, high = (low, middle) if reached else (middle, high)
    return high


def what_is_compared(
    study: Study | StudyFile, task: str | None = None, condition: str | None = None, reference: str | None = None
) -> tuple[str, str, str]:
    """The task and the two conditions that the power is computed for, where not all of them are named.

    Args:
        study: the study.
        task: the task's name; the first one that has numbers where it is not given.
        condition: the condition.
        reference: what it is compared with.

    Raises:
        UsageError: as `power`.
    """
    part = _part(_file(study), task)
    return (part.name, *_pair(_file(study), part, condition, reference))


def _levels_off(found: Sequence[PowerPoint]) -> bool:
    """Whether more participants have stopped to help; small studies may begin with no power at all."""
    return len(found) > STEADY and found[-1].power - found[-3].power < LEVEL_OFF


def default_spread(study: Study | StudyFile, task: str | None = None) -> AnswerSpread:
    """The standard deviations that are taken for a task where none are given.

    Args:
        study: the study.
        task: the task's name; the first one that has numbers where it is not given.
    """
    return SPREADS[TASKS.get(_part(_file(study), task).kind).measure]


def _file(study: Study | StudyFile) -> StudyFile:
    return study if isinstance(study, StudyFile) else study.file


def _check_numbers(simulations: int, participants: Sequence[int] | None) -> None:
    if not 10 <= simulations <= 1_000_000:
        raise UsageError(f"{simulations} simulations can't be made; give a number from 10 to 1,000,000")
    for one in participants if participants is not None else (2,):
        if not 2 <= one <= 100_000:
            raise UsageError(f"{one} participants can't be simulated; give numbers from 2 to 100,000")
    if participants is not None and not len(participants):
        raise UsageError("there are no numbers of participants; give some, or none at all")


def _question(
    study: Study | StudyFile,
    task: str | None,
    condition: str | None,
    reference: str | None,
    base: float | None,
    spread: AnswerSpread | None,
    margin: float | None,
    tests: int,
) -> _Question:
    file = _file(study)
    part = _part(file, task)
    measure = TASKS.get(part.kind).measure
    condition, reference = _pair(file, part, condition, reference)
    if tests < 1:
        raise UsageError(f"alpha can't be corrected for {tests} tests; give a number of at least 1")
    if margin is not None and not 0 < margin < np.inf:
        raise UsageError(f"a margin of {margin:g} can't be; give a number above 0")
    if measure == "preference" and base is not None:
        raise UsageError(
            "a preference has no base: where nobody prefers one of them, each is chosen by one half; leave base out"
        )
    ids = [f"item-{n + 1}" for n in range(file.design.items)]
    cells = cells_of(file, ids) if isinstance(study, StudyFile) else study.cells
    scale: Scale = "rating" if measure == "rating" else "binary"
    points = int(part.options.get("points", 7)) if scale == "rating" else 2
    default = BASES[measure] if points in (2, 7) else (points + 1) / 2
    return _Question(
        task=part.name, scale=scale, points=points, compared=measure == "preference", condition=condition, reference=reference,
        base=default if base is None else base, spread=spread or SPREADS[measure],
        alpha=file.analysis.alpha / tests, margin=margin, cells=cells,
    )  # fmt: skip


def _part(file: StudyFile, task: str | None) -> TaskPart:
    names = [part.name for part in file.tasks if TASKS.get(part.kind).measure != "text"]
    if task is None and not names:
        raise UsageError("no task of the study is answered by numbers or by right and wrong, so that there is no power")
    name = names[0] if task is None else task
    if name not in names:
        raise UsageError(f"there is no task {name!r:.60} whose answers have a mean; use one of {', '.join(names)}")
    return next(part for part in file.tasks if part.name == name)


def _pair(file: StudyFile, part: TaskPart, condition: str | None, reference: str | None) -> tuple[str, str]:
    """The conditions to compare: as given, or as the first hypothesis says, or the first two."""
    names = [one.name for one in file.conditions if part.conditions is None or one.name in part.conditions]
    for one in (condition, reference):
        if one is not None and one not in names:
            raise UsageError(f"the task {part.name} is not asked under a condition {one!r:.60}; use one of {', '.join(names)}")
    if condition is None and reference is None:
        for said in file.analysis.hypotheses:
            if said.task == part.name and {said.condition, said.reference} <= set(names):
                return said.condition, said.reference
    if len(names) < 2:
        raise UsageError(f"the task {part.name} is asked under one condition alone, so that there is nothing to compare")
    if reference is None:
        stated = file.analysis.reference
        reference = stated if stated in names and stated != condition else next(one for one in names if one != condition)
    if condition is None:
        condition = next(one for one in names if one != reference)
    if condition == reference:
        raise UsageError(f"the condition {condition!r} is compared with itself; name another one")
    return condition, reference


def _point(asked: _Question, effect: float, participants: int, simulations: int, seed: int) -> PowerPoint:
    from scipy.stats import binomtest

    layout = layout_of(asked.cells, participants, asked.reference, asked.condition, compared=asked.compared)
    answers = len(layout.participant)
    if not answers or (not asked.compared and len(np.unique(layout.condition)) < 2):
        raise UsageError(
            f"with {participants} participants, {asked.task} is not answered under {asked.condition} and {asked.reference}; "
            "take more participants or other conditions"
        )
    rng = np.random.default_rng([seed, participants])
    levels = _levels(asked, effect)
    shown, total, left = 0, 0.0, simulations
    test = _tester(asked, layout)
    while left:
        batch = min(left, max(BATCH // answers, 1))
        values = draw_answers(layout, levels, asked.scale, asked.spread, asked.points, batch, rng)
        found, estimates = test(values)
        shown, total, left = shown + int(found.sum()), total + float(estimates.sum()), left - batch
    low, high = binomtest(shown, simulations).proportion_ci(method="wilson")
    return PowerPoint(participants, shown / simulations, float(low), float(high), total / simulations)


def _levels(asked: _Question, effect: float) -> NDArray[np.float64]:
    if asked.compared:  # whether the condition is chosen, on whichever side it stands
        return np.array([level_of(asked.base + effect, asked.scale, asked.spread, asked.points)])
    means = (asked.base, asked.base + effect)
    return np.array([level_of(mean, asked.scale, asked.spread, asked.points) for mean in means])


def _tester(asked: _Question, layout: Layout) -> Test:
    """For answers of shape (studies, answers): which studies show it, and their differences. The layout is looked at once."""
    from scipy.stats import t

    from evals.study.analysis.statistics import Crossed, contrast

    names = (tuple(map(str, range(layout.participants))), tuple(map(str, range(layout.items))))
    conditions = ("both",) if asked.compared else (asked.reference, asked.condition)
    crossed = Crossed(np.zeros(len(layout.item)), layout.participant, layout.item, layout.condition, *names, conditions)
    compiled = contrast(crossed, ((0, 1.0),) if asked.compared else ((1, 1.0), (0, -1.0)))

    def test(values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        spread = compiled.spread(values - asked.base if asked.compared else values)
        with np.errstate(invalid="ignore", divide="ignore"):
            if asked.margin is None:
                p = 2 * t.sf(np.abs(spread.value) / spread.error, spread.freedom)
            else:
                p = t.sf((asked.margin - np.abs(spread.value)) / spread.error, spread.freedom)
        return (p < asked.alpha) & (spread.error > 1e-12), spread.value

    return test
