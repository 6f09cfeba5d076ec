"""From maps and conditions to a study's folder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.chat.foreseen import Foreseen
from evals.study.building import answers_known, wording
from evals.study.building.asking import check_labels, checked_part, conditions_of, tasks_of
from evals.study.building.candidates import candidates_of
from evals.study.building.choosing import (
    CHOICES,
    Allocation,
    all_labels,
    checked_facts,
    choices_of,
    drawn,
    good_for_practice,
    strata_of,
    with_practice,
)
from evals.study.building.estimating import minutes_of
from evals.study.building.folders import add_picture, check_place, new_folder, remove_unused, write_items
from evals.study.building.showing import shown_items
from evals.study.building.surface import surface_hints
from evals.study.checking import built_from
from evals.study.design.checking import check_study_file, trials_per_participant
from evals.study.design.evenness import uneven_hints
from evals.study.design.file import DesignPart, ServerPart, StudyFile
from evals.study.design.writing import write_study_file
from evals.study.folder import BUILT_FILE, STUDY_FILE, Study, open_study
from evals.study.stimuli.leaks import names_of
from evals.study.stimuli.making import Making
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from evals.study.building.candidates import Candidate
    from evals.study.design.file import ConditionPart, TaskPart
    from evals.study.items import Item
    from saywhy_core.classifiers import Classifier
    from saywhy_core.errors import Problem
    from verbalize.saliency import Saliency

BREAK_AFTER = 20
"""Trials between breaks: some ten minutes."""
_NAMED = 5  # ids that a note tells
TITLE = "Explanations of a computer model"


def build_study(
    maps: Iterable[Saliency],
    conditions: str | Sequence[str | ConditionPart],
    *,
    out: str | os.PathLike[str],
    design: str | DesignPart = "latin",
    items: int | None = None,
    tasks: str | Sequence[str | TaskPart] = "simulation,helpfulness,ease",
    labels: Sequence[str] = (),
    choices: int = CHOICES,
    by: Sequence[str] | None = None,
    allocation: Allocation = "proportional",
    seed: int = 0,
    practice: int = 2,
    mask_labels: bool | None = None,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    replace_leaks: bool = False,
    binary: bool = False,
    answers: str | os.PathLike[str] | None = None,
    target: Classifier | None = None,
    title: str = TITLE,
    chat: Any = None,
    force: bool = False,
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    before_asking: Callable[[Foreseen], None] | None = None,
) -> Study:
    """Build a study's folder: `study.yaml`, `items.jsonl` and pictures.

    Args:
        maps: the maps. Maps of one input for several labels are put together; the one for the label that the model chose is
            explained, and the others serve the control "other".
        conditions: as `parse_conditions` takes them, or as parts of a study file.
        out: the folder. It appears whole or not at all.
        design: the kind of design, or its part of a study file.
        items: items per participant, and in the study, without those for practice; 40 by default, or those of `design`.
        tasks: names of tasks, or parts of a study file; "helpfulness" and "ease" are ratings.
        labels: the labels; by default all that the maps name.
        choices: of more labels than this, participants choose from so many per item: what the model chose, what is right, and
            the likeliest others.
        by: the facts that items are stratified by, some of "label", "model_right", "coverage" and "length". By default as many
            of these as make no more kinds of items than there are items.
        allocation: "proportional" draws each kind of item as often as it is there, "equal" equally often.
        seed: of everything random.
        practice: items for practice. They are apart from the others.
        mask_labels: whether no explanation may name a label; by default where participants guess what the model chose.
        synonyms: label -> other names of it that no explanation may hold, such as translations.
        replace_leaks: whether names of labels in texts of a file are replaced by "the label"; else such items are left out.
        binary: of two labels, whether scores against one are scores for the other: maps for the label that the model did not
            choose are turned round.
        answers: a file of what the model says without a part of an input, as `answers_known.read_answers` reads it.
        target: the image classifier that the maps explain; it is asked what it says without the most important region.
        title: the title that participants see.
        chat: the chat model of the condition "narrate".
        force: whether a study in `out` is replaced, if it has no answers.
        on_problem: called with each map that is left out. Without it, the first such map raises.
        on_note: called with what the researcher should know, a sentence each.
        before_asking: called with what asking `chat` will take, before it is asked anything; what this raises ends the build,
            and no folder is left. Inputs that turn out not to be shown are replaced by others, which takes some more requests.

    Raises:
        UsageError: nothing can be shown, an argument can't be used, or `out` holds something that must stay.
    """
    parts = conditions_of(conditions)
    asked = tasks_of(tasks, parts)
    planned = _design(design, items)
    masked = any(part.kind == "simulation" for part in asked) if mask_labels is None else mask_labels
    _check_arguments(masked, asked, synonyms=synonyms, replace_leaks=replace_leaks, answers=answers, target=target)
    tell = on_note or (lambda _: None)
    problem = on_problem or _raise
    if chat is not None and not any("narrate" in (part.kind, part.options.get("kind")) for part in parts):
        raise UsageError("a chat model serves the condition narrate alone; leave it out, or add that condition")
    check_place(Path(out), force=force)
    known_answers = answers_known.read_answers(Path(answers)) if answers is not None else {}
    found = candidates_of(maps, labels=labels, binary=binary, on_problem=problem, on_note=tell)
    if not found:
        raise UsageError("no map can be shown; see what is wrong with each, or give other maps")
    if len({type(one.map) for one in found}) > 1:
        raise UsageError("the maps are of texts and of pictures; build a study of each")
    facts = strata_of(found, planned.items) if by is None else checked_facts(found, by)
    known = all_labels(found, labels)
    check_labels(known, asked, choices=choices, binary=binary)
    with new_folder(out, force=force) as folder:
        making = Making(
            maps=(), seed=seed, mask_labels=masked, add_picture=lambda png: add_picture(folder, png), folder=Path(), chat=chat,
            names=names_of(known, synonyms) if masked else None, replace_leaks=replace_leaks,
        )  # fmt: skip

        def show(candidates: Sequence[Candidate], making: Making = making) -> list[Item]:
            told = len(making.problems)
            made = shown_items(candidates, parts, making, choices_of(candidates, known, choices, seed))
            for one in making.problems[told:] if making.foreseen is None else ():
                if one not in making.problems[:told]:  # a file of texts is read for each batch
                    problem(one)
            return made

        apart = min(practice, len(found) - 1)

        def picked(show: Callable[[Sequence[Candidate]], list[Item]]) -> tuple[list[Item], list[Item]]:
            first, rest = _filled(
                found, min(planned.items, len(found) - apart), show, lambda pool, n: drawn(pool, n, facts, allocation, seed)
            )
            return first, _filled(rest, apart, show, lambda pool, n: good_for_practice(pool, n, seed))[0] if first else []

        if chat is not None and before_asking is not None:
            ahead = replace(making, foreseen=[], problems=[], counts={})
            picked(partial(show, making=ahead))
            before_asking(sum(ahead.foreseen or (), Foreseen()))
        shown, trained = picked(show)
        if not shown:
            raise UsageError("no item can be shown under all conditions; see what is wrong with each")
        made = with_practice(shown, trained, seed)
        if len(shown) < planned.items:
            tell(f"the study has {len(shown)} items; {planned.items} were asked for, and there are no more that can be shown")
            planned = planned.model_copy(update={"items": len(shown)})
        made = _with_right_answers(made, making, found, asked, known_answers, target, known, problem)
        asked = _where_known(asked, made)
        for said in (
            *(f"{name}: {what}: {_counted(ids)}" for (name, what), ids in making.counts.items()),
            *_hints(made, parts, planned, seed, masked=masked),
        ):
            tell(said)
        file = _file(made, parts, asked, planned, known, masked, seed, title)
        write_study_file(file, folder / STUDY_FILE)
        write_items(folder, made)
        with atomic_open(folder / BUILT_FILE) as stream:
            stream.write(json.dumps(built_from(file), ensure_ascii=False, indent=1) + "\n")
        remove_unused(folder, made)
    study = open_study(out)
    for said in study.problems:
        tell(said)
    return study


def _raise(problem: Problem) -> None:
    raise UsageError(str(problem))


def _design(design: str | DesignPart, items: int | None) -> DesignPart:
    if isinstance(design, DesignPart):
        return design if items is None else design.model_copy(update={"items": items})
    kinds = DesignPart.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]  # a Literal
    if design not in kinds:
        raise UsageError(f"there is no design {design!r:.60}; use one of {', '.join(kinds)}")
    if items is not None and not 1 <= items <= 2000:
        raise UsageError(f"a study has 1 to 2,000 items, not {items}")
    return checked_part(DesignPart, kind=design, **({} if items is None else {"items": items}))


def _check_arguments(
    masked: bool, tasks: Sequence[TaskPart], *, synonyms: object, replace_leaks: bool, answers: object, target: object
) -> None:
    if not masked and (synonyms or replace_leaks):
        raise UsageError("synonyms and replace_leaks concern masked labels, and labels are shown here; leave them out")
    if not any(part.kind == "counterfactual" for part in tasks) and (answers is not None or target is not None):
        raise UsageError("answers and target serve the task counterfactual; leave them out, or add that task")


def _filled(
    candidates: Sequence[Candidate],
    wanted: int,
    show: Callable[[Sequence[Candidate]], list[Item]],
    choose: Callable[[Sequence[Candidate], int], list[Candidate]],
) -> tuple[list[Item], list[Candidate]]:
    """So many items, or all that can be shown, and the candidates that were not tried: who can't be shown is replaced."""
    made: list[Item] = []
    pool = list(candidates)
    while pool and len(made) < wanted:
        chosen = choose(pool, wanted - len(made))
        taken = {one.id for one in chosen}
        pool = [one for one in pool if one.id not in taken]
        made += show(chosen)
    return made, pool


