import saywhy_core.errors as _errors

from .classifier import CallableClassifier as CallableClassifier
from .classifier import Classifier as Classifier
from .classifier import ClassifierError as ClassifierError
from .classifier import Scores as Scores
from .classifier import comparable as comparable
from .classifier import same_answer as same_answer
from .layout import InputLayout as InputLayout
from .load import load_classifier as load_classifier

BudgetExceeded = _errors.BudgetExceeded
