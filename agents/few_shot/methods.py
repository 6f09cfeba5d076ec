"""The methods by name: which texts each begins with, and what it makes of them and of the labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from agents.few_shot.anchored_probe import fit_anchored_probe
from agents.few_shot.classifier import FewShotClassifier
from agents.few_shot.linear_probe import fit_probe
from agents.few_shot.prototypes import fit_prototypes
from agents.few_shot.shots import unit
from agents.few_shot.tip_adapter import fit_tip_adapter
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

Texts = Literal["template", "templates", "descriptions", "plain", "prompts"]
"""What the class vectors are means of: the template, CLIP's 80 templates, all descriptions (the template where a class has
none), the templates and the descriptions in equal parts ("plain"; the templates alone where a class has none), or optimised prompts."""


@dataclass(frozen=True)
class Method:
    """One way to classify in an encoder's space.

    Attributes:
        name: as the command takes it.
        words: what it is, in a few words.
        texts: the texts it begins with.
        fit: makes a classifier of images n×D, labels n and text vectors K×D; None where the texts alone decide.
    """

    name: str
    words: str
    texts: Texts
    fit: Callable[[NDArray[np.floating], NDArray[np.integer], NDArray[np.floating]], FewShotClassifier] | None = None

    def __call__(
        self, rows: NDArray[np.floating], labels: NDArray[np.integer], texts: NDArray[np.floating]
    ) -> FewShotClassifier:
        """The classifier that the method makes of these images, labels and text vectors."""
        if self.fit is not None:
            return self.fit(rows, labels, texts)
        vectors = unit(texts, "text")
        return FewShotClassifier(vectors, np.zeros(len(vectors)))


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("template", "the template alone", "template"),
            Method("templates", "CLIP's 80 templates", "templates"),
            Method("descriptions", "all descriptions averaged", "descriptions"),
            Method("prompts", "optimised prompts", "prompts"),
            Method("prototype", "texts and image means", "plain", fit_prototypes),
            Method("prompts+prototype", "optimised prompts and image means", "prompts", fit_prototypes),
            Method("tip-adapter", "texts and stored images (Tip-Adapter)", "plain", fit_tip_adapter),
            Method("probe", "linear probe on the images alone", "plain", fit_probe),
            Method("anchored-probe", "linear probe drawn to the texts", "plain", fit_anchored_probe),
        )
    }
)
"""In the order in which tables list them, from texts alone to images alone."""


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in METHODS:
        raise UsageError(f"there is no method {name!r:.80}; there are {', '.join(METHODS)}")
    return METHODS[name]
