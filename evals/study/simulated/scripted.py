"""Scripted participants. What each of them scores can be worked out by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from evals.study.flow.judging import judge
from evals.study.simulated.kind import Page, Reply, SimulatedKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from evals.study.steps import Question

    Choose = Callable[[Page, Question], Any]

READING_SECONDS = (8.0, 25.0)
"""How long a page takes who reads it: about 50 to 150 words at 250 to 400 words per minute, and a choice."""
SPEEDING_SECONDS = (0.3, 0.9)
"""Less than anybody needs to read a line."""


def _any(page: Page, question: Question) -> Any:
    """A valid response by chance."""
    match question.kind:
        case "choice":
            return page.random.choice([value for value, _ in question.options])
        case "rating":
            return page.random.randint(1, question.points)
        case "parts":
            values = [value for value, _ in question.options]
            chosen = [value for value in values if page.random.random() < 0.5] or values[:1]
            return chosen if question.contradiction(chosen) is None else [page.random.choice(values)]
        case "number":
            return page.random.randint(18, 80)
        case "agree":
            return True
        case _:
            return "ok"


def _right(page: Page, question: Question) -> Any:
    """The right response where there is one, found by trying: whatever the task judges as right."""
    known = page.step.answers.get(question.name)
    if known is not None:
        return known
    if question.kind == "choice":
        for value, _ in question.options:
            if _is_right(page, question, value):
                return value
    if question.kind == "parts":
        return _right_parts(page, question)
    return _steady(page, question)


def _right_parts(page: Page, question: Question) -> list[str]:
    values = [value for value, _ in question.options]
    for chosen in ([], *([value] for value in values), values):
        if chosen and _is_right(page, question, chosen):
            return list(chosen)
    expected = _expected(page, question, values[:1])
    return [value for value in values if expected and value in expected] or values[:1]


def _expected(page: Page, question: Question, response: Any) -> str | None:
    rows = _judged(page, question, response)
    return rows[0].expected if rows else None


def _is_right(page: Page, question: Question, response: Any) -> bool:
    return any(row.correct for row in _judged(page, question, response))


def _judged(page: Page, question: Question, response: Any) -> list[Any]:
    """The rows that this response would make; the other questions of the page are answered with anything valid."""
    others = {one.name: _steady(page, one) for one in page.step.questions}
    found = judge(page.study, page.step, {**others, question.name: response}, participant="try", seed=page.seed)
    place = [one.name for one in page.step.questions].index(question.name)
    return [found.rows[place]] if found.rows else []


def _steady(page: Page, question: Question) -> Any:
    """A considered rating near the upper middle, and the like: what is neither right nor wrong."""
    if question.kind == "rating":
        middle = (question.points + 1) // 2
        return min(question.points, max(1, middle + page.random.choice((-1, 0, 1, 1, 2))))
    return _any(page, question)


def _first(page: Page, question: Question) -> Any:
    """The first option, whatever it is."""
    match question.kind:
        case "choice":
            return question.options[0][0]
        case "parts":
            return [question.options[0][0]]
        case "rating":
            return question.points
        case _:
            return _any(page, question)


def _by_top_word(page: Page, question: Question) -> Any:
    """What the most important word suggests where that is among the options, else the first option."""
    if page.step.phase not in ("trial", "practice"):
        return _right(page, question)  # it reads the pages around the trials as everybody does
    if question.kind != "choice":
        return _steady(page, question)
    suggested = page.study.shortcuts.get((page.step.item, page.step.conditions[0]))
    values = [value for value, _ in question.options]
    return suggested if suggested in values else values[0]


def _answer(pages: Sequence[Page], choose: Choose, seconds: tuple[float, float]) -> list[Reply]:
    return [
        Reply(
            {question.name: choose(page, question) for question in page.step.questions},
            round(page.random.uniform(*seconds), 3),
        )
        for page in pages
    ]


def _scripted(summary: str, choose: Choose, seconds: tuple[float, float] = READING_SECONDS) -> SimulatedKind:
    return SimulatedKind(summary, partial(_answer, choose=choose, seconds=seconds))


def _careless(page: Page, question: Question) -> Any:
    """Answers at random in trials, but gets through the pages around them, as people who click through do."""
    return _any(page, question) if page.step.phase in ("trial", "practice") else _right(page, question)


def _always_first(page: Page, question: Question) -> Any:
    return _first(page, question) if page.step.phase in ("trial", "practice") else _right(page, question)


PERFECT = _scripted("knows every right answer", _right)
RANDOM = _scripted("answers trials by chance, at an ordinary pace", _careless)
POSITION = _scripted("always chooses the first option and the highest rating", _always_first)
SPEEDING = _scripted("answers by chance, faster than anybody reads", _careless, SPEEDING_SECONDS)
TOP_WORD = _scripted("looks at nothing but the most important word", _by_top_word)
