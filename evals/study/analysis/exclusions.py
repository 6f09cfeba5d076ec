"""Whose answers are analysed: stated rules in a stated order, what each of them left out, and whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from evals.study.answers import PEOPLE
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from evals.study.answers import Answer, Answers, Participant
    from evals.study.design.file import ExclusionsPart

FEWEST_ANSWERS = 5
"""Answers to one task that it takes to see whether somebody always answers the same: with fewer, chance does it often."""


@dataclass(frozen=True)
class Exclusion:
    """A participant who is not analysed.

    Attributes:
        participant: the code.
        rule: the name of the rule, a key of `RULES`.
        detail: what was found, such as "median 0.8 s on a trial, below 2 s".
    """

    participant: str
    rule: str
    detail: str


@dataclass(frozen=True)
class Stage:
    """A box of the flow chart.

    Attributes:
        name: what the box counts, such as "joined" or "failed attention checks".
        participants: how many.
        kept: whether these are the ones who go on; the others leave here.
    """

    name: str
    participants: int
    kept: bool


@dataclass(frozen=True)
class Flow:
    """From everybody who joined to those whose answers are analysed.

    Attributes:
        stages: the boxes from top to bottom.
        exclusions: who is left out, and why; each participant once, by the first rule that holds.
        dropped: answers to single trials that are left out by their times, of participants who are analysed.
        noun: what the participants are called: "participants" or "simulated participants".
    """

    stages: tuple[Stage, ...]
    exclusions: tuple[Exclusion, ...]
    dropped: int = 0
    noun: str = "participants"

    def to_text(self) -> str:
        """The flow chart as indented lines."""
        lines = [
            f"{one.name}: {one.participants}" if one.kept else f"    - {one.name}: {one.participants}" for one in self.stages
        ]
        if self.dropped:
            lines.append(f"    (answers left out by their time, of participants who are analysed: {self.dropped})")
        return "\n".join(lines)


RULES: Mapping[str, str] = {
    "no consent": "did not consent",
    "withdrawn": "withdrew",
    "screened_out": "were sent away after the comprehension questions",
    "incomplete": "did not finish",
    "failed_comprehension": "failed the comprehension questions",
    "failed_attention": "failed attention checks",
    "median_seconds_below": "answered too fast",
    "same_answer_share_above": "gave the same answer too often",
    "accuracy_below": "were right too seldom",
    "no trials": "answered no trial",
}
"""The rules in the order in which they are applied, and what the flow chart calls those whom they leave out."""


def check_sources(answers: Answers) -> bool:
    """Whether the answers are people's (True) or simulated participants' (False).

    Raises:
        UsageError: they are a mixture, or there are none.
    """
    simulated = [one for one in answers.participants.values() if one.source != PEOPLE]
    people = len(answers.participants) - len(simulated)
    if not answers.participants:
        raise UsageError("there are no answers to analyse: the files hold no participant")
    if people and simulated:
        raise UsageError(
            f"the answers of people ({people}) and of simulated participants ({len(simulated)}, such as {simulated[0].code!r}, "
            f"{simulated[0].source}) are mixed; analyse them apart"
        )
    return not simulated


def apply_exclusions(answers: Answers, rules: ExclusionsPart) -> tuple[Answers, Flow]:
    """Leave out whom the rules leave out.

    The rules are applied in the order of `RULES`, and a participant counts for the first that holds. People who withdrew or did
    not consent, and those who were sent away after the comprehension questions, are never analysed: they have no trials.
    Whoever else never answered a trial has nothing to analyse either.

    - median seconds: the median over the participant's trials.
    - same answer: in any task with `FEWEST_ANSWERS` answers or more, the most frequent response has a greater share than
      stated. Where the right answers to the same questions are as uniform, the task is passed over: who is perfect answers so.
    - accuracy: the share of right answers over all tasks with right answers; questions without an answer count as wrong.
    - trial seconds: single trials below or above are left out, and their participants stay.

    Args:
        answers: all answers.
        rules: the study's rules.

    Returns:
        the answers that are analysed, and the flow chart.
    """
    people = check_sources(answers)
    by_person: dict[str, list[Answer]] = {code: [] for code in answers.participants}
    for row in answers.rows:
        by_person[row.participant].append(row)
    asks_consent = any(row.phase == "consent" for row in answers.rows)
    found: dict[str, Exclusion] = {}
    for code, one in answers.participants.items():
        reason = _reason(one, by_person[code], rules, asks_consent=asks_consent)
        if reason is not None:
            found[code] = Exclusion(code, *reason)
    kept = answers.only(code for code in answers.participants if code not in found)
    timely = tuple(row for row in kept.rows if not _out_of_time(row, rules))
    dropped = sum(row.phase == "trial" for row in kept.rows) - sum(row.phase == "trial" for row in timely)
    flow = Flow(
        _stages(
            len(answers.participants),
            Counter(one.rule for one in found.values()),
            asks_consent=asks_consent,
            complete=rules.incomplete,
        ),
        tuple(found.values()),
        dropped,
        "participants" if people else "simulated participants",
    )
    return type(answers)(timely, kept.participants, kept.items), flow


def _reason(one: Participant, rows: Sequence[Answer], rules: ExclusionsPart, *, asks_consent: bool) -> tuple[str, str] | None:
    if asks_consent and one.status != "withdrawn" and not any(row.response or row.phase != "consent" for row in rows):
        return "no consent", "no answer to the consent page"
    if one.status == "withdrawn":
        return "withdrawn", "asked for their answers to be deleted"
    if one.status == "screened out":
        return "screened_out", "was sent away after the comprehension questions"
    if rules.incomplete and one.status in ("left", "active"):
        return "incomplete", "had not finished yet" if one.status == "active" else "left before the end"
    for name, test in _TESTS.items():
        value = getattr(rules, name)
        if value is not None and value is not False:
            detail = test(one, rows, value)
            if detail:
                return name, detail
    if not any(row.phase == "trial" for row in rows):
        return "no trials", "has no answer to a trial"
    return None


def _failed_comprehension(one: Participant, rows: Sequence[Answer], value: float) -> str:  # noqa: ARG001 - the tests' form
    last: dict[str, Answer] = {}
    for row in rows:
        if row.phase == "comprehension" and (row.task not in last or row.tries >= last[row.task].tries):
            last[row.task] = row
    wrong = [row.task for row in last.values() if row.correct is False]
    return f"wrong at the last try: {', '.join(wrong)}" if wrong else ""


def _failed_attention(one: Participant, rows: Sequence[Answer], value: float) -> str:  # noqa: ARG001 - the tests' form
    checks = [row for row in rows if row.phase == "attention"]
    wrong = [row.task for row in checks if row.correct is False]
    return f"{len(wrong)} of {len(checks)} failed: {', '.join(wrong)}" if len(wrong) >= value else ""


def _too_fast(one: Participant, rows: Sequence[Answer], value: float) -> str:  # noqa: ARG001 - the tests' form
    times = trial_seconds(rows)
    if not times:
        return ""
    middle = median(times.values())
    return f"median {middle:.2f} s on a trial, below {value:g} s" if middle < value else ""


def _always_the_same(one: Participant, rows: Sequence[Answer], value: float) -> str:  # noqa: ARG001 - the tests' form
    tasks: dict[str, list[Answer]] = {}
    for row in rows:
        if row.phase == "trial" and row.response and (row.correct is not None or row.value is not None):
            tasks.setdefault(row.task, []).append(row)
    for task, answered in tasks.items():
        if len(answered) < FEWEST_ANSWERS:
            continue
        response, times = Counter(row.response for row in answered).most_common(1)[0]
        right = [row.expected for row in answered if row.expected is not None]
        uniform = max(Counter(right).values()) / len(right) > value if right else False
        if times / len(answered) > value and not uniform:
            return f"{response!r} in {times} of {len(answered)} answers to {task}, a share above {value:g}"
    return ""


def _seldom_right(one: Participant, rows: Sequence[Answer], value: float) -> str:  # noqa: ARG001 - the tests' form
    judged = [right for row in rows if row.phase == "trial" and (right := rightness(row)) is not None]
    share = sum(judged) / len(judged) if judged else 1.0
    return f"{sum(judged):.0f} of {len(judged)} right, a share below {value:g}" if share < value else ""


_TESTS: Mapping[str, Callable[[Participant, Sequence[Answer], float], str]] = {
    "failed_comprehension": _failed_comprehension,
    "failed_attention": _failed_attention,
    "median_seconds_below": _too_fast,
    "same_answer_share_above": _always_the_same,
    "accuracy_below": _seldom_right,
}


def rightness(row: Answer) -> float | None:
    """1 or 0 for right or wrong, None where there is no right answer. A question without an answer counts as wrong."""
    if row.correct is not None:
        return float(row.correct)
    return 0.0 if row.expected is not None and row.response == "" else None


def trial_seconds(rows: Iterable[Answer]) -> dict[tuple[str, int | None, str, str], float]:
    """The time on each trial by (participant, trial, item, condition): that of its pages together, each of them once."""
    pages = {
        (row.participant, row.trial, row.item, row.condition, row.step): row.seconds
        for row in rows
        if row.phase == "trial" and row.seconds is not None
    }
    total: dict[tuple[str, int | None, str, str], float] = {}
    for (person, trial, item, condition, _), seconds in pages.items():
        key = (person, trial, item, condition)
        total[key] = total.get(key, 0.0) + seconds
    return total


def _out_of_time(row: Answer, rules: ExclusionsPart) -> bool:
    if row.phase != "trial" or row.seconds is None:
        return False
    low, high = rules.trial_seconds_below, rules.trial_seconds_above
    return (low is not None and row.seconds < low) or (high is not None and row.seconds > high)


def _stages(joined: int, left_out: Counter[str], *, asks_consent: bool, complete: bool) -> tuple[Stage, ...]:
    stages = [Stage("joined", joined, kept=True)]
    left = joined
    for rule, said in RULES.items():
        if rule == "withdrawn" and asks_consent:
            stages.append(Stage("consented", left, kept=True))
        if left_out[rule]:
            stages.append(Stage(said, left_out[rule], kept=False))
            left -= left_out[rule]
        if rule == "incomplete":
            stages.append(Stage("completed" if complete else "completed, or left after some answers", left, kept=True))
    return (*stages, Stage("analysed", left, kept=True))
