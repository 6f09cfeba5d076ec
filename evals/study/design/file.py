"""`study.yaml`: everything that a study is, but its items. The classes here are its schema."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x84\\x86-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")


def _shown(text: str) -> str:
    """The text, if a page can show all of it."""
    if (odd := _CONTROL.search(text)) is not None:
        raise ValueError(f"it holds the control character U+{ord(odd[0]):04X}; take it out")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]{0,39}$")]
"""What conditions, tasks and questions are called: letters, digits, and the signs `_`, `-` and `+`."""
Text = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_shown)]
"""What participants read; 20,000 characters are some eight printed pages."""
Line = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_shown)]
"""A question, an option or a title."""


class Part(BaseModel):
    """A part of `study.yaml`. Keys that it does not know are errors; the descriptions become comments."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionPart(Part):
    """One way to explain."""

    name: Name = Field(description="What the condition is called in tables. Participants never see it.")
    kind: str = Field(description="How it is shown: a kind of condition, such as heatmap, rationale, plain, narrate, none.")
    options: dict[str, Any] = Field(default={}, description="Options of that kind, such as style for texts.")


class DesignPart(Part):
    """Who sees what."""

    kind: Literal["between", "within", "latin", "blocks", "mixed"] = Field(
        default="latin",
        description=(
            "between: each participant has one condition for all items. within: each participant sees each item under every "
            "condition. latin: each item once, with the conditions rotated over items and participants. blocks: as latin, "
            "with a balanced incomplete block of the conditions for each participant (block_size). mixed: groups of "
            "conditions between participants (groups), latin inside each."
        ),
    )
    items: int = Field(default=40, ge=1, le=2000, description="Items per participant, without practice.")
    comparisons: int | None = Field(
        default=None,
        ge=1,
        le=2000,
        description="For tasks that compare two conditions: comparisons per participant. One for each item where it is null.",
    )
    block_size: int | None = Field(default=None, ge=2, description="For blocks: conditions per participant.")
    groups: list[list[Name]] | None = Field(
        default=None, description="For mixed: the conditions of each group. Each condition stands in exactly one group."
    )
    order: Literal["random", "fixed"] = Field(
        default="random",
        description="random: an order for each participant, in which the conditions alternate. fixed: as in items.jsonl.",
    )
    participants: int = Field(default=40, ge=1, le=100_000, description="How many people are to complete the study.")


class TaskPart(Part):
    """What is asked about each item."""

    name: Name = Field(description="What the task is called in tables.")
    kind: str = Field(
        description="simulation, rating, counterfactual, trust, preference, error_finding or free_text (or one of a plug-in)."
    )
    question: Line | None = Field(default=None, description="The question in your words; the kind's own where it is null.")
    conditions: list[Name] | None = Field(
        default=None, description="Ask under these conditions alone; under all where it is null."
    )
    options: dict[str, Any] = Field(default={}, description="Options of that kind.")


class QuestionPart(Part):
    """A question outside of the trials."""

    name: Name = Field(description="What the question is called in tables.")
    question: Line = Field(description="The question.")
    kind: Literal["choice", "number", "text", "rating"] = Field(default="choice", description="How it is answered.")
    options: list[Line] | None = Field(default=None, description="For choice: what participants choose from.")
    answer: str | None = Field(default=None, description="For comprehension: the right option.")
    required: bool = Field(default=True, description="Whether it must be answered.")


class ConsentPart(Part):
    """The consent page."""

    text: Text = Field(description="What participants agree to: paragraphs, lists, **bold** and links.")
    agree: Line = Field(default="I have read this and I want to take part.", description="What stands beside the box to tick.")


class PracticePart(Part):
    """Trials to practise."""

    items: int = Field(default=2, ge=0, le=50, description="How many practice items are shown before the trials.")
    feedback: bool = Field(default=True, description="Whether participants are told the right answers in practice.")


class ComprehensionPart(Part):
    """Questions about the instructions."""

    questions: list[QuestionPart] = Field(min_length=1, description="Questions with options and the right answer.")
    tries: int = Field(
        default=2, ge=1, le=10, description="How often participants may try. After that they are thanked and leave."
    )


class AttentionPart(Part):
    """A check between the trials."""

    name: Name = Field(description="What the check is called in tables.")
    after: int = Field(ge=1, description="After how many trials it is shown.")
    question: Line = Field(description="The question, such as 'Please choose blue here.'")
    options: list[Line] = Field(min_length=2, description="What participants choose from.")
    answer: str = Field(description="The right option.")


class CompletionPart(Part):
    """What participants take back to the platform that sent them."""

    code: Line | None = Field(default=None, description="The code for those who completed the study.")
    screened_code: Line | None = Field(default=None, description="The code for those who failed the comprehension questions.")
    url: Line | None = Field(default=None, description="Where participants go at the end; {code} in it stands for the code.")


