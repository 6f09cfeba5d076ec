"""A preregistration out of a study's file, in the sections of the OSF's form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.design.checking import asks_compared, trials_per_participant
from evals.study.stimuli.kind import KINDS
from evals.study.tasks.task import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evals.study.design.file import HypothesisPart, StudyFile
    from evals.study.folder import Study
    from evals.study.power.curve import PowerCurve

OPEN = "*To be filled in.*"
"""What stands where `study.yaml` has no answer."""

_DESIGNS = {
    "between": "Between participants: each participant sees all items under one condition.",
    "within": "Within participants: each participant sees each item under every condition, in rounds of all items.",
    "latin": (
        "Within participants, with items crossed: each participant sees each item once; the conditions are rotated over items "
        "and participants (Latin square), so that each item is seen under each condition equally often."
    ),
    "blocks": (
        "Within participants, in balanced incomplete blocks: each participant sees {size} of the {count} conditions, each item "
        "once; any two conditions are seen by the same participants equally often."
    ),
    "mixed": "Mixed: groups of conditions between participants ({groups}); inside a group, conditions rotate over items.",
}
_CLAIMS = {
    "higher": "{task} is higher under {condition} than under {reference}.",
    "lower": "{task} is lower under {condition} than under {reference}.",
    "different": "{task} differs between {condition} and {reference}.",
    "same": "{task} under {condition} and {reference} differs by less than {margin:g}.",
}
_RULES = {
    "incomplete": "did not complete the study",
    "failed_comprehension": "failed the comprehension questions in all tries",
    "failed_attention": "failed {value} or more attention checks",
    "median_seconds_below": "have a median time per trial below {value:g} seconds",
    "same_answer_share_above": "gave the same answer in more than {value:.0%} of a task's trials",
    "accuracy_below": "gave less than {value:.0%} right answers",
}
_SINGLE = {
    "trial_seconds_below": "took less than {value:g} seconds",
    "trial_seconds_above": "took more than {value:g} seconds",
}


def preregistration(study: Study, curves: Sequence[PowerCurve] = ()) -> str:
    """The design, hypotheses and analysis of a study as Markdown, in the sections of the form "OSF Preregistration".

    What the study's file does not say is marked, to be filled in by hand.

    Args:
        study: the study.
        curves: what the sample size rests on; see `evals.study.power.power`.
    """
    file = study.file
    sections = {
        "Study Information": _information(study),
        "Design Plan": _design(study),
        "Sampling Plan": _sampling(study, curves),
        "Variables": _variables(file),
        "Analysis Plan": _analysis(file),
        "Other": _other(study),
    }
    lines = [f"# Preregistration: {_plain(file.title)}", ""]
    for title, parts in sections.items():
        lines += [f"## {title}", ""]
        for name, text in parts:
            lines += [f"### {name}", "", text, ""]
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _information(study: Study) -> Iterator[tuple[str, str]]:
    file = study.file
    conditions = ", ".join(one.name for one in file.conditions)
    tasks = ", ".join(part.name for part in file.tasks)
    yield "Title", _plain(file.title)
    yield "Description", f"Participants see decisions of a model with explanations ({conditions}) and answer: {tasks}."
    said = [f"{n}. {_hypothesis(one)}" for n, one in enumerate(file.analysis.hypotheses, 1)]
    yield "Hypotheses", "\n".join(said) or f"No hypothesis is stated in study.yaml; all comparisons are exploratory. {OPEN}"


def _hypothesis(one: HypothesisPart) -> str:
    task = one.task[:1].upper() + one.task[1:]
    return _CLAIMS[one.claim].format(task=task, condition=one.condition, reference=one.reference, margin=one.margin)


def _design(study: Study) -> Iterator[tuple[str, str]]:
    file = study.file
    design = file.design
    groups = "; ".join(", ".join(group) for group in design.groups or ())
    said = _DESIGNS[design.kind].format(size=design.block_size, count=len(file.conditions), groups=groups)
    yield "Study type", "Experiment: conditions are assigned to participants and items by the researcher's program."
    yield (
        "Blinding",
        "Participants are not told the names of the conditions, nor how many there are. Answers are judged by a program.",
    )
    single = f"Each participant has {trials_per_participant(file)} trials on {design.items} items"
    practice = f"after {file.practice.items} practice trials" if file.practice.items else "without practice"
    compared = "; comparisons of two conditions follow, with sides balanced" if asks_compared(file) else ""
    yield "Study design", f"{said} {single}, {practice}{compared}. The design has {len(study.cells)} cells."
    order = (
        "in a random order of their own, in which the conditions alternate by the rows of a Williams square in random order, "
        "so that each follows each other one about equally often"
        if design.order == "random"
        else "in one fixed order of the items, with the conditions balanced for carryover over the cells"
    )
    said = (
        f"Participants are assigned to cells so that the cells are filled evenly by those who complete. They see the "
        f"trials {order}. All random choices follow from the seed {file.seed}."
    )
    yield "Randomization", said


def _sampling(study: Study, curves: Sequence[PowerCurve]) -> Iterator[tuple[str, str]]:
    file = study.file
    people = file.design.participants
    yield "Existing data", f"Registration prior to creation of data. {OPEN}"
    yield "Data collection procedures", f"{OPEN} (where participants are found, who may take part, pay, dates)"
    yield "Sample size", f"{people} participants who complete the study, with {file.design.items} items each."
    parts = []
    for curve in curves:
        here = next((one for one in curve.points if one.participants == people), None)
        told = f" With {people}, it is {here.power:.0%} ({here.low:.0%} to {here.high:.0%})." if here else ""
        parts.append(f"Power to show {curve.tested}: {curve.advice()}{told} {curve.assumptions()}\n\n```\n{curve.table()}\n```")
    yield "Sample size rationale", "\n\n".join(parts) or f"{OPEN} (`saywhy study power` computes it)"
    yield (
        "Stopping rule",
        f"Data collection ends when {people} participants have completed the study. No test is looked at before.",
    )


def _variables(file: StudyFile) -> Iterator[tuple[str, str]]:
    shown = []
    for one in file.conditions:
        kind = KINDS.get(one.kind) if one.kind in KINDS else None
        options = ", ".join(f"{key}: {value}" for key, value in one.options.items())
        shown.append(f"- **{one.name}** ({one.kind}{'; ' + options if options else ''}): {kind.summary if kind else OPEN}")
    yield "Manipulated variables", "How the model's decision is explained:\n\n" + "\n".join(shown)
    measured = []
    for part in file.tasks:
        task = TASKS.get(part.kind)
        under = f", under {', '.join(part.conditions)}" if part.conditions else ""
        question = f" Question: “{_plain(part.question)}”" if part.question else ""
        summary = task.summary if task.summary.endswith("?") else f"{task.summary}."
        measured.append(f"- **{part.name}** ({task.measure}{under}): {summary}{question}")
    measured.append("- **time**: seconds from the appearance of a page to its submission.")
    if file.demographics:
        measured.append(f"- about participants: {', '.join(one.name for one in file.demographics)}.")
    yield "Measured variables", "\n".join(measured)
    yield "Indices", "None: each answer is analysed as it is."


def _analysis(file: StudyFile) -> Iterator[tuple[str, str]]:
    alpha = file.analysis.alpha
    against = f"each condition against {file.analysis.reference}" if file.analysis.reference else "all pairs of conditions"
    said = (
        "The mean of each condition is a mean over participants. Differences are tested for new participants and new items: "
        "Student's t with a variance that is estimated from the sums by participant, by item and by answer, and "
        f"Satterthwaite's degrees of freedom. Compared are {against}. Intervals over participants and items are also "
        f"bootstrapped ({file.analysis.bootstrap:,} draws). As a second look, answers that are right or wrong are modelled by "
        "a binomial mixed model, and ratings by cumulative-link and linear mixed models, with crossed effects of participants "
        "and items. Claims of no difference are tested by two one-sided tests within the stated margin."
    )
    yield "Statistical models", said
    yield "Transformations", "None. Conditions are coded as factors."
    yield "Inference criteria", f"Two-sided tests at {alpha:g}, corrected for all comparisons of a task by Holm's method."
    exclusions = file.exclusions
    people = [words.format(value=value) for key, words in _RULES.items() if (value := getattr(exclusions, key))]
    single = [words.format(value=value) for key, words in _SINGLE.items() if (value := getattr(exclusions, key)) is not None]
    said = (
        ("Participants are left out who\n\n" + "\n".join(f"- {one}" for one in people))
        if people
        else "No participant is left out."
    )
    said += ("\n\nSingle answers are left out that\n\n" + "\n".join(f"- {one}" for one in single)) if single else ""
    yield "Data exclusion", said
    yield "Missing data", "A question with a right answer that is left blank counts as wrong; other blanks are left out."
    groups = ", ".join(file.analysis.subgroups)
    told = "All comparisons that no hypothesis names"
    yield "Exploratory analysis", f"{told}, and subgroups by {groups}." if groups else f"{told}."


def _other(study: Study) -> Iterator[tuple[str, str]]:
    checks = f"{len(study.file.attention)} attention checks"
    questions = len(study.file.comprehension.questions) if study.file.comprehension else 0
    said = (
        f"{checks} and {questions} comprehension questions are asked. The digest of study.yaml and items.jsonl, which hold all "
        f"that participants see, is `{study.digest}`."
    )
    yield "Other", said
