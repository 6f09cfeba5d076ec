"""Metrics of faithfulness. `METRICS` lists all, and plug-ins can add to it.

A metric is one file in a wing of `evals/faithfulness/metrics/` and one line in `METRICS`. It has two functions:

- `asks(settings)` names the masked inputs that it needs of each map, as a tuple of `Hide` (a share of the parts, in the order
  of the map) and `Keep` (masks of its own). Equal requests of two metrics are run once.
- `measure(answers, settings)` returns its value for each of the N maps, from the logits or probabilities of these inputs:
  `answers.scores(ask)` are the (N, S) scores of the queries in the scale that is asked for, `answers.logits(ask)` all (N, S, K)
  logits. NaN means that the metric is not defined for this map.

`measure` is called once per scale, for some of the maps at a time, so that no map may depend on another one. A metric that
does not look at the scores (`scaled=False`) is called once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evals.faithfulness.answers import Answers
    from evals.faithfulness.hiding.asks import Ask
    from verbalize.saliency import Floats, Saliency

Need: TypeAlias = Literal["explain", "truth", "gradients"]
Bounds: TypeAlias = tuple[float, float]
_UNBOUNDED: Bounds = (float("-inf"), float("inf"))
FLAT = "all scores of the map are equal"
FLAT_MAGNITUDES = "all scores of the map have the same magnitude"


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric of faithfulness.

    Args:
        summary: one line about the metric, with its source.
        measure: takes `Answers` and the settings, returns (N,) values, NaN where the metric is not defined.
        higher_is_better: whether a higher value speaks for the map.
        asks: takes the settings, returns the masked inputs that the metric needs; `None` if it needs none.
        settings: its settings and their values where the caller gives none, such as {"steps": 20}. Metrics with a setting of
            the same name are given the same value.
        inputs: what it measures: maps over "tokens", "pixels" or both.
        needs: what it needs besides maps and model: "explain" (a function that explains other inputs), "truth" (masks of the
            decisive parts), "gradients" (a model whose gradients are known). A metric that lacks one is left out of
            `evaluate` where it is not named.
        scaled: whether its value depends on the scale of the scores: logits or probabilities.
        flat: whether it is defined for maps of which all scores are equal.
        undefined: why it may not be defined for a map that is not flat.
        family: metrics of one family may differ by what is the same for all maps of an input. Of those that rank all methods
            alike on every input, one counts in the mean rank.
        fixed: why its value for a map is the same whatever the model, where it is so: takes the map and its value, returns the
            reason, or "". Such a value has no rank.
        bounds: its least and its greatest possible value, where intervals are cut; or a function of the scale, of whether
            a query is contrastive, and of the settings, which returns them.
    """

    summary: str
    measure: Callable[[Answers, Mapping[str, Any]], Floats]
    higher_is_better: bool
    asks: Callable[[Mapping[str, Any]], tuple[Ask, ...]] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Literal["tokens", "pixels"], ...] = ("tokens", "pixels")
    needs: tuple[Need, ...] = ()
    scaled: bool = True
    flat: bool = False
    undefined: str = "it is not defined for this input"
    family: str = ""
    fixed: Callable[[Saliency, float], str] | None = None
    bounds: Bounds | Callable[[str, bool, Mapping[str, Any]], Bounds] = _UNBOUNDED

    def bounds_in(self, scale: str, *, contrastive: bool, settings: Mapping[str, Any]) -> Bounds:
        """Its least and its greatest possible value.

        Args:
            scale: "logits" or "probabilities", or "none".
            contrastive: whether a query is contrastive, so that its score is a difference.
            settings: its settings.
        """
        return self.bounds(scale, contrastive, settings) if callable(self.bounds) else self.bounds


def probability_bounds(pointwise: Bounds, contrastive: Bounds | None = None, logits: Bounds = _UNBOUNDED) -> Any:
    """Bounds that hold in probabilities, whose scores are 0..1 or, of a contrastive query, -1..1.

    Args:
        pointwise: the bounds in probabilities.
        contrastive: those where a query is contrastive, if they differ.
        logits: the bounds in logits.
    """

    def bounds(scale: str, compares: bool, settings: Mapping[str, Any]) -> Bounds:
        del settings
        if scale != "probabilities":
            return logits
        return contrastive if compares and contrastive is not None else pointwise

    return bounds


_HERE = "evals.faithfulness.metrics"
METRICS: Registry[Metric] = Registry(
    "metric of faithfulness",
    "saywhy.faithfulness",
    {
        "deletion": f"{_HERE}.curves.deletion:DELETION",
        "insertion": f"{_HERE}.curves.insertion:INSERTION",
        "comprehensiveness": f"{_HERE}.curves.comprehensiveness:COMPREHENSIVENESS",
        "sufficiency": f"{_HERE}.curves.sufficiency:SUFFICIENCY",
        "monotonicity": f"{_HERE}.curves.monotonicity:MONOTONICITY",
        "average_drop": f"{_HERE}.confidence.average_drop:AVERAGE_DROP",
        "average_gain": f"{_HERE}.confidence.average_gain:AVERAGE_GAIN",
        "increase": f"{_HERE}.confidence.increase:INCREASE",
        "infidelity": f"{_HERE}.correlations.infidelity:INFIDELITY",
        "infidelity_scaled": f"{_HERE}.correlations.infidelity_scaled:INFIDELITY_SCALED",
        "faithfulness_correlation": f"{_HERE}.correlations.faithfulness_correlation:FAITHFULNESS_CORRELATION",
        "monotonicity_correlation": f"{_HERE}.correlations.monotonicity_correlation:MONOTONICITY_CORRELATION",
        "tau_correlation": f"{_HERE}.correlations.tau_correlation:TAU_CORRELATION",
        "max_sensitivity": f"{_HERE}.robustness.max_sensitivity:MAX_SENSITIVITY",
        "ccs": f"{_HERE}.reference_frames.ccs:CCS",
        "ccs_contrast": f"{_HERE}.reference_frames.ccs:CCS_CONTRAST",
        "cgc": f"{_HERE}.reference_frames.cgc:CGC",
        "cgc_contrast": f"{_HERE}.reference_frames.cgc:CGC_CONTRAST",
        "pgs": f"{_HERE}.reference_frames.pgs:PGS",
        "pgs_contrast": f"{_HERE}.reference_frames.pgs:PGS_CONTRAST",
        "cgs": f"{_HERE}.reference_frames.cgs:CGS",
        "cgs_contrast": f"{_HERE}.reference_frames.cgs:CGS_CONTRAST",
        "pointing_game": f"{_HERE}.localisation.pointing_game:POINTING_GAME",
        "mask_iou": f"{_HERE}.localisation.mask_iou:MASK_IOU",
        "class_sensitivity": f"{_HERE}.sanity.class_sensitivity:CLASS_SENSITIVITY",
        "randomisation": f"{_HERE}.sanity.randomisation:RANDOMISATION",
    },
    expects=Metric,
)
