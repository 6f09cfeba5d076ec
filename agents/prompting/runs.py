"""The searches of an optimisation: one over all images, one for each fold, for each seed; one state file keeps them all."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.few_shot.folds import stratified_folds
from agents.prompting.candidates import candidates, default_kind
from agents.prompting.descriptions.captions import vectors_of
from agents.prompting.prompts import PromptSet, Step
from agents.prompting.search import Search
from agents.prompting.selection.folds import CrossValidation, FoldScore, clearly_better, fold_score
from saywhy_core.disk.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agents.prompting.search import Outcome, Task

FORMAT = 4
"""Of the state file: one record per iteration, with its search, its step, and all that the next iteration needs."""


class Runs:
    """All searches of one optimisation, in a fixed order.

    Args:
        task: what they share.
        rows: n×D embeddings of the labelled images.
        truth: their n class indices.
        seeds: one search over all images for each, and one for each fold.
        folds: how many; 0 for none.
        strengths: those of the weighted prompts.
    """

    def __init__(
        self,
        task: Task,
        rows: NDArray[np.float32],
        truth: NDArray[np.int64],
        *,
        seeds: Sequence[int],
        folds: int,
        strengths: Sequence[float],
    ) -> None:
        self.task, self.rows, self.truth = task, rows, truth
        self.seeds, self.folds, self.strengths = seeds, folds, strengths
        self._scored = 0

    def run(
        self,
        file: Path | None,
        progress: Callable[[Step], None] | None,
        *,
        key: str,
        kind: str | None,
        note: str,
        warnings: Sequence[str],
    ) -> PromptSet:
        """Search, and choose among what was found; go on from the state file if it exists.

        Args:
            file: the state file.
            progress: called after every iteration.
            key: of everything that the records depend on.
            kind: the kind of prompts to return; None for the one that folds choose.
            note: why there are no folds, or fewer than asked for.
            warnings: what the result has to say besides.
        """
        started = time.perf_counter()
        journal = None if file is None else _journal(file, key)
        with journal or nullcontext():
            done: dict[str, list[dict[str, Any]]] = {}
            for record in journal.records() if journal else []:
                done.setdefault(record["search"], []).append(record)

            def search(name: str, rows: NDArray[np.float32], truth: NDArray[np.int64], seed: int) -> tuple[Outcome, list[Step]]:
                records = done.get(name, [])
                history = [_step(record) for record in records]

                def tell(step: Step, state: dict[str, Any]) -> None:
                    history.append(step)
                    if journal is not None:
                        journal.append({"search": name, "step": asdict(step), "state": state})
                    if progress is not None:
                        progress(step)

                outcome = Search(self.task, rows, truth, seed).run(dict(records[-1]["state"]) if records else {}, tell)
                self._scored += sum(step.candidates for step in history)
                return outcome, history

            whole = {seed: search(f"{seed}", self.rows, self.truth, seed) for seed in self.seeds}
            judged = [found for seed in self.seeds for found in self._judged(seed, search)]
        offers = {
            seed: candidates(self.task, outcome, self.rows, self.truth, self.strengths) for seed, (outcome, _) in whole.items()
        }
        missing = kind if any(kind not in offer for offer in offers.values()) else None
        fitness = {seed: outcome.fitness for seed, (outcome, _) in whole.items()}
        kind, seed = self._choice(judged, offers, fitness, kind if missing is None else None)
        outcome, history = whole[seed]
        return PromptSet(
            prompts=dict(zip(self.task.names, offers[seed][kind], strict=True)),
            history=tuple(history),
            template=self.task.templates[0],
            templates=tuple(self.task.templates[index] for index in outcome.chosen),
            scale=self.task.scale,
            start_fitness=outcome.start_fitness,
            fitness=outcome.fitness,
            candidates=self._scored,
            seconds=time.perf_counter() - started - self.task.texts.seconds,
            cross_validation=CrossValidation(self.folds, kind, tuple(score for score, _ in judged), note),
            warnings=(*warnings, *([] if missing is None else [_without(missing, kind)]), *self._warnings(outcome)),
        )

    def _judged(
        self, seed: int, search: Callable[..., tuple[Outcome, list[Step]]]
    ) -> list[tuple[FoldScore, NDArray[np.bool_]]]:
        """The kinds of prompts of one seed over all folds; a kind that a fold lacks is left out."""
        if not self.folds:
            return []
        # All seeds are judged on the same folds, so that their differences are not those of the folds.
        fold = stratified_folds(self.truth, self.folds, rows=self.rows, seed=self.seeds[0])
        cosines: dict[str, list[NDArray[np.float32]]] = {}
        for index in range(self.folds):
            inside = fold != index
            outcome, _ = search(f"{seed}.{index}", self.rows[inside], self.truth[inside], seed)
            offer = candidates(self.task, outcome, self.rows[inside], self.truth[inside], self.strengths)
            for name, prompts in offer.items():
                cosines.setdefault(name, []).append(self.rows @ vectors_of(self.task.texts.rows, prompts).T)
        seen = np.stack([fold != index for index in range(self.folds)])
        return [
            fold_score(name, np.stack(found), seen, self.truth, seed)
            for name, found in cosines.items()
            if len(found) == self.folds
        ]

    def _choice(
        self,
        judged: Sequence[tuple[FoldScore, NDArray[np.bool_]]],
        offers: dict[int, dict[str, list[list[str]]]],
        fitness: dict[int, float],
        kind: str | None,
    ) -> tuple[str, int]:
        """The kind of prompts and the seed.

        The usual kind is taken, unless others are clearly better on unseen images over all seeds; of these, the one that is
        right most often. Among the seeds, the one under whose search unseen images are likeliest.
        """
        common = [name for name in offers[self.seeds[0]] if all(name in offer for offer in offers.values())]
        usual = kind or default_kind(common, self.strengths)
        by_name: dict[str, list[tuple[FoldScore, NDArray[np.bool_]]]] = {}
        for score, hits in judged:
            by_name.setdefault(score.name, []).append((score, hits))
        right = {
            name: np.concatenate([hits for _, hits in by_name[name]])
            for name in common
            if len(by_name.get(name, [])) == len(self.seeds)
        }
        if usual not in right:
            return usual, max(self.seeds, key=lambda seed: fitness[seed])
        if kind is None:
            better = [name for name, hits in right.items() if clearly_better(hits, right[usual])]
            usual = max(better, key=lambda name: int(right[name].sum()), default=usual)
        return usual, max((score for score, _ in by_name[usual]), key=lambda score: score.unseen_likelihood).seed

    def _warnings(self, outcome: Outcome) -> list[str]:
        settings = self.task.settings
        found = []
        for stage in outcome.limits:
            option = "template_steps" if stage == "templates" else "rounds"
            found.append(
                f"the search over {stage} ended at its limit of {option}={settings[option]} while it still gained; "
                f"a larger {option} may find better prompts"
            )
        if outcome.unsearched:
            names = [self.task.names[index] for index in outcome.unsearched]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            found.append(
                f"{len(names)} of {len(self.task.names)} classes have a labelled image that is wrong, and no group of the "
                f"search held them: {', '.join(names[:3])}{more}; give more rounds or groups (now {settings['rounds']} x "
                f"{settings['groups']} groups of {settings['group_size']} classes)"
            )
        return found


def _without(missing: str, kind: str) -> str:
    return (
        f"this search has no prompts of the kind {missing!r}, because no description says more than its templates or because "
        f"all of them break a pinned image; {kind!r} stands in their place"
    )


def _journal(file: Path, key: str) -> Journal:
    return Journal(
        file,
        what="state of a prompt search",
        version=FORMAT,
        settings={"search": key},
        others="another search (other images, classes, descriptions or settings, or an earlier version of saywhy)",
        check=lambda record: (_step(record), dict(record["state"]), str(record["search"])),
        chained=True,
    )


def _step(record: dict[str, Any]) -> Step:
    """The step that a record of the journal tells of."""
    return Step(**{**record["step"], "classes": tuple(record["step"]["classes"])})
