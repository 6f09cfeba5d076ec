import saywhy_core.classifiers as _classifiers

from .attack import AttackInterrupted as AttackInterrupted
from .attack import AttackResult as AttackResult
from .attack import AttackStopped as AttackStopped
from .attack import FeatureGuidedAttack as FeatureGuidedAttack
from .attack import FeatureRobustness as FeatureRobustness
from .features import KeypointMixture as KeypointMixture
from .features import keypoint_mixture as keypoint_mixture

BudgetExceeded = _classifiers.BudgetExceeded
CallableClassifier = _classifiers.CallableClassifier
Classifier = _classifiers.Classifier
ClassifierError = _classifiers.ClassifierError
load_classifier = _classifiers.load_classifier
