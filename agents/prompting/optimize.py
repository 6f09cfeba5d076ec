"""Better prompts from a few labelled images: an evolutionary search over templates, then over descriptions (ProAPO)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import unit_rows
from agents.prompting.descriptions.captions import clip_templates
from agents.prompting.prompts import PromptSet, Step
from agents.prompting.search import Search
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.images.reader import Images

__all__ = ["PromptOptimizer", "PromptSet", "Step"]


class PromptOptimizer:
    """Progressive prompt optimisation (ProAPO; Qu et al., CVPR 2025).

    The search first chooses templates, which hold for all classes, and then descriptions, in groups of classes: one class
    with a high loss and the classes it is confused with (group sampling). Prompt sets are edited by adding, deleting and
    replacing prompts, and evolved by crossover and mutation. Prompts that help on their own are drawn more often, and the
    search begins at the fittest of several starting points (prompt sampling). Fitness is top-1 accuracy + top-5 accuracy +
    α · mean log p(true class), with α = 1: the weights of the published program, as fractions instead of per cent.

    It differs from the paper in four points. Candidates are scored by matrix products over cosines and Gram matrices, for
    speed. Logits are scaled by the temperature under which the labels are likeliest, because only CLIP's own scale is
    trained for that. A description that does not name its class is combined with the best chosen template only. The
    library of descriptions is given; no language model is asked.

    Args:
        encoder: puts images and texts into one space.
        class_names: the K classes.
        seed: the same seed gives the same result on the same machine.
        template: the template that the search starts from.
        templates: the templates to choose from; CLIP's 80 by default.
        entropy_weight: α, the weight of the mean log probability of the true class.
        top5_weight: weight of the top-5 accuracy in the fitness.
        scale: logits are `scale` times cosines; by default the value under which the labels are likeliest at the start.
        beam: how many prompt sets are kept from one iteration to the next.
        children: how many new prompt sets each operator makes of each kept set in an iteration.
        template_steps: the largest number of iterations over templates.
        rounds: the most rounds over groups of classes.
        groups: the most groups per round.
        steps: the most iterations per group.
        group_size: classes per group.
        most: the largest number of prompts that one edit changes.
        patience: iterations (templates) or rounds (descriptions) without a gain before the stage ends.
        state: a file that gets a record at every iteration; where it exists, the search goes on from its last one.
        progress: called after every iteration.

    Raises:
        UsageError: on `fit`, where labels, library or state file do not fit.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        class_names: Sequence[str],
        *,
        seed: int = 0,
        template: str = "a photo of a {}.",
        templates: Sequence[str] | None = None,
        entropy_weight: float = 1.0,
        top5_weight: float = 1.0,
        scale: float | None = None,
        beam: int = 8,
        children: int = 16,
        template_steps: int = 10,
        rounds: int = 4,
        groups: int = 10,
        steps: int = 3,
        group_size: int = 5,
        most: int = 8,
        patience: int = 2,
        state: str | os.PathLike[str] | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> None:
        if len(class_names) < 2 or len(set(class_names)) < len(class_names):
            raise UsageError("give at least two class names, each once")
        for name, value in {"beam": beam, "children": children, "groups": groups, "group_size": group_size}.items():
            if value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        self.encoder = encoder
        self.class_names = tuple(class_names)
        self.templates = tuple(dict.fromkeys([template, *(clip_templates() if templates is None else templates)]))
        if bad := [text for text in self.templates if "{}" not in text]:
            raise UsageError(f"the template {bad[0]!r} has no {{}} to put the class name into")
        self.settings: dict[str, float | None] = {
            "seed": seed,
            "entropy_weight": entropy_weight,
            "top5_weight": top5_weight,
            "scale": scale,
            "beam": beam,
            "children": children,
            "template_steps": template_steps,
            "rounds": rounds,
            "groups": groups,
            "steps": steps,
            "group_size": min(group_size, len(class_names)),
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
    ) -> PromptSet:
        """Search prompts that classify these images well.

        Args:
            images: an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths; one per class is enough.
            labels: the class of each, as an index or a name.
            library: descriptions by class name; None or empty stops after the templates.

        Raises:
            UsageError: labels or library do not fit the classes, or the state file belongs to another search.
        """
        return self.fit_embedded(self.encoder.encode_images(images), labels, library)

    def fit_embedded(
        self,
        embeddings: NDArray[np.float32],
        labels: Sequence[int] | Sequence[str] | NDArray[np.integer],
        library: Mapping[str, Sequence[str]] | None = None,
    ) -> PromptSet:
        """As `fit`, for images that are embedded already (N×D)."""
        rows = unit_rows(embeddings)
        truth = self._label_indices(labels, len(rows))
        descriptions = self._checked_library(library)
        search = Search(
            self.encoder,
            self.class_names,
            rows,
            truth,
            descriptions,
            template=self.template,
            templates=self.templates,
            settings=self.settings,
        )
        return search.run(self._state, self._progress)

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
