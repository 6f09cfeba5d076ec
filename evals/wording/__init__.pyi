import verbalize.claims as _claims

from .evaluation import COLUMNS as COLUMNS
from .evaluation import coverage_at as coverage_at
from .evaluation import evaluate as evaluate
from .evaluation import omissions as omissions
from .evaluation import readability as readability
from .suite import adversarial_suite as adversarial_suite

ERROR_KINDS = _claims.ERROR_KINDS
