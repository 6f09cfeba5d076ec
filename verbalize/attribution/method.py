"""Attribution methods and what they explain: texts, images or layers. `METHODS` lists all, and plug-ins can add to it."""

from __future__ import annotations

import math
import numbers
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
    from verbalize.saliency import Query

Inputs: TypeAlias = Literal["tokens", "pixels", "layer"]
Question: TypeAlias = Literal["pointwise", "contrastive", "group"]
Needs: TypeAlias = Literal["scores", "gradients", "layers", "attention"]
Count: TypeAlias = "int | Callable[[Mapping[str, Any], tuple[int, ...]], int]"
STEPS = 32
"""Steps where none are given: enough for sums that are exact to about 1 % on the models of the tests."""
PATCH = 6
"""Pixels of the side of a square where none are given: an eighth of the side of the small images that the project ships."""
SETTINGS = ("baseline", "steps", "patch", "stride", "seed")
"""The settings that many methods share; they are fields of the questions. Other settings are in `question.options`."""
Explain = TypeVar("Explain")


@dataclass(frozen=True)
class Rule:
    """What a setting may be.

    Args:
        says: what it must be, for the error.
        kind: its type: an abstract type of number, or str.
        fits: whether a finite number of this type is allowed.
    """

    says: str
    kind: type = numbers.Real
    fits: Callable[[float], bool] = lambda _: True

    def checked(self, name: str, value: Any) -> Any:
        """The value of the setting `name`, if it is allowed.

        Raises:
            UsageError: it is not.
        """
        right = isinstance(value, self.kind) and not isinstance(value, bool)
        if self.kind is not str:
            right = right and math.isfinite(value) and self.fits(value)
        if not right:
            raise UsageError(f"{name} must be {self.says}, not {value!r:.80}")
        if self.kind is str:
            return str(value)
        return int(value) if self.kind is numbers.Integral else float(value)


def _whole(least: int) -> Rule:
    return Rule(f"a whole number of {least} or more", numbers.Integral, lambda value: value >= least)


_POSITIVE = Rule("a number above 0", fits=lambda value: value > 0)
RULES: Mapping[str, Rule] = {
    "baseline": Rule("the name of a baseline", str),
    "layer": Rule("the name of a layer", str),
    "steps": _whole(1),
    "patch": _whole(1),
    "stride": _whole(1),
    "batch_size": _whole(1),
    "seed": Rule("a whole number from 0 to 4294967295", numbers.Integral, lambda value: 0 <= value < 2**32),
    "samples": _whole(1),
    "masks": _whole(2),
    "cells": _whole(1),
    "context_patch": _whole(1),
    "neighbours": _whole(1),
    "noise": Rule("a number of 0 or more", fits=lambda value: value >= 0),
    "keep": Rule("a probability between 0 and 1", fits=lambda value: 0 < value < 1),
    "tau": Rule("a cosine between -1 and 1", fits=lambda value: -1 < value < 1),
    "rate": _POSITIVE,
    "spatial_width": _POSITIVE,
    "range_width": _POSITIVE,
    "temperature": _POSITIVE,
}
"""What the settings may be, by name. A setting of this name means the same in every method; others check their own."""


@dataclass(frozen=True)
class Explainer(Generic[Explain]):
    """One way to explain one kind of input.

    Args:
        explain: the function that computes the scores.
        uses: the settings that have an effect on it: "baseline", "steps", "patch", "stride", "seed", "layer", or settings of
            its own, which it finds in `question.options`. Any other setting that the caller gives is an error.
        signed: whether the scores have signs. `False` for methods whose scores say how much a part matters and can't speak
            against a label, such as class activation maps, attention, norms and absolute gradients. Without it, scores of texts
            and pixels have signs, and those of layers have none.
        needs: what it needs of the model: only its "scores" (then it explains black boxes, too), its "gradients", its "layers"
            (their outputs, by forward hooks), or the "attention" of a vision transformer.
        questions: the kinds of question that it answers. A method that looks at no class, such as attention rollout, answers
            none: its map is the same for every label, and it takes no query. The query of the map is the predicted label, but
            sentences about the map don't name it (`verbalize.write.voice.LABEL_FREE`).
        batched: whether it explains many images at once, so that `question.batch` may hold more than one.
        baseline: what stands for absent pixels where the caller names nothing; "grey" where the method says nothing.
        passes: about how many inputs it runs through the model to explain one: a number, or a function of the settings that are
            given and the size, (words,) of a text or (rows, columns) of pixels. None says nothing: it is one pass at least.
        backwards: how many of them go backwards, too, in the same forms. None for all where it needs more than scores, else 0.
        per_channel: how many inputs it runs besides for each channel of the layer that it looks at.
    """

    explain: Explain
    uses: tuple[str, ...] = ()
    signed: bool | None = None
    needs: Needs = "gradients"
    questions: tuple[Question, ...] = ("pointwise", "contrastive", "group")
    batched: bool = False
    baseline: str | None = None
    passes: Count | None = None
    backwards: Count | None = None
    per_channel: int = 0


@dataclass(frozen=True)
class Method:
    """An attribution method. It has at least one of the three explainers.

    Args:
        summary: one line about the method, with its source.
        tokens: for `attribute_tokens`. Takes a question about a text, returns 1×L scores, one per piece of the tokenizer.
        pixels: for `attribute_pixels`. Takes a question about N images, returns N×C×H×W or N×1×H×W scores.
        layer: for `attribute_cam`. Takes a module that returns N×1 scores, the name of one of its layers, and the settings in
            `uses` except "seed" as keywords; returns a torchcam extractor.
    """

    summary: str
    tokens: Explainer[Callable[[TextQuestion], torch.Tensor]] | None = None
    pixels: Explainer[Callable[[ImageQuestion], torch.Tensor]] | None = None
    layer: Explainer[Callable[..., Any]] | None = None


