"""A participant's way through the study, page by page: what a browser, a platform or a simulated participant is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.answers import Phase

QuestionKind = Literal["choice", "rating", "text", "number", "parts", "agree"]
NONE = "none"
"""The option of a question with parts that says that none is meant: it goes with no other."""
LONGEST = 5_000
"""Characters of a free text: more than anybody types, and less than what could fill a disk."""

LARGEST = 1e12
"""Numbers below this are answers; nobody is so old."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question on a page.

    Attributes:
        name: its name on the page, unique there.
        kind: "choice" (one of `options`), "rating" (1 to `points`), "text", "number", "parts" (any number of `options`),
            "agree" (a box that must be ticked).
        options: (value, shown text) pairs.
        points: the number of points of a rating.
        ends: what the lowest and the highest point of a rating mean.
    """

    name: str
    kind: QuestionKind
    prompt: str
    options: tuple[tuple[str, str], ...] = ()
    points: int = 7
    ends: tuple[str, str] = ("", "")
    required: bool = True

    def problem(self, response: object) -> str | None:
        """What is wrong with a response, in a sentence for the participant; None where it will do.

        Responses are what JSON holds: a text for "choice" (the option's value) and "text", a whole number for "rating", a
        number for "number", a list of texts for "parts", True for "agree"; None or "" for no answer.
        """
        if response is None or response == "" or response == []:
            if self.kind == "agree":
                return "Please tick this box if you want to take part. If you don't, close this page."
            return "Please answer this question." if self.required else None
        values = [value for value, _ in self.options]
        match self.kind:
            case "choice":
                fine = isinstance(response, str) and response in values
            case "rating":
                fine = isinstance(response, int) and not isinstance(response, bool) and 1 <= response <= self.points
            case "number":
                fine = isinstance(response, (int, float)) and not isinstance(response, bool) and abs(response) < LARGEST
            case "text":
                if isinstance(response, str) and len(response) > LONGEST:
                    return f"Please write at most {LONGEST:,} characters."
                fine = isinstance(response, str)
            case "parts":
                fine = (
                    isinstance(response, list)
                    and all(isinstance(one, str) and one in values for one in response)
                    and len(set(response)) == len(response)
                )
            case "agree":
                fine = response is True
        if fine:
            return None
        if self.kind == "rating":
            return f"Please choose a number from 1 to {self.points}."
        return (
            "Please choose one of the given answers."
            if self.options
            else f"Please {_ASKED.get(self.kind, 'check this answer')}."
        )

    def contradiction(self, response: object) -> str | None:
        """Why a valid response contradicts itself, in a sentence for the participant: parts, and that there is none.

        The page lets nobody send it, and the server refuses it. Other platforms can't hold it back: there it counts as wrong.
        """
        if self.kind == "parts" and isinstance(response, list) and len(response) > 1 and NONE in response:
            return "Please choose either parts, or the answer that there is none."
        return None

    def to_record(self) -> dict[str, Any]:
        """For the page. It tells no right answers."""
        record: dict[str, Any] = {"name": self.name, "kind": self.kind, "prompt": self.prompt, "required": self.required}
        if self.options:
            record["options"] = [list(pair) for pair in self.options]
        if self.kind == "rating":
            record |= {"points": self.points, "ends": list(self.ends)}
        return record


_ASKED = {"number": "give a number", "text": "write a text", "agree": "tick this box if you want to take part"}


@dataclass(frozen=True)
class Judgement:
    """What an answer is worth. See `evals.study.answers.Answer` for the fields.

    `recorded` is what is kept as the response, where that is not what the page sent: the name of the preferred condition.
    """

    expected: str | None = None
    correct: bool | None = None
    value: float | None = None
    recorded: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One page.

    Attributes:
        number: its place, from 0.
        phase: the part of the study.
        name: of the page, such as the name of an attention check.
        heading: the page's heading.
        html: what stands above the questions: instructions, or the item with its explanation. Safe HTML, see `Stimulus`.
        text: the same as plain text.
        questions: what is asked.
        item: the item's id, for trials and practice. It is not told to participants.
        conditions: the names of the conditions that are shown, for trials and practice: one, or two that are compared, in the
            order in which they stand. They are not told to participants.
        trial: the number of the trial, from 1.
        tries: how often the page may be submitted with wrong answers: comprehension questions.
        feedback: whether the participant is told the right answers afterwards: practice.
        tasks: question name -> (task name, task kind).
        answers: question name -> the right answer's judgement by response is the task's own; this is the right value itself,
            for comprehension and attention.
    """

    number: int
    phase: Phase
    name: str
    heading: str = ""
    html: str = ""
    text: str = ""
    questions: tuple[Question, ...] = ()
    item: str = ""
    conditions: tuple[str, ...] = ()
    trial: int | None = None
    tries: int = 1
    feedback: bool = False
    tasks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """For the page. It tells neither right answers nor the names of item and condition."""
        return {
            "number": self.number,
            "phase": self.phase,
            "name": self.name,
            "heading": self.heading,
            "html": self.html,
            "text": self.text,
            "questions": [question.to_record() for question in self.questions],
            "trial": self.trial,
            "tries": self.tries,
            "feedback": self.feedback,
        }
