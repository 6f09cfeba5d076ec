"""Judges prompts on labelled images, image by image, and says in words what they changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders import unit_rows
from agents.prompting import class_vectors, prompts_of
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder

MOST_PAIRS = 5
"""Confused pairs that a summary names: more of them make a model that reads it lose sight of the first."""


@dataclass(frozen=True, eq=False)
class Judged:
    """How N images fare with some prompts, and how they fared at the start.

    Attributes:
        class_names: the K classes.
        positions: N positions among the judge's images.
        truth: N class indices.
        start: N class indices, the decisions by the prompts of the start.
        decided: N class indices, the decisions by the prompts that are judged.
        cosines: N x K cosines of images and classes by these prompts.
    """

    class_names: tuple[str, ...]
    positions: NDArray[np.int64]
    truth: NDArray[np.int64]
    start: NDArray[np.int64]
    decided: NDArray[np.int64]
    cosines: NDArray[np.float32]

    @property
    def right(self) -> NDArray[np.bool_]:
        """N truth values: whether each image is decided rightly."""
        found: NDArray[np.bool_] = self.decided == self.truth
        return found

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """N truth values: wrong at the start, and right now."""
        found: NDArray[np.bool_] = self.right & (self.start != self.truth)
        return found

    @property
    def broken(self) -> NDArray[np.bool_]:
        """N truth values: right at the start, and wrong now."""
        found: NDArray[np.bool_] = ~self.right & (self.start == self.truth)
        return found

    def of_class(self, index: int) -> NDArray[np.bool_]:
        """N truth values: whether an image has to do with a class, as its truth or as the decision about it."""
        found: NDArray[np.bool_] = (self.truth == index) | (self.decided == index)
        return found

    def about(self, place: int) -> str:
        """One sentence about the image at this place (0 to N - 1): how it is decided, how narrowly, and what that changes."""
        name = self.class_names
        true, decided = int(self.truth[place]), int(self.decided[place])
        scores = self.cosines[place]
        if decided == true:
            others = np.delete(np.arange(len(name)), true)
            near = int(others[scores[others].argmax()])
            said = f"an image of {name[true]} is recognised; the nearest other class is {name[near]}"
        else:
            near = decided
            said = f"an image of {name[true]} is taken for {name[decided]}"
        said += f" (similarity {scores[true]:.3f} to {name[true]}, {scores[near]:.3f} to {name[near]})"
        if self.fixed[place]:
            return f"{said}: fixed, at the start it was taken for {name[int(self.start[place])]}"
        if self.broken[place]:
            return f"{said}: broken, at the start it was recognised"
        return said

    @property
    def summary(self) -> str:
        """Up to three sentences: how many images are right, fixed and broken, and which classes are confused most often."""
        count = len(self.truth)
        if not count:
            return "No image was judged."
        said = (
            f"{int(self.right.sum())} of {count} images are recognised, {int((self.start == self.truth).sum())} at the start: "
            f"{int(self.fixed.sum())} fixed, {int(self.broken.sum())} broken."
        )
        wrong = Counter((int(a), int(b)) for a, b in zip(self.truth, self.decided, strict=True) if a != b)
        if not wrong:
            return said
        most = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS]
        pairs = ", ".join(f"{self.class_names[a]} taken for {self.class_names[b]} ({times})" for (a, b), times in most)
        return f"{said} Confused most often: {pairs}."


class PromptJudge:
    """Judges prompts on images that are embedded already: a decision is the class of the most similar mean prompt.

    Args:
        encoder: puts texts where the image embeddings are.
        class_names: the K classes, each once.
        embeddings: N x D image embeddings, of any length.
        labels: N class indices.
        start: prompts or descriptions by class name to compare with; a class without any has the template.
        template: the prompt of a class without prompts, with {} for its name.

    Raises:
        UsageError: there are fewer than two classes, no images, or labels that do not fit them.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        class_names: Sequence[str],
        embeddings: NDArray[np.float32],
        labels: Sequence[int] | NDArray[np.integer],
        *,
        start: Mapping[str, Sequence[str]] | None = None,
        template: str = "a photo of a {}.",
    ) -> None:
        self.class_names = tuple(class_names)
        if len(self.class_names) < 2 or len(set(self.class_names)) < len(self.class_names):
            raise UsageError("give at least two class names, each once")
        if "{}" not in template:
            raise UsageError(f"the template {template!r} has no {{}} to put the class name into")
        self.encoder, self.template = encoder, template
        self.rows = unit_rows(np.asarray(embeddings))
        truth = np.asarray(labels)
        if not len(truth) or len(truth) != len(self.rows):
            raise UsageError(f"{len(self.rows)} images and {len(truth)} labels; give one label for each of at least one image")
        if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= len(self.class_names):
            raise UsageError(f"labels must be whole numbers from 0 to {len(self.class_names) - 1}")
        self.truth = truth.astype(np.int64)
        self.start = self.prompts(start or {})
        self._start = self.cosines(self.start).argmax(axis=1)

    def prompts(self, texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """The prompts of every class: the texts of its name, each as a prompt that names the class, or the template.

        Raises:
            UsageError: a text belongs to none of the classes.
        """
        unknown = sorted(set(texts) - set(self.class_names))
        if unknown:
            raise UsageError(f"there are prompts for {unknown[0]!r}, which is none of the class names")
        return prompts_of(texts, self.class_names, self.template)

    def cosines(self, prompts: Mapping[str, Sequence[str]]) -> NDArray[np.float32]:
        """N x K cosines of all images with the mean prompts of the classes."""
        vectors = class_vectors(self.encoder, [prompts[name] for name in self.class_names])
        found: NDArray[np.float32] = self.rows @ vectors.T
        return found

    def judge(self, texts: Mapping[str, Sequence[str]], positions: Sequence[int] | NDArray[np.integer] | None = None) -> Judged:
        """Judge prompts or descriptions by class name, on the images at these positions (all by default).

        Raises:
            UsageError: as `prompts`, or there is no image at one of the positions.
        """
        chosen = np.arange(len(self.truth)) if positions is None else np.asarray(positions, dtype=np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(self.truth)):
            raise UsageError(f"positions of images go from 0 to {len(self.truth) - 1}")
        cosines = self.cosines(self.prompts(texts))[chosen]
        return Judged(self.class_names, chosen, self.truth[chosen], self._start[chosen], cosines.argmax(axis=1), cosines)
