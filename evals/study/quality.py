"""Flags: whose answers look as if nobody had read the items. Each has a stated threshold; none excludes anybody.

Exclusions are rules that are stated before the study (`evals.study.analysis`). Flags are for the researchers who watch it.
Tests of chance take `ALPHA`, so that among a thousand attentive participants one is flagged by each of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from evals.study.flow.way import steps_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.answers import Answer, Answers
    from evals.study.folder import Study

ALPHA = 0.001
SECONDS = 2.0
"""A median time on a trial below this is speeding: eight words are read in it, and no choice is made (250 words per minute)."""
FASTER = 0.3
"""Speeding, too: a median time below this share of the median participant's (Greszki et al. 2015 take 0.3 to 0.5)."""
ENOUGH = 5
"""Answers, or participants, below which a pattern is chance."""
NOT_ABOVE = 0.05
"""Accuracy is called no better than chance where so good a result has at least this probability by chance."""
ABOVE = 1 / 3
"""The share of participants above chance from which the others' being at chance says something about them, not the study."""
MISLED = 0.01
"""How improbable it must be that somebody else followed the most important word as often where it leads to a wrong label."""
FOLLOWED = 0.95
"""The share of answers that agree with the most important word's label, from which somebody looked at nothing else."""


@dataclass(frozen=True)
class Flag:
    """Something that is odd about a participant's answers.

    Attributes:
        name: a key of `FLAGS`.
        detail: what was found, in words.
    """

    name: str
    detail: str


FLAGS: Mapping[str, str] = {
    "failed attention": "a wrong answer to an attention check",
    "speeding": f"a median below {SECONDS:g} s per trial, or below {FASTER:g} of the median participant's",
    "straight-lining": f"the same rating every time, in at least {ENOUGH} answers",
    "position bias": "one place among the options chosen more often than the right answers explain",
    "random": "accuracy no better than chance, and far below those who are better than chance",
    "top word only": "the most important word's label chosen also where it is wrong",
}
"""The flags, and what each means."""


_REMEMBERED = 5_000  # participants; a page for researchers is computed again and again while they answer
_orders: dict[tuple[str, tuple[str, int]], dict[tuple[int, str], list[str]]] = {}


@dataclass(frozen=True)
class _Choice:
    """An answer that was chosen among options."""

    answer: Answer
    place: int
    options: int
    right: int | None


@dataclass
class _Seen:
    """One participant's trials."""

    trials: list[Answer] = field(default_factory=list)
    choices: list[_Choice] = field(default_factory=list)


def flags(
    answers: Answers, study: Study | None = None, places: Mapping[str, tuple[str, int]] | None = None
) -> dict[str, list[Flag]]:
    """The flags of all participants who have any.

    Args:
        answers: the answers.
        study: the study; without it, "top word only" is not looked for.
        places: participant -> (cell, seed), which tell the order of options. Without, labels stand in one order.

    Returns:
        participant -> flags, in the order of `FLAGS`.
    """
    seen = _seen(answers, study, places or {})
    found = [
        _failed(answers),
        _speeding(seen),
        _straight(seen),
        _position(seen),
        _random(seen),
        {} if study is None else _top_word(seen, study),
    ]
    gathered: dict[str, list[Flag]] = {}
    for name, details in zip(FLAGS, found, strict=True):
        for code, detail in details.items():
            gathered.setdefault(code, []).append(Flag(name, detail))
    return {code: gathered[code] for code in answers.participants if code in gathered}


