"""`study.yaml`: everything that a study is, but its items. The classes here are its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]{0,39}$")]
"""What conditions, tasks and questions are called: letters, digits, and the signs `_`, `-` and `+`."""


class Part(BaseModel):
    """A part of `study.yaml`. Keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionPart(Part):
    """One way to explain.

    `kind` is a name in `evals.study.stimuli.KINDS`; `options` are that kind's own, such as `style` of texts.
    """

    name: Name
    kind: str
    options: dict[str, Any] = {}


class DesignPart(Part):
    """Who sees what.

    Attributes:
        kind: "between" (each participant has one condition for all items), "within" (each item under every condition), "latin"
            (each item once, conditions rotated over items and participants), "blocks" (as "latin" with a balanced incomplete
            block of the conditions per participant), "mixed" (`groups` of conditions between participants, "latin" inside).
        items: items per participant, without practice.
        block_size: conditions per participant, for "blocks".
        groups: the conditions of each group, for "mixed".
        order: "random" (for each participant), or "fixed" (as in `items.jsonl`).
        participants: how many people are to complete the study.
    """

    kind: Literal["between", "within", "latin", "blocks", "mixed"] = "latin"
    items: int = Field(default=40, ge=1, le=2000)
    block_size: int | None = Field(default=None, ge=2)
    groups: list[list[Name]] | None = None
    order: Literal["random", "fixed"] = "random"
    participants: int = Field(default=40, ge=1, le=100_000)


class TaskPart(Part):
    """One question about each item, or several. `kind` is a name in `evals.study.tasks.TASKS`, `options` are its own."""

    name: Name
    kind: str
    question: str | None = Field(default=None, max_length=2000)
    conditions: list[Name] | None = None
    options: dict[str, Any] = {}


class QuestionPart(Part):
    """A question outside of the trials: demographics and comprehension.

    `answer` is for comprehension questions and attention checks: the value of the right option.
    """

    name: Name
    question: str = Field(max_length=2000)
    kind: Literal["choice", "number", "text", "rating"] = "choice"
    options: list[str] | None = None
    answer: str | None = None
    required: bool = True


class ConsentPart(Part):
    """The consent page. Nothing is stored of people who don't agree."""

    text: str
    agree: str = "I have read this and I want to take part."


class PracticePart(Part):
    """Practice trials, with feedback, before the others."""

    items: int = Field(default=2, ge=0, le=50)
    feedback: bool = True


class ComprehensionPart(Part):
    """Questions about the instructions. Who fails in all tries is thanked and leaves."""

    questions: list[QuestionPart]
    tries: int = Field(default=2, ge=1, le=10)


class AttentionPart(Part):
    """A check between the trials that only who reads passes. `after` counts trials."""

    name: Name
    after: int = Field(ge=1)
    question: str
    options: list[str]
    answer: str


class CompletionPart(Part):
    """What participants take back to the platform that sent them. `{code}` in `url` stands for the code."""

    code: str | None = None
    screened_code: str | None = None
    url: str | None = None


class ServerPart(Part):
    """Times and limits of the server.

    Attributes:
        leave_after_minutes: without an answer for so long, a participant's place goes to somebody else.
        return_within_minutes: until then, a participant who left can come back to the page after the last answer.
        break_after: trials between breaks; 0 for none.
        keep_addresses: keep the participants' network addresses, and their browsers' names. Off unless asked for.
    """

    leave_after_minutes: float = Field(default=60, gt=0)
    return_within_minutes: float = Field(default=24 * 60, gt=0)
    break_after: int = Field(default=0, ge=0)
    keep_addresses: bool = False


class ExclusionsPart(Part):
    """Whose answers the analysis leaves out. Each rule is off where it is null.

    `trial_seconds_below` and `trial_seconds_above` leave out single answers by their time, not participants.
    """

    incomplete: bool = True
    failed_comprehension: bool = True
    failed_attention: int | None = Field(default=1, ge=1)
    median_seconds_below: float | None = Field(default=None, gt=0)
    same_answer_share_above: float | None = Field(default=None, gt=0, le=1)
    accuracy_below: float | None = Field(default=None, ge=0, le=1)
    trial_seconds_below: float | None = Field(default=None, gt=0)
    trial_seconds_above: float | None = Field(default=None, gt=0)


class HypothesisPart(Part):
    """What is expected, for the preregistration and the analysis.

    `claim` says how `condition` compares with `reference` in `task`: "higher", "lower", "different" or "same" (equivalent
    within `margin`).
    """

    task: Name
    condition: Name
    reference: Name
    claim: Literal["higher", "lower", "different", "same"] = "different"
    margin: float | None = Field(default=None, gt=0)


class AnalysisPart(Part):
    """How the answers are analysed."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    bootstrap: int = Field(default=2000, ge=200, le=100_000)
    reference: Name | None = None
    subgroups: list[str] = []
    hypotheses: list[HypothesisPart] = []


class StudyFile(Part):
    """The whole of `study.yaml`."""

    version: Literal[1] = 1
    title: str
    language: str = "en"
    seed: int = Field(default=0, ge=0)
    labels: list[str] = []
    mask_labels: bool = True
    conditions: list[ConditionPart]
    design: DesignPart = DesignPart()
    tasks: list[TaskPart]
    consent: ConsentPart | None = None
    instructions: list[str] = []
    comprehension: ComprehensionPart | None = None
    practice: PracticePart = PracticePart()
    attention: list[AttentionPart] = []
    demographics: list[QuestionPart] = []
    debriefing: str = "Thank you for taking part."
    contact: str | None = None
    completion: CompletionPart = CompletionPart()
    server: ServerPart = ServerPart()
    exclusions: ExclusionsPart = ExclusionsPart()
    analysis: AnalysisPart = AnalysisPart()
