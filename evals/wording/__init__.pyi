import verbalize.claims as _claims

from .evaluation import evaluate as evaluate
from .metrics import METRICS as METRICS
from .metrics import Metric as Metric
from .metrics import Sample as Sample
from .metrics import coverage_at as coverage_at
from .metrics import omissions as omissions
from .metrics import readability as readability
from .suite import adversarial_suite as adversarial_suite

ERROR_KINDS = _claims.ERROR_KINDS
