"""Attribution methods and what they explain: texts, images or layers. `METHODS` lists all, and plug-ins can add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

Inputs: TypeAlias = Literal["tokens", "pixels", "layer"]
Explain = TypeVar("Explain")


@dataclass(frozen=True)
class Explainer(Generic[Explain]):
    """One way to explain one kind of input.

    Args:
        explain: the function that computes the scores.
        uses: the settings that have an effect on it: "baseline", "steps", "patch", "stride", "seed". Any other setting that the
            caller gives is an error.
        signed: whether the scores have signs. `False` for methods whose scores say how much a part matters and can't speak
            against a label, such as class activation maps, attention, norms and absolute gradients. Without it, scores of texts
            and pixels have signs, and those of layers have none.
    """

    explain: Explain
    uses: tuple[str, ...] = ()
    signed: bool | None = None


@dataclass(frozen=True)
class Method:
    """An attribution method. It has at least one of the three explainers.

    Args:
        summary: one line about the method, with its source.
        tokens: for `attribute_tokens`. Takes a question about a text, returns 1×L scores, one per piece of the tokenizer.
        pixels: for `attribute_pixels`. Takes a question about an image, returns 1×C×H×W scores.
        layer: for `attribute_cam`. Takes a module and the name of a layer, returns a torchcam extractor.
    """

    summary: str
    tokens: Explainer[Callable[[TextQuestion], torch.Tensor]] | None = None
    pixels: Explainer[Callable[[ImageQuestion], torch.Tensor]] | None = None
    layer: Explainer[Callable[[torch.nn.Module, str], Any]] | None = None


METHODS: Registry[Method] = Registry(
    "attribution method",
    "saywhy.attribution",
    {
        "integrated_gradients": "verbalize.attribution.methods.integrated_gradients:INTEGRATED_GRADIENTS",
        "input_x_gradient": "verbalize.attribution.methods.input_x_gradient:INPUT_X_GRADIENT",
        "occlusion": "verbalize.attribution.methods.occlusion:OCCLUSION",
        "shapley": "verbalize.attribution.methods.shapley:SHAPLEY",
        "grad_cam": "verbalize.attribution.methods.cams:GRAD_CAM",
        "grad_cam_pp": "verbalize.attribution.methods.cams:GRAD_CAM_PP",
        "xgrad_cam": "verbalize.attribution.methods.cams:XGRAD_CAM",
        "layer_cam": "verbalize.attribution.methods.cams:LAYER_CAM",
    },
    expects=Method,
)


def methods_for(inputs: Inputs) -> tuple[str, ...]:
    """The names of the methods for "tokens", "pixels" or a "layer". A plug-in that can't be loaded is left out."""
    return tuple(name for name in METHODS if _explains(name, inputs))


def explainer_for(inputs: Inputs, name: str) -> Explainer[Any]:
    """The explainer of a method for these inputs.

    Raises:
        UsageError: there is no such method, or it does not explain these inputs.
    """
    found: Explainer[Any] | None = getattr(METHODS.get(name), inputs) if name in METHODS else None
    if found is None:
        raise UsageError(
            f"there is no attribution method {name!r} that explains {inputs}; use one of {', '.join(methods_for(inputs))}"
        )
    return found


def check_settings(explainer: Explainer[Any], name: str, given: Mapping[str, object]) -> None:
    """Check that every given setting (one that is not `None`) has an effect on the method.

    Raises:
        UsageError: a setting has none.
    """
    for setting, value in given.items():
        if value is not None and setting not in explainer.uses:
            used = f"it uses {', '.join(explainer.uses)}" if explainer.uses else "it has no settings"
            raise UsageError(f"{setting} has no effect on the method {name!r} ({used}); leave it out")


def _explains(name: str, inputs: Inputs) -> bool:
    try:
        return getattr(METHODS.get(name), inputs) is not None
    except UsageError:
        return False
