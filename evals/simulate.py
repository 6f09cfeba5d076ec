"""A dry run of a study: simulated participants take it over the same server as people will, before anybody is paid."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.building.surface import surface_hints
from evals.study.power import detectable_effect
from evals.study.quality import flags
from evals.study.simulated.dry_run import DryRun
from evals.study.simulated.findings import Finding, findings_after, findings_before, some
from evals.study.simulated.kind import PARTICIPANTS, SimulatedKind
from evals.study.simulated.taking import Taken, take_study
from evals.study.stimuli.kind import KINDS
from evals.study.stimuli.leaks import leaks_of, names_of
from evals.study.tasks.task import TASKS
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.study.answers import Answers
    from evals.study.folder import Study

SIMULATIONS = 300
"""Simulated studies per tried effect: the smallest detectable one is told with one or two digits."""
SCRIPTED: tuple[str, ...] = ("perfect", "random", "position", "speeding", "top-word")
"""The kinds of a dry run where no others are named."""


def simulate(
    study: Study,
    kinds: Sequence[str] = SCRIPTED,
    *,
    count: int = 4,
    models: Mapping[str, SimulatedKind] | None = None,
    seed: int = 0,
    on_page: Callable[[int], None] | None = None,
) -> DryRun:
    """Let simulated participants take a study. Its own database of answers is not touched.

    Args:
        study: the study.
        kinds: names in `evals.study.simulated.PARTICIPANTS`.
        count: participants of each kind.
        models: language models by name, made with `language_model_kind`, which take the study as well.
        seed: of the participants' own chance; cells are assigned by the server.
        on_page: called with the number of pages after each turn.

    Raises:
        UsageError: a kind is unknown, nobody takes part, or `count` is below 1.
    """
    if count < 1:
        raise UsageError(f"{argument('count')} must be 1 or more, not {count}")
    takers = {name: PARTICIPANTS.get(name) for name in kinds} | dict(models or {})
    if not takers:
        raise UsageError("nobody takes part: name a kind of simulated participant, or a language model")
    enough = study.file.design.model_copy(update={"participants": max(study.file.design.participants, count * len(takers))})
    opened = replace(study, file=study.file.model_copy(update={"design": enough}))
    taken, answers, places = _taken(opened, takers, count, seed, on_page)
    found = [*findings_before(study), *_leaks(study), *findings_after(study, taken, answers)]
    order = ("broken", "leak", "ceiling", "note")
    flagged = {code: tuple(one.name for one in each) for code, each in flags(answers, study, places).items()}
    return DryRun(
        answers, tuple(taken), tuple(sorted(found, key=lambda one: order.index(one.kind))), flagged, _detectable(study)
    )


def _taken(
    study: Study, takers: Mapping[str, SimulatedKind], count: int, seed: int, on_page: Callable[[int], None] | None
) -> tuple[list[Taken], Answers, dict[str, tuple[str, int]]]:
    import httpx

    from evals.study.server import open_store, running, study_app

    taken: list[Taken] = []
    with tempfile.TemporaryDirectory(prefix="saywhy-dry-run-") as folder:
        store = open_store(study, Path(folder) / "simulated.db", source="simulated")

        places: dict[str, tuple[str, int]] = {}

        def place_of(code: str) -> tuple[str, int]:
            if code not in places:  # the first of a kind, when all of that kind have joined
                places.update({one.code: (one.cell, one.seed) for one in store.people()})
            return places[code]

        try:
            with running(study_app(store)) as address, httpx.Client(base_url=address, timeout=60) as client:
                for name, kind in takers.items():
                    taken += take_study(study, client, name, kind, count, place_of=place_of, seed=seed, on_page=on_page)
                for picture in sorted({one for each in taken for one in each.pictures}):
                    reply = client.get(picture)
                    if reply.status_code != 200:
                        taken[0].troubles.append(f"{picture}: the server answered {reply.status_code}")
            answers = store.answers()
        finally:
            store.close()
    return taken, answers, places


def _leaks(study: Study) -> list[Finding]:
    """Explanations that name a label which people guess, or whose looks tell it."""
    if not study.file.mask_labels or all(part.kind != "simulation" for part in study.file.tasks):
        return []
    items = [item for item in study.items.values() if not item.practice]
    names = names_of(study.file.labels or sorted({item.predicted for item in items}))
    found: list[Finding] = []
    for condition in study.file.conditions:
        own = KINDS.get(condition.kind).own_words
        naming = {
            item.id: words
            for item in items
            if condition.name in item.stimuli and (words := leaks_of(item.stimuli[condition.name], names, item.input.text, own))
        }
        if naming:
            named = ", ".join(dict.fromkeys(repr(word) for each in naming.values() for word in each))
            said = f"under {condition.name}, the explanation names a label ({named}) in {some(list(naming))}"
            found.append(Finding("leak", said, tuple(naming)))
    hints = surface_hints(items, [condition.name for condition in study.file.conditions], study.file.seed)
    return [*found, *(Finding("note", hint) for hint in hints)]


def _detectable(study: Study) -> tuple[str, ...]:
    """For each task with numbers, the smallest difference that the study shows."""
    said = []
    for part in study.file.tasks:
        if TASKS.get(part.kind).measure not in ("accuracy", "rating"):
            continue
        asked = [one.name for one in study.file.conditions if part.conditions is None or one.name in part.conditions]
        pairs = [(one.condition, one.reference) for one in study.file.analysis.hypotheses if one.task == part.name]
        first, second = pairs[0] if pairs else (*asked, "", "")[:2]
        if not second:
            continue  # one condition is compared with nothing
        try:
            effect = detectable_effect(study, task=part.name, condition=first, reference=second, simulations=SIMULATIONS)
        except UsageError as error:
            said.append(f"{part.name}: {error}")
            continue
        unit = "points" if TASKS.get(part.kind).measure == "rating" else "percentage points"
        size = None if effect is None else effect if unit == "points" else 100 * effect
        between = f"between {first} and {second} in 80% of such studies"
        shown = f"a difference of {size:.2g} {unit} or more {between}" if size is not None else ""
        nothing = (
            f"not even that {first} is as much better than {second} as it can be, in 80% of such studies; take more "
            "participants or items"
        )
        said.append(f"{part.name}: {study.file.design.participants} participants show {shown or nothing}")
    return tuple(said)