METHODS: Registry[Method] = Registry(
    "attribution method",
    "saywhy.attribution",
    {
        "integrated_gradients": "verbalize.attribution.methods.gradients.integrated_gradients:INTEGRATED_GRADIENTS",
        "input_x_gradient": "verbalize.attribution.methods.gradients.input_x_gradient:INPUT_X_GRADIENT",
        "saliency": "verbalize.attribution.methods.gradients.saliency:SALIENCY",
        "gradient_shap": "verbalize.attribution.methods.gradients.gradient_shap:GRADIENT_SHAP",
        "deep_lift": "verbalize.attribution.methods.gradients.deep_lift:DEEP_LIFT",
        "lrp": "verbalize.attribution.methods.gradients.lrp:LRP",
        "occlusion": "verbalize.attribution.methods.perturbations.occlusion:OCCLUSION",
        "shapley": "verbalize.attribution.methods.perturbations.shapley:SHAPLEY",
        "kernel_shap": "verbalize.attribution.methods.perturbations.kernel_shap:KERNEL_SHAP",
        "lime": "verbalize.attribution.methods.perturbations.lime:LIME",
        "layer_grad_cam": "verbalize.attribution.methods.activation_maps.layer_grad_cam:LAYER_GRAD_CAM",
        "grad_cam": "verbalize.attribution.methods.activation_maps.cams:GRAD_CAM",
        "grad_cam_pp": "verbalize.attribution.methods.activation_maps.cams:GRAD_CAM_PP",
        "xgrad_cam": "verbalize.attribution.methods.activation_maps.cams:XGRAD_CAM",
        "smooth_grad_cam_pp": "verbalize.attribution.methods.activation_maps.cams:SMOOTH_GRAD_CAM_PP",
        "score_cam": "verbalize.attribution.methods.activation_maps.cams:SCORE_CAM",
        "layer_cam": "verbalize.attribution.methods.activation_maps.cams:LAYER_CAM",
        "eigen_cam": "verbalize.attribution.methods.activation_maps.eigen_cam:EIGEN_CAM",
        "norm_grad": "verbalize.attribution.methods.activation_maps.norm_grad:NORM_GRAD",
        "meta_norm_grad": "verbalize.attribution.methods.activation_maps.norm_grad:META_NORM_GRAD",
        "cf_cam": "verbalize.attribution.methods.activation_maps.cf_cam:CF_CAM",
        "salient_relevance": "verbalize.attribution.methods.gradients.salient_relevance:SALIENT_RELEVANCE",
        "rise": "verbalize.attribution.methods.perturbations.rise:RISE",
        "rollout": "verbalize.attribution.methods.transformers.rollout:ROLLOUT",
        "class_attention": "verbalize.attribution.methods.transformers.class_attention:CLASS_ATTENTION",
        "attention_gradient": "verbalize.attribution.methods.transformers.attention_gradient:ATTENTION_GRADIENT",
        "token_cut": "verbalize.attribution.methods.transformers.token_cut:TOKEN_CUT",
        "prompt_cam": "verbalize.attribution.methods.transformers.prompt_cam:PROMPT_CAM",
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


def check_settings(explainer: Explainer[Any], name: str, given: Mapping[str, object]) -> dict[str, Any]:
    """Check that every given setting (one that is not `None`) has an effect on the method and is of the right kind.

    Returns:
        The given settings; numbers are those of Python, also where they were given as those of numpy.

    Raises:
        UsageError: a setting has no effect, or `RULES` does not allow its value.
    """
    found: dict[str, Any] = {}
    for setting, value in given.items():
        if value is None:
            continue
        if setting not in explainer.uses:
            used = f"it uses {', '.join(explainer.uses)}" if explainer.uses else "it has no settings"
            raise UsageError(f"{setting} has no effect on the method {name!r} ({used}); leave it out")
        rule = RULES.get(setting)
        found[setting] = value if rule is None else rule.checked(setting, value)
    return found


def check_question(explainer: Explainer[Any], name: str, query: Query | None) -> None:
    """Check that a method answers the question that was asked; None asks why the model predicts its label.

    Raises:
        UsageError: it does not.
    """
    if query is not None and not explainer.questions:
        raise UsageError(
            f"{name} looks at no class: its map is the same for every label; ask it without a query, or take another method"
        )
    contrastive, group = query is not None and bool(query.versus), query is not None and bool(query.members)
    asked: list[Question] = ["contrastive" if contrastive else "pointwise", *(("group",) if group else ())]
    for one in asked:
        if explainer.questions and one not in explainer.questions:
            raise UsageError(f"{name} can't answer a {one} question; it answers: {', '.join(explainer.questions)}")


def check_needs(explainer: Explainer[Any], name: str, inputs: Inputs = "pixels", *, black_box: bool) -> None:
    """Check that the model offers what the method needs.

    Raises:
        UsageError: the model is a black box, and the method needs more than its scores.
    """
    if black_box and explainer.needs != "scores":
        able = [one for one in METHODS if _explains(one, inputs) and explainer_for(inputs, one).needs == "scores"]
        raise UsageError(
            f"{name} needs the {explainer.needs} of the model, and only the scores of this one are known; use {', '.join(able)}"
        )


def _explains(name: str, inputs: Inputs) -> bool:
    try:
        return getattr(METHODS.get(name), inputs) is not None
    except UsageError:
        return False
