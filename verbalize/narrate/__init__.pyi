from .dialogue import AUDIENCES as AUDIENCES
from .dialogue import STYLES as STYLES
from .dialogue import zero_shot_request as zero_shot_request
from .narrator import Narrator as Narrator
