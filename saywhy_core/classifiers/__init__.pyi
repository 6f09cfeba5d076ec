import saywhy_core.errors as _errors

from .callable_classifier import CallableClassifier as CallableClassifier
from .classifier import ANY_SHAPE as ANY_SHAPE
from .classifier import Classifier as Classifier
from .classifier import ClassifierError as ClassifierError
from .classifier import EndpointError as EndpointError
from .classifier import ImageShape as ImageShape
from .classifier import Scores as Scores
from .classifier import as_probabilities as as_probabilities
from .classifier import ask as ask
from .classifier import ask_some_again as ask_some_again
from .classifier import comparable as comparable
from .classifier import confidence as confidence
from .classifier import least_probability as least_probability
from .classifier import lend as lend
from .classifier import same_answer as same_answer
from .inside.score_networks import ScoreNetwork as ScoreNetwork
from .inside.score_networks import score_network as score_network
from .layout import InputLayout as InputLayout
from .spec import read_option as read_option
from .spec import split_spec as split_spec
from .targets import TARGETS as TARGETS
from .targets import TargetLoader as TargetLoader
from .targets import load_classifier as load_classifier
from .targets import target_options as target_options
from .torch import TorchClassifier as TorchClassifier

BudgetExceeded = _errors.BudgetExceeded
