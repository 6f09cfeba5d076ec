"""A language model as a participant: it reads each page as a text, and its answers must be among those that the page offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from evals.study.simulated.kind import Page, Reply, SimulatedKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from pydantic import BaseModel

    from agents.chat import Foreseen
    from evals.study.design.plans import Cell
    from evals.study.folder import Study
    from evals.study.steps import Question

ROLE = (
    "You take part in a study as one of its participants. Read each page as a person would, use nothing but what stands on it "
    "and what you know about the world, and answer every question on it."
)
MOST_WALKED = 2_000
"""Pages that are written out to foresee what a study takes, which needs some seconds."""
_TYPICAL_ANSWER = 15  # tokens: the name of a field and a short answer
MOST_BEFORE = 6_000
"""Characters of earlier pages (instructions, feedback) that a request repeats: more than instructions take, less than a small
model's context."""


_LARGEST = 1e12  # no number that a study asks for is larger, and a decoder that is held to a schema could write digits for ever


def language_model_kind(model: BaseChatModel, name: str) -> SimulatedKind:
    """A participant that asks a language model. Pages without questions are turned without asking it.

    Each page is one request, which repeats the instructions and the feedback on practice, but no answers to earlier trials:
    costs grow with the number of pages, not with its square.

    Args:
        model: of `agents.chat.chat_model`.
        name: the model's name, for the summary.

    What would meet all other requests as well is raised: a ceiling, a key that is turned away, a model that is not there.
    """

    def answer(pages: Sequence[Page]) -> list[Reply]:
        from agents.chat import StructuredFailure, ask_many
        from agents.chat.stopping import ends_run

        asked = [page for page in pages if _asks(page.step.questions)]
        by_form: dict[tuple[Question, ...], list[Page]] = {}
        for page in asked:
            by_form.setdefault(page.step.questions, []).append(page)
        replies: dict[str, Reply] = {page.code: Reply(_agreed(page)) for page in pages}
        for questions, group in by_form.items():
            found = ask_many(model, [_messages(page) for page in group], _schema(questions))
            for page, reply in zip(group, found, strict=True):
                if isinstance(reply, StructuredFailure):
                    if ends_run(reply.error):
                        raise reply.error
                    replies[page.code] = Reply(trouble=str(reply))
                else:
                    replies[page.code] = Reply(_responses(page, reply))
        return [replies[page.code] for page in pages]

    return SimulatedKind(f"the language model {name}", answer)


def requests_of(study: Study, participants: int) -> int:
    """How many requests so many participants make at most, but for replies that have to be asked again."""
    from evals.study.flow.way import steps_for

    longest = max(sum(_asks(step.questions) for step in steps_for(study, cell, 0)) for cell in study.cells)
    return longest * participants


