"""From maps and conditions to a study's folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from evals.study.building import wording
from evals.study.building.candidates import candidates_of
from evals.study.building.choosing import CHOICES, all_labels, choices_of, in_order_of_use
from evals.study.building.conditions import parse_conditions
from evals.study.building.estimating import minutes_of
from evals.study.building.folders import add_picture, check_place, new_folder, remove_unused, write_items
from evals.study.building.showing import shown_items
from evals.study.design.file import ConditionPart, DesignPart, PracticePart, StudyFile, TaskPart
from evals.study.design.plans import cells_of
from evals.study.folder import STUDY_FILE, Study, open_study
from evals.study.stimuli.leaks import names_of
from evals.study.stimuli.making import Making
from evals.study.tasks.task import TASKS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from evals.study.building.candidates import Candidate
    from evals.study.items import Item
    from saywhy_core.errors import Problem
    from verbalize.saliency import Saliency

_RATINGS = ("helpfulness", "ease")
_ROUNDS = 20
"""How often items that can't be shown are replaced by others."""


def build_study(
    maps: Iterable[Saliency],
    conditions: str | Sequence[str | ConditionPart],
    *,
    out: str | os.PathLike[str],
    design: str | DesignPart = "latin",
    items: int = 40,
    tasks: str | Sequence[str | TaskPart] = "simulation,helpfulness,ease",
    labels: Sequence[str] = (),
    choices: int = CHOICES,
    seed: int = 0,
    practice: int = 2,
    mask_labels: bool | None = None,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    replace_leaks: bool = False,
    binary: bool = False,
    title: str = "Explanations of a computer model",
    chat: Any = None,
    force: bool = False,
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Study:
    """Build a study's folder.

    Args:
        maps: the maps. Maps of one input for several labels are put together; the one for the label that the model chose is
            explained, and the others serve the control "other".
        conditions: as `parse_conditions` takes them, or as parts of a study file.
        out: the folder. It appears whole or not at all.
        design: the kind of design, or its part of a study file; then `items` is its own.
        items: items per participant, and in the study, without those for practice.
        tasks: kinds of tasks, or parts of a study file; "helpfulness" and "ease" are ratings.
        labels: the labels; by default all that the maps name.
        choices: of more labels than this, participants choose from so many per item: what the model chose, what is right, and
            the likeliest others.
        seed: of everything random.
        practice: items for practice.
        mask_labels: whether no explanation may name a label; by default where participants guess what the model chose.
        synonyms: label -> other names of it that no explanation may hold, such as translations.
        replace_leaks: whether names of labels in texts of a file are replaced by "the label"; else such items are left out.
        binary: of two labels, whether scores against one are scores for the other: maps for the label that the model did not
            choose are turned round.
        title: the title that participants see.
        chat: the chat model of the condition "narrate".
        force: whether a study in `out` is replaced, if it has no answers.
        on_problem: called with each map that is left out. Without it, the first such map raises.
        on_note: called with what the researcher should know, a sentence each.

    Raises:
        UsageError: nothing can be shown, an argument can't be used, or `out` holds something that must stay.
    """
    parts = _conditions(conditions)
    asked = _about(_tasks(tasks), parts)
    planned = design if isinstance(design, DesignPart) else DesignPart.model_validate({"kind": design, "items": items})
    masked = any(part.kind == "simulation" for part in asked) if mask_labels is None else mask_labels
    tell = on_note or (lambda _: None)
    problem = on_problem or _raise
    check_place(Path(out), force=force)
    if not masked and (synonyms or replace_leaks):
        raise UsageError("synonyms and replace_leaks concern masked labels, and labels are shown here; leave them out")
    found = candidates_of(maps, labels=labels, binary=binary, on_problem=problem, on_note=tell)
    if not found:
        raise UsageError("no map can be shown; see what is wrong with each, or give other maps")
    known = all_labels(found, labels)
    _check_labels(known, asked, choices)
    if binary and len(known) > 2:
        raise UsageError(f"binary turns maps of two labels round, and there are {len(known)}: {', '.join(known[:6])}")
    with new_folder(out, force=force) as folder:
        making = Making(
            maps=(), seed=seed, mask_labels=masked, add_picture=lambda png: add_picture(folder, png), folder=Path(), chat=chat,
            names=names_of(known, synonyms) if masked else None, replace_leaks=replace_leaks,
        )  # fmt: skip
        made = _fill(in_order_of_use(found, seed), parts, making, planned.items + practice, known, choices, problem)
        if not made:
            raise UsageError("no item can be shown under all conditions; see what is wrong with each")
        for said in dict.fromkeys(making.notes):
            tell(said)
        made = _with_practice(made, practice, seed)
        forms = {item.form for item in made}
        if len(forms) > 1:
            raise UsageError("the maps are of texts and of pictures; build a study of each")
        analysed = [item for item in made if not item.practice]
        if len(analysed) < planned.items:
            tell(f"the study has {len(analysed)} items; {planned.items} were asked for, and there are no more maps")
            planned = planned.model_copy(update={"items": max(1, len(analysed))})
        file = _file(made, parts, asked, planned, known, masked, seed, title)
        _write_file(file, folder / STUDY_FILE)
        write_items(folder, made)
        remove_unused(folder, made)
    return open_study(out)


def _raise(problem: Problem) -> None:
    raise UsageError(str(problem))


def _conditions(given: str | Sequence[str | ConditionPart]) -> tuple[ConditionPart, ...]:
    if isinstance(given, str):
        return parse_conditions(given)
    found = [one if isinstance(one, ConditionPart) else parse_conditions([one])[0] for one in given]
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise UsageError(f"the condition {twice[0]!r} stands there twice; name each once")
    if not found:
        raise UsageError("a study needs conditions; name some, such as heatmap,plain,none")
    return tuple(found)


def _tasks(given: str | Sequence[str | TaskPart]) -> tuple[TaskPart, ...]:
    names = [name.strip() for name in given.split(",") if name.strip()] if isinstance(given, str) else list(given)
    found = []
    for one in names:
        if isinstance(one, TaskPart):
            found.append(one)
        elif one in _RATINGS:
            found.append(TaskPart(name=one, kind="rating"))
        elif one in TASKS and one != "rating":
            found.append(TaskPart(name=one, kind=one))
        else:
            known = [*(name for name in TASKS if name != "rating"), *_RATINGS]
            raise UsageError(f"there is no task {one!r}; use some of {', '.join(known)}")
    if not found:
        raise UsageError(f"a study needs tasks; name some, such as simulation,{','.join(_RATINGS)}")
    return tuple(found)


def _about(tasks: Sequence[TaskPart], conditions: Sequence[ConditionPart]) -> tuple[TaskPart, ...]:
    """The tasks, of which ratings of the explanation are not asked where there is none."""
    explained = [part.name for part in conditions if part.kind != "none"]
    if not explained or len(explained) == len(conditions):
        return tuple(tasks)
    return tuple(
        part.model_copy(update={"conditions": explained}) if part.name in _RATINGS and part.conditions is None else part
        for part in tasks
    )


def _check_labels(labels: Sequence[str], tasks: Sequence[TaskPart], choices: int) -> None:
    if choices < 2:
        raise UsageError(f"participants choose from 2 labels or more, not {choices}")
    if len(labels) < 2 and any(part.kind == "simulation" for part in tasks):
        raise UsageError(
            f"all maps are of one label ({', '.join(labels)}), so that there is nothing to guess; name the labels with --labels"
        )


def _fill(
    order: Sequence[Candidate], conditions: Sequence[ConditionPart], making: Making, wanted: int, labels: Sequence[str],
    choices: int, on_problem: Callable[[Problem], None],
) -> list[Item]:  # fmt: skip
    """So many items, or all that can be shown: those that can't be are replaced by the next ones."""
    made: list[Item] = []
    taken = told = 0
    for _ in range(_ROUNDS):
        batch = order[taken : taken + wanted - len(made)]
        if not batch:
            break
        taken += len(batch)
        made += shown_items(batch, conditions, making, choices_of(batch, labels, choices, making.seed))
        for problem in making.problems[told:]:
            on_problem(problem)
        told = len(making.problems)
    return made


def _with_practice(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """The items at random, the last of them for practice: first those on which the model is right, one per label."""
    mixed = list(items)
    Random(f"{seed}-order").shuffle(mixed)  # noqa: S311 - the order must not tell the labels
    count = min(count, max(0, len(mixed) - 1))
    chosen: list[Item] = []
    while len(chosen) < count:
        seen = Counter(item.predicted for item in chosen)
        left = [item for item in mixed if item not in chosen]
        chosen.append(min(left, key=lambda item: (item.facts.get("model_right") == "no", seen[item.predicted])))
    practice = {item.id for item in chosen}
    return [replace(item, practice=True) for item in chosen] + [item for item in mixed if item.id not in practice]


def _file(
    items: Sequence[Item], conditions: Sequence[ConditionPart], tasks: Sequence[TaskPart], design: DesignPart,
    labels: Sequence[str], masked: bool, seed: int, title: str,
) -> StudyFile:  # fmt: skip
    form = items[0].form
    practice = sum(item.practice for item in items)
    file = StudyFile(
        title=title,
        seed=seed,
        labels=list(labels),
        mask_labels=masked,
        conditions=list(conditions),
        design=design,
        tasks=list(tasks),
        instructions=wording.instructions(conditions, tasks, form, labels),
        comprehension=wording.comprehension(conditions, tasks, form),
        practice=PracticePart(items=practice),
        demographics=wording.demographics(),
        debriefing=wording.debriefing(conditions),
    )
    trials = trials_of(file, items)
    file = file.model_copy(update={"attention": wording.attention(trials)})
    minutes = round(minutes_of(file, items, trials))
    return file.model_copy(update={"consent": wording.consent(title, max(1, minutes), form, trials)})


def trials_of(file: StudyFile, items: Sequence[Item]) -> int:
    """Trials per participant."""
    cells = cells_of(file, [item.id for item in items if not item.practice])
    return max((len(cell.trials) for cell in cells), default=0)


def _write_file(file: StudyFile, path: Path) -> None:
    import yaml

    content = file.model_dump(mode="json", exclude_none=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100), encoding="utf-8", newline="\n")
