"""Does the decision hold? Black-box, feature-guided search for adversarial examples."""

from __future__ import annotations

import lazy_loader

from saywhy_core.classifiers import BudgetExceeded, CallableClassifier, Classifier, ClassifierError, load_classifier
from saywhy_core.moved import moved

moved(
    {
        "adversarial.bound": "adversarial.bounds",
        "adversarial.engines": "adversarial.attacks.mcts_game",
        "adversarial.game": "adversarial.attacks.mcts_game",
        "adversarial.classifier": "saywhy_core.classifiers",
        "adversarial.search": "adversarial.attacks.feature_guided.search",
        "adversarial.shrink": "adversarial.attacks.feature_guided.shrink",
        "adversarial.targets": "saywhy_core.classifiers",
    }
)

__getattr__, _, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "BudgetExceeded", "CallableClassifier", "Classifier", "ClassifierError", "load_classifier"]
__dir__ = __all__.copy
