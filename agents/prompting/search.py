"""The search behind `PromptOptimizer`. It can be stopped after any iteration and resumed from its state file."""

from __future__ import annotations

import hashlib
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.captions import caption
from agents.prompting.fitness import Scorer, calibrated_scale
from agents.prompting.operators import brood, unique_rows
from agents.prompting.prompts import PromptSet, Step
from saywhy_core.disk.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder


FORMAT = 2
"""Of the state file: one record per iteration, with the step and all that the next iteration needs."""


class Search:
    """One run. The state holds everything an iteration needs, and each iteration has its own random generator."""

    def __init__(
        self,
        encoder: ImageTextEncoder,
        names: tuple[str, ...],
        rows: NDArray[np.float32],
        truth: NDArray[np.int64],
        descriptions: list[list[str]],
        *,
        template: str,
        templates: tuple[str, ...],
        settings: dict[str, float | None],
    ) -> None:
        self.names, self.template = names, template
        self.templates, self.settings = templates, settings
        self.encoder, self.rows, self.truth, self.descriptions = encoder, rows, truth, descriptions
        encoded = encoder.encode_texts([text.format(name) for name in self.names for text in self.templates])
        self.template_rows = unit_rows(encoded).reshape(len(self.names), len(self.templates), -1)
        self.scale = self.settings["scale"] or calibrated_scale(rows @ self.template_rows[:, 0].T, truth)
        self.history: list[Step] = []
        self._encoding = 0.0

    def run(self, file: Path | None, progress: Callable[[Step], None] | None) -> PromptSet:
        """Search templates, then descriptions if there are any; go on from the state file if it exists."""
        journal = None if file is None else self._journal(file)
        started = time.perf_counter()

        def tell(step: Step, state: dict[str, Any]) -> None:
            self.history.append(step)
            if journal is not None:
                journal.append({"step": asdict(step), "state": state})
            if progress is not None:
                progress(step)

        with journal or nullcontext():
            done = journal.records() if journal else []
            self.history = [_step(record) for record in done]
            state: dict[str, Any] = done[-1]["state"] if done else {}
            chosen, start_fitness, fitness = self._search_templates(state, tell)
            prompts = [[self.templates[index].format(name) for index in chosen] for name in self.names]
            if any(self.descriptions):
                prompts, fitness = self._search_descriptions(state, chosen, prompts, tell)
        return PromptSet(
            prompts=dict(zip(self.names, prompts, strict=True)),
            history=tuple(self.history),
            template=self.template,
            templates=tuple(self.templates[index] for index in chosen),
            scale=float(self.scale),
            start_fitness=start_fitness,
            fitness=fitness,
            candidates=sum(step.candidates for step in self.history),
            seconds=time.perf_counter() - started - self._encoding,
        )

    def _key(self) -> str:
        parts = (self.names, self.templates, self.descriptions, self.settings, self.truth.tolist())
        digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass"))
        digest.update(self.rows.tobytes())
        return digest.hexdigest()

    def _journal(self, file: Path) -> Journal:
        return Journal(
            file,
            what="state of a prompt search",
            version=FORMAT,
            settings={"search": self._key()},
            others="another search (other images, classes, descriptions or settings)",
            check=lambda record: (_step(record), dict(record["state"])),
            chained=True,
        )

    def _rng(self, *where: int) -> np.random.Generator:
        return np.random.default_rng([int(self.settings["seed"] or 0), *where])

    def _scorer(self, prompts: Sequence[NDArray[np.float32]]) -> Scorer:
        return Scorer(
            self.rows,
            self.truth,
            prompts,
            scale=float(self.scale),
            entropy_weight=float(self.settings["entropy_weight"] or 0.0),
            top5_weight=float(self.settings["top5_weight"] or 0.0),
        )

    def _select(self, masks: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The indices of the fittest sets, each set once; of equally fit sets the earlier, so that changes need a gain."""
        once = unique_rows(masks)
        return once[np.argsort(-values[once], kind="stable")[: self._count("beam")]]

    def _count(self, name: str) -> int:
        return int(self.settings[name] or 0)

    def _search_templates(
        self, state: dict[str, Any], tell: Callable[[Step, dict[str, Any]], None]
    ) -> tuple[list[int], float, float]:
        scorer = self._scorer(list(self.template_rows))
        count = len(self.templates)
        singles = scorer.rate_shared(np.eye(count, dtype=bool))
        weights = _weights(singles.value[None])
        valid = np.ones((1, count), dtype=bool)
        start = 0
        stale = 0
        masks = np.eye(count, dtype=bool)[np.argsort(-singles.value, kind="stable")[: self._count("beam")]]
        masks = np.concatenate([np.eye(count, dtype=bool)[:1], masks, np.ones((1, count), dtype=bool)])[:, None, :]
        if state:
            masks = _unpack(state["templates"], (1, count))
            start, stale = state["template_step"], state["template_stale"]
        rated = scorer.rate_shared(masks[:, 0])
        keep = self._select(masks, rated.value)
        masks, best = masks[keep], rated.value[keep[0]]
        for step in range(start, self._count("template_steps")):
            if stale >= self._count("patience") or "best" in state:
                break
            rng = self._rng(0, step)
            children = brood(rng, masks, valid, weights, self._count("children"), self._count("most"))
            every = np.concatenate([masks, children])
            rated = scorer.rate_shared(every[:, 0])
            keep = self._select(every, rated.value)
            masks, top = every[keep], keep[0]
            stale = 0 if rated.value[top] > best + 1e-9 else stale + 1
            best = rated.value[top]
            now = {"templates": _pack(masks), "template_step": step + 1, "template_stale": stale}
            figures = (float(best), float(rated.accuracy[top]), float(rated.entropy[top]))
            state.update(now)
            tell(Step("templates", 0, 0, step, tuple(range(len(self.names))), len(children), *figures), now)
        state.setdefault("templates", _pack(masks))
        state.setdefault("template_step", start)
        state.setdefault("template_stale", stale)
        chosen = np.flatnonzero(masks[0, 0])
        by_fitness = chosen[np.argsort(-singles.value[chosen], kind="stable")]
        return [int(index) for index in by_fitness], float(singles.value[0]), float(best)

    def _search_descriptions(
        self,
        state: dict[str, Any],
        chosen: list[int],
        prompts: list[list[str]],
        tell: Callable[[Step, dict[str, Any]], None],
    ) -> tuple[list[list[str]], float]:
        lead = self.templates[chosen[0]]
        every = [
            list(dict.fromkeys([*own, *(caption(text, name, lead) for text in texts)]))
            for name, own, texts in zip(self.names, prompts, self.descriptions, strict=True)
        ]
        texts = list(dict.fromkeys(text for group in every for text in group))
        place = {text: index for index, text in enumerate(texts)}
        started = time.perf_counter()
        rows = unit_rows(self.encoder.encode_texts(texts))
        self._encoding = time.perf_counter() - started
        scorer = self._scorer([rows[[place[text] for text in group]] for group in every])
        masks = self._starting_points(scorer, len(chosen))
        base = scorer.cosines(masks)
        fitness = scorer.rate(base)
        best, weights = masks[int(fitness.value.argmax())], self._single_weights(scorer, masks[0])
        place_in = {"round": 0, "group": 0, "step": 0, "gained": False, "stale": 0}
        parents: NDArray[np.bool_] | None = None
        if "best" in state:
            best = _unpack(state["best"], best.shape)[0]
            place_in = state["place"]
        while place_in["round"] < self._count("rounds") and place_in["stale"] < self._count("patience"):
            if place_in["group"] == 0 and place_in["step"] == 0:
                groups = self._groups(scorer, best, place_in["round"])
            else:
                groups = [np.array(group, dtype=np.int64) for group in state["groups"]]
            group = groups[place_in["group"]]
            base = scorer.cosines(best[None])[0]
            if place_in["step"] > 0:
                parents = _unpack(state["parents"], (len(group), best.shape[1]))
            else:
                parents = best[group][None]
            rng = self._rng(1, place_in["round"], place_in["group"], place_in["step"])
            valid = scorer.valid[group]
            children = brood(rng, parents, valid, weights[group], self._count("children"), self._count("most"))
            family = np.concatenate([parents, children])
            before = scorer.rate(base[None]).value[0]
            rated = scorer.rate_edits(base, family, group)
            keep = self._select(family, rated.value)
            parents = family[keep]
            at = Step(
                "descriptions",
                place_in["round"],
                place_in["group"],
                place_in["step"],
                tuple(int(index) for index in group),
                len(children),
                float(max(rated.value[keep[0]], before)),
                float(rated.accuracy[keep[0]]),
                float(rated.entropy[keep[0]]),
            )
            if rated.value[keep[0]] > before + 1e-9:
                best = best.copy()
                best[group] = parents[0]
                place_in = {**place_in, "gained": True}
            place_in = self._advance(place_in, len(groups))
            state.update(
                best=_pack(best[None]), place=place_in, parents=_pack(parents), groups=[row.tolist() for row in groups]
            )
            tell(at, state)
        final = scorer.rate(scorer.cosines(best[None])).value[0]
        prompts = [[text for text, on in zip(group, best[row], strict=False) if on] for row, group in enumerate(every)]
        return prompts, float(final)

    def _advance(self, at: dict[str, Any], groups: int) -> dict[str, Any]:
        at = {**at, "step": at["step"] + 1}
        if at["step"] >= self._count("steps"):
            at.update(step=0, group=at["group"] + 1)
        if at["group"] >= groups:
            at.update(group=0, round=at["round"] + 1, stale=0 if at["gained"] else at["stale"] + 1, gained=False)
        return at

    def _starting_points(self, scorer: Scorer, templates: int) -> NDArray[np.bool_]:
        """The chosen templates without descriptions, with the 4 and the 16 that help most alone, and with all of them."""
        alone = np.zeros_like(scorer.valid)
        alone[:, :templates] = True
        weights = np.where(scorer.valid, self._single_weights(scorer, alone), -1.0)
        order = np.argsort(np.argsort(-weights, axis=1, kind="stable"), axis=1, kind="stable")
        points = [alone, *((alone | (order < count)) & scorer.valid for count in (4, 16)), scorer.valid]
        return np.stack(points)

    def _single_weights(self, scorer: Scorer, base: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Weights for drawing prompts, from the fitness of the base with one prompt added to its class."""
        cosines = scorer.cosines(base[None])[0]
        classes, width = base.shape
        values = np.full((classes, width), np.nan)
        for index in range(classes):
            members = np.flatnonzero(scorer.valid[index])
            masks = np.repeat(base[None, index : index + 1], len(members), axis=0)
            masks[np.arange(len(members)), 0, members] = True
            values[index, members] = scorer.rate_edits(cosines, masks, np.array([index])).value
        return _weights(values)

    def _groups(self, scorer: Scorer, best: NDArray[np.bool_], round_number: int) -> list[NDArray[np.int64]]:
        """Classes drawn in proportion to the mean loss of their images, each with the classes most similar to its images."""
        cosines = scorer.cosines(best[None])[0].astype(np.float64)
        logits = cosines * self.scale
        logits -= logits.max(axis=1, keepdims=True)
        loss = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), self.truth]
        present = np.unique(self.truth)
        mean_loss = np.array([loss[self.truth == index].mean() for index in present]) + 1e-6
        rng = self._rng(2, round_number)
        count = min(self._count("groups"), len(present))
        drawn = rng.choice(present, size=count, replace=False, p=mean_loss / mean_loss.sum())
        groups: list[NDArray[np.int64]] = []
        for index in drawn:
            likeness = cosines[self.truth == index].mean(axis=0)
            likeness[index] = np.inf
            groups.append(np.sort(np.argsort(-likeness, kind="stable")[: self._count("group_size")]))
        return groups


def _step(record: dict[str, Any]) -> Step:
    """The step that a record of the journal tells of."""
    return Step(**{**record["step"], "classes": tuple(record["step"]["classes"])})


def _weights(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential of the standard score within each row; 0 for missing prompts (NaN)."""
    with np.errstate(invalid="ignore"):
        mean = np.nanmean(values, axis=1, keepdims=True)
        spread = np.nanstd(values, axis=1, keepdims=True)
    scores = (values - mean) / np.where(spread > 0, spread, 1.0)
    return np.where(np.isnan(values), 0.0, np.exp(np.nan_to_num(scores)))


def _pack(masks: NDArray[np.bool_]) -> list[str]:
    return [np.packbits(mask.reshape(-1)).tobytes().hex() for mask in masks]


def _unpack(rows: list[str], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    count = int(np.prod(shape))
    packed = [np.frombuffer(bytes.fromhex(row), dtype=np.uint8) for row in rows]
    return np.stack([np.unpackbits(row, count=count) for row in packed]).astype(bool).reshape(len(rows), *shape)
