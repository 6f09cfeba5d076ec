from .exclusions import Exclusion as Exclusion
from .exclusions import Flow as Flow
from .exclusions import Stage as Stage
from .exclusions import apply_exclusions as apply_exclusions