class ServerPart(Part):
    """Times and limits of the server."""

    leave_after_minutes: float = Field(
        default=60,
        gt=0,
        allow_inf_nan=False,
        description="Without an answer for so long, a participant's place goes to somebody else.",
    )
    return_within_minutes: float = Field(
        default=24 * 60,
        gt=0,
        allow_inf_nan=False,
        description="Until then, a participant who left can come back to the page after the last answer.",
    )
    break_after: int = Field(default=0, ge=0, description="Trials between two breaks; 0 for no breaks.")
    keep_addresses: bool = Field(
        default=False, description="Whether participants' network addresses and the names of their browsers are kept."
    )


class ExclusionsPart(Part):
    """Whose answers the analysis leaves out."""

    incomplete: bool = Field(default=True, description="Those who did not complete the study.")
    failed_comprehension: bool = Field(default=True, description="Those who failed the comprehension questions in all tries.")
    failed_attention: int | None = Field(default=1, ge=1, description="Those who failed at least so many attention checks.")
    median_seconds_below: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Those whose median time per trial is below so many seconds."
    )
    same_answer_share_above: float | None = Field(
        default=None, gt=0, le=1, description="Those who gave the same answer in more than this share of the trials of a task."
    )
    accuracy_below: float | None = Field(
        default=None, ge=0, le=1, description="Those whose share of right answers in the trials is below this."
    )
    trial_seconds_below: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Single answers that took fewer seconds; their participants stay."
    )
    trial_seconds_above: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Single answers that took more seconds; their participants stay."
    )


class HypothesisPart(Part):
    """What is expected: how a condition compares with another one in a task."""

    task: Name = Field(description="The task's name.")
    condition: Name = Field(description="The condition's name.")
    reference: Name = Field(description="The condition that it is compared with.")
    claim: Literal["higher", "lower", "different", "same"] = Field(
        default="different", description="higher, lower, different, or same: equivalent within the margin."
    )
    margin: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="For same: the largest difference that does not matter."
    )


class AnalysisPart(Part):
    """How the answers are analysed."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="The level of all tests.")
    bootstrap: int = Field(default=2000, ge=200, le=100_000, description="Draws of the bootstrap over participants and items.")
    reference: Name | None = Field(
        default=None, description="The condition that all others are compared with; all pairs where null."
    )
    subgroups: list[Line] = Field(
        default=[], description="Facts of items and participants that tables are split by, such as label or model_right."
    )
    hypotheses: list[HypothesisPart] = Field(
        default=[], description="What is expected: task, condition, reference, claim (higher, lower, different, same), margin."
    )


class StudyFile(Part):
    """The whole of `study.yaml`."""

    version: Literal[1] = Field(default=1, description="The version of this file's form.")
    title: Line = Field(description="What participants read above the first page.")
    language: str = Field(
        default="en",
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        description="The language of the texts, for screen readers.",
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Everything random follows from this number.")
    labels: list[Line] = Field(
        default=[], description="The labels that participants choose from, in the order in which they stand."
    )
    mask_labels: bool = Field(default=True, description="Whether explanations are shown without the labels that people guess.")
    conditions: list[ConditionPart] = Field(
        min_length=1, description="The ways to explain that are compared: name, kind, and the options of the kind."
    )
    design: DesignPart = Field(default=DesignPart(), description="Who sees what.")
    tasks: list[TaskPart] = Field(
        min_length=1, description="What is asked about each item: name, kind, and where wanted question, conditions, options."
    )
    consent: ConsentPart | None = Field(
        default=None, description="The consent page. Nothing is kept of people who don't agree."
    )
    instructions: list[Text] = Field(default=[], description="One text per page: paragraphs, lists, **bold** and links.")
    comprehension: ComprehensionPart | None = Field(
        default=None, description="Questions about the instructions. Who fails in all tries is thanked and leaves."
    )
    practice: PracticePart = Field(default=PracticePart(), description="Practice, before the trials. It is not analysed.")
    attention: list[AttentionPart] = Field(
        default=[],
        description="Checks that everybody who reads passes: name, after (how many trials), question, options, answer.",
    )
    demographics: list[QuestionPart] = Field(
        default=[],
        description="Questions about the participant: name, question, kind (choice, number, text, rating), options, required.",
    )
    debriefing: Text = Field(default="Thank you for taking part.", description="The last page.")
    contact: Line | None = Field(default=None, description="Whom participants can write to.")
    completion: CompletionPart = Field(
        default=CompletionPart(), description="What participants take back to the platform that sent them."
    )
    server: ServerPart = Field(default=ServerPart(), description="Times and limits of the server.")
    exclusions: ExclusionsPart = Field(
        default=ExclusionsPart(), description="Whose answers the analysis leaves out. A rule is off where it is null or false."
    )
    analysis: AnalysisPart = Field(default=AnalysisPart(), description="How the answers are analysed.")
