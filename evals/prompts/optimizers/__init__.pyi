from .dspy_scores import dspy_metric as dspy_metric
from .gepa_adapter import GEPAAdapter as GEPAAdapter
from .judge import Judged as Judged
from .judge import PromptJudge as PromptJudge
