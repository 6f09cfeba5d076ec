"""What a new study says to its participants, in plain words and ready to edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.study.design.file import (
    AttentionPart,
    ComprehensionPart,
    ConsentPart,
    QuestionPart,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.design.file import ConditionPart, TaskPart


@dataclass(frozen=True)
class Look:
    """What the items of a study look like.

    Attributes:
        form: "text" or "image".
        signed: whether some maps have scores for and against.
        unsigned: whether some maps only say how much a part matters.
        masked: whether labels are masked.
    """

    form: str
    signed: bool
    unsigned: bool
    masked: bool


_FORMS = {"text": ("text", "texts", "word"), "image": ("picture", "pictures", "part")}


def consent(title: str, minutes: int, form: str, count: int) -> ConsentPart:
    """The consent page."""
    what = _FORMS[form][1]
    return ConsentPart(
        text=(
            f"Thank you for your interest in this study, “{title}”.\n\n"
            f"You will look at {count} {what}, and answer a few questions about each. It takes about {minutes} "
            f"minute{'s' if minutes > 1 else ''}.\n\n"
            "Taking part is voluntary. You can stop at any time by closing the page, or withdraw with the button on it; what "
            "you answered until then is deleted if you withdraw.\n\n"
            "We keep your answers and the time they took under a random code. We do not ask for your name, and do not store "
            "your network address. The answers are used for research only, and may be published without anything that tells "
            "who you are.\n\n"
            "[EDIT: who runs the study, whom to ask, the ethics approval, and the payment.]"
        )
    )


def instructions(
    conditions: Sequence[ConditionPart], tasks: Sequence[TaskPart], look: Look, labels: Sequence[str]
) -> list[str]:
    """The pages of instructions: what the model does, what is shown, and what is asked."""
    one, many, word = _FORMS[look.form]
    named = _listed([f"“{label}”" for label in labels], "or") if 0 < len(labels) <= 10 else f"one of {len(labels)} labels"
    seen = "looked at" if look.form == "image" else "read"
    first = f"A computer model has {seen} some {many} and given each of them a label: {named}. It is sometimes wrong."
    first += f"\n\nYou will see these {many} one by one."
    if any(part.kind != "none" for part in conditions):
        most = "With most of them" if any(part.kind == "none" for part in conditions) else "With each of them"
        first += (
            f" {most}, you will see an explanation: something that shows which {word}s of the {one} mattered for what the "
            "model chose."
        )
    shown = list(dict.fromkeys(said for part in conditions for said in _shown(part, look)))
    asked = [said for said in dict.fromkeys(_asked(part) for part in tasks) if said]
    forms = "Explanations come in several forms. You may see some of these, or all:" if len(shown) > 1 else "What you will see:"
    return [first, _list(forms, shown), _list("What we ask you:", asked)]


def _list(head: str, entries: Sequence[str]) -> str:
    return "\n".join([head, "", *(f"- {entry}" for entry in entries)])


def _shown(part: ConditionPart, look: Look) -> list[str]:
    inner = str(part.options.get("kind", "text" if part.kind == "combined" else "heatmap"))
    if part.kind in ("random", "other"):  # whoever knew that it is a control would answer otherwise
        return [_of_kind(inner, look)]
    if part.kind == "combined":
        return [_of_kind("heatmap", look), _of_kind(inner, look)]
    return [_of_kind(part.kind, look)]


def _of_kind(kind: str, look: Look) -> str:
    one, many, word = _FORMS[look.form]
    label = "the label that the model chose" if look.masked else "the label that is named below"
    where = "" if look.form == "text" else " over the picture, which stands beside it"
    blue = f"blue {word}s speak for {label}, orange {word}s speak against it"
    violet = f"violet {word}s matter for {label}"
    lines = (
        " Words for it have a solid line below them, words against it a broken one."
        if look.form == "text" and look.signed
        else ""
    )
    colours = " or ".join([blue] * look.signed + [violet] * look.unsigned)
    known = {
        "heatmap": f"**Colours**{where}: {colours}. The stronger the colour, the more it counts.{lines}",
        "rationale": (
            "**Marked words**: the words that spoke most for what the model chose are marked in the text."
            if look.form == "text"
            else "**Parts in colour**: only the parts of the picture that spoke most for what the model chose are in colour."
        ),
        "ranked": f"**A list**: the {word}s that spoke most for what the model chose, the most important first.",
        "none": f"**Nothing**: some {many} come without any explanation.",
    }
    means = " “The label” in it is the label that the model chose." if look.masked else ""
    return known.get(kind, f"**Sentences**: below the {one}, you read what mattered for what the model chose.{means}")


def _asked(part: TaskPart) -> str:
    known = {
        "simulation": "Which label did the model choose? Please tell what it chose, even where you think that it is wrong.",
        "counterfactual": "Which label would the model choose if a certain part were not there?",
        "trust": "Is the model right here?",
        "preference": "Which of two explanations do you prefer?",
        "error_finding": "Which parts of the explanation are wrong?",
        "free_text": "A sentence or two in your own words. You may leave it out.",
    }
    if part.kind == "rating":
        return {
            "helpfulness": (
                "How helpful is the explanation for guessing what the model chose? From 1 (not helpful) to 7 (very helpful)."
            ),
            "ease": "How easy is the explanation to understand? From 1 (very difficult) to 7 (very easy).",
        }.get(part.name, part.question or "")
    return part.question or known.get(part.kind, "")


def comprehension(conditions: Sequence[ConditionPart], tasks: Sequence[TaskPart], look: Look) -> ComprehensionPart:
    """Questions that whoever read the instructions can answer."""
    one, _, word = _FORMS[look.form]
    questions = []
    if any(part.kind == "simulation" for part in tasks):
        questions.append(
            QuestionPart(
                name="what_to_guess",
                question="What are you asked to tell?",
                options=[f"Which label I would give the {one}", "Which label the model chose", f"Whether I like the {one}"],
                answer="Which label the model chose",
            )
        )
    questions.append(
        QuestionPart(
            name="always_right",
            question="Is the model always right?",
            options=["Yes, always", "No, it is sometimes wrong"],
            answer="No, it is sometimes wrong",
        )
    )
    shown = {str(part.options.get("kind", "heatmap")) if part.kind in ("random", "other") else part.kind for part in conditions}
    if {"heatmap", "combined"} & shown:
        colour = "blue" if look.signed else "violet"
        right = f"The {word} speaks strongly for the label" if look.signed else f"The {word} matters a lot"
        wrong = f"The {word} speaks strongly against the label" if look.signed else f"The {word} does not matter"
        questions.append(
            QuestionPart(
                name="colours",
                question=f"What does a strong {colour} mean?",
                options=[right, wrong, "Nothing: colours are there by chance"],
                answer=right,
            )
        )
    return ComprehensionPart(questions=questions)


def attention(trials: int) -> list[AttentionPart]:
    """One check in the middle of the study."""
    return [
        AttentionPart(
            name="attention",
            after=max(1, trials // 2),
            question="This question sees whether you are reading. Please choose “The third answer”.",
            options=["The first answer", "The second answer", "The third answer", "The fourth answer"],
            answer="The third answer",
        )
    ]


def demographics() -> list[QuestionPart]:
    """Age group and language, both with a way not to say."""
    silent = "I prefer not to say"
    return [
        QuestionPart(
            name="age",
            question="How old are you?",
            options=["18 to 24", "25 to 34", "35 to 44", "45 to 54", "55 to 64", "65 or older", silent],
        ),
        QuestionPart(
            name="language",
            question="How well do you read English?",
            options=["It is a first language of mine", "Very well", "Well", "A little", silent],
        ),
    ]


def debriefing(conditions: Sequence[ConditionPart]) -> str:
    """What participants are told at the end, also about controls."""
    text = (
        "Thank you for taking part.\n\n"
        "We want to know which explanations help people to understand what a computer model does, and which only look good."
    )
    wrong = {part.kind for part in conditions} & {"random", "other"} or any(
        part.options.get("unchecked") for part in conditions
    )
    if wrong:
        text += (
            "\n\nSome of the explanations that you may have seen were wrong on purpose. They are there for comparison: an "
            "explanation that helps no more than a wrong one does not help."
        )
    return f"{text}\n\n[EDIT: whom to write to with questions.]"


def _listed(names: Sequence[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
