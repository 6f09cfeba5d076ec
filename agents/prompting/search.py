"""The search behind `PromptOptimizer`. It can be stopped after any iteration and resumed from its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.prompting.fitness import Fitness, Scorer
from agents.prompting.library import candidate_texts, without_near_duplicates
from agents.prompting.operators import SIZED, brood, learned_odds, size_steps, unique_rows
from agents.prompting.prompts import Step
from agents.prompting.pruning import pruned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from agents.prompting.library import EncodedTexts
    from agents.prompting.weights import FitnessWeights, StageWeights

    Tell = Callable[[Step, dict[str, Any]], None]


def confusable_cap(classes: int) -> int:
    """The most classes in a group: 2.5 · ln K, as in the released program (`num_consider_category_each_group`)."""
    return min(classes, max(2, int(2.5 * np.log(classes))))


@dataclass(frozen=True)
class Task:
    """What every search of an optimisation shares.

    Attributes:
        names: the K classes.
        templates: the templates to choose from; the search starts from the first.
        descriptions: those of each class.
        synonyms: other names of each class.
        texts: embeds texts.
        weights: of the fitness.
        near_duplicate: cosine from which a description is said already.
        pinned: embeddings and classes of images that must stay right, or None.
        scale: logits are `scale` times cosines.
        settings: numbers of the search, by name.
    """

    names: tuple[str, ...]
    templates: tuple[str, ...]
    descriptions: list[list[str]]
    synonyms: list[list[str]]
    texts: EncodedTexts
    weights: StageWeights
    near_duplicate: float
    pinned: tuple[NDArray[np.float32], NDArray[np.int64]] | None
    scale: float
    settings: dict[str, int]

    def template_rows(self) -> NDArray[np.float32]:
        """K×T×D embeddings of the class names in the templates."""
        rows = self.texts.rows([text.format(name) for name in self.names for text in self.templates])
        return rows.reshape(len(self.names), len(self.templates), -1)


@dataclass(frozen=True)
class Outcome:
    """What one search found.

    Attributes:
        templates: the prompts of each class by the chosen templates.
        prompts: the prompts of each class after the search for descriptions; those of `templates` without descriptions.
        chosen: the positions of the chosen templates, the fittest first.
        pool: all captions of each class, without near-duplicates.
        start_fitness: of the starting template.
        fitness: of `prompts`.
        pruned: how many prompts were taken out at the end.
        limits: the stages that ended at their limit while they still gained.
        unsearched: classes with a wrong image at the end that no group held.
    """

    templates: list[list[str]]
    prompts: list[list[str]]
    chosen: list[int]
    pool: list[list[str]]
    start_fitness: float
    fitness: float
    pruned: int = 0
    limits: tuple[str, ...] = ()
    unsearched: tuple[int, ...] = ()


class Search:
    """One run. The state holds everything an iteration needs, and each iteration has its own random generator.

    Args:
        task: what all searches share.
        rows: n×D embeddings of the labelled images.
        truth: their n class indices.
        seed: of the random choices.
    """

    def __init__(self, task: Task, rows: NDArray[np.float32], truth: NDArray[np.int64], seed: int) -> None:
        self.task, self.names, self.templates = task, task.names, task.templates
        self.rows, self.truth, self.seed = rows, truth, seed
        self._limits: list[str] = []

    def run(self, state: dict[str, Any], tell: Tell) -> Outcome:
        """Search templates, then descriptions if there are any; go on from `state` if it is not empty."""
        chosen, start_fitness, fitness = self._search_templates(state, tell)
        by_template = [[self.templates[index].format(name) for index in chosen] for name in self.names]
        lead = self.templates[chosen[0]]
        every = []
        for name, own, texts, others in zip(self.names, by_template, self.task.descriptions, self.task.synonyms, strict=True):
            group = list(dict.fromkeys([*own, *candidate_texts(name, texts, others, lead)]))
            rows = self.task.texts.rows(group)
            every.append(without_near_duplicates(group, rows, first=len(own), cosine=self.task.near_duplicate))
        pool = [group[len(chosen) :] for group in every]
        if not any(pool):
            return Outcome(by_template, by_template, chosen, pool, start_fitness, fitness, limits=tuple(self._limits))
        scorer = self._scorer([self.task.texts.rows(group) for group in every], self.task.weights.descriptions)
        best = self._search_descriptions(state, scorer, len(chosen), tell)
        less = pruned(scorer, best)
        wrong = np.unique(self.truth[scorer.cosines(less[None])[0, : len(self.truth)].argmax(axis=1) != self.truth])
        return Outcome(
            by_template,
            [[text for text, on in zip(group, less[row], strict=False) if on] for row, group in enumerate(every)],
            chosen,
            pool,
            start_fitness,
            float(scorer.rate_sets(less[None]).value[0]),
            int(best.sum() - less.sum()),
            tuple(self._limits),
            tuple(int(index) for index in np.setdiff1d(wrong, state.get("searched", []))) if self._count("rounds") else (),
        )

    def _rng(self, *where: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *where])

    def _scorer(self, prompts: Sequence[NDArray[np.float32]], weights: FitnessWeights) -> Scorer:
        return Scorer(self.rows, self.truth, prompts, scale=self.task.scale, weights=weights, pinned=self.task.pinned)

    def _odds(self, state: dict[str, Any], stage: str) -> NDArray[np.float64]:
        """The odds of edit sizes, all equal at first."""
        return np.array(state.get(f"{stage}_odds", np.ones((SIZED, size_steps(self._count("most"))))), dtype=np.float64)

    def _select(self, masks: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The indices of the fittest sets, each set once; of equally fit sets the earlier, so that changes need a gain."""
        once = unique_rows(masks)
        return once[np.argsort(-values[once], kind="stable")[: self._count("beam")]]

    def _count(self, name: str) -> int:
        return self.task.settings[name]

    def _search_templates(self, state: dict[str, Any], tell: Tell) -> tuple[list[int], float, float]:
        """The positions of the chosen templates, the fitness of the first template, and theirs."""
        count = len(self.templates)
        scorer = self._scorer(list(self.task.template_rows()), self.task.weights.templates)
        singles = scorer.rate_shared(np.eye(count, dtype=bool))
        weights = _weights(np.where(np.isfinite(singles.value), singles.value, np.nan)[None])
        valid = np.ones((1, count), dtype=bool)
        start = 0
        stale = 0
        masks = np.eye(count, dtype=bool)[np.argsort(-singles.value, kind="stable")[: self._count("beam")]]
        masks = np.concatenate([np.eye(count, dtype=bool)[:1], masks, np.ones((1, count), dtype=bool)])[:, None, :]
        if state:
            masks = _unpack(state["templates"], (1, count))
            start, stale = state["template_step"], state["template_stale"]
        odds = self._odds(state, "template")
        rated = scorer.rate_shared(masks[:, 0])
        keep = self._select(masks, rated.value)
        masks, best = masks[keep], rated.value[keep[0]]
        for step in range(start, self._count("template_steps")):
            if stale >= self._count("patience") or "best" in state:
                break
            rng = self._rng(0, step)
            children = brood(rng, masks, valid, weights, self._count("children"), odds)
            every = np.concatenate([masks, children.masks])
            rated = scorer.rate_shared(every[:, 0])
            odds = learned_odds(odds, children.operators, children.exponents, rated.value[len(masks) :] - best)
            keep = self._select(every, rated.value)
            masks, top = every[keep], keep[0]
            stale = 0 if rated.value[top] > best + 1e-9 else stale + 1
            best = rated.value[top]
            now = {
                "templates": _pack(masks),
                "template_step": step + 1,
                "template_stale": stale,
                "template_odds": odds.tolist(),
            }
            figures = (float(best), float(rated.accuracy[top]), float(rated.entropy[top]))
            state.update(now)
            tell(Step("templates", 0, 0, step, tuple(range(len(self.names))), len(children.masks), *figures), dict(state))
        state.setdefault("templates", _pack(masks))
        state.setdefault("template_step", start)
        state.setdefault("template_stale", stale)
        if state["template_stale"] < self._count("patience") and 0 < self._count("template_steps") <= state["template_step"]:
            self._limits.append("templates")
        chosen = np.flatnonzero(masks[0, 0])
        by_fitness = chosen[np.argsort(-singles.value[chosen], kind="stable")]
        return [int(index) for index in by_fitness], float(singles.value[0]), float(best)

    def _search_descriptions(self, state: dict[str, Any], scorer: Scorer, templates: int, tell: Tell) -> NDArray[np.bool_]:
        """The best set of prompts, K×M; the first `templates` prompts of each class are the chosen templates."""
        masks = self._starting_points(scorer, templates)
        best = masks[int(scorer.rate_sets(masks).value.argmax())]
        weights = self._single_weights(scorer, masks[0])
        at = {"round": 0, "group": 0, "step": 0, "gained": False, "stale": 0}
        if "best" in state:
            best = _unpack(state["best"], best.shape)[0]
            at = state["place"]
        odds = self._odds(state, "description")
        searched = set(state.get("searched", []))
        groups: list[NDArray[np.int64]] = []
        while at["round"] < self._count("rounds") and at["stale"] < self._count("patience"):
            if at["group"] == 0 and at["step"] == 0:
                groups = self._groups(scorer, best, at["round"])
            elif not groups:
                groups = [np.array(group, dtype=np.int64) for group in state["groups"]]
            group = groups[at["group"]]
            base = scorer.cosines(best[None])[0]
            vectors = scorer.vectors(best[None])[0] if scorer.weights.redundancy else None
            parents = _unpack(state["parents"], (len(group), best.shape[1])) if at["step"] > 0 else best[group][None]
            rng = self._rng(1, at["round"], at["group"], at["step"])
            children = brood(rng, parents, scorer.valid[group], weights[group], self._count("children"), odds)
            family = np.concatenate([parents, children.masks])
            before = scorer.rate_sets(best[None])
            rated = scorer.rate_edits(base, family, group, vectors)
            odds = learned_odds(odds, children.operators, children.exponents, rated.value[len(parents) :] - before.value[0])
            keep = self._select(family, rated.value)
            parents = family[keep]
            gained = bool(rated.value[keep[0]] > before.value[0] + 1e-9)
            shown = _at(rated, int(keep[0])) if gained else _at(before, 0)
            classes = tuple(int(index) for index in group)
            step = Step("descriptions", at["round"], at["group"], at["step"], classes, len(children.masks), *shown)
            if gained:
                best = best.copy()
                best[group] = parents[0]
                at = {**at, "gained": True}
            searched.update(classes)
            at = self._advance(at, len(groups))
            state.update(
                best=_pack(best[None]), place=at, parents=_pack(parents), groups=[row.tolist() for row in groups],
                description_odds=odds.tolist(), searched=sorted(searched),
            )  # fmt: skip
            tell(step, dict(state))
        if at["stale"] < self._count("patience") and 0 < self._count("rounds") <= at["round"]:
            self._limits.append("descriptions")
        result: NDArray[np.bool_] = best
        return result

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
        vectors = scorer.vectors(base[None])[0] if scorer.weights.redundancy else None
        classes, width = base.shape
        values = np.full((classes, width), np.nan)
        for index in range(classes):
            members = np.flatnonzero(scorer.valid[index])
            masks = np.repeat(base[None, index : index + 1], len(members), axis=0)
            masks[np.arange(len(members)), 0, members] = True
            rated = scorer.rate_edits(cosines, masks, np.array([index]), vectors).value
            values[index, members] = np.where(np.isfinite(rated), rated, np.nan)
        return _weights(values)

    def _groups(self, scorer: Scorer, best: NDArray[np.bool_], round_number: int) -> list[NDArray[np.int64]]:
        """Classes drawn in proportion to the mean loss of their images, each with the classes most similar to its images."""
        cosines = scorer.cosines(best[None])[0].astype(np.float64)
        logits = cosines[: len(self.truth)] * self.task.scale
        logits -= logits.max(axis=1, keepdims=True)
        loss = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), self.truth]
        present = np.unique(self.truth)
        mean_loss = np.array([loss[self.truth == index].mean() for index in present]) + 1e-6
        rng = self._rng(2, round_number)
        count = min(self._count("groups"), len(present))
        drawn = rng.choice(present, size=count, replace=False, p=mean_loss / mean_loss.sum())
        groups: list[NDArray[np.int64]] = []
        for index in drawn:
            likeness = cosines[: len(self.truth)][self.truth == index].mean(axis=0)
            likeness[index] = np.inf
            groups.append(np.sort(np.argsort(-likeness, kind="stable")[: self._count("group_size")]))
        return groups


def _at(rated: Fitness, index: int) -> tuple[float, float, float]:
    return float(rated.value[index]), float(rated.accuracy[index]), float(rated.entropy[index])


def _weights(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential of the standard score within each row; 0 for prompts that are missing or not allowed (NaN)."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=1, keepdims=True) / count)
    scores = (values - mean) / np.where(spread > 0, spread, 1.0)
    return np.where(np.isnan(values), 0.0, np.exp(np.nan_to_num(scores)))


def _pack(masks: NDArray[np.bool_]) -> list[str]:
    return [np.packbits(mask.reshape(-1)).tobytes().hex() for mask in masks]


def _unpack(rows: list[str], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    count = int(np.prod(shape))
    packed = [np.frombuffer(bytes.fromhex(row), dtype=np.uint8) for row in rows]
    return np.stack([np.unpackbits(row, count=count) for row in packed]).astype(bool).reshape(len(rows), *shape)
