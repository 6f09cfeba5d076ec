"""What comes back from other platforms: responses by page, judged by the study as its own server judges them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from evals.study.answers import Answers, Participant
from evals.study.flow.judging import judge
from evals.study.flow.keys import way_steps
from saywhy_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.answers import Answer, Status
    from evals.study.flow.keys import Key, Way
    from evals.study.folder import Study
    from evals.study.steps import Question, Step

_LONGEST = 1e9  # seconds: some thirty years
_REMEMBERED = 256  # ways whose pages are kept: more than one file mixes


@dataclass(frozen=True)
class Page:
    """A submitted page.

    Attributes:
        participant: the participant's code.
        key: which page of which way.
        responses: question name -> response, as the platform writes it: the option's value or its shown text, a number as a
            text. What is None or "" was not answered.
        where: the file, for problems.
        line: the line or number of the record there.
    """

    participant: str
    key: Key
    responses: Mapping[str, Any]
    where: str
    line: int | None = None
    seconds: float | None = None
    tries: int = 1
    submitted: str = ""


@dataclass
class Returning:
    """Pages as they come back, in any order.

    Args:
        study: the study that was answered.
        problems: where pages that can't be used are noted.
    """

    study: Study
    problems: list[Problem]
    _rows: dict[str, dict[int, tuple[Answer, ...]]] = field(default_factory=dict)
    _ways: dict[str, Way] = field(default_factory=dict)
    _people: dict[str, Participant] = field(default_factory=dict)
    _out: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._steps = lru_cache(_REMEMBERED)(lambda way: way_steps(self.study, way))

    def step(self, key: Key) -> Step | None:
        """The page of a key; None where the study has none."""
        try:
            return self._steps(key.way)[key.step] if key.step >= 0 else None
        except IndexError:
            return None

    def add(self, page: Page) -> None:
        """Take a page in. Of a page that comes twice with the same number of tries, the later counts."""
        if not self.study.digest.startswith(page.key.version):
            self._note(page, f"page {page.key} is of another version of the study: study.yaml or items.jsonl was changed since")
            return
        step = self.step(page.key)
        if step is None:
            self._note(page, f"the study has no page {page.key}; was it made from this version of the study?")
            return
        if self._ways.setdefault(page.participant, page.key.way) != page.key.way:
            self._note(page, f"participant {page.participant!r} answered pages of two ways through the study")
            return
        questions = {one.name: one for one in step.questions}
        if unknown := [name for name in page.responses if name not in questions]:
            self._note(page, f"page {page.key} has no question {unknown[0]!r}")
            return
        responses = {name: typed(questions[name], value) for name, value in page.responses.items()}
        answered = {name: value for name, value in responses.items() if value not in (None, "", [])}
        if step.questions and not answered:
            return
        # few platforms can require an answer on every page: what was not answered is missing, and the rest of the page counts
        step = replace(step, questions=tuple(one for one in step.questions if one.name in answered or not one.required))
        responses = {one.name: answered.get(one.name) for one in step.questions}
        found = judge(
            self.study, step, responses, participant=page.participant, seed=page.key.way.seed, tries=max(1, page.tries),
            seconds=_plausible(page.seconds), submitted=page.submitted,
        )  # fmt: skip
        if found.problems:
            name, said = next(iter(found.problems.items()))
            self._note(page, f"page {page.key}, question {name!r}: {responses.get(name)!r} can't be its answer: {said}")
            return
        if found.screened_out:
            self._out.add(page.participant)
        self._rows.setdefault(page.participant, {})[step.number] = found.rows

    def join(self, participant: Participant) -> None:
        """What is known of a participant besides answers: the status, times and attributes. The cell is told by the pages."""
        self._people[participant.code] = participant

    def answers(self) -> Answers:
        """All that came back. Who answered all trials took part completely, unless `join` says something else."""
        codes = dict.fromkeys((*self._rows, *self._people))
        rows = tuple(row for code in codes for _, page in sorted(self._rows.get(code, {}).items()) for row in page)
        return Answers(
            rows,
            {code: self._participant(code) for code in codes},
            {item.id: dict(item.facts) for item in self.study.items.values() if not item.practice},
        )

    def _participant(self, code: str) -> Participant:
        pages = self._rows.get(code, {})
        way = self._ways.get(code)
        told = [row for page in pages.values() for row in page if row.phase == "demographics" and row.response]
        known = self._people.get(code, Participant(code=code, status=self._status(pages, way)))
        if code in self._out:
            known = replace(known, status="screened out")
        return replace(
            known,
            cell=known.cell if way is None else self.study.cells[way.cell - 1].name,
            attributes={**known.attributes, **{row.task: row.response for row in told}},
        )

    def _status(self, pages: Mapping[int, object], way: Way | None) -> Status:
        if way is None:
            return "left"
        asked = [one.number for one in self._steps(way) if one.phase == "trial" and one.questions]
        return "complete" if all(number in pages for number in asked) else "left"

    def _note(self, page: Page, what: str) -> None:
        self.problems.append(Problem(page.where, what, page.line))


def _plausible(seconds: float | None) -> float | None:
    """A time that a page can take; None for what no clock measures."""
    return seconds if seconds is not None and 0 <= seconds < _LONGEST else None


def typed(question: Question, value: Any) -> Any:
    """A response as `Question.problem` takes it, of one that a platform wrote: numbers as texts, options by their shown text.

    What can't be made the question's own is returned as it is, and is refused there.
    """
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return None
    match question.kind:
        case "choice":
            return _option(question, value)
        case "rating" | "number":
            return _number(value, whole=question.kind == "rating")
        case "parts":
            return [_option(question, one) for one in _several(question, value)]
        case "agree":
            agreed = value is True or (
                not isinstance(value, bool) and str(value).strip().casefold() in ("true", "1", "yes", "on")
            )
            return True if agreed or value == question.prompt else value
        case "text":
            return value if isinstance(value, str) else str(value)


def _option(question: Question, value: Any) -> Any:
    text = value if isinstance(value, str) else str(value)
    values = [known for known, _ in question.options]
    if text in values:
        return text
    shown = [known for known, label in question.options if " ".join(label.split()) == " ".join(text.split())]
    return shown[0] if len(shown) == 1 else text


def _number(value: Any, *, whole: bool) -> Any:
    if isinstance(value, bool):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return (
        int(number)
        if math.isfinite(number) and number == int(number) and (whole or str(value).strip().lstrip("+-").isdigit())
        else number
    )


def _several(question: Question, value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if isinstance(found, list):
            return found
    return [value] if _option(question, value) in [known for known, _ in question.options] else str(value).split("; ")
