"""What a dry run found: broken items, what gives answers away, tasks without room for improvement."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evals.study.flow.way import asked_of
from evals.study.folder import IMAGES
from evals.study.stimuli.kind import KINDS
from evals.study.tasks.task import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from evals.study.answers import Answer, Answers
    from evals.study.folder import Study
    from evals.study.items import Item
    from evals.study.simulated.taking import Taken

CEILING = 0.95
"""An accuracy from which differences between conditions hardly show: with 40 items, two errors per participant."""
KNOWN_WITHOUT = 0.9
"""An accuracy without any explanation from which explanations have little to add."""
COMMON_LABEL = 0.15
"""How far the share of the most frequent label may lie above an even share."""
_NAMED = 5  # items that a sentence names


@dataclass(frozen=True)
class Finding:
    """One thing that a dry run found.

    Attributes:
        kind: "broken" (participants would be stuck, or a right answer can't be given), "leak" (something besides the
            explanation gives the answer away), "ceiling" (no room in which conditions could differ), "note" (worth knowing).
        sentence: what was found.
        items: the items concerned.
    """

    kind: Literal["broken", "leak", "ceiling", "note"]
    sentence: str
    items: tuple[str, ...] = ()


def findings_before(study: Study) -> list[Finding]:
    """What the study's folder shows before anybody takes it."""
    items = list(study.items.values())
    told = [Finding("broken", problem.rstrip(".")) for problem in study.problems]
    return [*told, *_alike(study, items), *_empty(study, items), *_unanswerable(study, items), *_lost_pictures(study, items),
            *_twice(items), *_uneven(items)]  # fmt: skip


def findings_after(study: Study, taken: Sequence[Taken], answers: Answers) -> list[Finding]:
    """What simulated participants ran into.

    Args:
        study: the study.
        taken: each participant's way.
        answers: what they answered; the source of each participant is "simulated:" and its kind.
    """
    return [*_stuck(taken), *_wrong_although_perfect(answers), *_ceilings(study, answers)]


def _alike(study: Study, items: Sequence[Item]) -> Iterator[Finding]:
    names = [condition.name for condition in study.file.conditions]
    for n, first in enumerate(names):
        for second in names[n + 1 :]:
            same = [item.id for item in items if _html(item, first) is not None and _html(item, first) == _html(item, second)]
            if not same:
                continue
            if len(same) == len(items):
                yield Finding("broken", f"the conditions {first} and {second} show the same for every item", tuple(same))
            else:
                said = f"the conditions {first} and {second} show the same for {some(same)}, which can't tell them apart"
                yield Finding("note", said, tuple(same))


def _html(item: Item, condition: str) -> str | None:
    return item.stimuli[condition].html if condition in item.stimuli else None


def _empty(study: Study, items: Sequence[Item]) -> Iterator[Finding]:
    for condition in study.file.conditions:
        if condition.kind in KINDS and KINDS.get(condition.kind).control:
            continue
        empty = [item.id for item in items if not re.sub(r"<[^>]*>|\s", "", _html(item, condition.name) or "")
                 and "<img" not in (_html(item, condition.name) or "")]  # fmt: skip
        if empty:
            yield Finding("broken", f"the condition {condition.name} shows nothing for {some(empty)}", tuple(empty))


def _unanswerable(study: Study, items: Sequence[Item]) -> Iterator[Finding]:
    """Items with one option only, or whose right label is not among the labels."""
    outside = [item.id for item in items if item.labels and item.predicted not in item.labels]
    if outside:
        yield Finding("broken", f"the model's label is not among the labels to choose from for {some(outside)}", tuple(outside))
    for part in study.file.tasks:
        kind = TASKS.get(part.kind)
        if kind.compared:
            continue
        single: list[str] = []
        for item in items:
            for condition in item.stimuli:
                for question in kind.ask(part, asked_of(study, item, (condition,), 0)):
                    if question.kind == "choice" and len(question.options) < 2 and item.id not in single:
                        single.append(item.id)
        if single:
            yield Finding("broken", f"the task {part.name} offers fewer than two options for {some(single)}", tuple(single))