def _seen(answers: Answers, study: Study | None, places: Mapping[str, tuple[str, int]]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for row in answers.of_phase("trial"):
        seen[row.participant].trials.append(row)
    texts: dict[str, list[str]] = {}
    for task in {row.task for one in seen.values() for row in one.trials if row.correct is not None}:
        rows = [row for one in seen.values() for row in one.trials if row.task == task]
        texts[task] = sorted({row.response for row in rows if row.response} | {row.expected for row in rows if row.expected})
    for code, one in seen.items():
        shown = _shown(study, places[code]) if study is not None and code in places else None
        for row in one.trials:
            options = texts.get(row.task, []) if shown is None else shown.get((row.step, row.task), [])
            if row.response in options and len(options) > 1 and row.kind != "rating":
                right = options.index(row.expected) if row.expected in options else None
                one.choices.append(_Choice(row, options.index(row.response), len(options), right))
    return seen


def _shown(study: Study, place: tuple[str, int]) -> dict[tuple[int, str], list[str]]:
    """(page, task) -> the options in the order in which this participant saw them; computed once per participant."""
    known = _orders.get((study.digest, place))
    if known is not None:
        return known
    cells = {cell.name: cell for cell in study.cells}
    found = {
        (step.number, step.tasks[question.name][0]): [value for value, _ in question.options]
        for step in (steps_for(study, cells[place[0]], place[1]) if place[0] in cells else ())
        for question in step.questions
        if question.name in step.tasks and question.kind == "choice"
    }
    if len(_orders) >= _REMEMBERED:
        _orders.clear()
    _orders[study.digest, place] = found
    return found


def _failed(answers: Answers) -> dict[str, str]:
    checks = Counter(row.participant for row in answers.of_phase("attention") if row.correct is not None)
    wrong = Counter(row.participant for row in answers.of_phase("attention") if row.correct is False)
    return {code: f"{number} of {checks[code]} attention checks failed" for code, number in wrong.items()}


def _speeding(seen: Mapping[str, _Seen]) -> dict[str, str]:
    medians = {}
    for code, one in seen.items():
        pages = {row.step: row.seconds for row in one.trials if row.seconds is not None}
        if len(pages) >= 3:
            medians[code] = median(pages.values())
    if not medians:
        return {}
    usual = median(medians.values())
    least = max(SECONDS, FASTER * usual) if len(medians) >= ENOUGH else SECONDS
    return {code: f"{value:.1f} s per trial (median), below {least:.1f} s" for code, value in medians.items() if value < least}


def _straight(seen: Mapping[str, _Seen]) -> dict[str, str]:
    found = {}
    for code, one in seen.items():
        tasks: dict[str, list[str]] = defaultdict(list)
        for row in one.trials:
            if row.kind == "rating" and row.response:
                tasks[row.task].append(row.response)
        rated = [ratings for ratings in tasks.values() if len(ratings) >= ENOUGH]
        if rated and all(len(set(ratings)) == 1 for ratings in rated):
            found[code] = f"always the same rating ({rated[0][0]}) in {sum(map(len, rated))} answers"
    return found


def _position(seen: Mapping[str, _Seen]) -> dict[str, str]:
    """One place more often than a participant would choose it who is right as often as right answers stand there."""
    from scipy.stats import binom

    found = {}
    for code, one in seen.items():
        chosen = Counter(choice.place for choice in one.choices)
        if len(one.choices) < ENOUGH:
            continue
        place, number = chosen.most_common(1)[0]
        by_chance = [
            1 / choice.options if choice.right is None else max(1 / choice.options, float(choice.right == place))
            for choice in one.choices
        ]  # where the right answer stands there, choosing it is no sign of anything
        wrong = [share for share in by_chance if share < 1]
        there = sum(choice.place == place for choice, share in zip(one.choices, by_chance, strict=True) if share < 1)
        if wrong and binom.sf(there - 1, len(wrong), sum(wrong) / len(wrong)) < ALPHA and number >= 0.8 * len(one.choices):
            found[code] = f"option {place + 1} in {number} of {len(one.choices)} answers"
    return found


def _random(seen: Mapping[str, _Seen]) -> dict[str, str]:
    """Who is at chance where those who are above it, if these are many, show that the answers can be found."""
    from scipy.stats import binom

    judged = {code: [one for one in each.choices if one.answer.correct is not None] for code, each in seen.items()}
    judged = {code: choices for code, choices in judged.items() if len(choices) >= ENOUGH}
    correct = {code: sum(bool(one.answer.correct) for one in choices) for code, choices in judged.items()}
    chance = {code: sum(1 / one.options for one in choices) / len(choices) for code, choices in judged.items()}
    above = {code for code, choices in judged.items() if binom.sf(correct[code] - 1, len(choices), chance[code]) < NOT_ABOVE}
    if len(above) < ABOVE * len(judged):
        return {}
    right, asked = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in (one for code in above for one in judged[code]):
        asked[_asked(one)] += 1
        right[_asked(one)] += bool(one.answer.correct)
    found = {}
    for code in judged.keys() - above:
        number = len(judged[code])
        usual = sum((right[_asked(one)] + 1) / (asked[_asked(one)] + 2) for one in judged[code]) / number
        if usual > chance[code] and binom.cdf(correct[code], number, usual) < ALPHA:
            share = correct[code] / number
            found[code] = f"{share:.0%} right, where {usual:.0%} is usual above chance, which is {chance[code]:.0%}"
    return found


def _top_word(seen: Mapping[str, _Seen], study: Study) -> dict[str, str]:
    """Who follows the most important word wherever it leads, as somebody who reads would hardly do.

    How hardly is the product of two probabilities: that others follow it so often to a wrong label, and that somebody chooses
    one place among the options so often where no word suggests anything.
    """
    suggested = study.shortcuts
    aimless = {
        code: [
            choice
            for choice in one.choices
            if choice.answer.kind == "simulation" and (choice.answer.item, choice.answer.condition) not in suggested
        ]
        for code, one in seen.items()
    }
    followed: dict[str, list[tuple[bool, bool]]] = {}
    for code, one in seen.items():
        followed[code] = [
            (choice.answer.response == label, label != choice.answer.expected)
            for choice in one.choices
            if choice.answer.kind == "simulation"
            and (label := suggested.get((choice.answer.item, choice.answer.condition))) is not None
        ]
    misled = {code: [agrees for agrees, wrong in pairs if wrong] for code, pairs in followed.items()}
    found = {}
    for code, pairs in followed.items():
        if len(pairs) < ENOUGH or not misled[code]:
            continue
        others = [agrees for other, given in misled.items() if other != code for agrees in given]
        usual = (sum(others) + 1) / (len(others) + 2)
        agreed = sum(agrees for agrees, _ in pairs)
        by_chance = usual ** len(misled[code]) * _one_place(aimless[code])
        if agreed >= FOLLOWED * len(pairs) and all(misled[code]) and by_chance < MISLED:
            found[code] = (
                f"{agreed} of {len(pairs)} answers are what the most important word suggests, also the "
                f"{len(misled[code])} where that is wrong"
            )
    return found


def _one_place(choices: Sequence[_Choice]) -> float:
    """How likely it is by chance that one place among the options is chosen so often."""
    from scipy.stats import binom

    if not choices:
        return 1.0
    number = max(Counter(choice.place for choice in choices).values())
    options = min(choice.options for choice in choices)
    return min(1.0, options * float(binom.sf(number - 1, len(choices), 1 / options)))


def _asked(choice: _Choice) -> tuple[str, str]:
    return choice.answer.task, choice.answer.condition