def foresee_study(study: Study, model: BaseChatModel, participants: int, *, before: int = 0) -> Foreseen:
    """What it takes to let a language model take a study, without sending anything.

    Each participant's way is walked with the replies that the cache holds, and with right answers elsewhere. Where the model
    answers the comprehension questions wrongly, a run takes some more requests.

    Args:
        study: the study.
        model: the chat model.
        participants: how many take part. Of many, some are walked, and the counts are scaled.
        before: how many simulated participants of other kinds join before them.
    """
    from agents.chat.foreseen import Foreseen, foresee
    from evals.study.server.joining import place_for

    walked = max(1, min(participants, MOST_WALKED * participants // max(requests_of(study, participants), 1)))
    taken = {cell.name: 0 for cell in study.cells}
    asked: dict[tuple[Question, ...], list[list[BaseMessage]]] = {}
    forms: dict[tuple[Question, ...], type[BaseModel]] = {}
    for number in range(before + walked):
        name, seed = place_for(study.file.seed, number, taken)
        taken[name] += 1
        if number >= before:
            cell = next(one for one in study.cells if one.name == name)
            for questions, messages in _way(study, cell, seed, model, forms):
                asked.setdefault(questions, []).append(messages)
    found = Foreseen()
    for questions, group in asked.items():
        found += foresee(model, group, forms[questions], reply_tokens=_TYPICAL_ANSWER * len(questions))
    return found if walked == participants else found.times(participants / walked)


def _way(
    study: Study, cell: Cell, seed: int, model: BaseChatModel, forms: dict[tuple[Question, ...], type[BaseModel]]
) -> Iterator[tuple[tuple[Question, ...], list[BaseMessage]]]:
    """The questions and the request of each page that one participant is asked about."""
    from random import Random

    from agents.chat.foreseen import kept_reply
    from evals.study.flow.judging import judge
    from evals.study.flow.way import steps_for
    from evals.study.simulated.scripted import PERFECT
    from evals.study.simulated.taking import remembered

    chance = Random(seed)  # noqa: S311 - no secret
    before: list[str] = []
    for step in steps_for(study, cell, seed):
        for tries in range(1, step.tries + 1):
            page = Page(
                shown={"text": step.text}, step=step, study=study, seed=seed, random=chance, code="", before=tuple(before)
            )
            responses = dict(PERFECT.answer([page])[0].responses) | _agreed(page)
            if _asks(step.questions):
                messages = _messages(page)
                if step.questions not in forms:
                    forms[step.questions] = _schema(step.questions)
                yield step.questions, messages
                kept = kept_reply(model, messages, forms[step.questions])
                if kept is not None:
                    responses = _responses(page, kept)
            outcome = judge(study, step, responses, participant="", seed=seed, tries=tries)
            before += remembered(step, outcome.feedback)
            if outcome.accepted:
                break
        else:
            return


def _responses(page: Page, reply: Any) -> dict[str, Any]:
    """The answers of a reply by the names of the questions; what has to be agreed to is."""
    given = {question.name: getattr(reply, f"answer_{n}") for n, question in enumerate(page.step.questions, 1)}
    return given | _agreed(page)


def _asks(questions: Sequence[Question]) -> bool:
    return any(question.kind != "agree" for question in questions)


def _agreed(page: Page) -> dict[str, Any]:
    return {question.name: True for question in page.step.questions if question.kind == "agree"}


def _messages(page: Page) -> list[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    before = "\n\n".join(page.before)[-MOST_BEFORE:]
    text = str(page.shown.get("text", ""))
    questions = "\n".join(f"{n}. {_asked(question)}" for n, question in enumerate(page.step.questions, 1))
    return [
        SystemMessage(ROLE + (f"\n\nWhat you were told so far:\n\n{before}" if before else "")),
        HumanMessage(f"{text}\n\nQuestions:\n{questions}\n\nGive answer_1, answer_2 and so on, one for each question."),
    ]


def _asked(question: Question) -> str:
    match question.kind:
        case "choice" | "parts":
            how = "Choose one of" if question.kind == "choice" else "Choose any of"
            options = "; ".join(value if value == shown else f"{value} ({shown})" for value, shown in question.options)
            return f"{question.prompt} {how}: {options}"
        case "rating":
            low, high = question.ends
            return f"{question.prompt} A whole number from 1 ({low or 'lowest'}) to {question.points} ({high or 'highest'})."
        case "number":
            return f"{question.prompt} A number."
        case _:
            return question.prompt


def _schema(questions: Sequence[Question]) -> type[BaseModel]:
    """A pydantic class with a field per question, which takes what the question takes."""
    from pydantic import Field, create_model

    fields: dict[str, Any] = {}
    for n, question in enumerate(questions, 1):
        values = tuple(value for value, _ in question.options)
        form: Any
        limits: Mapping[str, Any] = {}
        match question.kind:
            case "choice":
                form = Literal[values]
            case "parts":
                form = list[Literal[values]]  # type: ignore[valid-type]
                limits = {"max_length": len(values)}
            case "rating":
                form, limits = int, {"ge": 1, "le": question.points}
            case "number":
                form, limits = float, {"ge": -_LARGEST, "le": _LARGEST}
            case "agree":
                form = bool
            case _:
                form, limits = str, {"max_length": 2000}
        fields[f"answer_{n}"] = (form, Field(..., **limits))
    return create_model("Answers", **fields)