def _lost_pictures(study: Study, items: Sequence[Item]) -> Iterator[Finding]:
    have = {path.name for path in (study.folder / IMAGES).glob("*")} if (study.folder / IMAGES).is_dir() else set()
    for item in items:
        shown = "".join(stimulus.html for stimulus in (item.input, *item.stimuli.values()))
        lost = sorted(set(re.findall(r'src="images/([^"]+)"', shown)) - have)
        if lost:
            yield Finding("broken", f"item {item.id} shows {lost[0]}, which is not in {study.folder / IMAGES}", (item.id,))


def _twice(items: Sequence[Item]) -> Iterator[Finding]:
    by_input: dict[str, list[str]] = defaultdict(list)
    for item in items:
        by_input[item.input.html].append(item.id)
    for same in by_input.values():
        if len(same) > 1:
            yield Finding(
                "note", f"items {', '.join(same[:_NAMED])} have the same input, so one teaches the others", tuple(same)
            )


def _uneven(items: Sequence[Item]) -> Iterator[Finding]:
    analysed = [item for item in items if not item.practice]
    options = {label for item in analysed for label in (item.labels or (item.predicted,))}
    if len(options) < 2:
        return
    label, count = Counter(item.predicted for item in analysed).most_common(1)[0]
    if count / len(analysed) > 1 / len(options) + COMMON_LABEL:
        said = f"who always answers {label!r} is right about {count / len(analysed):.0%} of the items; choose items more evenly"
        yield Finding("leak", said)


def _stuck(taken: Sequence[Taken]) -> Iterator[Finding]:
    troubles: Counter[str] = Counter(trouble for one in taken for trouble in one.troubles)
    for trouble, count in troubles.most_common(20):
        whom = f"{count} simulated participants" if count > 1 else "a simulated participant"
        yield Finding("broken", f"{whom} ran into this: {trouble}")
    out = Counter(one.kind for one in taken if one.status == "screened out")
    for kind, count in out.items():
        yield Finding(
            "note", f"{count} of the {sum(one.kind == kind for one in taken)} of kind {kind} failed the comprehension questions"
        )


def _wrong_although_perfect(answers: Answers) -> Iterator[Finding]:
    wrong = [row for row in _trials(answers, "perfect") if row.correct is False]
    by_task: dict[str, list[str]] = defaultdict(list)
    for row in wrong:
        if row.item not in by_task[row.task]:
            by_task[row.task].append(row.item)
    for task, items in by_task.items():
        said = f"in the task {task}, nobody can give the right answer for {some(items)}: it is not among the options"
        yield Finding("broken", said, tuple(items))


def _ceilings(study: Study, answers: Answers) -> Iterator[Finding]:
    controls = {one.name for one in study.file.conditions if one.kind in KINDS and KINDS.get(one.kind).control}
    kinds = [source.removeprefix("simulated:") for source in answers.sources]
    for kind in kinds:
        if kind in ("perfect", "random", "position", "speeding"):
            continue
        for (task, condition), share in accuracy_of(_trials(answers, kind)).items():
            if condition in controls and share >= KNOWN_WITHOUT:
                why = "which shows nothing of the model's reasons: explanations have little to add"
                yield Finding("ceiling", f"{kind} is right in {share:.0%} of {task} under {condition}, {why}")
            elif condition not in controls and share >= CEILING:
                yield Finding(
                    "ceiling", f"{kind} is right in {share:.0%} of {task} under {condition}: there is hardly room for more"
                )


def accuracy_of(rows: Iterable[Answer]) -> Mapping[tuple[str, str], float]:
    """(task, condition) -> share of right answers, in the order in which they come."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row in rows:
        if row.correct is not None:
            right[row.task, row.condition].append(row.correct)
    return {key: sum(given) / len(given) for key, given in right.items()}


def _trials(answers: Answers, kind: str) -> Iterator[Answer]:
    codes = {code for code, one in answers.participants.items() if one.source == f"simulated:{kind}"}
    return (row for row in answers.of_phase("trial") if row.participant in codes)


def some(items: Sequence[str]) -> str:
    """Some items by name, and how many others there are."""
    named = ", ".join(items[:_NAMED])
    more = f" and {len(items) - _NAMED} others" if len(items) > _NAMED else ""
    return f"item {named}" if len(items) == 1 else f"items {named}{more}"
