"""Does the decision hold? Black-box, feature-guided search for adversarial examples."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adversarial.attack import AttackInterrupted, AttackResult, AttackStopped, FeatureGuidedAttack, FeatureRobustness
    from adversarial.classifier import BudgetExceeded, CallableClassifier, Classifier, ClassifierError
    from adversarial.features import KeypointMixture, keypoint_mixture
    from adversarial.targets import load_classifier

_HOMES = {
    "AttackInterrupted": "attack",
    "AttackResult": "attack",
    "AttackStopped": "attack",
    "BudgetExceeded": "classifier",
    "CallableClassifier": "classifier",
    "Classifier": "classifier",
    "ClassifierError": "classifier",
    "FeatureGuidedAttack": "attack",
    "FeatureRobustness": "attack",
    "KeypointMixture": "features",
    "keypoint_mixture": "features",
    "load_classifier": "targets",
}

__all__ = [
    "AttackInterrupted",
    "AttackResult",
    "AttackStopped",
    "BudgetExceeded",
    "CallableClassifier",
    "Classifier",
    "ClassifierError",
    "FeatureGuidedAttack",
    "FeatureRobustness",
    "KeypointMixture",
    "keypoint_mixture",
    "load_classifier",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
