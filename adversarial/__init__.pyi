import saywhy_core.classifiers as _classifiers

from .answer_file import AnswerFile as AnswerFile
from .answers import AnswerMemory as AnswerMemory
from .attack import FeatureGuidedAttack as FeatureGuidedAttack
from .attacks.per_feature import FeatureRobustness as FeatureRobustness
from .bounds.pixel_bound import PixelBound as PixelBound
from .bounds.pixel_bound import PixelProof as PixelProof
from .bounds.pixels import fewest_pixels as fewest_pixels
from .features import KeypointMixture as KeypointMixture
from .features import keypoint_mixture as keypoint_mixture
from .given import GivenImagesWarning as GivenImagesWarning
from .result import AttackInterrupted as AttackInterrupted
from .result import AttackResult as AttackResult
from .result import AttackStopped as AttackStopped
from .streaming import AttackTask as AttackTask

BudgetExceeded = _classifiers.BudgetExceeded
CallableClassifier = _classifiers.CallableClassifier
Classifier = _classifiers.Classifier
ClassifierError = _classifiers.ClassifierError
load_classifier = _classifiers.load_classifier
