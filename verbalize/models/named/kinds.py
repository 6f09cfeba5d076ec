"""The kinds of model that a line of text can name. Nothing heavy is loaded for their names."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

from saywhy_core.classifiers import TARGETS
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from verbalize.models.opening import Model


class ModelLoader(Protocol):
    """Opens the models of one kind.

    The keyword parameters of the function are the options of the kind; any other option is refused before it is called. It may
    have a parameter `class_names`, which receives a tuple of names or a mapping of names to texts, and a parameter `trust`,
    without which the kind says that it never runs code of the model's author (see `saywhy_core.classifiers.TargetLoader`).
    """

    def __call__(self, where: str, /, **options: Any) -> Model:
        """The model at `where`, which is the part of the spec between the kind's colon and the question mark.

        Raises:
            UsageError: there is no such model, an option has a wrong value, or an option is missing.
        """


MODELS: Registry[ModelLoader] = Registry(
    "model",
    "saywhy.models",
    {
        "transformers": "verbalize.models.named.transformers_models:load",
        "text": "verbalize.models.named.transformers_models:load_encoder",
        "python": "verbalize.models.named.python_objects:load",
    },
    expects=callable,
    words="a function load(where, *, option=...) that returns a model",
)


def model_options(kind: str) -> tuple[str, ...] | None:
    """The options of a kind of model, None where it takes any. `trust` is none of them: no line of text can give it.

    Raises:
        UsageError: there is no such kind.
    """
    with MODELS.blame(kind):
        parameters = list(inspect.signature(MODELS.get(kind)).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return tuple(parameter.name for parameter in parameters if parameter.name != "trust")


def model_kinds() -> tuple[str, ...]:
    """All kinds of model that a spec may name: those of `MODELS`, then those of image classifiers."""
    return tuple(dict.fromkeys((*MODELS, *TARGETS)))
