import verbalize.claims as _claims

from .measure import COLUMNS as COLUMNS
from .measure import coverage_at as coverage_at
from .measure import evaluate as evaluate
from .measure import omissions as omissions
from .measure import readability as readability
from .suite import adversarial_suite as adversarial_suite

ERROR_KINDS = _claims.ERROR_KINDS
