from .distance import DISTANCES as DISTANCES
from .distance import Distance as Distance
from .distance import all_distances as all_distances
from .geometry import clipped_ray as clipped_ray
