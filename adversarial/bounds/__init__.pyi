from .better import larger_lower_bound as larger_lower_bound
from .radii import Bound as Bound
from .radii import LipschitzConstant as LipschitzConstant
from .radii import estimate_lipschitz as estimate_lipschitz
from .radii import grid_bound as grid_bound