def _with_right_answers(
    items: list[Item], making: Making, candidates: Sequence[Candidate], tasks: Sequence[TaskPart],
    known: Mapping[str, Sequence[Mapping[str, str]]], target: Classifier | None, labels: Sequence[str],
    problem: Callable[[Problem], None],
) -> list[Item]:  # fmt: skip
    kinds = {part.kind for part in tasks}
    shown = {item.id for item in items}
    if "counterfactual" in kinds:
        told: dict[str, Sequence[Mapping[str, str]]] = {**answers_known.usable_answers(known, items, on_problem=problem)}
        if target is not None:
            asked = [one for one in candidates if one.id in shown]
            told = {**answers_known.answers_of_target(asked, target, labels=labels, on_problem=problem), **told}
        items = answers_known.with_answers(items, told)
    if "error_finding" in kinds:
        items = answers_known.with_wrong_sentences(items, {one.id: making.for_words(one.map) for one in candidates})
    return items


def _where_known(tasks: Sequence[TaskPart], items: Sequence[Item]) -> tuple[TaskPart, ...]:
    """The tasks; wrong sentences are looked for only where it is known which are wrong."""
    known = {name for item in items for name in item.answers.get("error_finding", ())}
    found = []
    for part in tasks:
        names = [name for name in part.conditions or items[0].stimuli if name in known]
        narrowed = part.kind == "error_finding" and names
        found.append(part.model_copy(update={"conditions": names}) if narrowed else part)
    return tuple(found)


