"""A study's file and its items held against each other, and against the kinds of conditions and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.design.checking import Finding, did_you_mean
from evals.study.design.reading import read_study_file
from evals.study.stimuli.kind import KINDS
from evals.study.tasks.task import TASKS

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from evals.study.design.file import StudyFile
    from evals.study.items import Item


def read_whole_file(path: str | os.PathLike[str]) -> StudyFile:
    """Read and check a `study.yaml`, the kinds of its conditions too.

    Raises:
        UsageError: as `evals.study.design.read_study_file`; or there is no such kind of condition, or it has no such option.
    """
    return read_study_file(path, also=condition_findings)


def condition_findings(study: StudyFile) -> Iterator[Finding]:
    """Kinds of conditions that there are not, and options that they do not have."""
    for number, part in enumerate(study.conditions):
        if part.kind not in KINDS:
            what = f"there is no kind of condition {part.kind!r:.60}; {_instead(part.kind)}"
            yield Finding(("conditions", number, "kind"), what)
            continue
        known = KINDS.get(part.kind).options
        for key in part.options:
            if key not in known:
                what = f"conditions of the kind {part.kind} have no option {key!r:.60}; {did_you_mean(key, known)}"
                yield Finding(("conditions", number, "options", key), what)


def _instead(kind: str) -> str:
    """What a name that `--conditions` takes is called in `study.yaml`."""
    from verbalize.write.style import STYLES

    if kind == "list":
        return "the kind of the condition list is called ranked here"
    if kind in STYLES:
        return f"write kind: text, and style: {kind} among its options"
    return did_you_mean(kind, KINDS)


def item_problems(study: StudyFile, items: Sequence[Item]) -> tuple[str, ...]:
    """What is wrong with the items of a study, in sentences: too few, without a condition, without right answers for a task.

    Args:
        study: the study's file.
        items: all items, those for practice among them.
    """
    trials = [item for item in items if not item.practice]
    practice = len(items) - len(trials)
    found: list[str] = []
    if len(trials) < study.design.items:
        found.append(
            f"each participant is to see {study.design.items} items, and there are {len(trials)}; "
            "lower design.items, or add items"
        )
    if practice < study.practice.items:
        found.append(
            f"{study.practice.items} items are for practice, and there are {practice}; "
            "lower practice.items, or add items for practice"
        )
    for part in study.tasks:
        if part.kind in TASKS and trials:
            with TASKS.blame(part.kind):
                found += [what for what in TASKS.get(part.kind).check(part, trials) if what not in found]
    if trials:
        known = {name for item in trials for name in item.facts} | {one.name for one in study.demographics}
        for name in study.analysis.subgroups:
            if name not in known:
                found.append(
                    f"subgroups are asked for by {name}, which is no fact of items or participants; {did_you_mean(name, known)}"
                )
    return tuple(found)


def built_problems(study: StudyFile, items: Sequence[Item], built: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What `study.yaml` says and the items don't show: changes after the study was built have no effect on them.

    Args:
        study: the study's file.
        items: all items.
        built: what the items were built from (`built_from`), or None where that is not known.
    """
    found: list[str] = []
    as_built = {one["name"]: one for one in (built or {}).get("conditions", ())}
    for part in study.conditions:
        before = as_built.get(part.name)
        if before is not None and (before["kind"], before["options"]) != (part.kind, part.options):
            found.append(
                f"the condition {part.name} was built as {_told(before['kind'], before['options'])}, and study.yaml says "
                f"{_told(part.kind, part.options)}; participants see what was built: build the study again, or put it back"
            )
    if built is not None and study.mask_labels and not built["mask_labels"]:
        found.append("mask_labels is true in study.yaml, and the explanations were built with labels; build the study again")
    offered = {label for item in items for label in item.labels}
    if study.labels and offered:
        odd = [label for label in offered if label not in study.labels]
        if odd:
            found.append(
                f"items offer the label {min(odd)!r:.60}, which is not among the labels of study.yaml; make them agree"
            )
        lost = [label for label in study.labels if label not in offered]
        if lost:
            found.append(f"no item offers the label {lost[0]!r:.60} of study.yaml; build the study again, or take it out")
    return tuple(found)


def built_from(study: StudyFile) -> dict[str, Any]:
    """What `built.json` keeps of the file that the items were built with."""
    conditions = [{"name": part.name, "kind": part.kind, "options": part.options} for part in study.conditions]
    return {"version": 1, "conditions": conditions, "mask_labels": study.mask_labels}


def _told(kind: str, options: Mapping[str, Any]) -> str:
    return f"{kind} ({', '.join(f'{key}: {value}' for key, value in options.items())})" if options else kind
