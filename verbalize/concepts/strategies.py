"""Strategies of a model: images grouped by the concept that matters most in each, as a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.write.naming import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Strategy:
    """A node: the images in which one concept matters most.

    Args:
        concept: the number of the concept, from 0.
        name: its name.
        members: the numbers of the images, from 0, those in which it matters most first.
        prevalence: the share of all images that these are.
        reliability: the share of these images on which the model is right; `None` if that is not known.
        importance: the mean importance of the concept in these images.
    """

    concept: int
    name: str
    members: tuple[int, ...]
    prevalence: float
    reliability: float | None
    importance: float


@dataclass(frozen=True)
class StrategyGraph:
    """The strategies of a model, and which concepts go together.

    Args:
        strategies: the nodes, the most prevalent first.
        edges: the number of images in which two concepts are the two that matter most, by their numbers, the smaller one first.
        size: the number of images.
        names: the names of all concepts.
        without: the images in which no concept has an importance above 0.
    """

    strategies: tuple[Strategy, ...]
    edges: Mapping[tuple[int, int], int]
    size: int
    names: tuple[str, ...]
    without: tuple[int, ...] = ()

    def in_words(self, most: int = 5) -> str:
        """How many images each strategy serves, and on how many of them the model is right. Every number is counted.

        Args:
            most: the most strategies to name.

        Raises:
            UsageError: `most` is below 1.
        """
        if most < 1:
            raise UsageError(f"most is how many strategies are named, 1 or more, not {most!r}")
        said = []
        for one in self.strategies[:most]:
            count = len(one.members)
            name = quoted(one.name) or repr(one.name)
            sentence = f"In {count} of {self.size} images the most important concept is {name}"
            if one.reliability is not None:
                right = round(one.reliability * count)
                which = "it" if count == 1 else f"{'all' if right == count else right if right else 'none'} of these"
                sentence += f"; the model is {'wrong' if count == 1 and not right else 'right'} on {which}"
            said.append(f"{sentence}.")
        more = len(self.strategies) - most
        if more > 0:
            said.append(f"{more} more concept{'s are' if more > 1 else ' is'} the most important one in other images.")
        if self.without:
            said.append(f"In {len(self.without)} of {self.size} images no concept matters.")
        return " ".join(said)


def strategy_graph(importance: ArrayLike, names: Sequence[str], right: ArrayLike | None = None) -> StrategyGraph:
    """Group images by the concept that matters most in each: the strategic cluster graph (Fel et al. 2023, NeurIPS).

    The paper embeds the vectors of importance in the plane by UMAP and marks clusters by their main concept. Here an image
    belongs to its most important concept, so that the numbers can be counted: prevalence is the share of the images, and
    reliability the accuracy of the model on them. An edge counts the images whose two most important concepts these are. Of
    concepts that tie, the one with the smaller number comes first.

    Args:
        importance: (N, K), as `Concepts.importance` gives it. Only values above 0 count.
        names: one name per concept.
        right: (N,) whether the model is right on each image.

    Raises:
        UsageError: the numbers of images, names and answers don't agree.
    """
    values = np.asarray(importance, dtype=np.float64)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise UsageError(f"importance must be finite numbers (images, concepts), not an array of shape {values.shape}")
    if len(names) != values.shape[1]:
        raise UsageError(f"there are {len(names)} names for {values.shape[1]} concepts; give one name for each")
    answers = None if right is None else np.asarray(right).astype(bool)
    if answers is not None and answers.shape != (len(values),):
        raise UsageError(f"right must say of each of {len(values)} images whether the model is right, not {answers.shape}")
    order = np.argsort(-values, axis=1, kind="stable")
    first = order[:, 0]
    used = np.take_along_axis(values, order, axis=1) > 0
    strategies = []
    for concept in range(values.shape[1]):
        members = np.flatnonzero((first == concept) & used[:, 0])
        if len(members):
            members = members[np.argsort(-values[members, concept], kind="stable")]
            strategies.append(
                Strategy(
                    concept,
                    names[concept],
                    tuple(int(index) for index in members),
                    len(members) / len(values),
                    None if answers is None else float(answers[members].mean()),
                    float(values[members, concept].mean()),
                )
            )
    strategies.sort(key=lambda one: (-len(one.members), one.concept))
    edges: dict[tuple[int, int], int] = {}
    if values.shape[1] > 1:
        for pair in order[used[:, 1], :2].tolist():
            key = (min(pair), max(pair))
            edges[key] = edges.get(key, 0) + 1
    without = tuple(int(index) for index in np.flatnonzero(~used[:, 0]))
    return StrategyGraph(tuple(strategies), dict(sorted(edges.items())), len(values), tuple(names), without)