def _counted(ids: Sequence[str]) -> str:
    """How many, and the first of them by name: "7 (a, b, c, d, e and 2 more)"."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{len(ids)} ({', '.join(ids[:_NAMED])}{more})"


def _hints(
    items: Sequence[Item], conditions: Sequence[ConditionPart], design: DesignPart, seed: int, *, masked: bool
) -> list[str]:
    """What the researcher should know about the items."""
    names = [part.name for part in conditions]
    shown = [item for item in items if not item.practice]
    found = surface_hints(shown, names, seed) if masked else []
    found += uneven_hints(design, names, len(shown))
    kinds = {part.kind for part in conditions}
    for part in conditions:
        form = part.options.get("kind", "heatmap")
        if part.kind in ("random", "other") and form not in kinds:
            found.append(
                f"the control {part.name} is shown as {form}, and no other condition is; add {form}, or give "
                f"the control the form of another one, such as {part.kind}-plain"
            )
    return found


def _file(
    items: Sequence[Item], conditions: Sequence[ConditionPart], tasks: Sequence[TaskPart], design: DesignPart,
    labels: Sequence[str], masked: bool, seed: int, title: str,
) -> StudyFile:  # fmt: skip
    shown = "".join(stimulus.html for item in items for stimulus in item.stimuli.values())
    look = wording.Look(items[0].form, 'class="h+7"' in shown, 'class="m7"' in shown, masked)
    if not look.signed and not look.unsigned:
        look = replace(look, signed=True)
    file = checked_part(
        StudyFile,
        title=title,
        seed=seed,
        labels=list(labels),
        mask_labels=masked,
        conditions=list(conditions),
        design=design,
        tasks=list(tasks),
        instructions=wording.instructions(conditions, tasks, look, labels),
        comprehension=wording.comprehension(conditions, tasks, look),
        practice={"items": sum(item.practice for item in items)},
        demographics=wording.demographics(),
        debriefing=wording.debriefing(conditions),
    )
    check_study_file(file)
    trials = trials_per_participant(file)
    file = file.model_copy(update={"attention": wording.attention(trials)})
    pause = BREAK_AFTER if trials > 1.5 * BREAK_AFTER else 0
    file = file.model_copy(update={"server": ServerPart(break_after=pause)})
    draft = file.model_copy(update={"consent": wording.consent(title, 1, look.form, trials)})  # its reading takes time, too
    minutes = max(1, round(minutes_of(draft, items, trials)))
    return file.model_copy(update={"consent": wording.consent(title, minutes, look.form, trials)})


def strata_in(items: Iterable[Item]) -> dict[str, int]:
    """How many items there are of each label, and of these on how many the model is right or wrong."""
    words = {"yes": "model right", "no": "model wrong", "": "model right or wrong unknown"}
    counts = Counter((item.predicted, words[item.facts.get("model_right", "")]) for item in items if not item.practice)
    return {f"{label}, {right}": count for (label, right), count in sorted(counts.items())}
