from .lipschitz import LipschitzConstant as LipschitzConstant
from .lipschitz import estimate_lipschitz as estimate_lipschitz
from .radius import grid_bound as grid_bound
from .verdict import Bound as Bound
