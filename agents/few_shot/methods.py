"""The methods by name: which texts each begins with, and what it makes of them and of the labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from agents.few_shot.classifier import FewShotClassifier

Texts = Literal["template", "templates", "descriptions", "plain", "prompts"]
"""What the class vectors are means of: the template, CLIP's 80 templates, all descriptions (the template where a class has
none), "plain", which is templates and descriptions in equal parts (templates where a class has none), or optimised prompts."""

ROOM = "agents.few_shot"


@dataclass(frozen=True)
class Method:
    """One way to classify in an encoder's space.

    Attributes:
        name: as the command takes it.
        words: what it is, in a few words.
        texts: the texts it begins with.
        fit: "module:function" of what makes a classifier of images n×D, labels n and text vectors K×D; None where the texts
            alone decide. The module is imported at the first call, because the command line lists the names at its start.
    """

    name: str
    words: str
    texts: Texts
    fit: str | None = None

    def __call__(
        self, rows: NDArray[np.floating], labels: NDArray[np.integer], texts: NDArray[np.floating]
    ) -> FewShotClassifier:
        """The classifier that the method makes of these images, labels and text vectors."""
        module, _, name = (self.fit or "agents.few_shot.classifier:of_texts").partition(":")
        make: Callable[..., FewShotClassifier] = getattr(import_module(module), name)
        return make(rows, labels, texts)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("template", "the template alone", "template"),
            Method("templates", "CLIP's 80 templates", "templates"),
            Method("descriptions", "all descriptions averaged", "descriptions"),
            Method("prompts", "optimised prompts", "prompts"),
            Method("prototype", "texts and image means", "plain", f"{ROOM}.prototypes:fit_prototypes"),
            Method("prompts+prototype", "optimised prompts and image means", "prompts", f"{ROOM}.prototypes:fit_prototypes"),
            Method("tip-adapter", "texts and stored images", "plain", f"{ROOM}.tip_adapter:fit_tip_adapter"),
            Method("probe", "linear probe on the images alone", "plain", f"{ROOM}.linear_probe:fit_probe"),
            Method(
                "anchored-probe",
                "linear probe drawn to the texts",
                "plain",
                f"{ROOM}.anchored_probe:fit_anchored_probe",
            ),
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
