from .kind import KINDS as KINDS
from .kind import ConditionKind as ConditionKind
