"""Better prompts from a few labelled images: an evolutionary search over templates, then over descriptions (ProAPO)."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.seen import SeenImages
from agents.encoders.vectors import unit_rows
from agents.few_shot.selection import calibrated
from agents.prompting.candidates import STRENGTHS, kind_names
from agents.prompting.descriptions.captions import clip_templates
from agents.prompting.fitness import MARGIN, margins
from agents.prompting.library import NEAR_DUPLICATE, EncodedTexts, checked_synonyms
from agents.prompting.prompts import PromptSet, Step
from agents.prompting.runs import Runs
from agents.prompting.search import Task, confusable_cap
from agents.prompting.selection.folds import fold_count
from agents.prompting.weights import FitnessWeights, StageWeights, fitness_weights
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.images.reader import Images

__all__ = ["PromptOptimizer", "PromptSet", "Step"]


class PromptOptimizer:
    """Progressive prompt optimisation (ProAPO; Qu et al., CVPR 2025), with folds that show and choose what holds on new images.

    The search first chooses templates, which hold for all classes, and then descriptions, in groups of classes: one class
    with a high loss and the classes it is confused with (group sampling). Prompt sets are edited by adding, deleting and
    replacing prompts, and evolved by crossover and mutation; edit sizes that helped are drawn more often. Prompts that help
    on their own are drawn more often, and the search begins at the fittest of several starting points (prompt sampling).
    Descriptions that say the same are dropped before, and prompts that do harm after the search.

    It departs from the paper, and from the released program, in these points. Candidates are scored by matrix products over
    cosines and Gram matrices, for speed. Logits are scaled by the temperature under which the labels are likeliest, because
    only CLIP's own scale is trained for that. A description that does not name its class is combined with the best chosen
    template only. The released program keeps the prompts that were best on the *test* images; here test images are never
    seen. Besides ProAPO's sets, where a prompt is in or out, there are weighted prompts (`strengths`), and where every class
    has two labelled images, folds say what each of these is worth on images that the search did not see. The usual result is
    a weighted mean of templates and prompts; another kind is taken where folds show that it is better.

    Args:
        encoder: puts images and texts into one space.
        class_names: the K classes.
        seed: the same seed gives the same result on the same machine.
        template: the template that the search starts from.
        templates: the templates to choose from; CLIP's 80 by default.
        weights: of the fitness: the name of a released configuration ("imagenet", "oxford_pets/RN50"), four numbers as a text
            or as `FitnessWeights`, or a set for each stage; by default those that most released sections share.
        scale: logits are `scale` times cosines; by default the value under which the labels are likeliest at the start.
        beam: how many prompt sets are kept from one iteration to the next.
        children: how many new prompt sets each operator makes of each kept set in an iteration.
        template_steps: the largest number of iterations over templates.
        rounds: the most rounds over groups of classes.
        groups: the most groups per round.
        steps: the most iterations per group.
        group_size: the most classes per group; by default 2.5 · ln K, the cap of the released program.
        most: the largest number of prompts that one edit changes.
        patience: iterations (templates) or rounds (descriptions) without a gain before the stage ends.
        folds: the search also runs on every choice of folds - 1 of so many parts of the images, and the images left out say
            what its prompts are worth; 0 for none. By default up to 3, where every class has images enough.
        repeats: the search runs with so many seeds, from `seed` on, and the one that is best over the folds is taken; without
            folds, the one that is fittest on the labelled images.
        strengths: how strongly weighted prompts are held to equal weights, one kind of prompts each; empty for ProAPO alone.
        kind: the kind of prompts to return, a name from `CrossValidation.scores`, in the place of the one that folds choose.
            Where the search has none of that kind, the usual one is taken, and `warnings` says so.
        synonyms: other names of the classes, which take the place of the name in further captions.
        near_duplicate: cosine from which a description counts as said already; above 1 none does.
        state: a file that gets a record at every iteration; where it exists, the search goes on from its last one.
        progress: called after every iteration.

    Raises:
        UsageError: an option has no such value; or, on `fit`, labels, library or state file do not fit.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        class_names: Sequence[str],
        *,
        seed: int = 0,
        template: str = "a photo of a {}.",
        templates: Sequence[str] | None = None,
        weights: str | FitnessWeights | StageWeights | None = None,
        scale: float | None = None,
        beam: int = 8,
        children: int = 16,
        template_steps: int = 10,
        rounds: int = 4,
        groups: int = 10,
        steps: int = 3,
        group_size: int | None = None,
        most: int = 8,
        patience: int = 2,
        folds: int | None = None,
        repeats: int = 1,
        strengths: Sequence[float] = STRENGTHS,
        kind: str | None = None,
        synonyms: Mapping[str, Sequence[str]] | None = None,
        near_duplicate: float = NEAR_DUPLICATE,
        state: str | os.PathLike[str] | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> None:
        if len(class_names) < 2 or len(set(class_names)) < len(class_names):
            raise UsageError("give at least two class names, each once")
        size = confusable_cap(len(class_names)) if group_size is None else min(group_size, len(class_names))
        counts = {"beam": beam, "children": children, "groups": groups, "group_size": size, "repeats": repeats}
        for name, value in counts.items():
            if value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        if bad := [strength for strength in strengths if not 0 < strength < math.inf]:
            raise UsageError(f"a strength must be a finite number above 0, not {bad[0]}")
        if kind is not None and kind not in (kinds := kind_names(strengths)):
            raise UsageError(f"there are no prompts of the kind {kind!r}; there are {', '.join(kinds)}")
        self.encoder = encoder
        self.class_names = tuple(class_names)
        self.templates = tuple(dict.fromkeys([template, *(clip_templates() if templates is None else templates)]))
        if wrong := [text for text in self.templates if "{}" not in text]:
            raise UsageError(f"the template {wrong[0]!r} has no {{}} to put the class name into")
        self.weights = fitness_weights(weights)
        self.scale, self.folds, self.repeats, self.kind = scale, folds, repeats, kind
        self.strengths = tuple(dict.fromkeys(strengths))
        self.synonyms = checked_synonyms(self.class_names, synonyms)
        self.near_duplicate = near_duplicate
        self.settings = {
            "beam": beam,
            "children": children,
            "template_steps": template_steps,
            "rounds": rounds,
            "groups": groups,
            "steps": steps,
            "group_size": size,
            "most": most,
            "patience": patience,
        }
        self.seed, self.template = seed, template
        self._state = None if state is None else Path(state)
        self._progress = progress

    def fit(
        self,
        images: Images,
        labels: Sequence[int] | Sequence[str] | NDArray[np.integer],
        library: Mapping[str, Sequence[str]] | None = None,
        *,
        must_not_break: tuple[Images, Sequence[int] | Sequence[str] | NDArray[np.integer]] | None = None,
    ) -> PromptSet:
        """Search prompts that classify these images well.

        Args:
            images: an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths; one per class is enough.
            labels: the class of each, as an index or a name.
            library: descriptions by class name; None or empty stops after the templates.
            must_not_break: images and labels of images that must stay right: prompts that get one wrong are never taken. Those
                that the starting template gets wrong cannot be kept, and `warnings` says how many they are.

        Raises:
            UsageError: labels or library do not fit the classes, or the state file belongs to another search.
        """
        rows = self.encoder.encode_images(images)
        pinned = None if must_not_break is None else (self.encoder.encode_images(must_not_break[0]), must_not_break[1])
        found = self.fit_embedded(rows, labels, library, must_not_break=pinned)
        every = [*images, *(() if must_not_break is None else must_not_break[0])]
        paths = [one for one in every if isinstance(one, (str, os.PathLike))]
        if len(paths) < len(every):
            return found
        known = rows if pinned is None else np.concatenate([rows, pinned[0]])
        return replace(found, seen=SeenImages.of(paths, known, self.encoder))

    def fit_embedded(
        self,
        embeddings: NDArray[np.float32],
        labels: Sequence[int] | Sequence[str] | NDArray[np.integer],
        library: Mapping[str, Sequence[str]] | None = None,
        *,
        must_not_break: tuple[NDArray[np.float32], Sequence[int] | Sequence[str] | NDArray[np.integer]] | None = None,
    ) -> PromptSet:
        """As `fit`, for images that are embedded already (N×D)."""
        rows, truth = self._checked_images(embeddings, labels)
        pinned = None if must_not_break is None else self._checked_images(*must_not_break)
        descriptions = self._checked_library(library)
        seen = SeenImages.of(None, rows if pinned is None else np.concatenate([rows, pinned[0]]), self.encoder)
        texts = EncodedTexts(self.encoder)
        start = texts.rows([self.template.format(name) for name in self.class_names])
        scale = self.scale or calibrated(rows @ start.T, truth)
        folds, note = fold_count(truth, len(self.class_names), self.folds, rows)
        warnings = []
        if pinned is not None:
            right = margins((pinned[0] @ start.T)[None], pinned[1])[0] > MARGIN
            if not right.all():
                warnings.append(
                    f"{int((~right).sum())} of {len(right)} images that must not break are wrong with the starting template "
                    f"already, the first of them image {int(np.flatnonzero(~right)[0])}; only the others are held"
                )
            pinned = (pinned[0][right], pinned[1][right]) if right.any() else None
        task = Task(
            self.class_names, self.templates, descriptions, self.synonyms, texts, self.weights, self.near_duplicate, pinned,
            float(scale), self.settings,
        )  # fmt: skip
        runs = Runs(task, rows, truth, seeds=range(self.seed, self.seed + self.repeats), folds=folds, strengths=self.strengths)
        found = runs.run(
            self._state,
            self._progress,
            key=self._key(rows, truth, pinned, descriptions, scale, folds),
            kind=self.kind,
            note=note,
            warnings=warnings,
        )
        return replace(found, seen=seen)

    def _key(
        self,
        rows: NDArray[np.float32],
        truth: NDArray[np.int64],
        pinned: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
        descriptions: list[list[str]],
        scale: float,
        folds: int,
    ) -> str:
        """A digest of everything that the records of a state file depend on."""
        parts = (
            self.class_names, self.templates, descriptions, self.synonyms, self.settings, self.weights, self.near_duplicate,
            self.seed, self.repeats, folds, float(scale), truth.tolist(), None if pinned is None else pinned[1].tolist(),
        )  # fmt: skip
        digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass"))
        digest.update(rows.tobytes())
        if pinned is not None:
            digest.update(pinned[0].tobytes())
        return digest.hexdigest()

    def _checked_images(
        self, embeddings: NDArray[np.float32], labels: Sequence[int] | Sequence[str] | NDArray[np.integer]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        given = np.asarray(embeddings)
        truth = self._label_indices(labels, len(given))
        usable = np.isfinite(given).all(axis=1) & (given != 0).any(axis=1)
        if not usable.all():
            raise UsageError(
                f"the embedding of image {int(np.flatnonzero(~usable)[0])} is not usable: it holds numbers that are not "
                "finite, or zeros only; leave that image out"
            )
        return unit_rows(given), truth

    def _label_indices(self, labels: Sequence[int] | Sequence[str] | NDArray[np.integer], count: int) -> NDArray[np.int64]:
        if len(labels) != count or count == 0:
            raise UsageError(f"{count} images but {len(labels)} labels; give one label for each of at least one image")
        if isinstance(labels[0], str):
            place = {name: index for index, name in enumerate(self.class_names)}
            unknown = [label for label in labels if label not in place]
            if unknown:
                raise UsageError(f"the label {unknown[0]!r} is none of the {len(place)} class names")
            return np.array([place[str(label)] for label in labels], dtype=np.int64)
        truth = np.asarray(labels)
        if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= len(self.class_names):
            raise UsageError(f"labels must be class names, or whole numbers from 0 to {len(self.class_names) - 1}")
        return truth.astype(np.int64)

    def _checked_library(self, library: Mapping[str, Sequence[str]] | None) -> list[list[str]]:
        given = dict(library or {})
        unknown = sorted(set(given) - set(self.class_names))
        if unknown:
            raise UsageError(f"the descriptions speak of {unknown[0]!r}, which is none of the class names")
        if bad := [name for name, texts in given.items() if isinstance(texts, str)]:
            raise UsageError(f"the descriptions of {bad[0]!r} are one text; give a list of texts")
        return [list(dict.fromkeys(given.get(name, ()))) for name in self.class_names]
